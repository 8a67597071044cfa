"""Registered clusters."""

from datetime import timedelta

from aiohttp import web

from ..bodies import choice, is_uuid, json_object, text
from ..clock import now, shown
from ..records import Cluster, ClusterStatus
from ..refusals import RefusedError
from ..replies import chosen, count, id_text
from ..service import Service, service_of
from ..store import is_active
from . import Route

KINDS = ("kubernetes", "slurm")


async def list_clusters(request: web.Request) -> web.Response:
    """Every cluster; with soft deletes also those that are gone, marked as such."""
    service = service_of(request)
    kind = choice(request.query, "kind", KINDS) if service.era.cluster_filters else None
    rows = [row for row in service.store.clusters(service.quirks.lagging_lists) if kind in (None, row.kind)]
    listed = [row for row in rows if _is_listed(service, row)]
    return web.json_response([chosen(_shown(row), service.era.cluster_fields) for row in listed])


async def register_cluster(request: web.Request) -> web.Response:
    """Registers a name, or answers the id that it has already."""
    body = await json_object(request)
    name = text(body, "cluster_name", required=True)
    kind = choice(body, "kind", KINDS) or "kubernetes"
    return id_text(request, service_of(request).store.register_cluster(str(name), kind).id)


async def delete_cluster(request: web.Request) -> web.Response:
    service = service_of(request)
    cluster_id = request.match_info["id"]
    if not is_uuid(cluster_id):
        raise RefusedError(service.era.bad_cluster_id, f"Invalid cluster id {cluster_id!r}")
    if not service.active_cluster(cluster_id):
        raise RefusedError(404, f"Failed to find cluster {cluster_id}")
    if service.soft_deletes:
        service.store.change_cluster(cluster_id, status=ClusterStatus.DELETED)
    else:
        for row in service.store.checkpoints():
            if row.cluster_id == cluster_id:
                await service.backend.forget(row.id)
        service.store.remove_cluster(cluster_id)
    return web.Response(text=service.era.cluster_deleted_body, content_type="text/plain")


async def count_clusters(request: web.Request) -> web.Response:
    """How many there are; the newest era can be asked for those of a status."""
    service = service_of(request)
    filtered = service.era.cluster_filters
    status = choice(request.query, "status", tuple(ClusterStatus)) if filtered else None
    rows = [row for row in service.store.clusters(service.quirks.lagging_lists) if _is_listed(service, row)]
    return count(sum(row.status == (status or ClusterStatus.ACTIVE) for row in rows))


async def pods_of_cluster(request: web.Request) -> web.Response:
    """Name and namespace of every pod of one cluster."""
    cluster_id = request.match_info["id"]
    pods = await service_of(request).inventory.pods()
    return web.json_response(
        [{"name": pod.name, "namespace": pod.namespace} for pod in pods if pod.cluster_id == cluster_id]
    )


def _is_listed(service: Service, row: Cluster) -> bool:
    late = timedelta(seconds=service.quirks.late_registration)
    if row.registered and now() - row.registered < late:
        return False
    return is_active(row) or service.soft_deletes


def _shown(row: Cluster) -> dict[str, object]:
    return {
        "id": row.id,
        "name": row.name,
        "status": row.status,
        "kind": row.kind,
        "metadata": None,
        "last_sync": shown(row.last_sync),
    }


ROUTES: list[Route] = [
    ("GET", "/cluster", list_clusters),
    ("POST", "/cluster", register_cluster),
    ("GET", "/cluster/count", count_clusters),
    ("DELETE", "/cluster/{id}", delete_cluster),
    ("GET", "/cluster/{id}/pods", pods_of_cluster),
]
