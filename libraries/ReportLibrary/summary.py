"""What a run comes to in a few figures: what was skipped and why, measurements, resource use, stored checkpoints."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping
from statistics import median
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .evidence import Outcome

SKIP = "SKIP"
IN_SETUP = "Skipped in parent suite setup:\n"
"""What Robot Framework puts before the reason of a set-up."""
NO_REASON = "no reason given"
CHECKPOINT = "checkpoint "
"""Begins the names of checkpoints among the leftovers, as the ledger has them."""
ROLES = ("workload", "helper", "node")


def skips(tests: Iterable[Outcome]) -> list[dict[str, str]]:
    """The tests that were skipped, and why."""
    return [
        {"suite": test.suite, "test": test.name, "reason": test.message.removeprefix(IN_SETUP).strip() or NO_REASON}
        for test in tests
        if test.status == SKIP
    ]


def measurements(outcomes: Iterable[Outcome]) -> list[dict[str, Any]]:
    """Each measured number over all tests and suites: how often, and its least, median and most; phases, too."""
    values: dict[tuple[str, str], list[float]] = defaultdict(list)
    for outcome in outcomes:
        for phase in outcome.notes.phases:
            if phase.get("complete", True):
                values[str(phase["phase"]), "s"].append(float(phase["seconds"]))
        for one in outcome.notes.measurements:
            values[one["name"], one["unit"]].append(one["value"])
    return [
        {"name": name, "unit": unit, "count": len(some), "least": min(some), "median": median(some), "most": max(some)}
        for (name, unit), some in values.items()
    ]


def resource_use(outcomes: Iterable[Outcome]) -> list[dict[str, Any]]:
    """The most that workloads, helpers and nodes took, in each phase."""
    most: dict[tuple[str, str], tuple[float, int]] = {}
    for phase, use in _uses(outcomes):
        key = (str(phase["phase"]), str(use["of"]))
        cores, memory = most.get(key, (0.0, 0))
        most[key] = (max(cores, use["cpu_cores_most"]), max(memory, use["memory_bytes_most"]))
    return [
        {"phase": phase, "of": role, "cpu_cores_most": cores, "memory_bytes_most": memory}
        for (phase, role), (cores, memory) in most.items()
    ]


def checkpoints(storage: Mapping[str, Any] | None, leftovers: Iterable[str]) -> dict[str, Any] | None:
    """What the run's checkpoints took, and how many are left; None where that was not recorded."""
    if storage is None:
        return None
    left = sum(name.startswith(CHECKPOINT) for name in leftovers) if storage["removed"] else storage["kept"]
    return {"made": storage["made"], "bytes": storage["size"], "left": left}


def lines(summary: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """What people are told at the end: titles and texts, only of what there is to tell."""
    count = summary["passed"] + summary["failed"] + summary["skipped"]
    if summary["skips"]:
        reasons = Counter(one["reason"].splitlines()[0] for one in summary["skips"])
        told = "; ".join(f"{reason} ({times})" for reason, times in reasons.most_common())
        yield "Skipped", f"{summary['skipped']} of {count} tests, which proves nothing of them: {told}"
    if count and summary["skipped"] == count:
        yield "Proved", "nothing, for all tests were skipped"
    if summary["measurements"]:
        yield "Measured", ", ".join(_told(one) for one in summary["measurements"])
    if summary["resource_use"]:
        yield "Used at most", ", ".join(_used(role, summary["resource_use"]) for role in _roles(summary))
    if summary["checkpoints"]:
        made, size, left = (summary["checkpoints"][name] for name in ("made", "bytes", "left"))
        told = "of a size that the propagator does not tell" if size is None else f"of {size / 1e6:.1f} MB"
        yield "Stored checkpoints", f"{made} made, {told}, {left} left"


def _uses(outcomes: Iterable[Outcome]) -> Iterator[tuple[dict[str, Any], dict[str, Any]]]:
    for outcome in outcomes:
        for phase in outcome.notes.phases:
            for use in phase.get("use", ()):
                yield phase, use


def _told(one: Mapping[str, Any]) -> str:
    often = f" (median of {one['count']}, {one['least']:.3g} to {one['most']:.3g})" if one["count"] > 1 else ""
    return f"{one['name']} {one['median']:.3g} {one['unit']}".rstrip() + often


def _roles(summary: Mapping[str, Any]) -> list[str]:
    there = {one["of"] for one in summary["resource_use"]}
    return sorted(there, key=lambda role: (ROLES.index(role) if role in ROLES else len(ROLES), role))


def _used(role: str, uses: Iterable[Mapping[str, Any]]) -> str:
    mine = [one for one in uses if one["of"] == role]
    cores, memory = (max(one[name] for one in mine) for name in ("cpu_cores_most", "memory_bytes_most"))
    return f"{role} {cores:.3g} cores and {memory / 1e6:.1f} MB"
