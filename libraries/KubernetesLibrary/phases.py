"""Phases of a test: how long each takes, and what is used meanwhile, measured in a thread of its own."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

from kubernetes.client.exceptions import ApiException

from harness.kube import Cluster
from harness.kube.errors import server_words

from .usage import NotServed, Read, Sample, Subject, Wanted, reader

PERIOD = 0.25
"""Seconds between two reads; a cluster that measures seldom tells the same again, which counts once."""
PATIENCE = 30.0
"""Seconds after a phase for which a measurement of it may still come: clusters measure each 10 to 15 s."""
LAST_READ = 1.0
"""Seconds that all measuring threads get to end, so that none of them connects while the run's files are removed."""
CLOCKS = timedelta(seconds=1)
"""How far the cluster's clock may be from ours."""
NOTHING_YET = "the cluster has measured nothing within the phase yet"


class Phase:
    """One phase of a test. Its thread ends by itself, some time after the phase's end at the latest.

    Args:
        name: of the phase.
        open_reader: how to read the cluster's measurements, tried in the thread.
    """

    def __init__(self, name: str, open_reader: Callable[[], tuple[str, Read]]) -> None:
        self.name = name
        self.node = ""
        self.began = datetime.now(UTC)
        self._begun = time.monotonic()
        self._seconds: float | None = None
        self._open = open_reader
        self._lock = threading.Lock()
        self._samples: set[Sample] = set()
        self._source = ""
        self._trouble = ""
        self._over = threading.Event()
        self._dropped = threading.Event()
        self._thread = threading.Thread(target=self._run, name=f"resource use: {name}", daemon=True)

    def start(self) -> None:
        """Begins to measure; returns at once."""
        self._thread.start()

    def stop(self, node: str = "") -> float:
        """The phase is over; its seconds. With `node` only what was used there counts, of helpers and nodes."""
        if self._seconds is None:
            self._seconds = time.monotonic() - self._begun
            self.node = node
            self._over.set()
        return self._seconds

    def drop(self, timeout: float = 0.0) -> None:
        """Nothing more is wanted of it; waits for its thread's end for `timeout` seconds."""
        self._dropped.set()
        self._over.set()
        self._thread.join(timeout)

    def to_dict(self) -> dict[str, Any]:
        """For the evidence file: seconds, and what is known of the use by now."""
        with self._lock:
            mine, trouble, source = self._of_the_phase(), self._trouble, self._source
        over = self._seconds is not None
        return {
            "phase": self.name,
            "start": self.began.isoformat(timespec="milliseconds"),
            "seconds": round(self._seconds if self._seconds is not None else time.monotonic() - self._begun, 3),
            "complete": over,
            "source": source or None,
            "use": [_summed(subject, mine) for subject in sorted({one.of for one in mine}, key=_order)],
            "unmeasured": None if mine else trouble or NOTHING_YET,
        }

    def _of_the_phase(self) -> list[Sample]:
        """The samples whose window lies within the phase, or overlaps it."""
        end = self.began + timedelta(seconds=self._seconds) if self._seconds is not None else datetime.now(UTC)
        return [
            one
            for one in self._samples
            if one.at >= self.began - CLOCKS
            and one.at - timedelta(seconds=one.window) <= end + CLOCKS
            and (not self.node or one.of.role == "workload" or one.of.node == self.node)
        ]

    def _run(self) -> None:
        """Whatever goes wrong here is told in the results, and is no failure of the test that is measured."""
        try:
            self._source, read = self._open()
        except NotServed as problem:
            self._trouble = f"the cluster does not tell: {problem}"
        except Exception as problem:
            self._trouble = _words(problem)
        else:
            while not self._dropped.is_set() and not self._is_enough():
                self._read(read)
                (self._dropped if self._over.is_set() else self._over).wait(PERIOD)

    def _read(self, read: Read) -> None:
        try:
            samples = read()
        except Exception as problem:
            self._trouble = _words(problem)
            return
        with self._lock:
            self._samples.update(samples)

    def _is_enough(self) -> bool:
        if self._seconds is None:
            return False
        with self._lock:
            return bool(self._of_the_phase()) or time.monotonic() - self._begun - self._seconds > PATIENCE


class Phases:
    """The phases of a run in their order; one at a time is open. One that was told before it ended stays incomplete."""

    def __init__(self) -> None:
        self._phases: list[Phase] = []
        self._open = False
        self._told = 0

    def start(self, name: str, cluster: Cluster, wanted: Wanted) -> None:
        """Begins one; one that is still open ends."""
        self.stop()
        place = replace(cluster, _clients=threading.local())
        phase = Phase(name, lambda: reader(place, wanted))
        self._phases.append(phase)
        self._open = True
        phase.start()

    def stop(self, node: str = "") -> Phase | None:
        """Ends the newest one; None where none is open."""
        if not self._open:
            return None
        self._open = False
        self._phases[-1].stop(node)
        return self._phases[-1]

    def results(self, *, new: bool) -> list[dict[str, Any]]:
        """What is known of all, or of those that were not told yet. What was told is not measured any longer."""
        first, self._told = (self._told if new else 0), len(self._phases)
        found = [phase.to_dict() for phase in self._phases[first:]]
        for phase in self._phases:
            phase.drop()
        end = time.monotonic() + LAST_READ
        for phase in self._phases:
            phase.drop(max(0.0, end - time.monotonic()))
        self._open = False
        return found


def _summed(subject: Subject, samples: Iterable[Sample]) -> dict[str, Any]:
    mine = [one for one in samples if one.of == subject]
    cores, memory = [one.cores for one in mine], [one.memory for one in mine]
    return {
        "of": subject.role,
        "name": subject.name,
        "samples": len(mine),
        "window_seconds": round(max(one.window for one in mine), 3),
        "cpu_cores_mean": round(sum(cores) / len(cores), 4),
        "cpu_cores_most": round(max(cores), 4),
        "memory_bytes_mean": round(sum(memory) / len(memory)),
        "memory_bytes_most": max(memory),
    }


def _order(subject: Subject) -> tuple[int, str]:
    return ("workload", "helper", "node").index(subject.role), subject.name


def _words(problem: Exception) -> str:
    words = server_words(problem) if isinstance(problem, ApiException) else f"{type(problem).__name__}: {problem}"
    return f"it could not be asked for: {words}"
