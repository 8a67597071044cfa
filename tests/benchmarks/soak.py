"""Lifecycles without an end in one process: memory, open files and threads must not grow; nothing may hang.

They are those of `tests.chaos`, several side by side: first nothing goes wrong, and then every twentieth call.
"""

from __future__ import annotations

import argparse
import ctypes
import gc
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from ContinuityLibrary.verdict import Kind
from harness.failures import E2EFailure
from harness.kube import Cluster
from harness.ledger import LEDGER
from PropagatorLibrary.client import PropagatorClient
from PropagatorLibrary.transport import open_session
from tests.chaos import campaign
from tests.chaos.lifecycle import Lifecycle

from .figures import Figure, table
from .places import open_files, place, resident

WORKERS = 8
WARM = 100
"""Lifecycles after which the process is taken to have all that it keeps."""
FAULTY_SHARE = 10
"""One lifecycle of the campaign with faults to so many without."""


@dataclass(frozen=True)
class Held:
    """What the process held after so many lifecycles."""

    lifecycles: int
    memory: float
    files: int
    threads: int

    def __str__(self) -> str:
        return f"{self.lifecycles}: {self.memory:.1f} MB, {self.files} files, {self.threads} threads"


def measure(options: argparse.Namespace, folder: Path) -> str:
    """Runs them and prints what the process holds on the way; gives the table."""
    begun = time.monotonic()
    held, failures = _soak(options.lifecycles)
    seconds = time.monotonic() - begun
    first = next((one for one in held if one.lifecycles >= WARM), held[0])
    last = held[-1]
    figures = [
        Figure("memory: last / after the first 100", [last.memory / first.memory], target=1.05),
        Figure("memory at the end", [last.memory], "MB"),
        Figure("open files: growth since then", [last.files - first.files], target=0),
        Figure("threads: growth since then", [last.threads - first.threads], target=0),
        Figure("lifecycles that failed", [failures], target=0),
        Figure("a lifecycle, of 8 side by side", [seconds / options.lifecycles], "s"),
    ]
    outcome = campaign.run(max(1, options.lifecycles // FAULTY_SHARE), seed=1, workers=WORKERS)
    faults = [
        Figure("with faults: lifecycles that hang", [len(outcome.endless)], target=0),
        Figure("with faults: wrong verdicts, double sends, false blame", [len(outcome.problems)], target=0),
    ]
    return f"{table([*figures, *faults])}\n\nWith faults: {outcome}"


def _soak(count: int) -> tuple[list[Held], int]:
    """All lifecycles in rounds; what was held after each round, and how many failed."""
    failures, held = 0, []
    with place() as (facts, settings), ThreadPoolExecutor(WORKERS) as pool:
        cluster = Cluster("soak", Path(facts["kubeconfig"]))
        url, token, here = facts["propagator_url"], facts["token"], threading.local()

        def live(number: int) -> bool:
            if not hasattr(here, "propagator"):
                here.propagator = PropagatorClient(open_session(url, token), url)
            one = Lifecycle(number, restores=True)
            try:
                one.run(cluster, here.propagator, settings["CLUSTER_ID"], ready=lambda: None)
                _remove(cluster, one)
            except E2EFailure as failure:
                print(f"lifecycle {number} failed: {failure}", flush=True)
                return False
            return one.verdict is not None and one.verdict.kind is Kind.CONTINUED

        for numbers in _rounds(count):
            failures += sum(not good for good in pool.map(live, numbers))
            _give_back()
            held.append(Held(numbers[-1], resident(), open_files(), threading.active_count()))
            print(held[-1], flush=True)  # it takes long
    return held, failures


def _give_back() -> None:
    """Gives back to the system what is free, so that what is held can be seen: the C library keeps for later what a
    thread took for a moment, in an arena for each."""
    gc.collect()
    if trim := getattr(ctypes.CDLL(None), "malloc_trim", None):  # glibc's
        trim(0)


def _rounds(count: int) -> Iterator[range]:
    step = max(1, min(50, count // 4))
    for first in range(1, count + 1, step):
        yield range(first, min(count, first + step - 1) + 1)


def _remove(cluster: Cluster, lifecycle: Lifecycle) -> None:
    """The restored pod goes, and the ledger owes nothing of it, as at the end of a test."""
    name = f"{lifecycle.name}-restored"
    cluster.core.delete_namespaced_pod(name, "default", _preload_content=False)
    for entry in LEDGER.owed():
        if str(entry.find.get("name", "")).startswith(lifecycle.name):
            LEDGER.gone(entry)
