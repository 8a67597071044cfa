"""Pods of registered clusters."""

from collections.abc import Sequence
from typing import Any

from aiohttp import web

from ..backend import Pod
from ..clock import age, shown
from ..heartbeats import concerns
from ..replies import by_field, count, page
from ..service import service_of
from . import Route


async def list_pods(request: web.Request) -> web.Response:
    """All of them, or those of the query; in pages where the era has them."""
    rows = await _rows(request)
    if not service_of(request).paged:
        return web.json_response(rows)
    return page(request, "pods", rows, sort=by_field("id", "name", "namespace", "status"), default="name")


async def pages_of_pods(request: web.Request) -> web.Response:
    """Always in pages, and with what can be filtered by."""
    pods = await service_of(request).inventory.pods()
    filters = {
        "statuses": sorted({pod.status for pod in pods}),
        "namespaces": sorted({pod.namespace for pod in pods}),
    }
    sort = by_field("id", "name", "namespace", "status")
    return page(request, "pods", await _rows(request), sort=sort, default="name", also={"available_filters": filters})


async def count_pods(request: web.Request) -> web.Response:
    return count(len(await service_of(request).inventory.pods()))


async def namespaces(request: web.Request) -> web.Response:
    return web.json_response(
        {"namespaces": sorted({pod.namespace for pod in await service_of(request).inventory.pods()})}
    )


async def statuses(request: web.Request) -> web.Response:
    return web.json_response({"statuses": sorted({pod.status for pod in await service_of(request).inventory.pods()})})


async def pods_in_namespace(request: web.Request) -> web.Response:
    namespace = request.match_info["namespace"]
    pods = [pod for pod in await service_of(request).inventory.pods() if pod.namespace == namespace]
    return web.json_response([_shown(request, pod) for pod in pods])


async def _rows(request: web.Request) -> list[dict[str, Any]]:
    service, query = service_of(request), request.query
    pods: Sequence[Pod] = await service.inventory.pods(deleted=service.soft_deletes)
    filters = {"uid": "id", "status": "status", "namespace": "namespace"}
    if service.era.cluster_filters:
        filters["cluster_id"] = "cluster_id"
    for field, name in filters.items():
        pods = [pod for pod in pods if query.get(name) in (None, getattr(pod, field))]
    part = query.get("pod_name", "").lower()
    return [_shown(request, pod) for pod in pods if part in pod.name.lower()]


def _shown(request: web.Request, pod: Pod) -> dict[str, Any]:
    service = service_of(request)
    era = service.era
    policies = [policy.id for policy in service.store.policies() if concerns(policy, pod)]
    row = {
        "id": pod.uid,
        "name": pod.name,
        "namespace": pod.namespace,
        "status": pod.status,
        "age": age(pod.created),
        "ready": f"{pod.ready}/{len(pod.containers)}",
        "node": pod.node,
        "restarts": pod.restarts,
    }
    if era.pod_start_times:
        row |= {"start_time": shown(pod.started), "monitored_by_policies": policies}
    if era.cluster_filters:
        row["cluster_id"] = pod.cluster_id
    return row


ROUTES: list[Route] = [
    ("GET", "/pods", list_pods),
    ("GET", "/pods/paginated", pages_of_pods),
    ("GET", "/pods/count", count_pods),
    ("GET", "/pods/namespaces", namespaces),
    ("GET", "/pods/statuses", statuses),
    ("GET", "/pods/namespace/{namespace}", pods_in_namespace),
]
