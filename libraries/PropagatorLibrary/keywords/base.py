"""What the keywords share: the connection, and the ledger's part in making things."""

from __future__ import annotations

from collections.abc import Callable

from harness.failures import BadInput
from harness.ledger import LEDGER, Entry

from ..client import PropagatorClient
from ..errors import AnswerLost, PropagatorError, Unreachable


class Connected:
    """Keywords that need a connection."""

    client: PropagatorClient | None = None

    def connected(self) -> PropagatorClient:
        """The client.

        Raises:
            BadInput: there is no connection yet.
        """
        if self.client is None:
            raise BadInput("the propagator", "", "connected to first", look="Use Connect To Propagator.")
        return self.client


def begin(entry: Entry, send: Callable[[], str], key: str) -> str:
    """Sends what the entry owes; it is not owed when the propagator certainly made nothing."""
    try:
        made = send()
    except PropagatorError as failed:
        if not isinstance(failed, AnswerLost | Unreachable) and failed.status and failed.status < 500:
            LEDGER.gone(entry)
        raise
    LEDGER.made(entry, **{key: made})
    return made
