"""Detection lag: from a change in the sandbox's journal to the end of the keyword that waited for it.

The end is Robot Framework's own, so that what the keyword does after it has seen the change counts, too. A change that
was there before the keyword began counts from its beginning.
"""

from __future__ import annotations

import argparse
from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import requests
from robot.api import ExecutionResult, ResultVisitor
from robot.result import Keyword

from harness.waiting import LOCAL

from .figures import Figure, table
from .places import Facts, fresh, robot, settings_of, started

SUITE = str(Path(__file__).with_name("lag.robot"))
LEAST = 0.1
"""Seconds that a poll may be late however short the wait was; of a long wait it may be this share."""
SHARE = 0.05
MOST_OF_A_WATCH = 5
"""Requests that a wait by watch may make."""
RECENT = 1.0
"""Seconds before a keyword's beginning in which the change that it waits for may have come already."""
CYCLES = 12
SLOW = ("--latency", "checkpoint=4", "--latency", "restore=3", "--latency", "pod_start=2")
SLOW_CYCLES = 4


@dataclass
class Waits(ResultVisitor):
    """The waiting keywords of a run, and the stamps (ns) of the last steps that were seen, in order."""

    found: list[tuple[str, float, float]] = field(default_factory=list)
    stamps: list[float] = field(default_factory=list)

    def end_keyword(self, keyword: Keyword) -> None:
        """Notes it."""
        assert keyword.start_time
        assert keyword.end_time
        self.found.append((keyword.name or "", keyword.start_time.timestamp(), keyword.end_time.timestamp()))
        if keyword.name == "Log":
            self.stamps += [int(str(one.message).split()[1]) / 1e9 for one in keyword.messages]


@dataclass
class Lags:
    """Lags, waits and requests by what was waited for."""

    seconds: dict[str, list[float]] = field(default_factory=lambda: defaultdict(list))
    shares: dict[str, list[float]] = field(default_factory=lambda: defaultdict(list))
    asked: dict[str, list[float]] = field(default_factory=lambda: defaultdict(list))
    allowed: dict[str, list[float]] = field(default_factory=lambda: defaultdict(list))

    def add(self, what: str, began: float, ended: float, changed: float, entries: Iterable[dict[str, Any]]) -> None:
        """Takes a wait in, with the journal's requests."""
        lag = max(0.0, ended - max(changed, began))
        self.seconds[what].append(lag * 1000)
        self.shares[what].append(lag / max(LEAST, SHARE * (ended - began)))
        inside = [one for one in entries if _is_ours(one) and began <= one["time"] <= ended]
        most = LOCAL.most_looks(ended - began) if what in POLLED else MOST_OF_A_WATCH
        self.asked[what].append(len(inside))
        self.allowed[what].append(len(inside) / most)


def measure(options: argparse.Namespace, folder: Path) -> str:
    """Runs lifecycles at the sandbox's speed and slower ones; gives the tables."""
    quick, slow = Lags(), Lags()
    for _ in range(options.runs):
        with started() as facts:
            _run(facts, folder, CYCLES, quick)
    with started(*SLOW) as facts:
        _run(facts, folder, SLOW_CYCLES, slow)
    return f"{table(list(_figures(quick)))}\n\nWith {' '.join(SLOW)}:\n\n{table(list(_figures(slow)))}"


def _run(facts: Facts, folder: Path, cycles: int, lags: Lags) -> None:
    folders = fresh(folder)
    robot(folders, "--variable", f"CYCLES:{cycles}", SUITE, **settings_of(facts))
    journal = requests.get(f"{facts['admin_url']}/journal", timeout=30).json()
    waits = Waits()
    ExecutionResult(str(folders.output / "output.xml")).visit(waits)
    stamps = iter(waits.stamps)
    for name, began, ended in waits.found:
        if name == "Observe Workload":
            lags.add("witness step", began, ended, next(stamps), journal)
        elif name in CHANGES:
            what, is_change = CHANGES[name]
            changed = max((_moment(one) for one in journal if is_change(one) and _moment(one) <= ended), default=0.0)
            if changed > began - RECENT:
                lags.add(what, began, ended, changed, journal)


def _moment(entry: dict[str, Any]) -> float:
    """When a change happened, or when a request was answered."""
    return float(entry["time"]) + float(entry.get("ms", 0)) / 1000


def _became_ready(entry: dict[str, Any]) -> bool:
    return entry["kind"] == "pod" and entry["name"].startswith("lag-") and entry["ready"] and entry["state"] == "there"


def _is_gone(entry: dict[str, Any]) -> bool:
    return entry["kind"] == "pod" and entry["name"].startswith("lag-") and entry["state"] == "deleted"


def _has_ended(entry: dict[str, Any]) -> bool:
    return entry["kind"] == "action"


def _is_deployed(entry: dict[str, Any]) -> bool:
    """Helm has written the release's status, or a pod of it became Ready, whichever comes last."""
    if entry["kind"] == "pod":
        return entry["namespace"] == "cedana-system" and entry["ready"] and entry["state"] == "there"
    return entry["kind"] == "request" and entry["verb"] == "PUT" and "/secrets/sh.helm.release." in entry["path"]


def _is_ours(entry: dict[str, Any]) -> bool:
    return bool(entry["kind"] == "request" and not entry["client"].startswith("Helm/"))


CHANGES = {
    "Wait Until Pod Is Ready": ("pod Ready", _became_ready),
    "Wait Until Restored Pod Is Ready": ("restored pod Ready", _became_ready),
    "Delete Pod": ("pod gone", _is_gone),
    "Wait Until Action Completes": ("action done", _has_ended),
    "Install Chart": ("release deployed", _is_deployed),
}
WATCHED = ("pod Ready", "restored pod Ready", "pod gone")
POLLED = ("action done", "release deployed")


def _figures(lags: Lags) -> Iterator[Figure]:
    for what, values in lags.seconds.items():
        if what in POLLED:
            name = f"{what}: lag / max({LEAST * 1000:g} ms, {SHARE:.0%} of the wait)"
            yield Figure(f"{what}: lag", values, "ms")
            yield Figure(name, lags.shares[what], target=1.0, of="p95")
        else:
            yield Figure(f"{what}: lag", values, "ms", target=1000 * LEAST, of="p95")
    for what, values in lags.asked.items():
        yield Figure(f"{what}: requests a wait", values)
    for what, values in lags.allowed.items():
        if what in (*WATCHED, "action done"):
            most = f"{MOST_OF_A_WATCH} of a watch" if what in WATCHED else "the looks of its pace"
            yield Figure(f"{what}: requests / {most}", values, target=1.0, of="max")
