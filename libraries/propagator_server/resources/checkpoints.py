"""The rows of checkpoints, one for each container: listed, written by the cluster's helpers, deprecated."""

from typing import Any

from aiohttp import web

from ..backend import BackendError, NotAnsweredError
from ..bodies import json_object, path_uuid, query_ids, table, text
from ..records import Checkpoint, CheckpointStatus
from ..refusals import RefusedError
from ..replies import by_field, chosen, id_text, page
from ..service import Service, service_of
from ..store import new_id
from . import Route


async def list_checkpoints(request: web.Request) -> web.Response:
    service = service_of(request)
    ids = query_ids(request, "ids")
    cluster_id = text(request.query, "cluster_id") if service.era.cluster_filters else None
    rows = [
        chosen(_shown(row), service.era.checkpoint_fields)
        for row in service.store.checkpoints(service.quirks.lagging_lists)
        if (not ids or row.id in ids) and cluster_id in (None, row.cluster_id)
    ]
    if not service.paged:
        return web.json_response(rows)
    sort = by_field("id", "name", "status", "platform", "gpu")
    return page(request, "checkpoints", rows, sort=sort, default="id")


async def create_checkpoint(request: web.Request) -> web.Response:
    """A new row, as a helper makes one for each container."""
    row = Checkpoint(id=new_id())
    service_of(request).store.add_checkpoint(row)
    return id_text(request, row.id)


async def put_info(request: web.Request) -> web.Response:
    """GPU, platform and figures of a checkpoint."""
    service, row = _row(request)
    body = await json_object(request)
    gpu, platform = (str(text(body, field, required=True)) for field in ("gpu", "platform"))
    info = table(body, "info", {})
    service.store.change_checkpoint(row.id, gpu=gpu, platform=platform, info=info, status=CheckpointStatus.UPDATED_INFO)
    return id_text(request, row.id)


async def mark_uploaded(request: web.Request) -> web.Response:
    """Uploaded, and so ready to be restored."""
    service, row = _row(request)
    path = text(await json_object(request), "restore_path")
    service.store.change_checkpoint(row.id, path=path, status=CheckpointStatus.READY)
    return id_text(request, row.id)


async def deprecate_checkpoint(request: web.Request) -> web.Response:
    """Gives the checkpoint up: what is stored is removed, the row stays."""
    service, row = _row(request)
    if row.status is CheckpointStatus.DEPRECATED:
        if service.era.deprecated_again != 200:
            raise RefusedError(service.era.deprecated_again, f"Checkpoint {row.id} is deprecated already")
        return id_text(request, row.id)
    if (
        row.path
        and row.cluster_id
        and not service.active_cluster(row.cluster_id)
        and service.era.asks_cluster_to_remove
    ):
        raise RefusedError(409, f"Checkpoint {row.id} has files, but there is no cluster to ask to remove them")
    service.store.change_checkpoint(row.id, status=CheckpointStatus.DEPRECATED)
    try:
        await service.backend.forget(row.id)
    except BackendError as failed:
        service.store.change_checkpoint(row.id, status=row.status)
        broken, silent = service.era.failed_removal
        raise RefusedError(silent if isinstance(failed, NotAnsweredError) else broken, str(failed)) from failed
    return id_text(request, row.id)


async def restore_path(request: web.Request) -> web.Response:
    """Where the latest ready checkpoint of that name (CEDANA_CHECKPOINT of a container) lies."""
    service = service_of(request)
    name = request.query.get("name")
    ready = [row for row in service.store.checkpoints() if row.status is CheckpointStatus.READY and row.path]
    row = next((row for row in reversed(ready) if name and row.name == name), None)
    if not row:
        raise RefusedError(service.era.unknown_path_name, f"No ready checkpoint of name {name!r}")
    return web.Response(text=row.path, content_type="text/plain")


def _row(request: web.Request) -> tuple[Service, Checkpoint]:
    service = service_of(request)
    checkpoint_id = path_uuid(request, status=service.era.bad_id)
    row = service.store.checkpoint(checkpoint_id)
    if not row:
        raise RefusedError(404, f"Failed to find checkpoint from id {checkpoint_id}")
    return service, row


def _shown(row: Checkpoint) -> dict[str, Any]:
    return {
        "id": row.id,
        "status": row.status,
        "gpu": row.gpu,
        "platform": row.platform,
        "checksum": None,
        "info": dict(row.info),
        "name": row.name,
        "image_name_with_tag": None,
        "delta": False,
        "parent_checkpoint_id": None,
    }


ROUTES: list[Route] = [
    ("GET", "/checkpoints", list_checkpoints),
    ("POST", "/checkpoints", create_checkpoint),
    ("PUT", "/checkpoints/info/{id}", put_info),
    ("POST", "/checkpoints/uploaded/{id}", mark_uploaded),
    ("PATCH", "/checkpoints/deprecate/{id}", deprecate_checkpoint),
    ("GET", "/checkpoint/path", restore_path),
]
