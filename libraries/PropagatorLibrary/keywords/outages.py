"""Keywords that let the service be out of reach for a while: for this run only, and without harm to anybody."""

from __future__ import annotations

from datetime import timedelta

from robot.api import logger
from robot.api.deco import keyword

from ..sending import Patience
from .base import Connected


class OutageKeywords(Connected):
    """The connection between this run and the propagator."""

    @keyword
    def cut_connection_to_propagator(self, *, repeat_for: timedelta = timedelta(seconds=1)) -> None:
        """Cuts this run off from the propagator: every request meets a closed port, until the connection is mended.

        The service itself, the cluster and whoever else uses them notice nothing. The session that RequestsLibrary
        shares is cut off too.

        Args:
            repeat_for: for how long reads are repeated meanwhile, instead of the usual 20 s.

        Raises:
            BadInput: there is no connection yet.

        Example:

            Cut Connection To Propagator
            Run Keyword And Expect Error    *propagator-unreachable*    List Clusters
            Mend Connection To Propagator
        """
        client = self.connected()
        client.cut_off(Patience(total=repeat_for.total_seconds()))
        logger.info(f"Nothing reaches {client.base_url} until `Mend Connection To Propagator`.")

    @keyword
    def mend_connection_to_propagator(self) -> None:
        """Ends `Cut Connection To Propagator`. Fine when the connection was not cut.

        Example:

            Mend Connection To Propagator
            List Clusters
        """
        if self.client is not None:
            self.client.reconnect()
