"""What the server needed for one lifecycle, by the sandbox's journal: nobody who waits for it can be done sooner."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import astuple, dataclass
from typing import Any

import requests

from .places import Facts

SOURCE, RESTORED = "test-nginx", "test-nginx-restored"
STABLE = 5.0
"""Seconds that the suite watches the restored pod: the default of STABLE_TIME."""
Entry = dict[str, Any]


@dataclass(frozen=True)
class Needed:
    """Seconds by part: until the pod was Ready, the checkpoint, until the pod was gone, the restore, and until the
    restored pod was Ready."""

    start: float
    checkpoint: float
    deletion: float
    restore: float
    ready: float

    @property
    def total(self) -> float:
        """One after the other, as each needs what was before it."""
        return sum(astuple(self))


def now(facts: Facts) -> float:
    """The journal's newest time."""
    return float(requests.get(f"{facts['admin_url']}/journal", timeout=30).json()[-1]["time"])


def needed(facts: Facts, since: float) -> Needed:
    """What the lifecycle after that time needed."""
    query = {"kind": "pod,action", "since": str(since)}
    return read(requests.get(f"{facts['admin_url']}/journal", params=query, timeout=30).json())


def read(entries: Iterable[Entry]) -> Needed:
    """The same, from a journal's entries about pods and actions."""
    pods: dict[str, list[Entry]] = defaultdict(list)
    actions: dict[str, list[float]] = defaultdict(list)
    for one in entries:
        if one["kind"] == "pod":
            pods[one["name"]].append(one)
        else:
            actions[one["id"]].append(float(one["time"]))
    checkpoint, restore, *_ = [max(times) - min(times) for times in actions.values()] + [0.0, 0.0]
    return Needed(
        _until_ready(pods[SOURCE]),
        checkpoint,
        _between([one["time"] for one in pods[SOURCE] if one["state"] != "there"]),
        restore,
        _until_ready(pods[RESTORED]),
    )


def _until_ready(pod: list[Entry]) -> float:
    there = [one for one in pod if one["state"] == "there"]
    return _between([one["time"] for one in there[:1]] + [one["time"] for one in there if one["ready"]][:1])


def _between(times: list[float]) -> float:
    return max(times) - min(times) if times else 0.0
