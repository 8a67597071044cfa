"""Eviction by the node: pods go when it runs low on a resource, the least important and greediest first.

Source: Kubernetes pkg/kubelet/eviction (eviction_manager.go, helpers.go).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ... import kinds
from ...store import timestamp
from ..nodes import HEALTHY
from ..selectors import quantity

if TYPE_CHECKING:
    from . import Kubelet
    from .worker import PodWorker

Object = dict[str, Any]
CONDITIONS = {
    "memory": ("MemoryPressure", "KubeletHasInsufficientMemory", "kubelet has insufficient memory available"),
    "ephemeral-storage": ("DiskPressure", "KubeletHasDiskPressure", "kubelet has disk pressure"),
    "pids": ("PIDPressure", "KubeletHasInsufficientPID", "kubelet has insufficient PID available"),
}
"""By resource: the node's condition, and its reason and message when the node is low on it."""
_THRESHOLD = 100 * 2**20
_CRITICAL = 2_000_000_000


class Evictions:
    """Looks at a node when its kubelet does (with each heartbeat). What `Trouble.pressure` names is low in any case."""

    def __init__(self, kubelet: Kubelet) -> None:
        self.kubelet = kubelet
        self.cluster = kubelet.cluster

    def press(self, node: str, resource: str) -> None:
        """The node is low on a resource (memory, ephemeral-storage, pids) until it is relieved."""
        if resource not in CONDITIONS:
            raise ValueError(f"{resource!r} is no resource of a node; allowed are {', '.join(CONDITIONS)}")
        self.kubelet.trouble[node].pressure.add(resource)
        self.check(node)

    def relieve(self, node: str, resource: str) -> None:
        """The node has enough of a resource again."""
        self.kubelet.trouble[node].pressure.discard(resource)
        self.check(node)

    def check(self, node: str) -> None:
        """Brings the node's conditions up to date; while it is low on something, one pod is evicted."""
        low = set(self.kubelet.trouble[node].pressure)
        if self._memory_left(node) < _THRESHOLD:
            low.add("memory")
        for resource in CONDITIONS:
            self._set_condition(node, resource, resource in low)
        for resource in sorted(low):
            victim = self._victim(node)
            if victim:
                self.evict(victim, resource)

    def evict(self, worker: PodWorker, resource: str) -> None:
        """Ends a pod as the kubelet does when its node is low on a resource."""
        names = ", ".join(
            f"Container {known.name} was using {known.container.memory_bytes(worker.runtime.now()) // 1024}Ki, "
            f"request is {_request(known.spec, resource)}, has larger consumption of {resource}"
            for known in worker.containers.mains
            if known.container
        )
        message = f"The node was low on resource: {resource}. Threshold quantity: 100Mi, available: 80Mi. {names}. "
        worker.pod_event("Evicted", message, warning=True)
        condition = {
            "type": "DisruptionTarget",
            "status": "True",
            "lastProbeTime": None,
            "lastTransitionTime": timestamp(),
            "reason": "TerminationByKubelet",
            "message": message,
        }
        worker.fail("Evicted", message, (condition,))

    def _memory_left(self, node: str) -> float:
        stored = self.cluster.store.get(kinds.NODE, None, node)
        if stored is None:
            return float("inf")
        now = self.cluster.runtime.now()
        used = sum(c.memory_bytes(now) for w in self.kubelet.on_node(node) for c in w.running())
        return float(quantity(stored["status"]["capacity"]["memory"])) - used

    def _victim(self, node: str) -> PodWorker | None:
        """The kubelet's order: who takes more than it asked for, then low priority, then who takes most more."""
        now = self.cluster.runtime.now()

        def rank(worker: PodWorker) -> tuple[bool, int, float]:
            asked = sum(float(quantity(_request(known.spec, "memory"))) for known in worker.containers.mains)
            more = sum(c.memory_bytes(now) for c in worker.running()) - asked
            return more <= 0, worker.pod["spec"].get("priority") or 0, -more

        workers = [w for w in self.kubelet.on_node(node) if not w.stopping and w.running()]
        candidates = [w for w in workers if (w.pod["spec"].get("priority") or 0) < _CRITICAL]
        return min(candidates, key=rank, default=None)

    def _set_condition(self, node: str, resource: str, low: bool) -> None:
        kind, reason, message = CONDITIONS[resource]
        if not low:
            reason, message = next(each[2:] for each in HEALTHY if each[0] == kind)
        wanted = {"status": "True" if low else "False", "reason": reason, "message": message}

        def changed(stored: Object) -> None:
            for each in stored["status"]["conditions"]:
                if each["type"] == kind and each["status"] != wanted["status"]:
                    each |= {**wanted, "lastTransitionTime": timestamp()}

        before = self.cluster.store.get(kinds.NODE, None, node)
        after = self.cluster.store.change(kinds.NODE, None, node, changed)
        if after and after is not before:
            state = f"NodeHas{'' if low else 'No' if kind == 'DiskPressure' else 'Sufficient'}"
            what = kind if low or kind == "DiskPressure" else kind.removesuffix("Pressure")
            message = f"Node {node} status is now: {state}{what}"
            self.cluster.events.event(after, state + what, message, component="kubelet", host=node)


def _request(spec: Object, resource: str) -> str:
    return str(((spec.get("resources") or {}).get("requests") or {}).get(resource, "0"))
