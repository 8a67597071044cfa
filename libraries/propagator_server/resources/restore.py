"""Asking for a restore."""

from aiohttp import web

from ..bodies import choice, is_uuid, json_object, table, text
from ..records import Action, ActionStatus, ActionType
from ..refusals import RefusedError
from ..replies import id_text
from ..service import Service, service_of
from . import Route

REASONS = ("nodeTermination", "nodeUnschedulable", "manual")


async def restore_pod(request: web.Request) -> web.Response:
    """Starts a restore of what a checkpoint's action saved, and answers the id of an action of its own."""
    service = service_of(request)
    body = await json_object(request)
    choice(body, "reason", REASONS, required=service.era.reason_required)
    table(body, "overrides", {"criu_opts": dict, "pod_name": str})
    cluster_id = text(body, "cluster_id")
    source = _source(service, str(text(body, "action_id", required=True)))
    if cluster_id and not service.active_cluster(cluster_id):
        raise RefusedError(400, f"Invalid request parameters: no cluster {cluster_id!r}")
    return id_text(request, service.operations.start_restore(source, body, cluster_id).id)


def _source(service: Service, action_id: str) -> Action:
    """The checkpoint action of that id, which must have ended well."""
    if not is_uuid(action_id):
        raise RefusedError(400, f"Invalid action_id or request parameters: {action_id!r} is no UUID")
    action = service.store.action(action_id)
    if not action or action.type is not ActionType.CHECKPOINT_POD:
        raise RefusedError(service.era.unknown_checkpoint, f"Invalid action_id: no checkpoint action {action_id}")
    if action.status is not ActionStatus.READY:
        raise RefusedError(400, f"Invalid action_id: checkpoint action {action_id} is {action.status}, not ready")
    return action


ROUTES: list[Route] = [("POST", "/restore/pod", restore_pod)]
