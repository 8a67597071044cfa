"""Nodes of registered clusters."""

from typing import Any

from aiohttp import web

from ..backend import Node
from ..replies import chosen, count
from ..service import Service, service_of
from . import Route


async def list_nodes(request: web.Request) -> web.Response:
    service = service_of(request)
    query = request.query
    rows = [
        chosen(_shown(service, node), service.era.node_fields)
        for node in await service.inventory.nodes()
        if query.get("id") in (None, node.id)
        and (not service.era.cluster_filters or query.get("cluster_id") in (None, node.cluster_id))
    ]
    return web.json_response(rows)


async def count_nodes(request: web.Request) -> web.Response:
    return count(len(await service_of(request).inventory.nodes()))


def _shown(service: Service, node: Node) -> dict[str, Any]:
    cluster = service.active_cluster(node.cluster_id)
    return {
        "id": node.id,
        "name": node.name,
        "status": node.status,
        "compute_type": node.compute_type,
        "instance_type": node.instance_type,
        "region": node.region,
        "cluster_name": cluster.name if cluster else "",
        "capacity_type": node.capacity_type,
        "labels": dict(node.labels),
    }


ROUTES: list[Route] = [("GET", "/nodes", list_nodes), ("GET", "/nodes/count", count_nodes)]
