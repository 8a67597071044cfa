"""Nodes: what a kubelet reports of itself, leases, the taints of the node lifecycle controller, eviction."""

from __future__ import annotations

import asyncio
from collections.abc import Hashable
from datetime import datetime
from time import time
from typing import TYPE_CHECKING, Any

from .. import kinds
from ..api import objects
from ..store import micro_timestamp, timestamp
from .base import Controller, key_of
from .scheduling import tolerates

if TYPE_CHECKING:
    from ..cluster import Cluster
    from ..kinds import Kind
    from ..store import Change

Object = dict[str, Any]
EMULATED = "e2e.cedana.ai/emulated"
KUBELET_VERSION = "v1.33.13+emulated"
LEASE_NAMESPACE = "kube-node-lease"
_HEARTBEAT = 10.0
_GRACE = 50.0
"""Seconds without a heartbeat after which a node's conditions become Unknown."""

HEALTHY = (
    ("MemoryPressure", "False", "KubeletHasSufficientMemory", "kubelet has sufficient memory available"),
    ("DiskPressure", "False", "KubeletHasNoDiskPressure", "kubelet has no disk pressure"),
    ("PIDPressure", "False", "KubeletHasSufficientPID", "kubelet has sufficient PID available"),
    ("Ready", "True", "KubeletReady", "kubelet is posting ready status"),
)
_UNSCHEDULABLE = "node.kubernetes.io/unschedulable"
_NOT_READY = "node.kubernetes.io/not-ready"
_UNREACHABLE = "node.kubernetes.io/unreachable"
_PRESSURE = {
    "MemoryPressure": "node.kubernetes.io/memory-pressure",
    "DiskPressure": "node.kubernetes.io/disk-pressure",
    "PIDPressure": "node.kubernetes.io/pid-pressure",
}


_CAPACITY = {
    "cpu": "16",
    "ephemeral-storage": "103079215104",
    "hugepages-1Gi": "0",
    "hugepages-2Mi": "0",
    "memory": "65536Mi",
    "pods": "5000",
}
ALLOCATABLE = {**_CAPACITY, "memory": "65436Mi"}


def new_node(name: str, number: int) -> Object:
    """A node as its kubelet registers it. Its room is generous (5000 pods), for nothing runs on it."""
    pod_range = f"10.{128 + number % 100}.0.0/16"
    labels = {
        "beta.kubernetes.io/arch": "amd64",
        "beta.kubernetes.io/os": "linux",
        EMULATED: "true",
        "kubernetes.io/arch": "amd64",
        "kubernetes.io/hostname": name,
        "kubernetes.io/os": "linux",
        **({"node-role.kubernetes.io/control-plane": ""} if number == 1 else {}),
    }
    annotations = {"volumes.kubernetes.io/controller-managed-attach-detach": "true"}
    return {
        "apiVersion": "v1",
        "kind": "Node",
        "metadata": {"name": name, "labels": labels, "annotations": annotations},
        "spec": {"podCIDR": pod_range, "podCIDRs": [pod_range], "providerID": f"emulated://{name}"},
        "status": {
            "capacity": dict(_CAPACITY),
            "allocatable": dict(ALLOCATABLE),
            "conditions": _conditions(),
            "addresses": [
                {"type": "InternalIP", "address": f"10.200.{number // 200}.{number % 200 + 10}"},
                {"type": "Hostname", "address": name},
            ],
            "daemonEndpoints": {"kubeletEndpoint": {"Port": 10250}},
            "nodeInfo": _info(number),
            "images": [],
        },
    }


def _conditions() -> list[Object]:
    now = timestamp()
    dated = {"lastHeartbeatTime": now, "lastTransitionTime": now}
    return [
        {"type": kind, "status": status, **dated, "reason": reason, "message": message}
        for kind, status, reason, message in HEALTHY
    ]


def _info(number: int) -> Object:
    return {
        "machineID": f"{number:032x}",
        "systemUUID": f"00000000-0000-4000-8000-{number:012x}",
        "bootID": f"00000000-0000-4000-9000-{number:012x}",
        "kernelVersion": "6.18.0-emulated",
        "osImage": "emulated node",
        "containerRuntimeVersion": "containerd://2.1.9",
        "kubeletVersion": KUBELET_VERSION,
        "kubeProxyVersion": "",
        "operatingSystem": "linux",
        "architecture": "amd64",
    }


class NodeLife(Controller):
    """One node a key. A node in `silent` sends no heartbeats, as when it is down."""

    def __init__(self, cluster: Cluster) -> None:
        super().__init__(cluster)
        self.silent: set[str] = set()
        self.grace = _GRACE
        self._numbers: dict[str, int] = {}
        self._last_seen: dict[str, float] = {}
        self._beat: asyncio.TimerHandle | None = None

    def kinds(self) -> tuple[Kind, ...]:
        """Nodes."""
        return (kinds.NODE,)

    def start(self) -> None:
        """Begins the heartbeats."""
        super().start()
        self._beat = asyncio.get_running_loop().call_later(_HEARTBEAT, self._heartbeat)

    def stop(self) -> None:
        """Ends the heartbeats."""
        super().stop()
        if self._beat:
            self._beat.cancel()

    def number(self, name: str) -> int:
        """The place of a node in the order in which nodes came, from 1."""
        return self._numbers.setdefault(name, len(self._numbers) + 1)

    def changed(self, change: Change) -> None:
        """A new node gets its lease; a changed one may need other taints; with a node its lease goes."""
        name = change.object["metadata"]["name"]
        self.number(name)
        if change.type == "DELETED":
            self.store.remove(kinds.LEASE, LEASE_NAMESPACE, name)
            for pod in self.cluster.index.on_node(name):
                objects.delete(self.cluster, kinds.POD, pod["metadata"]["namespace"], pod["metadata"]["name"], grace=0)
            return
        if change.type == "ADDED":
            self._last_seen[name] = time()
            self._renew(name)
            self._event(
                change.object,
                "RegisteredNode",
                f"Node {name} event: Registered Node {name} in Controller",
                "node-controller",
            )
        self.enqueue(name)

    def reconcile(self, key: Hashable) -> None:
        """Brings a node's taints in line with its spec and conditions, and evicts what does not tolerate them."""
        node = self.store.get(kinds.NODE, None, str(key))
        if node is None:
            return
        old = node["spec"].get("taints") or []
        wanted = _taints(node)
        managed = {_UNSCHEDULABLE, _NOT_READY, _UNREACHABLE, *_PRESSURE.values()}
        kept = [t for t in old if t["key"] not in managed]
        for taint in wanted:
            same = next((t for t in old if t["key"] == taint["key"] and t["effect"] == taint["effect"]), None)
            kept.append(same or ({**taint, "timeAdded": timestamp()}))

        def tainted(stored: Object) -> None:
            stored["spec"]["taints"] = kept
            if not kept:
                del stored["spec"]["taints"]

        if kept != old:
            self.store.change(kinds.NODE, None, str(key), tainted)
        self._evict(str(key), [t for t in kept if t["effect"] == "NoExecute"])

    def _evict(self, node: str, taints: list[Object]) -> None:
        again: list[float] = []
        for pod in self.cluster.index.on_node(node) if taints else []:
            if pod["metadata"].get("deletionTimestamp"):
                continue
            left = min(_seconds_left(pod, taint) for taint in taints)
            if left <= 0:
                message = f"Marking for deletion Pod {pod['metadata']['namespace']}/{pod['metadata']['name']}"
                self._event(pod, "TaintManagerEviction", message, "taint-eviction-controller")
                objects.delete(self.cluster, kinds.POD, pod["metadata"]["namespace"], pod["metadata"]["name"])
            elif left != float("inf"):
                again.append(left)
        if again:
            self.enqueue_after(node, min(again) + 0.05)

    def _event(self, obj: Object, reason: str, message: str, component: str) -> None:
        self.cluster.events.event(obj, reason, message, component=component)

    def _heartbeat(self) -> None:
        self._beat = asyncio.get_running_loop().call_later(_HEARTBEAT, self._heartbeat)
        for node in self.store.list(kinds.NODE):
            name = node["metadata"]["name"]
            if name not in self.silent:
                self._last_seen[name] = time()
                self._renew(name)
                self.cluster.kubelet.evictions.check(name)
            elif time() - self._last_seen.get(name, 0) > self.grace:
                self.lose(name)

    def lose(self, name: str) -> None:
        """Marks a node whose heartbeats stay away: its conditions become Unknown."""

        def lost(node: Object) -> None:
            for condition in node["status"]["conditions"]:
                if condition["status"] != "Unknown":
                    condition |= {
                        "status": "Unknown",
                        "reason": "NodeStatusUnknown",
                        "message": "Kubelet stopped posting node status.",
                        "lastTransitionTime": timestamp(),
                    }

        before = self.store.get(kinds.NODE, None, name)
        after = self.store.change(kinds.NODE, None, name, lost)
        if after and after is not before:
            self._event(after, "NodeNotReady", f"Node {name} status is now: NodeNotReady", "node-controller")

        for pod in self.cluster.index.on_node(name):
            self._unready(pod)

    def _unready(self, pod: Object) -> None:
        def unready(stored: Object) -> None:
            for condition in stored.get("status", {}).get("conditions") or []:
                if condition["type"] == "Ready" and condition["status"] == "True":
                    condition |= {"status": "False", "lastTransitionTime": timestamp()}

        if self.store.change(kinds.POD, *key_of(pod), unready) is not pod:
            message = "Node is not ready"
            self.cluster.events.event(pod, "NodeNotReady", message, component="node-controller", warning=True)

    def find(self, name: str) -> None:
        """A lost node reports again: its conditions are what they are."""

        def found(node: Object) -> None:
            healthy = {each["type"]: each for each in _conditions()}
            node["status"]["conditions"] = [
                healthy[each["type"]] if each["status"] == "Unknown" and each["type"] in healthy else each
                for each in node["status"]["conditions"]
            ]

        self._last_seen[name] = time()
        self.store.change(kinds.NODE, None, name, found)
        self._renew(name)

    def _renew(self, name: str) -> None:
        now = micro_timestamp()

        def renewed(lease: Object) -> None:
            lease["spec"]["renewTime"] = now

        if self.store.change(kinds.LEASE, LEASE_NAMESPACE, name, renewed):
            return
        node = self.store.get(kinds.NODE, None, name)
        if node is None:
            return
        owner = {"apiVersion": "v1", "kind": "Node", "name": name, "uid": node["metadata"]["uid"]}
        body = {
            "apiVersion": "coordination.k8s.io/v1",
            "kind": "Lease",
            "metadata": {"name": name, "namespace": LEASE_NAMESPACE, "ownerReferences": [owner]},
            "spec": {"holderIdentity": name, "leaseDurationSeconds": 40, "renewTime": now},
        }
        self.store.create(kinds.LEASE, body)


def _taints(node: Object) -> list[Object]:
    wanted: list[Object] = []
    if node["spec"].get("unschedulable"):
        wanted.append({"key": _UNSCHEDULABLE, "effect": "NoSchedule"})
    states = {c["type"]: c["status"] for c in node.get("status", {}).get("conditions") or []}
    ready = states.get("Ready", "Unknown")
    if ready != "True":
        key = _UNREACHABLE if ready == "Unknown" else _NOT_READY
        wanted += [{"key": key, "effect": "NoSchedule"}, {"key": key, "effect": "NoExecute"}]
    wanted += [{"key": key, "effect": "NoSchedule"} for kind, key in _PRESSURE.items() if states.get(kind) == "True"]
    return wanted


def _seconds_left(pod: Object, taint: Object) -> float:
    fitting = [t for t in pod["spec"].get("tolerations") or [] if tolerates([t], taint)]
    if not fitting:
        return 0
    limits = [t["tolerationSeconds"] for t in fitting if t.get("tolerationSeconds") is not None]
    if len(limits) < len(fitting):
        return float("inf")
    added = taint.get("timeAdded")
    since = datetime.fromisoformat(added).timestamp() if added else time()
    return float(min(limits) - (time() - since))
