"""The benchmarks that there are."""

from __future__ import annotations

import argparse
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from . import lag, phases, scale, server, soak, usual


@dataclass(frozen=True)
class Benchmark:
    """A benchmark: its name, what it measures, and what measures it and gives the text to print."""

    name: str
    about: str
    measure: Callable[[argparse.Namespace, Path], str]


ALL = [
    Benchmark("usual", "our suite against a shell script in the manner of the usual ones", usual.measure),
    Benchmark("lag", "how soon a change is noticed, and with how many requests", lag.measure),
    Benchmark("phases", "where the time of one lifecycle goes, with floors", phases.measure),
    Benchmark("overhead", "what of a lifecycle of a minute is not waiting; imports; dry run", phases.overhead),
    Benchmark("scale", "10, 100 and 500 pods in one run", scale.measure),
    Benchmark("server", "the sandbox: start, requests a second, memory a pod", server.measure),
    Benchmark("soak", "many lifecycles in one process: memory, files, threads, and no hang", soak.measure),
]
