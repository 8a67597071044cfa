"""What the keywords share: the connection, and the ledger's part in making things."""

from __future__ import annotations

import threading
from collections.abc import Callable

import requests

from harness.failures import BadInput
from harness.ledger import LEDGER, Entry

from ..client import PropagatorClient
from ..errors import AnswerLost, PropagatorError, Unreachable


class Connected:
    """Keywords that need a connection."""

    client: PropagatorClient | None = None
    here = threading.local()
    """What holds for one thread: its `client`, where it has one of its own."""

    def open_session(self) -> requests.Session:
        """A further session with the token, for a thread of its own."""
        raise NotImplementedError

    def connected(self) -> PropagatorClient:
        """The client, of this thread.

        Raises:
            BadInput: there is no connection yet.
        """
        own: PropagatorClient | None = getattr(self.here, "client", None)
        if own is not None:
            return own
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
