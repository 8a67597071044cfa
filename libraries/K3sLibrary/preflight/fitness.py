"""Is the cluster one in which the suites can do their work? Version, nodes, room, storage, metrics, GPUs."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from decimal import Decimal
from functools import partial
from typing import Any

from kubernetes.client.exceptions import ApiException
from kubernetes.utils.quantity import parse_quantity

from harness.kube import Cluster, api_errors
from harness.kube.pods import STORAGE_CLASSES, at_path, raw

from ..nodes import is_ready
from .findings import Finding, Importance

Obj = dict[str, Any]
TRIED = ((1, 27), (1, 37))
"""The oldest and the newest minor of Kubernetes that this project's client and suites are made for."""
ROOM = {"cpu": Decimal("0.25"), "memory": Decimal(256 * 1024**2)}
"""What a node must have free for the workloads of a suite and a helper beside them."""
BEHIND = 3
"""Minors that a kubelet may be behind its API server; it may not be ahead ("Version Skew Policy" of kubernetes.io)."""
DEFAULT_CLASS = "storageclass.kubernetes.io/is-default-class"
GPU = "nvidia.com/gpu"


@dataclass(frozen=True)
class Seen:
    """What was read of a cluster, once."""

    version: str
    nodes: Sequence[Obj]
    pods: Sequence[Obj]
    storage_classes: Sequence[Obj]
    has_metrics: bool

    @property
    def usable(self) -> list[Obj]:
        """The nodes that take ordinary pods."""
        return [node for node in self.nodes if is_ready(node) and not _keeps_pods_away(node)]


def conditions(cluster: Cluster) -> list[Finding]:
    """Everything that is looked at besides rights.

    Raises:
        OperationFailed: the cluster does not answer, or refuses to tell its nodes and pods.
    """
    seen = _look(cluster)
    return [
        finding
        for look in (_version, _skew, _nodes, _room, _two_nodes, _storage, _metrics, _gpu)
        for finding in look(seen)
    ]


def _look(cluster: Cluster) -> Seen:
    with api_errors("tell its version, nodes, pods and storage classes"):
        groups = at_path(cluster, "/apis")["groups"]
        return Seen(
            version=at_path(cluster, "/version")["gitVersion"],
            nodes=raw(cluster.core.list_node)["items"],
            pods=_unless_refused(partial(raw, cluster.core.list_pod_for_all_namespaces)),
            storage_classes=_unless_refused(partial(at_path, cluster, STORAGE_CLASSES)),
            has_metrics="metrics.k8s.io" in {group["name"] for group in groups},
        )


def _unless_refused(look: Callable[[], Obj]) -> list[Obj]:
    """What is listed; nothing where the user may not see it, which the rights tell."""
    try:
        found: list[Obj] = look()["items"]
    except ApiException as problem:
        if problem.status != 403:
            raise
        return []
    return found


def _version(seen: Seen) -> Iterator[Finding]:
    found = _minor(seen.version)
    oldest, newest = TRIED
    good = found is not None and oldest <= found <= newest
    span = f"{oldest[0]}.{oldest[1]} to {newest[0]}.{newest[1]}"
    yield Finding(f"Kubernetes {span}", good, f"it is {seen.version}", importance=Importance.WANTED)


def _skew(seen: Seen) -> Iterator[Finding]:
    server = _minor(seen.version)
    kubelets = {_name(node): (node["status"].get("nodeInfo") or {}).get("kubeletVersion", "") for node in seen.nodes}
    apart = [
        f"{name} has {version}"
        for name, version in kubelets.items()
        if server and (found := _minor(version)) and not (server[0], server[1] - BEHIND) <= found <= server
    ]
    words = f"the server is {seen.version}; {', '.join(apart)}" if apart else "all are"
    yield Finding("kubelets within three minors of the server and not ahead of it", not apart, words,
                  importance=Importance.WANTED)  # fmt: skip


def _minor(version: str) -> tuple[int, int] | None:
    """Major and minor of a version such as `v1.34.2+k3s1`; None for what is none."""
    found = re.match(r"v?(\d+)\.(\d+)", version)
    return (int(found[1]), int(found[2])) if found else None


def _nodes(seen: Seen) -> Iterator[Finding]:
    away = [f"{_name(node)} {_why_away(node)}" for node in seen.nodes if node not in seen.usable]
    words = "; ".join([f"{len(seen.usable)} of {len(seen.nodes)}", *away])
    yield Finding("a node that is Ready and takes pods", bool(seen.usable), words)


def _room(seen: Seen) -> Iterator[Finding]:
    rooms = {_name(node): _free(node, seen.pods) for node in seen.usable}
    wide = [name for name, free in rooms.items() if all(free[what] >= least for what, least in ROOM.items())]
    best = max(rooms.values(), key=lambda free: free["memory"], default={"cpu": Decimal(0), "memory": Decimal(0)})
    words = f"{best['cpu']:.2f} CPU and {best['memory'] / 1024**2:.0f} MiB are not requested yet on the emptiest node"
    yield Finding("a node with 0.25 CPU and 256 MiB free", bool(wide), words)


def _two_nodes(seen: Seen) -> Iterator[Finding]:
    count = len(seen.usable)
    yield Finding("two nodes that take pods", count > 1, f"there is {count}" if count == 1 else f"there are {count}",
                  "tests with the tag needs-two-nodes", Importance.WANTED)  # fmt: skip


def _storage(seen: Seen) -> Iterator[Finding]:
    names = [
        _name(one)
        for one in seen.storage_classes
        if (one["metadata"].get("annotations") or {}).get(DEFAULT_CLASS) == "true"
    ]
    words = f"it is {names[0]}" if names else "there is none"
    yield Finding("a default StorageClass", bool(names), words, "tests with the tag needs-storage", Importance.WANTED)


def _metrics(seen: Seen) -> Iterator[Finding]:
    words = "it is served" if seen.has_metrics else "it is not served; the kubelet's summary is asked instead"
    yield Finding("the metrics API", seen.has_metrics, words, "measuring resource use", Importance.WANTED)


def _gpu(seen: Seen) -> Iterator[Finding]:
    count = sum(int(parse_quantity(node["status"]["allocatable"].get(GPU, "0"))) for node in seen.usable)
    words = f"{count} allocatable"
    yield Finding(f"an allocatable {GPU}", count > 0, words, "tests with the tag needs-gpu", Importance.WANTED)


def _free(node: Obj, pods: Sequence[Obj]) -> dict[str, Decimal]:
    """What is allocatable on a node and not requested by a pod that counts there."""
    here = [
        pod
        for pod in pods
        if pod["spec"].get("nodeName") == _name(node)
        and pod.get("status", {}).get("phase") not in ("Succeeded", "Failed")
    ]
    return {
        what: parse_quantity(node["status"]["allocatable"].get(what, "0"))
        - sum((_requested(pod, what) for pod in here), Decimal(0))
        for what in ROOM
    }


def _requested(pod: Obj, what: str) -> Decimal:
    requests = ((one.get("resources") or {}).get("requests") or {} for one in pod["spec"]["containers"])
    return sum((parse_quantity(one.get(what, "0")) for one in requests), Decimal(0))


def _keeps_pods_away(node: Obj) -> bool:
    taints = node["spec"].get("taints") or []
    return bool(node["spec"].get("unschedulable")) or any(
        one["effect"] in ("NoSchedule", "NoExecute") for one in taints
    )


def _why_away(node: Obj) -> str:
    if not is_ready(node):
        return "is not Ready"
    if node["spec"].get("unschedulable"):
        return "is cordoned"
    return f"has the taint {', '.join(taint['key'] for taint in node['spec'].get('taints') or [])}"


def _name(one: Obj) -> str:
    return str(one["metadata"]["name"])
