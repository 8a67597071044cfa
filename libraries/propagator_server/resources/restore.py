"""Asking for a restore, and what helpers report of one."""

from typing import Any

from aiohttp import web

from ..bodies import choice, is_uuid, json_object, path_uuid, table, text
from ..records import Action, ActionStatus, ActionType, CheckpointStatus
from ..refusals import RefusedError
from ..replies import id_text
from ..service import Service, service_of
from . import Route

REASONS = ("nodeTermination", "nodeUnschedulable", "manual")


async def restore_pod(request: web.Request) -> web.Response:
    """Starts a restore of what a checkpoint's action saved, and answers the id of an action of its own."""
    service = service_of(request)
    body = await json_object(request)
    choice(body, "reason", REASONS, required=service.reason_required)
    table(body, "overrides", {"criu_opts": dict, "pod_name": str})
    cluster_id = text(body, "cluster_id")
    source = _source(service, str(text(body, "action_id", required=True)))
    target = cluster_id or source.cluster_id
    if not target or not service.active_cluster(target):
        raise RefusedError(400, f"Invalid request parameters: no cluster {target!r}")
    return id_text(request, service.operations.start_restore(source, body, cluster_id).id)


async def put_info(request: web.Request) -> web.Response:
    """Figures of a restore, and its error if it had one, as a helper reports them."""
    service = service_of(request)
    action_id = path_uuid(request, status=500)
    body = await json_object(request)
    error = text(body, "error")
    figures = {name: _figure(body, name) for name in ("total_duration", "total_io") if body.get(name) is not None}
    action = service.store.action(action_id)
    if not action or action.type is not ActionType.RESTORE_POD:
        raise RefusedError(500, f"No restore {action_id}")
    service.store.change_action(action_id, figures=figures, error=error or action.error)
    return id_text(request, action_id)


def _figure(body: dict[str, Any], name: str) -> int:
    value = body[name]
    if not isinstance(value, int) or isinstance(value, bool) or not 0 <= value < 2**63:
        raise RefusedError(400, f"Invalid request parameters: {name} is {value!r}, not a whole number")
    return value


def _source(service: Service, action_id: str) -> Action:
    """The checkpoint action of that id, which must have ended well, with all that it saved still there."""
    if not is_uuid(action_id):
        raise RefusedError(400, f"Invalid action_id or request parameters: {action_id!r} is no UUID")
    action = service.store.action(action_id)
    if not action or action.type is not ActionType.CHECKPOINT_POD:
        raise RefusedError(service.era.unknown_checkpoint, f"Invalid action_id: no checkpoint action {action_id}")
    if action.status is not ActionStatus.READY:
        raise RefusedError(400, f"Invalid action_id: checkpoint action {action_id} is {action.status}, not ready")
    for checkpoint_id in action.checkpoint_ids:
        row = service.store.checkpoint(checkpoint_id)
        if row is None or row.status is CheckpointStatus.DEPRECATED:
            raise RefusedError(service.era.unknown_checkpoint, f"Invalid action_id: checkpoint {checkpoint_id} is gone")
        if row.status is not CheckpointStatus.READY:
            raise RefusedError(400, f"Invalid action_id: checkpoint {checkpoint_id} is {row.status}, not ready")
    return action


ROUTES: list[Route] = [("POST", "/restore/pod", restore_pod), ("PUT", "/restores/info/{id}", put_info)]
