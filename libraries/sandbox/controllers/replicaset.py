"""ReplicaSets: as many pods as the spec says."""

from __future__ import annotations

from collections.abc import Hashable
from typing import TYPE_CHECKING, Any

from .. import kinds
from ..api import objects
from ..api.status import ApiError
from ..store import timestamp
from .base import Controller, key_of
from .claims import concerned, pods_of
from .selectors import matches_map
from .workload import change_status, is_active, is_available, is_ready, make_pod

if TYPE_CHECKING:
    from ..kinds import Kind
    from ..store import Change

Object = dict[str, Any]
_BURST = 250
"""Pods that are made at once; the rest follows when others have had their turn."""


class ReplicaSets(Controller):
    """One ReplicaSet a key."""

    def kinds(self) -> tuple[Kind, ...]:
        """ReplicaSets and pods."""
        return (kinds.REPLICA_SET, kinds.POD)

    def changed(self, change: Change) -> None:
        """A pod's change concerns its ReplicaSet, or those that may adopt it."""
        if change.kind is kinds.REPLICA_SET:
            self.enqueue(key_of(change.object))
            return
        for key in concerned(self.cluster, kinds.REPLICA_SET, change):
            self.enqueue(key)

    def reconcile(self, key: Hashable) -> None:
        """Makes or deletes pods until there are as many as wanted, and counts them in the status."""
        assert isinstance(key, tuple)
        wanted = self.store.get(kinds.REPLICA_SET, *key)
        if wanted is None:
            return
        pods = [pod for pod in pods_of(self.cluster, wanted) if is_active(pod)]
        problem = ""
        if not wanted["metadata"].get("deletionTimestamp"):
            problem = self._scale(wanted, pods)
            pods = [pod for pod in pods_of(self.cluster, wanted) if is_active(pod)]
        self._report(wanted, pods, problem)

    def _scale(self, wanted: Object, pods: list[Object]) -> str:
        replicas = wanted["spec"].get("replicas", 1)
        missing = replicas - len(pods)
        if missing > _BURST:
            self.enqueue_now(key_of(wanted))
        for _ in range(min(missing, _BURST)):
            try:
                pod = make_pod(self.cluster, wanted, wanted["spec"]["template"])
            except ApiError as error:
                message = f"Error creating: {error}"
                self._event(wanted, "FailedCreate", message, warning=True)
                self.enqueue_after(key_of(wanted), 1.0)
                return str(error)
            self._event(wanted, "SuccessfulCreate", f"Created pod: {pod['metadata']['name']}")
        surplus = max(0, -missing)
        for pod in sorted(pods, key=_worth)[:surplus] if surplus else ():
            name = pod["metadata"]["name"]
            objects.delete(self.cluster, kinds.POD, pod["metadata"]["namespace"], name)
            self._event(wanted, "SuccessfulDelete", f"Deleted pod: {name}")
        return ""

    def _event(self, wanted: Object, reason: str, message: str, *, warning: bool = False) -> None:
        self.cluster.events.event(wanted, reason, message, component="replicaset-controller", warning=warning)

    def _report(self, wanted: Object, pods: list[Object], problem: str) -> None:
        min_ready = wanted["spec"].get("minReadySeconds", 0)
        template_labels = wanted["spec"]["template"]["metadata"].get("labels") or {}
        labelled = sum(matches_map(template_labels, p["metadata"].get("labels")) for p in pods)
        ready = sum(map(is_ready, pods))
        available = sum(is_available(pod, min_ready) for pod in pods)
        status = {
            "replicas": len(pods),
            **({"fullyLabeledReplicas": labelled} if labelled else {}),
            **({"readyReplicas": ready} if ready else {}),
            **({"availableReplicas": available} if available else {}),
            "observedGeneration": wanted["metadata"].get("generation", 1),
        }
        if problem:
            old = (wanted.get("status") or {}).get("conditions") or [{}]
            failure = {"type": "ReplicaFailure", "status": "True", "reason": "FailedCreate", "message": problem}
            status["conditions"] = [{**failure, "lastTransitionTime": old[0].get("lastTransitionTime") or timestamp()}]
        change_status(self.cluster, kinds.REPLICA_SET, wanted, status)
        if ready > available:
            self.enqueue_after(key_of(wanted), 1.0)


def _worth(pod: Object) -> tuple[bool, bool, str]:
    """Which pod is let go first: not bound, then not ready, then the newest."""
    newest_first = "".join(chr(0x7F - ord(c)) for c in pod["metadata"]["creationTimestamp"])
    return bool(pod["spec"].get("nodeName")), is_ready(pod), newest_first
