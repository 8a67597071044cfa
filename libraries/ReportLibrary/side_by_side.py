"""Work side by side within a deadline, whatever of it hangs."""

from __future__ import annotations

import queue
import threading
from collections.abc import Callable
from concurrent.futures import Future
from typing import Any

WORKERS = 8


class SideBySide:
    """A few threads that do what they are given. None of them keeps the process from ending, as those of an executor
    would: what hangs beyond its deadline is left behind."""

    def __init__(self, workers: int = WORKERS) -> None:
        self._work: queue.SimpleQueue[Callable[[], None]] = queue.SimpleQueue()
        self._threads = [threading.Thread(target=self._run, daemon=True, name=f"diagnosis {n}") for n in range(workers)]
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
