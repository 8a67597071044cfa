"""One emulated cluster: its objects, its controllers, its containers."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from . import kinds
from .api import objects
from .controllers import CONTROLLERS, Controller
from .controllers.events import Recorder
from .controllers.index import Index, controller_of
from .controllers.kubelet import Kubelet
from .controllers.nodes import NodeLife, new_node
from .controllers.storage import PROVISIONER, Storage
from .kinds import Kind
from .network import ClusterNetwork
from .points import Points
from .runtime import Runtime
from .runtime.files import Volume
from .store import Change, Store

Object = dict[str, Any]
Follower = Callable[[Change], None]

SYSTEM_NAMESPACES = ("default", "kube-system", "kube-public", "kube-node-lease")
CERTIFICATE = """-----BEGIN CERTIFICATE-----
MIIBlzCCAT2gAwIBAgIUb+nYSqdTHhDKu+sQ2on3y0r5X6cwCgYIKoZIzj0EAwIw
ITEfMB0GA1UEAwwWZW11bGF0ZWQta3ViZXJuZXRlcy1jYTAeFw0yNjExMjUwMTMw
NDhaFw00NjExMjAwMTMwNDhaMCExHzAdBgNVBAMMFmVtdWxhdGVkLWt1YmVybmV0
ZXMtY2EwWTATBgcqhkjOPQIBBggqhkjOPQMBBwNCAASGqmyHgoPI8z8kgFUv29x9
XFI3VqI6vL+wfWrLtEg35hRAoq3roekK6GWR4sv19csMj9xoILbIzXX1p3J/NjiM
o1MwUTAdBgNVHQ4EFgQUHz/QlJr6Gu1fB3iwzeiN0kuEohQwHwYDVR0jBBgwFoAU
Hz/QlJr6Gu1fB3iwzeiN0kuEohQwDwYDVR0TAQH/BAUwAwEB/zAKBggqhkjOPQQD
AgNIADBFAiBoRZ7p1dm/zpYLRDxdDQ+5POvjj5Cm6r9Sd+hXFE4NZgIhAMMEdO0Z
KX2/y6ua/UUt+YoFj5YaP/wzrVTMKFBNuFIb
-----END CERTIFICATE-----
"""
"""A self-signed certificate of nothing, until the server puts that of its own authority in `Cluster.certificate`."""


@dataclass
class Latencies:
    """How long things take, in seconds.

    pod_start: from binding to running containers. pod_stop: at most this much of a grace period is used. checkpoint and
    restore: the work of a dump and of a restore, for the propagator. freeze: how long a dump stops a pod of no memory.
    back_off: the first wait of image pulls and of crashing containers (a real kubelet's is 10 s); it doubles up to 5
    minutes.
    """

    pod_start: float = 0.25
    pod_stop: float = 0.2
    checkpoint: float = 0.4
    restore: float = 0.3
    freeze: float = 0.02
    back_off: float = 10.0


class Cluster:
    """Holds the store, the runtime and the controllers; `start` brings them up inside the running event loop."""

    def __init__(self, name: str = "emulated", nodes: int = 2, latencies: Latencies | None = None) -> None:
        self.name = name
        self.nodes = nodes
        self.latencies = latencies or Latencies()
        self.certificate = CERTIFICATE
        self.store = Store()
        self.runtime = Runtime()
        self.points = Points()
        self.network = ClusterNetwork(self)
        self.events = Recorder(self)
        self.index = Index(self.store)
        self.orphans: dict[str, set[str]] = defaultdict(set)
        # A stand-in until the API, which signs tokens, puts its own here.
        self.service_account_token: Callable[[str, str], str] = lambda namespace, account: (
            f"emulated:{namespace}:{account}"
        )
        self._followers: dict[Kind, list[Follower]] = defaultdict(list)
        self._everything: list[Follower] = []
        self._volumes: dict[str, Volume] = {}
        self.controllers: list[Controller] = [make(self) for make in CONTROLLERS]
        self.kubelet = self._one(Kubelet)
        self.storage = self._one(Storage)
        self.node_life = self._one(NodeLife)
        self._unsubscribe: Callable[[], None] = lambda: None

    async def start(self) -> None:
        """Starts the controllers and seeds namespaces, nodes, the `kubernetes` Service and the storage class."""
        self._unsubscribe = self.store.subscribe(self._changed)
        for controller in self.controllers:
            controller.start()
        self._seed()

    async def stop(self) -> None:
        """Ends every timer and container; the objects stay."""
        self._unsubscribe()
        for controller in self.controllers:
            controller.stop()
        self.runtime.close()

    def follow(self, kind: Kind, follower: Follower) -> None:
        """Calls back after each change of an object of this kind."""
        self._followers[kind.storage].append(follower)

    def follow_all(self, follower: Follower) -> None:
        """Calls back after each change of any object."""
        self._everything.append(follower)

    def node_number(self, name: str) -> int:
        """The place of a node in the order in which nodes came, from 1."""
        return int(self.node_life.number(name))

    def node_address(self, name: str) -> str:
        """A node's InternalIP, or "" when there is no such node."""
        node = self.store.get(kinds.NODE, None, name)
        addresses = (node or {}).get("status", {}).get("addresses") or []
        return next((a["address"] for a in addresses if a["type"] == "InternalIP"), "")

    def shared_volume(self, key: str) -> Volume:
        """Files that outlive a pod: `node/<name><path>` or `pv/<name>`."""
        return self._volumes.setdefault(key, Volume())

    def forget_volume(self, key: str) -> None:
        """The files of a volume are gone."""
        self._volumes.pop(key, None)

    def _one(self, kind: type[Any]) -> Any:
        return next(controller for controller in self.controllers if isinstance(controller, kind))

    def _changed(self, change: Change) -> None:
        self.index.changed(change)
        if change.kind is kinds.POD:
            self._track_orphan(change)
        for follower in self._followers.get(change.kind, ()):
            follower(change)
        for follower in self._everything:
            follower(change)

    def _track_orphan(self, change: Change) -> None:
        metadata = change.object["metadata"]
        alone = change.type != "DELETED" and controller_of(change.object) is None
        names = self.orphans[metadata["namespace"]]
        (names.add if alone else names.discard)(metadata["name"])

    def _seed(self) -> None:
        for name in SYSTEM_NAMESPACES:
            objects.create(self, kinds.NAMESPACE, {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name}})
        for number in range(1, self.nodes + 1):
            self.store.create(kinds.NODE, new_node(f"node-{number}", number))
        self._seed_classes()
        self._seed_kubernetes_service()

    def _seed_classes(self) -> None:
        for name, value in (("system-cluster-critical", 2_000_000_000), ("system-node-critical", 2_000_001_000)):
            metadata = {"name": name}
            body = {"apiVersion": "scheduling.k8s.io/v1", "kind": "PriorityClass", "metadata": metadata, "value": value}
            self.store.create(kinds.PRIORITY_CLASS, {**body, "preemptionPolicy": "PreemptLowerPriority"})
        storage_class = {
            "apiVersion": "storage.k8s.io/v1",
            "kind": "StorageClass",
            "metadata": {"name": "local-path"},
            "provisioner": PROVISIONER,
            "reclaimPolicy": "Delete",
            "volumeBindingMode": "WaitForFirstConsumer",
        }
        self.store.create(kinds.STORAGE_CLASS, storage_class)

    def _seed_kubernetes_service(self) -> None:
        labels = {"component": "apiserver", "provider": "kubernetes"}
        port = {"name": "https", "protocol": "TCP", "port": 443, "targetPort": 6443}
        service = {
            "apiVersion": "v1",
            "kind": "Service",
            "metadata": {"name": "kubernetes", "namespace": "default", "labels": labels},
            "spec": {"clusterIP": "10.96.0.1", "ports": [port]},
        }
        objects.create(self, kinds.SERVICE, service)
        metadata = {
            "name": "kubernetes",
            "namespace": "default",
            "labels": {"endpointslice.kubernetes.io/skip-mirror": "true"},
        }
        address, endpoint_port = "10.200.0.1", {"name": "https", "port": 6443, "protocol": "TCP"}
        subsets = [{"addresses": [{"ip": address}], "ports": [endpoint_port]}]
        objects.create(self, kinds.ENDPOINTS, {"metadata": metadata, "subsets": subsets})
        slice_metadata = {**metadata, "labels": {"kubernetes.io/service-name": "kubernetes"}}
        endpoints = [{"addresses": [address], "conditions": {"ready": True}}]
        body = {"metadata": slice_metadata, "addressType": "IPv4", "endpoints": endpoints, "ports": [endpoint_port]}
        objects.create(self, kinds.ENDPOINT_SLICE, body)
