"""Where the time of one lifecycle goes, by phase, with the floor of each and the ratio to it; and what is overhead.

Floors: of Robot Framework, imports, report and the process's start and end, a run of one empty test in turn with it; of
waiting, what the server needed by its journal and the time for which the suite is to watch the restored pod. Network
and client work have none.
"""

from __future__ import annotations

import argparse
import json
import statistics
import sys
from collections import defaultdict
from pathlib import Path
from typing import Any

import requests

from .figures import Figure, table
from .places import Cost, cost_of, fresh, passed, place

PROFILED = str(Path(__file__).with_name("profiled.py"))
EMPTY = "*** Test Cases ***\nEmpty\n    No Operation\n"
LIFECYCLE = "suites/lifecycle.robot"
REAL = ("--latency", "pod_start=12", "--latency", "checkpoint=20", "--latency", "restore=15")
"""With these a lifecycle takes about a minute."""
IMPORTS = "import K3sLibrary, HelmLibrary, KubernetesLibrary, PropagatorLibrary, ContinuityLibrary, ReportLibrary"
HEAVY = ("python_on_whales", "helm_python", "opentelemetry", "kubernetes_validate")
STABLE = 5.0
"""Seconds that the suite watches the restored pod: the default of STABLE_TIME."""
AWAITED = ("waiting for the server", "network")
Phases = dict[str, dict[str, float]]


def measure(options: argparse.Namespace, folder: Path) -> str:
    """Profiles runs at the sandbox's speed in turn with empty ones; gives the table."""
    empty = folder / "empty.robot"
    empty.write_text(EMPTY)
    runs: list[Phases] = []
    bare: list[Phases] = []
    needed: list[float] = []
    with place() as (facts, settings):
        for _ in range(options.runs):
            since = requests.get(f"{facts['admin_url']}/journal", timeout=30).json()[-1]["time"]
            runs.append(_profile(folder, LIFECYCLE, settings))
            bare.append(_profile(folder, str(empty), settings))
            query = {"kind": "pod,action", "since": str(since)}
            entries = requests.get(f"{facts['admin_url']}/journal", params=query, timeout=30).json()
            needed.append(_needed(entries))
    floors = {name: _median(bare, name) for name in ("imports", "Robot", "report", "start and end")}
    return _told(runs, floors | {"waiting for the server": STABLE + statistics.median(needed)})


def _needed(entries: list[dict[str, Any]]) -> float:
    """Seconds that the server needed for the lifecycle: each action, and the pod's way to Ready and to its end."""
    source = [one for one in entries if one["kind"] == "pod" and one["name"] == "test-nginx"]
    started = [one["time"] for one in source if one["state"] == "there"]
    ready = [one["time"] for one in source if one["ready"]]
    ending = [one["time"] for one in source if one["state"] != "there"]
    actions: dict[str, list[float]] = defaultdict(list)
    for one in entries:
        if one["kind"] == "action":
            actions[one["id"]].append(one["time"])
    return sum(max(times) - min(times) for times in [started[:1] + ready[:1], ending, *actions.values()] if times)


def _told(runs: list[Phases], floors: dict[str, float]) -> str:
    total = statistics.median(one["all"]["wall"] for one in runs)
    lines = ["| phase | wall (s) | share | processor (s) | floor (s) | ratio |", "|---|---|---|---|---|---|"]
    names = sorted({name for one in runs for name in one if name != "all"}, key=lambda name: -_median(runs, name))
    for name in names:
        wall, floor = _median(runs, name), floors.get(name, 0.0)
        used = statistics.median(one[name]["cpu"] if name in one else 0.0 for one in runs)
        rest = f"{floor:.2f} | {wall / floor:.1f}" if floor > 0.005 else "- | -"
        lines.append(f"| {name} | {wall:.2f} | {wall / total:.0%} | {used:.2f} | {rest} |")
    return "\n".join([*lines, f"| all | {total:.2f} | 100% | | | |"])


def overhead(options: argparse.Namespace, folder: Path) -> str:
    """What of a lifecycle of about a minute is not waiting; imports and dry run; gives the table."""
    with place(*REAL) as (_, settings):
        long = [_profile(folder, LIFECYCLE, settings) for _ in range(max(1, options.runs // 2))]
    busy = [sum(part["cpu"] for name, part in one.items() if name not in (*AWAITED, "all")) for one in long]
    wall = [one["all"]["wall"] for one in long]
    idle = [sum(part["wall"] for name, part in one.items() if name not in (*AWAITED, "all")) for one in long]
    imports = [_python(folder, "-c", IMPORTS) for _ in range(options.runs)]
    nothing = [_python(folder, "-c", "pass") for _ in range(options.runs)]
    nowhere = ["--output", "NONE", "--log", "NONE", "--report", "NONE"]
    dry = [_python(folder, "-m", "robot", "--dryrun", *nowhere, "suites") for _ in range(options.runs)]
    loaded = f"import sys; {IMPORTS}; print(sum(name.split('.')[0] in {HEAVY!r} for name in sys.modules))"
    heavy = int(_python(folder, "-c", loaded).console)
    return table(
        [
            Figure("lifecycle", wall, "s"),
            Figure("nothing outside awaited", idle, "s"),
            Figure("of it, processor", busy, "s", 1.5),
            Figure("share of the lifecycle", [a / b for a, b in zip(idle, wall, strict=True)], target=0.02),
            Figure("share, by processor", [a / b for a, b in zip(busy, wall, strict=True)], target=0.02),
            Figure("imports of all libraries", [one.seconds for one in imports], "s", 1.0),
            Figure("of it, processor", [one.cpu for one in imports], "s"),
            Figure("Python's own start", [one.seconds for one in nothing], "s"),
            Figure("dry run of all suites", [one.seconds for one in dry], "s", 3.0),
            Figure("of it, processor", [one.cpu for one in dry], "s"),
            Figure("modules loaded of " + ", ".join(HEAVY), [heavy], target=0),
        ]
    )


def _python(folder: Path, *arguments: str) -> Cost:
    root = Path(__file__).parents[2]
    paths = f"{root / 'libraries'}:{root / 'variables'}"
    return passed(cost_of([sys.executable, *arguments], fresh(folder).environment(PYTHONPATH=paths)), arguments[-1])


def _profile(folder: Path, what: str, settings: dict[str, str]) -> Phases:
    """The seconds of a run by phase, of wall and processor; `all` is the whole process."""
    folders = fresh(folder)
    told = folders.temporary / "profile.json"
    shared = {name: value for name, value in settings.items() if name != "NAMESPACE"}
    command = [sys.executable, PROFILED, str(told), "--outputdir", str(folders.output), what]
    cost = passed(cost_of(command, folders.environment(**shared)), what)
    read = json.loads(told.read_text())
    phases: Phases = defaultdict(lambda: {"wall": 0.0, "cpu": 0.0})
    for kind in ("wall", "cpu"):
        for name, seconds in read[kind].items():
            phases[name][kind] += seconds
    phases["start and end"] = {"wall": cost.seconds - read["seconds"], "cpu": 0.0}
    phases["all"] = {"wall": cost.seconds, "cpu": cost.cpu}
    return phases


def _median(runs: list[Phases], name: str) -> float:
    return statistics.median(one[name]["wall"] if name in one else 0.0 for one in runs)
