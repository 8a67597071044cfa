"""What is being waited for, and how far it is, for people who watch a long run."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

AFTER = 5.0
"""Seconds that a wait takes before it is told of."""
EVERY = 1.0
"""Seconds between two times that it is told of."""

Teller = Callable[["Wait | None"], object]


@dataclass(frozen=True, eq=False)
class Wait:
    """Something that is being waited for.

    Attributes:
        what: in words, as in `Expected:` of a failure.
        limit: seconds that it may take; None where nobody limits it.
        seen: tells what there is now.
    """

    what: str
    limit: float | None
    seen: Callable[[], str]
    begun: float = field(default_factory=time.monotonic)
    in_main: bool = field(default_factory=lambda: threading.current_thread() is threading.main_thread())

    @property
    def waited(self) -> float:
        """Seconds so far."""
        return time.monotonic() - self.begun

    @property
    def time(self) -> str:
        """The time so far, and how long it may be."""
        return f"{self.waited:.0f} s" if self.limit is None else f"{self.waited:.0f} of {self.limit:.0f} s"

    def __str__(self) -> str:
        return f"waiting {self.time} for {self.what}: {self.seen()}"


class Progress:
    """The waits that go on. Whoever shows them sets `teller`; it is called in a thread of its own, with None when the
    wait that was told of last is over. Thread-safe.

    Args:
        after: see `AFTER`.
        every: see `EVERY`.
    """

    def __init__(self, after: float = AFTER, every: float = EVERY) -> None:
        self.teller: Teller | None = None
        self._after, self._every = after, every
        self._changed = threading.Condition()
        self._waits: list[Wait] = []
        self._told: Wait | None = None
        self._thread: threading.Thread | None = None

    @contextmanager
    def awaiting(self, what: str, limit: float | None, seen: Callable[[], str]) -> Iterator[None]:
        """Within it, `what` is being waited for."""
        wait = Wait(what, limit, seen)
        with self._changed:
            self._waits.append(wait)
            if self.teller and self._thread is None:
                self._thread = threading.Thread(target=self._run, name="progress", daemon=True)
                self._thread.start()
            self._changed.notify()
        try:
            yield
        finally:
            with self._changed:
                self._waits.remove(wait)
                if self._told is wait:
                    self._tell(None)

    def _run(self) -> None:
        with self._changed:
            while True:
                if not self._waits:
                    self._changed.wait()
                    continue
                if wait := self._longest():
                    self._tell(wait)
                self._changed.wait(self._every)

    def _longest(self) -> Wait | None:
        """What is told of: what the run itself waits for, else what a thread beside it does."""
        known = [wait for wait in self._waits if wait.waited >= self._after]
        return next((wait for wait in reversed(known) if wait.in_main), known[0] if known else None)

    def _tell(self, wait: Wait | None) -> None:
        self._told = wait
        if self.teller:
            self.teller(wait)


PROGRESS = Progress()
