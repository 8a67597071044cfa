"""One waiter for everything that has no watch: adaptive polling with a timeout of its own."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from typing import Generic, TypeVar

from .durations import lasting
from .failures import WaitTimedOut
from .progress import PROGRESS

T = TypeVar("T")


@dataclass(frozen=True)
class Done(Generic[T]):
    """What was waited for is there."""

    value: T


@dataclass(frozen=True)
class Pending:
    """Not yet; `seen` says in words what there is instead. `retry_after` (seconds) is a wish of the server's."""

    seen: str
    cause: str = ""
    retry_after: float = 0.0


Look = Done[T] | Pending


@dataclass(frozen=True)
class Pace:
    """How often to look, in seconds: the pause grows with the time waited, so that a change is noticed within
    `share` of the wait, never sooner than `least` and never later than `most`.

    So a wait takes 1/`share` looks at first, then as many more as its length's logarithm, until the pauses reach `most`
    (after `most`/`share` seconds), and one each `most` seconds from then on. See `most_looks`.
    """

    least: float = 0.05
    share: float = 0.05
    most: float = 1.0

    def pause(self, waited: float) -> float:
        """Seconds until the next look after `waited` seconds."""
        return min(self.most, max(self.least, self.share * waited))

    def most_looks(self, wait: float) -> int:
        """How many looks a wait of so many seconds takes at most."""
        even, capped = self.least / self.share, self.most / self.share
        growing = max(0.0, math.log(min(wait, capped) / even, 1 + self.share)) if wait > 0 else 0.0
        return 2 + math.ceil(min(wait, even) / self.least) + math.ceil(growing + max(0.0, wait - capped) / self.most)


SILENT = ("cluster-unreachable", "propagator-unreachable")
"""Causes of what nobody answered to."""
_SILENCE: ContextVar[float] = ContextVar("silence", default=math.inf)


@contextmanager
def bearing_silence(seconds: float) -> Iterator[None]:
    """Within it, a wait is over before its time where nobody has answered for so long."""
    before = _SILENCE.set(seconds)
    try:
        yield
    finally:
        _SILENCE.reset(before)


LOCAL = Pace(share=0.04)
REMOTE = Pace(least=0.1, share=0.04, most=5.0)
"""A look takes time, too: with it a change is noticed within a twentieth of the wait."""


@dataclass
class LastSeen:
    """What a wait saw last, and since when."""

    text: str = "nothing yet"
    cause: str = ""
    since: float = field(default_factory=time.monotonic)
    _silent_since: float | None = None

    def note(self, pending: Pending) -> None:
        """Takes over what was seen; the time starts anew only when it differs."""
        if pending.seen != self.text:
            self.text, self.since = pending.seen, time.monotonic()
        self.cause = pending.cause
        if pending.cause not in SILENT:
            self._silent_since = None
        elif self._silent_since is None:
            self._silent_since = time.monotonic()

    @property
    def is_hopeless(self) -> bool:
        """Whether nobody has answered for longer than is borne here."""
        return self._silent_since is not None and time.monotonic() - self._silent_since >= _SILENCE.get()

    def timed_out(self, expected: str, timeout: float, look: str, cause: str) -> WaitTimedOut:
        """The failure of a wait that ran out: what was expected, what was last seen and for how long."""
        lasted = min(time.monotonic() - self.since, timeout)
        seen = f"{self.text} (so for the last {lasting(lasted)} of {lasting(timeout)})"
        return WaitTimedOut(f"{expected} within {lasting(timeout)}", seen, look, cause=self.cause or cause)


def wait_until(
    look: Callable[[], Look[T]],
    *,
    timeout: float,
    expected: str,
    look_next: str = "",
    cause: str = "unknown",
    pace: Pace = LOCAL,
) -> T:
    """Calls `look` until it answers `Done` and returns its value.

    Args:
        look: one look; answers `Done(value)` or `Pending(seen)`. Its own exceptions end the wait.
        timeout: seconds; one look is taken even when it is 0, and a last one when the time is up.
        expected: what is waited for, for the failure text.
        look_next: what to look at when the time runs out.
        cause: the cause when the time runs out and the last `Pending` names none.
        pace: how often to look.

    Raises:
        WaitTimedOut: the time ran out; says what was last seen and for how long.
    """
    start = time.monotonic()
    last = LastSeen()
    with PROGRESS.awaiting(expected, timeout, lambda: last.text):
        while True:
            answer = look()
            if isinstance(answer, Done):
                return answer.value
            last.note(answer)
            waited = time.monotonic() - start
            if waited >= timeout or last.is_hopeless:
                raise last.timed_out(expected, timeout, look_next, cause)
            time.sleep(min(max(pace.pause(waited), answer.retry_after), timeout - waited))
