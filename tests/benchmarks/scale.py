"""Many pods in one run: the suite for several pods with 10, 100 and 500 of them on a sandbox with 50 nodes."""

from __future__ import annotations

import argparse
from pathlib import Path

import requests
from robot.api import ExecutionResult

from .browser import seconds_to_open
from .figures import Figure, table
from .places import Facts, fresh, place, robot

COUNTS = (10, 100, 500)
AT_ONCE = 50
PATIENCE = ("POD_TIMEOUT", "CHECKPOINT_TIMEOUT", "RESTORE_TIMEOUT", "WITNESS_TIMEOUT", "DELETE_TIMEOUT")


def measure(options: argparse.Namespace, folder: Path) -> str:
    """Runs the suite with each number of pods in turn; gives the table."""
    per_pod: dict[int, list[float]] = {count: [] for count in COUNTS}
    figures = []
    for _ in range(options.runs):
        for count in COUNTS:
            with place("--nodes", "50") as (facts, settings):
                seconds, told = _run(facts, settings, folder, count)
                per_pod[count].append(seconds / count)
                if len(per_pod[count]) == 1:
                    figures += told
    few, many = per_pod[COUNTS[0]], per_pod[COUNTS[-1]]
    ratios = [b / a for a, b in zip(few, many, strict=True)]
    costs = [Figure(f"{count} pods: seconds a pod", values, "s") for count, values in per_pod.items()]
    return table([*costs, Figure(f"a pod of {COUNTS[-1]} / a pod of {COUNTS[0]}", ratios, target=1.5), *figures])


def _run(facts: Facts, settings: dict[str, str], folder: Path, count: int) -> tuple[float, list[Figure]]:
    """The seconds of the test with so many pods, and what else the run cost."""
    folders = fresh(folder)
    patient = [part for name in PATIENCE for part in ("--variable", f"{name}:300 s")]
    chosen = ["--variable", f"SEVERAL_PODS:{count}", "--variable", f"AT_ONCE:{min(AT_ONCE, count)}", *patient]
    cost = robot(folders, *chosen, "suites/several_pods.robot", **settings)
    test = next(iter(ExecutionResult(str(folders.output / "output.xml")).suite.all_tests))
    journal = requests.get(f"{facts['admin_url']}/journal", params={"kind": "request"}, timeout=60).json()
    watches = [one for one in journal if "watch=true" in one["query"].lower() and one["path"].endswith("/pods")]
    log = folders.output / "log.html"
    return test.elapsed_time.total_seconds(), [
        Figure(f"{count} pods: resident memory of the harness", [cost.peak], "MB", 300),
        Figure(f"{count} pods: log.html", [log.stat().st_size / 1e6], "MB", 10),
        Figure(f"{count} pods: log.html opened in a browser", seconds_to_open(log), "s", 3),
        Figure(f"{count} pods: watches of pods in the run", [len(watches)]),
    ]
