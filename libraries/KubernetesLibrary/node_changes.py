"""What a run changes of a node: a label, a taint, a cordon, a resource that it offers. Each is owed its undoing.

A change is written to the ledger before it is made and is never made over something that is there already, so that
undoing it takes away nothing of anybody else's.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from kubernetes.client.exceptions import ApiException

from harness.failures import BadInput, NotAsExpected, OperationFailed
from harness.kube import Cluster, api_errors, recorded
from harness.kube.objects import RUN_LABEL, was_refused
from harness.kube.pods import raw
from harness.ledger import LEDGER, Entry

Obj = dict[str, Any]
KIND = "node-change"
"""The kind of ledger entries for changed nodes."""
EFFECTS = ("NoSchedule", "PreferNoSchedule")
"""NoExecute is not among them: it would drive away pods that are not the run's."""
TRIES = 8
PAUSE = 0.1


@dataclass(frozen=True)
class Change:
    """One change of a node.

    Attributes:
        what: `label`, `taint`, `cordon` or `resource`.
        key: of the label, the taint or the resource; empty for a cordon.
        value: of it.
        effect: of a taint.
    """

    what: str
    key: str = ""
    value: str = ""
    effect: str = ""

    def __str__(self) -> str:
        effect = f":{self.effect}" if self.effect else ""
        return f"{self.what} {self.key}={self.value}{effect}" if self.key else self.what

    def is_there(self, node: Obj) -> bool:
        """Whether the node has it."""
        if self.what == "taint":
            return self._taint() in [{"value": "", **one} for one in _taints(node)]
        if self.what == "cordon":
            marked = (node["metadata"].get("annotations") or {}).get(RUN_LABEL) == self.value
            return marked and bool(node["spec"].get("unschedulable"))
        return self._value_of(node) == self.value

    def conflict(self, node: Obj) -> str:
        """What of somebody else's the node has in its place; empty when there is nothing."""
        if self.what == "cordon":
            return "it is cordoned" if node["spec"].get("unschedulable") else ""
        if self.what == "taint":
            mine = (self.key, self.effect)
            return next((f"it has the taint {one}" for one in _taints(node) if (one["key"], one["effect"]) == mine), "")
        value = self._value_of(node)
        return "" if value is None else f"it has the {self.what} {self.key}={value}"

    def patch(self, node: Obj, *, undo: bool = False) -> Obj:
        """The merge patch that makes it, or takes it away."""
        value = None if undo else self.value
        if self.what == "resource":
            return {"status": {"capacity": {self.key: value}, "allocatable": {self.key: value}}}
        version = {"resourceVersion": node["metadata"]["resourceVersion"]}
        if self.what == "label":
            return {"metadata": {**version, "labels": {self.key: value}}}
        if self.what == "cordon":
            return {
                "metadata": {**version, "annotations": {RUN_LABEL: value}},
                "spec": {"unschedulable": None if undo else True},
            }
        kept = [one for one in _taints(node) if {"value": "", **one} != self._taint()]
        return {"metadata": version, "spec": {"taints": kept if undo else [*kept, self._taint()]}}

    def _taint(self) -> Mapping[str, str]:
        return {"key": self.key, "value": self.value, "effect": self.effect}

    def _value_of(self, node: Obj) -> str | None:
        values = (node["metadata"].get("labels") if self.what == "label" else node["status"].get("capacity")) or {}
        return values.get(self.key)


def make(cluster: Cluster, name: str, change: Change) -> None:
    """Makes a change of a node, after an entry in the ledger.

    Raises:
        BadInput: what is changed cannot be used, such as a taint that would drive pods away.
        NotAsExpected: there is no such node, or it has the like already; nothing was changed.
        OperationFailed: the API refuses.
    """
    _check(change)
    _objection(cluster, name, change)
    entry = LEDGER.intend(
        KIND,
        f"{change} of node {name}",
        **cluster.where,
        node=name,
        what=change.what,
        key=change.key,
        value=change.value,
        effect=change.effect,
    )
    try:
        _patch(cluster, name, change)
    except OperationFailed as problem:
        if was_refused(problem):
            LEDGER.gone(entry)
        raise
    LEDGER.made(entry)


def undo(cluster: Cluster, name: str) -> list[str]:
    """Undoes what this run has changed of a node, the latest first; says what that was."""
    undone = []
    for entry in reversed(LEDGER.owed()):
        here = entry.place == str(cluster.kubeconfig) and entry.find.get("context") == cluster.context
        if entry.kind == KIND and here and entry.find["node"] == name:
            NodeChangeRemover().remove(entry, 0)
            LEDGER.gone(entry)
            undone.append(str(_change(entry)))
    return undone


class NodeChangeRemover:
    """Undoes a change of a node; what somebody else has put in its place stays."""

    def exists(self, entry: Entry) -> bool:
        """Whether the node is there and has it."""
        node = _find(recorded(entry), entry.find["node"])
        return node is not None and _change(entry).is_there(node)

    def remove(self, entry: Entry, _budget: float) -> None:
        """Undoes it."""
        if self.exists(entry):
            _patch(recorded(entry), entry.find["node"], _change(entry), undoing=True)


def _change(entry: Entry) -> Change:
    return Change(*(entry.find[name] for name in ("what", "key", "value", "effect")))


def _check(change: Change) -> None:
    if change.what == "taint" and change.effect not in EFFECTS:
        allowed = f"one of {', '.join(EFFECTS)} (NoExecute would drive away pods that are not the run's)"
        raise BadInput("effect", change.effect, allowed, cause="suite-error")
    if change.what == "resource" and "/" not in change.key:
        raise BadInput("resource", change.key, "an extended one with a domain, such as example.com/slots")


def _objection(cluster: Cluster, name: str, change: Change) -> None:
    node = _find(cluster, name)
    if node is None:
        raise NotAsExpected(f"node {name}", "there is none", "the nodes of the cluster, see Get Node Facts")
    if conflict := change.conflict(node):
        raise NotAsExpected(
            f"node {name} to be free for {change}",
            conflict,
            "who set it; a run that was killed leaves it until `python -m harness.ledger sweep` or the next run",
            cause="environment-missing",
        )


def _patch(cluster: Cluster, name: str, change: Change, *, undoing: bool = False) -> None:
    core = cluster.core
    call: Callable[..., Any] = core.patch_node_status if change.what == "resource" else core.patch_node
    for left in reversed(range(TRIES)):
        node = _find(cluster, name)
        if node is None:
            return
        with api_errors(f"{'undo' if undoing else 'make'} {change} of node {name}"):
            try:
                body = change.patch(node, undo=undoing)
                raw(call, name, body, _content_type="application/merge-patch+json")
            except ApiException as problem:
                if problem.status != 409 or not left:
                    raise
            else:
                return
        time.sleep(PAUSE)  # somebody else has changed the node meanwhile


def _find(cluster: Cluster, name: str) -> Obj | None:
    with api_errors(f"get node {name}"):
        try:
            return raw(cluster.core.read_node, name)
        except ApiException as problem:
            if problem.status == 404:
                return None
            raise


def _taints(node: Obj) -> list[dict[str, str]]:
    return list(node["spec"].get("taints") or [])
