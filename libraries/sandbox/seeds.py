"""What is in a cluster from its beginning: namespaces, nodes, classes, the `kubernetes` Service, the metrics API."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from . import kinds
from .api import objects
from .controllers.nodes import new_node
from .controllers.storage import PROVISIONER
from .store import timestamp

if TYPE_CHECKING:
    from .cluster import Cluster

Object = dict[str, Any]
DEFAULT_CLASS = "storageclass.kubernetes.io/is-default-class"
SYSTEM_NAMESPACES = ("default", "kube-system", "kube-public", "kube-node-lease")


def seed(cluster: Cluster, nodes: int, *, default_storage: bool) -> None:
    """Creates it all; `default_storage`: the storage class is the one of claims that name none."""
    for name in SYSTEM_NAMESPACES:
        objects.create(cluster, kinds.NAMESPACE, {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name}})
    for number in range(1, nodes + 1):
        cluster.store.create(kinds.NODE, new_node(f"node-{number}", number))
    _classes(cluster, default_storage=default_storage)
    _kubernetes_service(cluster)
    _metrics_service(cluster)


def _classes(cluster: Cluster, *, default_storage: bool) -> None:
    for name, value in (("system-cluster-critical", 2_000_000_000), ("system-node-critical", 2_000_001_000)):
        body = {"metadata": {"name": name}, "value": value, "preemptionPolicy": "PreemptLowerPriority"}
        cluster.store.create(kinds.PRIORITY_CLASS, body)
    storage_class = {
        "metadata": {"name": "local-path", **({"annotations": {DEFAULT_CLASS: "true"}} if default_storage else {})},
        "provisioner": PROVISIONER,
        "reclaimPolicy": "Delete",
        "volumeBindingMode": "WaitForFirstConsumer",
    }
    cluster.store.create(kinds.STORAGE_CLASS, storage_class)


def _kubernetes_service(cluster: Cluster) -> None:
    labels = {"component": "apiserver", "provider": "kubernetes"}
    port = {"name": "https", "protocol": "TCP", "port": 443, "targetPort": 6443}
    service = {
        "apiVersion": "v1",
        "kind": "Service",
        "metadata": {"name": "kubernetes", "namespace": "default", "labels": labels},
        "spec": {"clusterIP": "10.96.0.1", "ports": [port]},
    }
    objects.create(cluster, kinds.SERVICE, service)
    metadata = {
        "name": "kubernetes",
        "namespace": "default",
        "labels": {"endpointslice.kubernetes.io/skip-mirror": "true"},
    }
    address, endpoint_port = "10.200.0.1", {"name": "https", "port": 6443, "protocol": "TCP"}
    subsets = [{"addresses": [{"ip": address}], "ports": [endpoint_port]}]
    objects.create(cluster, kinds.ENDPOINTS, {"metadata": metadata, "subsets": subsets})
    slice_metadata = {**metadata, "labels": {"kubernetes.io/service-name": "kubernetes"}}
    endpoints = [{"addresses": [address], "conditions": {"ready": True}}]
    body = {"metadata": slice_metadata, "addressType": "IPv4", "endpoints": endpoints, "ports": [endpoint_port]}
    objects.create(cluster, kinds.ENDPOINT_SLICE, body)


def _metrics_service(cluster: Cluster) -> None:
    condition = {
        "type": "Available",
        "status": "True",
        "lastTransitionTime": timestamp(),
        "reason": "Local",
        "message": "Local APIServices are always available",
    }
    body = {
        "metadata": {"name": "v1beta1.metrics.k8s.io"},
        "spec": {"group": "metrics.k8s.io", "version": "v1beta1", "groupPriorityMinimum": 100, "versionPriority": 100},
        "status": {"conditions": [condition]},
    }
    cluster.store.create(kinds.API_SERVICE, body)
