"""A TCP connection that is held open to a pod on purpose, to see what becomes of it."""

from __future__ import annotations

import threading
import time
from dataclasses import dataclass

from harness.failures import NotAsExpected, WaitTimedOut
from harness.kube import Cluster, api_errors
from harness.kube.forwarding import Forwarded
from harness.waiting import Done, Look, Pending, wait_until

from .observation import Workload
from .source import HARMED

PATIENCE = 60.0
"""Seconds without an answer after which nobody reads on; a dump of a gigabyte was measured to take 5 s."""
LOOK_NEXT = "the log of Cedana's helper on the pod's node, and what it tells CRIU about TCP connections"


@dataclass(frozen=True)
class Fate:
    """What became of a connection.

    Attributes:
        alive: whether it still answered when it was last used.
        exchanges: how often it was asked and answered.
        stall: seconds of the longest wait for an answer.
        end: how it ended, in words; empty while it is alive.
    """

    alive: bool
    exchanges: int
    stall: float
    end: str = ""

    def __str__(self) -> str:
        how = "it goes on" if self.alive else f"it ended: {self.end}"
        return f"{how}, after {self.exchanges} exchanges with a stall of {self.stall:.1f} s at most"


class HeldConnection:
    """Asks over one connection again and again, in a thread, until it ends.

    Args:
        say: what is sent each time.
        every: seconds between an answer and the next question.
    """

    def __init__(self, cluster: Cluster, workload: Workload, port: int, *, say: bytes, every: float) -> None:
        self.workload, self.port = workload, port
        with api_errors(f"forward port {port} of pod {workload.namespace}/{workload.pod}"):
            self._forward = Forwarded(cluster, workload.namespace, workload.pod, port, PATIENCE)
        self._say, self._every = say, every
        self._exchanges, self._stall, self._end = 0, 0.0, ""
        self._asked_at: float | None = None
        self._stop, self._lock = threading.Event(), threading.Lock()
        self._thread = threading.Thread(target=self._run, name=f"connection to {workload}", daemon=True)
        self._thread.start()

    def __str__(self) -> str:
        return f"connection to port {self.port} of pod {self.workload.pod}"

    @property
    def fate(self) -> Fate:
        """What has become of it until now."""
        with self._lock:
            waiting = time.monotonic() - self._asked_at if self._asked_at is not None else 0.0
            return Fate(not self._end, self._exchanges, max(self._stall, waiting), self._end)

    def should_go_on(self, timeout: float) -> Fate:
        """Waits until it was used once more.

        Raises:
            NotAsExpected: it has ended; cause `source-harmed`.
            WaitTimedOut: it is open, but nobody answers; the same cause.
        """
        before = self.fate.exchanges

        def look() -> Look[Fate]:
            fate = self.fate
            if not fate.alive:
                raise NotAsExpected(f"the {self} to go on", str(fate), LOOK_NEXT, cause=HARMED)
            # One answer may have been on its way already.
            return Done(fate) if fate.exchanges > before + 1 else Pending(str(fate))

        expected = f"the {self} to answer"
        return wait_until(look, timeout=timeout, expected=expected, look_next=LOOK_NEXT, cause=HARMED)

    def settled(self, timeout: float) -> Fate:
        """What becomes of it within that time: it ends, or is used once more, or stands open without an answer."""
        try:
            return self.should_go_on(timeout)
        except NotAsExpected:
            return self.fate
        except WaitTimedOut:
            fate = self.fate
            return Fate(False, fate.exchanges, fate.stall, fate.end or f"no answer for {fate.stall:.1f} s")

    def close(self) -> None:
        """Closes it.

        Raises:
            WaitTimedOut: it is still open.
        """
        self._stop.set()
        self._forward.close()
        self._thread.join(PATIENCE)

    def _run(self) -> None:
        while not self._stop.is_set():
            begin = time.monotonic()
            with self._lock:
                self._asked_at = begin
            end = self._exchange()
            with self._lock:
                self._asked_at = None
                self._stall = max(self._stall, time.monotonic() - begin)
                if end:
                    self._end = end
                    return
                self._exchanges += 1
            self._stop.wait(self._every)

    def _exchange(self) -> str:
        """Asks once; how the connection ended, if it did."""
        try:
            self._forward.socket.sendall(self._say)
            return "" if self._forward.socket.recv(65536) else self._forward.refusal or "the other side closed it"
        except OSError as problem:
            return str(problem) or type(problem).__name__
