"""The status of PodDisruptionBudgets: how many pods may be evicted now.

Source: Kubernetes pkg/controller/disruption (disruption.go).
"""

from __future__ import annotations

import math
from collections.abc import Hashable
from typing import TYPE_CHECKING, Any

from .. import kinds
from ..kinds.strategy import dig, selects
from ..store import timestamp
from .base import Controller, key_of
from .index import controller_of
from .workload import is_ready

if TYPE_CHECKING:
    from ..kinds import Kind
    from ..store import Change

Object = dict[str, Any]


class Disruptions(Controller):
    """One budget a key."""

    def kinds(self) -> tuple[Kind, ...]:
        """Budgets and pods."""
        return (kinds.PDB, kinds.POD)

    def changed(self, change: Change) -> None:
        """A pod's change concerns the budgets that select it."""
        namespace, name = key_of(change.object)
        if change.kind is kinds.PDB:
            if change.type != "DELETED":
                self.enqueue((namespace, name))
            return
        if not self.store.count(kinds.PDB, namespace):
            return
        labels = change.object["metadata"].get("labels")
        for budget in self.store.list(kinds.PDB, namespace):
            if selects(dig(budget, "spec.selector"), labels):
                self.enqueue(key_of(budget))

    def reconcile(self, key: Hashable) -> None:
        """Writes the status of one budget."""
        assert isinstance(key, tuple)
        namespace, name = key
        budget = self.store.get(kinds.PDB, namespace, name)
        if budget is None:
            return
        selector = dig(budget, "spec.selector")
        pods = [
            pod
            for pod in self.store.list(kinds.POD, namespace)
            if selects(selector, pod["metadata"].get("labels"))
            and dig(pod, "status.phase") not in ("Succeeded", "Failed")
        ]
        healthy = sum(is_ready(pod) and not pod["metadata"].get("deletionTimestamp") for pod in pods)
        expected, desired = self._wanted(budget.get("spec") or {}, pods)
        numbers = {
            "disruptionsAllowed": max(0, healthy - desired) if expected > 0 else 0,
            "currentHealthy": healthy,
            "desiredHealthy": desired,
            "expectedPods": expected,
        }
        self.store.change(kinds.PDB, namespace, name, lambda obj: _write(obj, numbers))

    def _wanted(self, spec: Object, pods: list[Object]) -> tuple[int, int]:
        """Expected pods and how many of them have to be healthy."""
        most = spec.get("maxUnavailable")
        if most is not None:
            expected = self._scale(pods)
            return expected, max(0, expected - _scaled(most, expected))
        least = spec.get("minAvailable", 1)
        if isinstance(least, str):
            expected = self._scale(pods)
            return expected, _scaled(least, expected)
        return len(pods), int(least)

    def _scale(self, pods: list[Object]) -> int:
        """The replicas that the pods' controllers want; a pod without one counts for itself."""
        wanted: dict[str, int] = {}
        for pod in pods:
            owner = self._owner(pod)
            uid = (owner or pod)["metadata"]["uid"]
            wanted[uid] = int(dig(owner, "spec.replicas") or 0) if owner else 1
        return sum(wanted.values())

    def _owner(self, obj: Object) -> Object | None:
        """The topmost controller."""
        found = None
        while (reference := controller_of(obj)) is not None:
            kind = self.store.registry.by_kind(reference["apiVersion"], reference["kind"])
            above = self.store.get(kind, obj["metadata"]["namespace"], reference["name"]) if kind else None
            if above is None:
                break
            found = obj = above
        return found


def _scaled(value: int | str, total: int) -> int:
    """A number, or a percentage of the total, rounded up."""
    if isinstance(value, str) and value.endswith("%"):
        return math.ceil(int(value[:-1]) * total / 100)
    return int(value)


def _write(budget: Object, numbers: dict[str, int]) -> None:
    enough = numbers["disruptionsAllowed"] > 0
    condition: Object = {
        "type": "DisruptionAllowed",
        "status": "True" if enough else "False",
        "reason": "SufficientPods" if enough else "InsufficientPods",
        "message": "",
        "observedGeneration": budget["metadata"]["generation"],
        "lastTransitionTime": timestamp(),
    }
    before = next(iter(dig(budget, "status.conditions") or []), None)
    if before and before["status"] == condition["status"]:
        condition["lastTransitionTime"] = before["lastTransitionTime"]
    generation = budget["metadata"]["generation"]
    budget["status"] = {"observedGeneration": generation, **numbers, "conditions": [condition]}
