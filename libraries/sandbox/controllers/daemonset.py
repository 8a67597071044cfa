"""DaemonSets: one pod on each node that fits, rolled over node by node."""

from __future__ import annotations

from collections.abc import Hashable
from typing import TYPE_CHECKING, Any

from .. import kinds
from ..api import objects
from ..api.status import ApiError
from ..store import clone
from .base import Controller, key_of
from .claims import concerned, pods_of
from .scheduling import fits_affinity, tolerates
from .workload import (
    change_status,
    has_ended,
    is_active,
    is_available,
    is_ready,
    make_pod,
    revision_of,
    rounded,
    template_hash,
)

if TYPE_CHECKING:
    from ..kinds import Kind
    from ..store import Change

Object = dict[str, Any]
HASH = "controller-revision-hash"
GENERATION = "deprecated.daemonset.template.generation"
_TOLERATED = (
    ("node.kubernetes.io/not-ready", "NoExecute"),
    ("node.kubernetes.io/unreachable", "NoExecute"),
    ("node.kubernetes.io/disk-pressure", "NoSchedule"),
    ("node.kubernetes.io/memory-pressure", "NoSchedule"),
    ("node.kubernetes.io/pid-pressure", "NoSchedule"),
    ("node.kubernetes.io/unschedulable", "NoSchedule"),
)


class DaemonSets(Controller):
    """One DaemonSet a key."""

    def kinds(self) -> tuple[Kind, ...]:
        """DaemonSets, pods and nodes."""
        return (kinds.DAEMON_SET, kinds.POD, kinds.NODE)

    def changed(self, change: Change) -> None:
        """A node's labels or taints concern all DaemonSets."""
        if change.kind is kinds.DAEMON_SET:
            self.enqueue(key_of(change.object))
        elif change.kind is kinds.POD:
            for key in concerned(self.cluster, kinds.DAEMON_SET, change):
                self.enqueue(key)
        elif change.old is None or _place(change.old) != _place(change.object) or change.type == "DELETED":
            for each in self.store.list(kinds.DAEMON_SET):
                self.enqueue(key_of(each))

    def reconcile(self, key: Hashable) -> None:
        """Makes the pods that are missing, deletes those that should not be, rolls old ones over."""
        assert isinstance(key, tuple)
        wanted = self.store.get(kinds.DAEMON_SET, *key)
        if wanted is None:
            return
        revision_of(self.cluster, wanted)
        by_node = self._by_node(wanted)
        nodes = self.store.list(kinds.NODE)
        fitting = [n["metadata"]["name"] for n in nodes if _should_run(wanted, n)]
        if not wanted["metadata"].get("deletionTimestamp"):
            self._place_pods(wanted, nodes, by_node)
            self._roll(wanted, fitting)
            by_node = self._by_node(wanted)
        self._report(wanted, fitting, by_node)

    def _by_node(self, wanted: Object) -> dict[str, list[Object]]:
        found: dict[str, list[Object]] = {}
        for pod in pods_of(self.cluster, wanted):
            found.setdefault(pod["spec"].get("nodeName") or _aimed_at(pod), []).append(pod)
        return found

    def _place_pods(self, wanted: Object, nodes: list[Object], by_node: dict[str, list[Object]]) -> None:
        for node in nodes:
            name = node["metadata"]["name"]
            pods = by_node.get(name, [])
            for pod in [p for p in pods if has_ended(p) and not p["metadata"].get("deletionTimestamp")]:
                self._delete(wanted, pod)
            live = [p for p in pods if is_active(p)]
            if _should_run(wanted, node) and not live and not any(p["metadata"].get("deletionTimestamp") for p in pods):
                self._create(wanted, name)
            elif not _may_continue(wanted, node):
                for pod in live:
                    self._delete(wanted, pod)
        for name, pods in by_node.items():
            if not any(name == n["metadata"]["name"] for n in nodes):
                for pod in filter(is_active, pods):
                    self._delete(wanted, pod)

    def _create(self, wanted: Object, node: str) -> None:
        template = clone(wanted["spec"]["template"])
        spec = template["spec"]
        for key, effect in _TOLERATED:
            spec.setdefault("tolerations", []).append({"key": key, "operator": "Exists", "effect": effect})
        if spec.get("hostNetwork"):
            unavailable = {
                "key": "node.kubernetes.io/network-unavailable",
                "operator": "Exists",
                "effect": "NoSchedule",
            }
            spec["tolerations"].append(unavailable)
        term = {"matchFields": [{"key": "metadata.name", "operator": "In", "values": [node]}]}
        affinity = spec.setdefault("affinity", {}).setdefault("nodeAffinity", {})
        affinity["requiredDuringSchedulingIgnoredDuringExecution"] = {"nodeSelectorTerms": [term]}
        labels = {
            HASH: template_hash(wanted["spec"]["template"]),
            "pod-template-generation": (wanted["metadata"].get("annotations") or {}).get(GENERATION, "1"),
        }
        try:
            pod = make_pod(self.cluster, wanted, template, labels=labels)
        except ApiError as error:
            self._event(wanted, "FailedCreate", f"Error creating: {error}", warning=True)
            self.enqueue_after(key_of(wanted), 1.0)
            return
        self._event(wanted, "SuccessfulCreate", f"Created pod: {pod['metadata']['name']}")

    def _delete(self, wanted: Object, pod: Object) -> None:
        name = pod["metadata"]["name"]
        objects.delete(self.cluster, kinds.POD, pod["metadata"]["namespace"], name)
        self._event(wanted, "SuccessfulDelete", f"Deleted pod: {name}")

    def _event(self, wanted: Object, reason: str, message: str, *, warning: bool = False) -> None:
        self.cluster.events.event(wanted, reason, message, component="daemonset-controller", warning=warning)

    def _roll(self, wanted: Object, fitting: list[str]) -> None:
        strategy = wanted["spec"].get("updateStrategy") or {}
        if strategy.get("type") == "OnDelete":
            return
        rolling = strategy.get("rollingUpdate") or {}
        limit = rounded(rolling.get("maxUnavailable", 1), len(fitting), up=True) or 1
        pods = pods_of(self.cluster, wanted)
        min_ready = wanted["spec"].get("minReadySeconds", 0)
        unavailable = len(fitting) - sum(is_active(p) and is_available(p, min_ready) for p in pods)
        current = template_hash(wanted["spec"]["template"])
        old = [p for p in pods if is_active(p) and p["metadata"].get("labels", {}).get(HASH) != current]
        for pod in [p for p in old if not is_ready(p)]:
            self._delete(wanted, pod)
        for pod in [p for p in old if is_ready(p)][: max(0, limit - unavailable)]:
            self._delete(wanted, pod)

    def _report(self, wanted: Object, fitting: list[str], by_node: dict[str, list[Object]]) -> None:
        min_ready = wanted["spec"].get("minReadySeconds", 0)
        pods = [p for name in fitting for p in by_node.get(name, [])[:1]]
        current = template_hash(wanted["spec"]["template"])
        live = [p for p in pods if is_active(p)]
        updated = sum((p["metadata"].get("labels") or {}).get(HASH) == current for p in live)
        available = sum(is_available(p, min_ready) for p in live)
        status = {
            "currentNumberScheduled": len(pods),
            "numberMisscheduled": sum(len(pods) for name, pods in by_node.items() if name not in fitting),
            "desiredNumberScheduled": len(fitting),
            "numberReady": sum(is_ready(p) for p in live),
            "observedGeneration": wanted["metadata"].get("generation", 1),
            **({"updatedNumberScheduled": updated} if updated else {}),
            **({"numberAvailable": available} if available else {}),
            **({"numberUnavailable": len(fitting) - available} if len(fitting) > available else {}),
        }
        change_status(self.cluster, kinds.DAEMON_SET, wanted, status)


def _place(node: Object) -> Object:
    spec = node["spec"]
    return {"labels": node["metadata"].get("labels"), "taints": spec.get("taints"), "off": spec.get("unschedulable")}


def _aimed_at(pod: Object) -> str:
    affinity = (pod["spec"].get("affinity") or {}).get("nodeAffinity") or {}
    for term in (affinity.get("requiredDuringSchedulingIgnoredDuringExecution") or {}).get("nodeSelectorTerms") or []:
        for field in term.get("matchFields") or []:
            return str(field["values"][0])
    return ""


def _should_run(wanted: Object, node: Object) -> bool:
    pod = wanted["spec"]["template"]
    return fits_affinity(pod, node) and _tolerated(pod, node, ("NoSchedule", "NoExecute"))


def _may_continue(wanted: Object, node: Object) -> bool:
    pod = wanted["spec"]["template"]
    return fits_affinity(pod, node) and _tolerated(pod, node, ("NoExecute",))


def _tolerated(pod: Object, node: Object, effects: tuple[str, ...]) -> bool:
    own = [{"key": key, "operator": "Exists", "effect": effect} for key, effect in _TOLERATED]
    tolerations = [*(pod["spec"].get("tolerations") or []), *own]
    return all(tolerates(tolerations, t) for t in node["spec"].get("taints") or [] if t["effect"] in effects)
