"""The API calls of a run as they happen, for whoever watches them, and who may add headers. By itself nobody does."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import dataclass, field


@dataclass
class Call:
    """One call.

    Attributes:
        to: which API: `propagator` or `kubernetes`.
        method: of HTTP.
        url: as it is asked for; it may hold what nobody should read.
        headers: to be sent with it, where the caller sends such; an observer sets them.
        status: of the answer, once there is one.
    """

    to: str
    method: str
    url: str
    headers: dict[str, str] = field(default_factory=dict)
    status: int | None = None


Observer = Callable[[Call], AbstractContextManager[None]]
"""Is entered before the call is sent and left when it has been answered, or has failed; in the caller's thread."""


class Calls:
    """Where calls are made known."""

    def __init__(self) -> None:
        self._observer: Observer | None = None

    def observe(self, observer: Observer | None) -> None:
        """From now on this one watches; None for nobody."""
        self._observer = observer

    @contextmanager
    def watched(self, to: str, method: str, url: str) -> Iterator[Call]:
        """Around the making of a call."""
        call = Call(to, method, url)
        with self._observer(call) if self._observer else nullcontext():
            yield call


CALLS = Calls()
