"""Where the time of one lifecycle goes, by phase, with the floor of each and the ratio to it; and what is overhead.

Floors: of Robot Framework, imports, report and the process's start and end, a run of one empty test in turn with it; of
waiting, what the server needed by its journal and the time for which the suite is to watch the restored pod; of the
network, as many requests by a client that does nothing else; of client work, its own processor time.
"""

from __future__ import annotations

import argparse
import json
import statistics
import sys
import time
from collections import defaultdict
from pathlib import Path

import requests

from . import floor
from .figures import Figure, table
from .places import Cost, Facts, cost_of, fresh, passed, place

PROFILED = str(Path(__file__).with_name("profiled.py"))
EMPTY = "*** Test Cases ***\nEmpty\n    No Operation\n"
LIFECYCLE = "suites/lifecycle.robot"
REAL = ("--latency", "pod_start=12", "--latency", "checkpoint=20", "--latency", "restore=15")
"""With these a lifecycle takes about a minute."""
IMPORTS = "import K3sLibrary, HelmLibrary, KubernetesLibrary, PropagatorLibrary, ContinuityLibrary, ReportLibrary"
HEAVY = ("python_on_whales", "helm_python", "opentelemetry")
BESIDE = ("-control", "/apis/metrics.k8s.io/")
"""In the paths of requests that other threads than the main one make."""
AWAITED = ("waiting for the server", "network")
Phases = dict[str, dict[str, float]]


def measure(options: argparse.Namespace, folder: Path) -> str:
    """Profiles runs at the sandbox's speed in turn with empty ones; gives the table."""
    empty = folder / "empty.robot"
    empty.write_text(EMPTY)
    runs: list[Phases] = []
    bare: list[Phases] = []
    needed: list[float] = []
    network: list[float] = []
    with place() as (facts, settings):
        for _ in range(options.runs):
            since = floor.now(facts)
            runs.append(_profile(folder, LIFECYCLE, settings))
            bare.append(_profile(folder, str(empty), settings))
            needed.append(floor.STABLE + floor.needed(facts, since).total)
            network.append(_bare_requests(facts, since))
    floors = {name: _median(bare, name) for name in ("imports", "Robot", "report", "start and end")}
    floors["waiting for the server"] = statistics.median(needed)
    floors["network"] = statistics.median(network)
    floors["client work"] = statistics.median(one["client work"]["cpu"] for one in runs)
    return _told(runs, floors)


def _bare_requests(facts: Facts, since: float) -> float:
    """Seconds for as many requests as the main thread made, one after the other by a client that does nothing else."""
    query = {"kind": "request", "since": str(since)}
    entries = requests.get(f"{facts['admin_url']}/journal", params=query, timeout=30).json()
    made = [one for one in entries if not any(part in one["path"] for part in BESIDE)]
    with requests.Session() as session:
        begun = time.monotonic()
        for _ in made:
            session.get(f"{facts['propagator_url']}/v2/user", headers={"Authorization": f"Bearer {facts['token']}"})
        return time.monotonic() - begun


def _told(runs: list[Phases], floors: dict[str, float]) -> str:
    total = statistics.median(one["all"]["wall"] for one in runs)
    lines = ["| phase | wall (s) | share | processor (s) | floor (s) | ratio |", "|---|---|---|---|---|---|"]
    names = sorted({name for one in runs for name in one if name != "all"}, key=lambda name: -_median(runs, name))
    for name in names:
        wall, least = _median(runs, name), floors.get(name, 0.0)
        used = statistics.median(one[name]["cpu"] if name in one else 0.0 for one in runs)
        rest = f"{least:.2f} | {wall / least:.1f}" if least > 0.005 else "- | -"
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
