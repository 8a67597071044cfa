"""Work side by side: within a deadline, whatever of it hangs, or many pieces of it, a few at a time."""

from __future__ import annotations

import queue
import threading
from collections.abc import Callable, Iterable
from concurrent.futures import Future
from dataclasses import dataclass
from functools import partial
from typing import Any, Generic, TypeVar

T = TypeVar("T")
R = TypeVar("R")

WORKERS = 8


@dataclass(frozen=True)
class Outcome(Generic[T, R]):
    """What became of one piece of work: its value, or the failure that it ended in."""

    item: T
    value: R | None = None
    failure: Exception | None = None

    @property
    def good(self) -> bool:
        """Whether it came to its end."""
        return self.failure is None


def each(work: Callable[[T], R], items: Iterable[T], at_once: int = WORKERS) -> list[Outcome[T, R]]:
    """Does the work for every item, `at_once` of them at the same time, and gives what became of each, in their order.

    A failure of one keeps no other from being done; what is no `Exception` (Ctrl-C) ends the waiting.
    """
    given = list(items)
    if not given:
        return []
    workers = SideBySide(min(at_once, len(given)))
    futures = [workers.begin(partial(work, item)) for item in given]
    try:
        return [_outcome(item, future) for item, future in zip(given, futures, strict=True)]
    finally:
        for future in futures:
            future.cancel()
        workers.end()


def _outcome(item: T, future: Future[R]) -> Outcome[T, R]:
    try:
        return Outcome(item, future.result())
    except Exception as failure:
        return Outcome(item, failure=failure)


class SideBySide:
    """A few threads that do what they are given. None of them keeps the process from ending, as those of an executor
    would: what hangs beyond its deadline is left behind."""

    def __init__(self, workers: int = WORKERS) -> None:
        self._work: queue.SimpleQueue[Callable[[], None]] = queue.SimpleQueue()
        self._threads = [
            threading.Thread(target=self._run, daemon=True, name=f"side by side {n}") for n in range(workers)
        ]
        for thread in self._threads:
            thread.start()

    def begin(self, work: Callable[[], Any]) -> Future[Any]:
        """Has it done as soon as a thread is free."""
        future: Future[Any] = Future()

        def do() -> None:
            if not future.set_running_or_notify_cancel():
                return
            try:
                future.set_result(work())
            except BaseException as problem:  # it is whoever asks for the result that must see it
                future.set_exception(problem)

        self._work.put(do)
        return future

    def end(self) -> None:
        """Lets the threads go; those that are at work when they are done with it."""
        for _ in self._threads:
            self._work.put(_stop)

    def _run(self) -> None:
        while (work := self._work.get()) is not _stop:
            work()


def _stop() -> None:
    """Tells a thread to end."""
