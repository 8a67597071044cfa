"""Against the usual way: the same lifecycle on the same sandbox, by our suite and by a shell script, in turn.

Cedana stands there before both. Ours is the whole `robot suites/lifecycle.robot`: Robot Framework's start, the proof
that the process went on, the control arm, the removal of all that it made and the report are in its time, and none of
them in the script's.
"""

from __future__ import annotations

import argparse
import os
import sys
from pathlib import Path

from . import floor
from .figures import Figure, table
from .places import Facts, cost_of, fresh, passed, place, robot

SCRIPT = Path(__file__).with_name("usual_way.sh")
MANIFEST = Path(__file__).parents[2] / "resources" / "workloads" / "nginx.yaml"
REAL = ("--latency", "pod_start=3", "--latency", "checkpoint=8", "--latency", "restore=6")
SLEEPS = 10.0
"""Seconds that the script sleeps between its looks whether the two pods stay Ready; the suite watches one for
`floor.STABLE`."""
SPEEDS: list[tuple[str, tuple[str, ...], float]] = [("sandbox speeds", (), 0.25), ("real latencies", REAL, 0.7)]


def measure(options: argparse.Namespace, folder: Path) -> str:
    """Runs both in turn at both speeds; gives the table."""
    figures = []
    for name, latencies, target in SPEEDS:
        ours, theirs, needed = [], [], []
        with place(*latencies) as (facts, settings):
            for number in range(options.runs):
                theirs.append(_usual(facts, settings, number))
                since = floor.now(facts)
                ours.append(_our_suite(folder, settings))
                needed.append(floor.needed(facts, since).total + floor.STABLE)
        pairs = list(zip(ours, theirs, strict=True))
        floors = list(zip(needed, theirs, strict=True))
        figures += [
            Figure(f"{name}: the suite", ours, "s"),
            Figure(f"{name}: the script", theirs, "s"),
            Figure(f"{name}: suite / script", [a / b for a, b in pairs], target=target),
            Figure(f"{name}: floor: what the server needed, and the watch", needed, "s"),
            Figure(f"{name}: floor / script, the least that can be", [a / b for a, b in floors]),
            Figure(f"{name}: suite / floor", [a / b for a, b in zip(ours, needed, strict=True)]),
            Figure(
                f"{name}: suite / script, both without watching that a pod stays Ready",
                [(a - floor.STABLE) / (b - SLEEPS) for a, b in pairs],
            ),
        ]
    return table(figures)


def _our_suite(folder: Path, settings: dict[str, str]) -> float:
    shared = {name: value for name, value in settings.items() if name != "NAMESPACE"}
    return robot(fresh(folder), "suites/lifecycle.robot", **shared).seconds


def _usual(facts: Facts, settings: dict[str, str], number: int) -> float:
    kubectl = Path(sys.executable).with_name("kubectl")
    given = {
        "KUBECTL": str(kubectl),
        "KUBECONFIG": facts["kubeconfig"],
        "CEDANA_URL": facts["propagator_url"],
        "CEDANA_AUTH_TOKEN": facts["token"],
        "CLUSTER_ID": settings["CLUSTER_ID"],
        "NAMESPACE": f"usual-{number}",
    }
    found = cost_of(["sh", str(SCRIPT), str(MANIFEST), "test-nginx"], os.environ | given)
    return passed(found, SCRIPT.name).seconds
