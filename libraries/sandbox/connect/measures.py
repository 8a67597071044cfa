"""Resource use, by the model of `runtime.usage`: metrics.k8s.io as metrics-server serves it, and the kubelet's summary.

Sources: k8s.io/metrics pkg/apis/metrics/v1beta1 (types.go), k8s.io/kubelet pkg/apis/stats/v1alpha1 (types.go). A node
itself takes 50 m of processor and 400 MiB beside its containers.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from aiohttp import web

from .. import kinds
from ..api import answers, selectors, views
from ..api.status import method_not_allowed, not_found
from ..runtime import SECOND, Container
from ..runtime.logs import rfc3339
from ..schemas import quantity

if TYPE_CHECKING:
    from ..api.context import Call
    from ..cluster import Cluster

Object = dict[str, Any]
KINDS = (kinds.NODE_METRICS, kinds.POD_METRICS)
_NODE_CORES, _NODE_BYTES = 0.05, 400 * 2**20
_WINDOW = "10s"


async def serve(call: Call, request: web.Request) -> web.StreamResponse:
    """get and list of NodeMetrics and PodMetrics."""
    if request.method != "GET":
        raise method_not_allowed()
    form, cluster = answers.form(request), call.cluster
    found = _of_nodes(cluster) if call.kind is kinds.NODE_METRICS else _of_pods(cluster, call.namespace)
    if call.name:
        one = next((each for each in found if each["metadata"]["name"] == call.name), None)
        if one is None:
            raise not_found(call.kind, call.name)
        return answers.answer(views.one(call.kind, one, form), request, media=form.media)
    matches = selectors.matcher(
        call.kind, request.query.get("labelSelector", ""), request.query.get("fieldSelector", "")
    )
    chosen = [each for each in found if matches is None or matches(each)]
    return answers.answer(views.many(call.kind, chosen, {}, form), request, media=form.media)


def running(cluster: Cluster, pod: Object) -> list[Container]:
    """The containers of a pod that run."""
    held = cluster.runtime.pods.get(pod["metadata"]["uid"])
    return [each for each in held.containers.values() if each.running] if held else []


def _of_pods(cluster: Cluster, namespace: str) -> list[Object]:
    found = []
    for pod in cluster.store.list(kinds.POD, namespace or None):
        containers = running(cluster, pod)
        if containers:
            usages = [{"name": c.name, "usage": _usage(*_taken(cluster, [c]))} for c in containers]
            found.append(_measured(cluster, kinds.POD_METRICS, pod, {"containers": usages}))
    return found


def _of_nodes(cluster: Cluster) -> list[Object]:
    found = []
    for node in cluster.store.list(kinds.NODE):
        name = node["metadata"]["name"]
        if not cluster.kubelet.trouble[name].down:
            found.append(_measured(cluster, kinds.NODE_METRICS, node, {"usage": _usage(*_node_taken(cluster, name))}))
    return found


def _measured(cluster: Cluster, kind: kinds.Kind, of: Object, usage: Object) -> Object:
    now, metadata = rfc3339(cluster.runtime.now()), of["metadata"]
    shown = {key: metadata[key] for key in ("name", "namespace", "labels") if metadata.get(key)}
    body = {"kind": kind.kind, "apiVersion": kind.api_version, "metadata": {**shown, "creationTimestamp": now}}
    return {**body, "timestamp": now, "window": _WINDOW, **usage}


def _taken(cluster: Cluster, containers: list[Container]) -> tuple[float, int]:
    """Cores and bytes."""
    now = cluster.runtime.now()
    return sum(c.cores() for c in containers), sum(c.memory_bytes(now) for c in containers)


def _node_taken(cluster: Cluster, name: str) -> tuple[float, int]:
    containers = [c for pod in cluster.index.on_node(name) for c in running(cluster, pod)]
    cores, taken = _taken(cluster, containers)
    return cores + _NODE_CORES, taken + _NODE_BYTES


def _usage(cores: float, taken: int) -> Object:
    return {"cpu": f"{int(cores * SECOND)}n", "memory": f"{taken // 1024}Ki"}


def memory_used(cluster: Cluster, node: str) -> int:
    """Bytes of memory in use on a node."""
    return _node_taken(cluster, node)[1]


def summary(cluster: Cluster, node: Object) -> Object:
    """The kubelet's `/stats/summary`."""
    name, now = node["metadata"]["name"], cluster.runtime.now()
    cores, taken = _node_taken(cluster, name)
    capacity = node["status"]["capacity"]
    total, disk = int(quantity.parse(capacity["memory"])), int(quantity.parse(capacity["ephemeral-storage"]))
    pods = [_pod_summary(cluster, pod) for pod in cluster.index.on_node(name) if running(cluster, pod)]
    used = sum(each["ephemeral-storage"]["usedBytes"] for each in pods)
    stats = _stats(now, 0, cores, taken)
    stats["memory"]["availableBytes"] = total - taken
    return {
        "node": {
            "nodeName": name,
            "startTime": node["metadata"]["creationTimestamp"],
            **stats,
            "fs": {"time": rfc3339(now), "availableBytes": disk - used, "capacityBytes": disk, "usedBytes": used},
        },
        "pods": pods,
    }


def _pod_summary(cluster: Cluster, pod: Object) -> Object:
    now, metadata = cluster.runtime.now(), pod["metadata"]
    containers = running(cluster, pod)
    shown = []
    for each in containers:
        layer = sum(len(data) for data in each.files.layer.values() if data)
        shown.append(
            {
                "name": each.name,
                "startTime": rfc3339(each.shown_start),
                **_stats(now, each.started_at, *_taken(cluster, [each])),
                "rootfs": {"time": rfc3339(now), "usedBytes": layer},
                "logs": {"time": rfc3339(now), "usedBytes": each.log.size},
            }
        )
    used = sum(each["rootfs"]["usedBytes"] + each["logs"]["usedBytes"] for each in shown)
    start = min(each.started_at for each in containers)
    return {
        "podRef": {"name": metadata["name"], "namespace": metadata["namespace"], "uid": metadata["uid"]},
        "startTime": pod["status"].get("startTime"),
        "containers": shown,
        **_stats(now, start, *_taken(cluster, containers)),
        "ephemeral-storage": {"time": rfc3339(now), "usedBytes": used},
    }


def _stats(now: int, start: int, cores: float, taken: int) -> Object:
    spent = {"usageCoreNanoSeconds": int(cores * (now - start))} if start else {}
    at = rfc3339(now)
    return {
        "cpu": {"time": at, "usageNanoCores": int(cores * SECOND), **spent},
        "memory": {"time": at, "usageBytes": taken, "workingSetBytes": taken, "rssBytes": taken},
    }
