"""The scheduler: binds pods to nodes, or says why it cannot."""

from __future__ import annotations

from collections.abc import Hashable
from typing import TYPE_CHECKING, Any

from .. import kinds
from ..api import objects
from ..store import timestamp
from .base import Controller, key_of
from .preemption import Candidate, candidate
from .scheduling import NodeState, explain, explain_all, guards, reason_against, score
from .storage import Unbindable

if TYPE_CHECKING:
    from ..cluster import Cluster
    from ..kinds import Kind
    from ..store import Change

Object = dict[str, Any]
_ENDED = ("Succeeded", "Failed")


class Scheduler(Controller):
    """Takes pods that name the default scheduler and no node, in the order in which they came."""

    def __init__(self, cluster: Cluster) -> None:
        super().__init__(cluster)
        self._waiting: set[tuple[str, str]] = set()
        self._states: dict[str, NodeState] = {}

    def kinds(self) -> tuple[Kind, ...]:
        """Pods and nodes, and the claims that pods wait for."""
        return (kinds.POD, kinds.NODE, kinds.PVC)

    def changed(self, change: Change) -> None:
        """A new pod is queued; what may help waiting pods queues those again."""
        if change.kind is not kinds.POD:
            self._states.clear()
            self._retry()
            return
        pod = change.object
        self._account(pod, change.type == "DELETED")
        if change.type == "DELETED" or pod.get("status", {}).get("phase") in _ENDED:
            self._waiting.discard(key_of(pod))
            if pod["spec"].get("nodeName"):
                self._retry()
        elif not pod["spec"].get("nodeName") and (change.old is None or change.old["spec"] != pod["spec"]):
            self.enqueue(key_of(pod))

    def _retry(self) -> None:
        for key in sorted(self._waiting):
            self.enqueue(key)

    def _account(self, pod: Object, gone: bool) -> None:
        """Keeps the nodes' lists of pods without reading them all again."""
        state = self._states.get(pod["spec"].get("nodeName") or "")
        if state is None:
            return
        uid = pod["metadata"]["uid"]
        if gone or pod.get("status", {}).get("phase") in _ENDED:
            state.remove(uid)
        else:
            state.put(pod)

    def states(self) -> list[NodeState]:
        """All nodes with the pods that take their room."""
        if not self._states:
            for node in self.store.list(kinds.NODE):
                state = self._states[node["metadata"]["name"]] = NodeState(node)
                for pod in self.cluster.index.on_node(state.name):
                    if pod.get("status", {}).get("phase") not in _ENDED:
                        state.put(pod)
        return list(self._states.values())

    def reconcile(self, key: Hashable) -> None:
        """Binds one pod, or writes why not."""
        assert isinstance(key, tuple)
        pod = self.store.get(kinds.POD, *key)
        self._waiting.discard(key)
        if pod is None or pod["spec"].get("nodeName") or pod["metadata"].get("deletionTimestamp"):
            return
        if pod["spec"].get("schedulerName", "default-scheduler") != "default-scheduler" or pod["spec"].get(
            "schedulingGates"
        ):
            return
        states = self.states()
        try:
            claims = self.cluster.storage.claims_of(pod)
        except Unbindable as problem:
            self._refuse(pod, explain_all(str(problem), len(states)))
            return
        chosen = self._choose(pod, claims, states)
        if chosen is None:
            return
        for claim in claims:
            self.cluster.storage.bind(claim, chosen.name)
        self._bind(pod, chosen)

    def _choose(self, pod: Object, claims: list[Object], states: list[NodeState]) -> NodeState | None:
        reasons = []
        fitting = []
        guarding = guards(states)
        for state in states:
            reason = reason_against(pod, state, states, guarding) or self.cluster.storage.reason_against(
                claims, state.node
            )
            if reason:
                reasons.append(reason)
            else:
                fitting.append(state)
        if fitting:
            return max(fitting, key=lambda state: score(pod, state))
        room = candidate(pod, states)
        self._refuse(pod, explain(reasons, preempts=room is not None))
        if room:
            self._preempt(pod, room)
        return None

    def _preempt(self, pod: Object, room: Candidate) -> None:
        """Lets the victims go; the pod is looked at again when they are gone."""

        def nominated(stored: Object) -> None:
            stored["status"]["nominatedNodeName"] = room.node

        def disrupted(stored: Object) -> None:
            message = "default-scheduler: preempting to accommodate a higher priority pod"
            condition = {"type": "DisruptionTarget", "status": "True", "lastProbeTime": None}
            condition |= {"lastTransitionTime": timestamp(), "reason": "PreemptionByScheduler", "message": message}
            stored["status"].setdefault("conditions", []).append(condition)

        self.store.change(kinds.POD, *key_of(pod), nominated)
        for victim in room.victims:
            self.store.change(kinds.POD, *key_of(victim), disrupted)
            message = f"Preempted by pod {pod['metadata']['uid']} on node {room.node}"
            self.cluster.events.scheduler_event(victim, "Preempted", message, "Preempting")
            objects.delete(self.cluster, kinds.POD, *key_of(victim))

    def _refuse(self, pod: Object, message: str) -> None:
        key = key_of(pod)
        self._waiting.add(key)
        self.cluster.events.scheduler_event(pod, "FailedScheduling", message, "Scheduling", warning=True)

        def unschedulable(stored: Object) -> None:
            _set_condition(stored, "False", reason="Unschedulable", message=message)

        self.store.change(kinds.POD, *key, unschedulable)

    def _bind(self, pod: Object, state: NodeState) -> None:
        namespace, name = key_of(pod)

        def bound(stored: Object) -> None:
            stored["spec"]["nodeName"] = state.name
            stored["status"].pop("nominatedNodeName", None)
            _set_condition(stored, "True")

        self.store.change(kinds.POD, namespace, name, bound)
        message = f"Successfully assigned {namespace}/{name} to {state.name}"
        self.cluster.events.scheduler_event(pod, "Scheduled", message, "Binding")


def _set_condition(pod: Object, holds: str, **more: str) -> None:
    conditions = pod.setdefault("status", {}).setdefault("conditions", [])
    old = next((c for c in conditions if c["type"] == "PodScheduled"), None)
    since = old["lastTransitionTime"] if old and old["status"] == holds else timestamp()
    new = {"type": "PodScheduled", "status": holds, "lastProbeTime": None, "lastTransitionTime": since, **more}
    pod["status"]["conditions"] = [c for c in conditions if c["type"] != "PodScheduled"] + [new]
