"""Cedana's propagator: clusters, checkpoints and restores through its REST API."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any, Literal

import requests
from robot.api import logger
from robot.api.deco import keyword, library
from robot.api.types import Secret

from harness import VERSION
from harness.failures import BadInput

from .client import PropagatorClient
from .connections import remember
from .keywords.checkpoints import CheckpointKeywords
from .keywords.clusters import ClusterKeywords
from .keywords.outages import OutageKeywords
from .keywords.policies import PolicyKeywords
from .keywords.refusals import RefusalKeywords
from .keywords.servers import ServerKeywords
from .keywords.several import SeveralKeywords
from .requests_sessions import SharedSessions
from .tales import offer
from .transport import mount, open_session
from .urls import normalise

ALIAS = "propagator"
TALE_TIMEOUTS = (2.0, 5.0)
"""Seconds to connect and to read, where something has failed already."""


@library(scope="GLOBAL", version=VERSION, doc_format="MARKDOWN")
class PropagatorLibrary(
    ClusterKeywords,
    RefusalKeywords,
    SeveralKeywords,
    CheckpointKeywords,
    PolicyKeywords,
    OutageKeywords,
    ServerKeywords,
):
    """Cedana's propagator, in every known era of its REST API.

    `Connect To Propagator` comes first. It also makes a session of RequestsLibrary with the alias `propagator`, for
    whatever has no keyword here:

        Connect To Propagator    ci.cedana.ai    ${TOKEN}
        ${response}=    GET On Session    propagator    /v2/actions

    The token is in no log: it is added to a copy of each request as it leaves. GETs are repeated when the service is
    out of reach for a moment. A request that changes something is never sent twice before the service was asked what
    became of the first.
    """

    ROBOT_LISTENER_API_VERSION = 3

    def __init__(self) -> None:
        self.ROBOT_LIBRARY_LISTENER = self
        super().__init__()
        self._sessions = SharedSessions()
        self._another_session: Callable[[], requests.Session] | None = None

    def open_session(self) -> requests.Session:
        """A further session with the token, for a thread of its own."""
        if self._another_session is None:
            raise BadInput("the propagator", "", "connected to first", look="Use Connect To Propagator.")
        return self._another_session()

    def library_import(self, library: Any, importer: Any) -> None:  # noqa: ARG002 - Robot's listener interface
        """Shares the session with a RequestsLibrary that is imported after it was made."""
        if library.real_name == "RequestsLibrary":
            self._sessions.share_with(library.instance)

    @keyword
    def connect_to_propagator(
        self,
        url: str,
        token: Secret,
        *,
        ca_bundle: Path | None = None,
        connect_timeout: timedelta = timedelta(seconds=5),
        read_timeout: timedelta = timedelta(seconds=30),
    ) -> str:
        """Connects to the propagator and checks the token.

        Args:
            url: `ci.cedana.ai/v1`, `https://ci.cedana.ai` and `https://ci.cedana.ai/` mean the same service.
            token: the bearer token, as a Secret.
            ca_bundle: a file with certificates of authorities to trust instead of the usual ones.
            connect_timeout: for a connection to be made.
            read_timeout: for an answer, and between two pieces of it.

        Returns:
            The id of the token's user.

        Raises:
            BadInput: the URL is none.
            Unauthorized: the token is not accepted; cause `auth`.
            Unreachable: no answer.

        Example:

            Connect To Propagator    https://ci.cedana.ai    ${TOKEN}
        """
        base_url = normalise(url, "url")
        if ca_bundle and not ca_bundle.is_file():
            raise BadInput("ca_bundle", str(ca_bundle), "the path of a file with certificates")
        verify: Literal[True] | str = str(ca_bundle) if ca_bundle else True
        session = self._sessions.create(ALIAS, base_url, verify)
        timeouts = connect_timeout.total_seconds(), read_timeout.total_seconds()
        mount(session, base_url, token.value, verify=verify, timeouts=timeouts)
        self._another_session = lambda: open_session(base_url, token.value, verify=verify, timeouts=timeouts)
        client = PropagatorClient(session, base_url)
        user = client.check_token()
        remember(client)
        offer(client.beside(open_session(base_url, token.value, verify=verify, timeouts=TALE_TIMEOUTS)))
        self.client = client
        logger.info(f"Connected to {base_url} as user {user}.")
        return user
