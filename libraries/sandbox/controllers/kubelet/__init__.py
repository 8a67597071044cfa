"""All kubelets of the cluster: each pod that is bound to a node gets a worker."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Hashable
from typing import TYPE_CHECKING, Any

from ... import kinds
from ...runtime import Container
from ..base import Controller, key_of
from .eviction import Evictions
from .images import NodeImages
from .status import ENDED
from .trouble import Trouble
from .worker import PodWorker

if TYPE_CHECKING:
    from ...cluster import Cluster
    from ...kinds import Kind
    from ...store import Change


class Addresses:
    """Pod addresses by node: 10.<128 + node>.0.0/16 each, given out in turn."""

    def __init__(self, cluster: Cluster) -> None:
        self._cluster = cluster
        self._last: dict[str, int] = defaultdict(lambda: 1)
        self._used: set[str] = set()

    def allocate(self, node: str) -> str:
        """An address that no pod has."""
        block = 128 + self._cluster.node_number(node) % 100
        while True:
            self._last[node] = number = self._last[node] % 65_000 + 1
            address = f"10.{block}.{number // 250}.{number % 250 + 1}"
            if address not in self._used:
                self._used.add(address)
                return address

    def release(self, address: str) -> None:
        """The pod of this address is gone."""
        self._used.discard(address)


class Kubelet(Controller):
    """Holds the workers by pod UID."""

    def __init__(self, cluster: Cluster) -> None:
        super().__init__(cluster)
        self.workers: dict[str, PodWorker] = {}
        self.addresses = Addresses(cluster)
        self.trouble: dict[str, Trouble] = defaultdict(Trouble)
        self.images = NodeImages()
        self.evictions = Evictions(self)
        cluster.runtime.on_exit = self._exited

    def kinds(self) -> tuple[Kind, ...]:
        """Pods, and what pods may wait for."""
        return (kinds.POD, kinds.CONFIG_MAP, kinds.SECRET, kinds.PVC)

    def changed(self, change: Change) -> None:
        """Pods by UID, so that a successor of the same name is another pod; other objects wake those who wait."""
        metadata = change.object["metadata"]
        if change.kind is not kinds.POD:
            if change.type != "DELETED":
                self._wake(metadata["namespace"], change.kind)
            return
        if change.type == "DELETED":
            worker = self.workers.pop(metadata["uid"], None)
            if worker:
                worker.forget()
            return
        if change.object["spec"].get("nodeName"):
            self.enqueue((metadata["namespace"], metadata["name"]))

    def reconcile(self, key: Hashable) -> None:
        """Starts a worker for a new pod, tells a known one of the change."""
        assert isinstance(key, tuple)
        pod = self.store.get(kinds.POD, *key)
        if pod is None or not pod["spec"].get("nodeName") or self.trouble[pod["spec"]["nodeName"]].down:
            return
        worker = self.workers.get(pod["metadata"]["uid"])
        if worker is None:
            self._adopt(pod)
        else:
            worker.update(pod)

    def on_node(self, node: str) -> list[PodWorker]:
        """The workers of a node's pods."""
        uids = (pod["metadata"]["uid"] for pod in self.cluster.index.on_node(node))
        return [self.workers[uid] for uid in uids if uid in self.workers]

    def cut_off(self, node: str) -> None:
        """The node is lost to the cluster: its kubelet neither acts nor answers, and its state becomes Unknown."""
        self.trouble[node].down = True
        self.cluster.node_life.silent.add(node)
        self.cluster.node_life.lose(node)

    def reconnect(self, node: str) -> None:
        """The node is back."""
        self.trouble[node].down = False
        self.cluster.node_life.silent.discard(node)
        self.cluster.node_life.find(node)
        self.resume(node)

    def resume(self, node: str) -> None:
        """The node's kubelet acts again, after it was down."""
        for pod in self.cluster.index.on_node(node):
            self.enqueue(key_of(pod))
        for worker in self.on_node(node):
            worker.resume()

    def stop(self) -> None:
        """Ends all workers."""
        super().stop()
        for worker in self.workers.values():
            worker.forget()
        self.workers.clear()

    def _adopt(self, pod: dict[str, Any]) -> None:
        if self.store.get(kinds.NODE, None, pod["spec"]["nodeName"]) is None:
            return
        worker = self.workers[pod["metadata"]["uid"]] = PodWorker(self, pod)
        if pod["metadata"].get("deletionTimestamp"):
            worker.terminate(0)
        elif pod.get("status", {}).get("phase") not in ENDED:
            worker.begin()

    def _wake(self, namespace: str, kind: Kind) -> None:
        for worker in self.workers.values():
            if worker.namespace == namespace:
                worker.retry()
                if kind in (kinds.CONFIG_MAP, kinds.SECRET):
                    worker.refresh()

    def _exited(self, uid: str, container: Container) -> None:
        worker = self.workers.get(uid)
        if worker:
            worker.exited(container)
