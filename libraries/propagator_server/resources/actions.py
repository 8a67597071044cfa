"""The list of actions."""

from typing import Any

from aiohttp import web

from ..bodies import choice, is_uuid, json_object, table, text
from ..clock import nanoseconds, shown
from ..eras import Era
from ..heartbeats import HEARTBEAT
from ..records import Action, ActionStatus
from ..refusals import RefusedError
from ..replies import chosen, id_text
from ..service import Service, service_of
from . import Route

UPLOADED = ("persistent_volume_claim", "pod_metadata_spec", "pod_spec")
STATUSES = {"success": ActionStatus.READY, **{status.value: status for status in ActionStatus}}
"""What a controller may say of an action: the words of operations, and `success`, which helpers say."""
DETAILS = (
    "action_id",
    "type",
    "status",
    "details",
    "action_timestamp",
    "checkpoint_completed_timestamp",
    "checkpoint_id",
    "checkpoint_info",
    "checkpoint_name",
    "checkpoint_size",
    "gpu",
    "node_name",
    "platform",
    "reason",
    "restore_path",
    "total_duration",
    "total_io",
)


async def list_actions(request: web.Request) -> web.Response:
    """Every action, one row for each of its checkpoints."""
    service = service_of(request)
    cluster_id = text(request.query, "cluster_id") if service.era.cluster_filters else None
    kind = request.query.get("type")
    rows = [
        chosen(_shown(service, action, checkpoint_id), service.era.action_fields)
        for action in service.store.actions(cluster_id, service.quirks.lagging_lists)
        for checkpoint_id in (action.checkpoint_ids if service.quirks.several_rows else action.checkpoint_ids[:1])
    ]
    return web.json_response([row for row in rows if kind in (None, row["type"])])


async def latest_of_pod(request: web.Request) -> web.Response:
    """The id of the pod's latest action, by the pod's Kubernetes UID."""
    uid = request.match_info["id"]
    action = service_of(request).store.latest_action_of_pod(uid)
    if not action:
        raise RefusedError(404, f"No action found for pod {uid}")
    return id_text(request, action.id)


async def get_action(request: web.Request) -> web.Response:
    """One action with the request that began it."""
    service = service_of(request)
    action_id = request.match_info["id"]
    if not is_uuid(action_id):
        raise RefusedError(400, f"Invalid UUID provided: {action_id!r}")
    action = service.store.action(action_id)
    if not action:
        raise RefusedError(404, f"Action ID not found: {action_id}")
    checkpoint_id = action.checkpoint_ids[0]
    row = service.store.checkpoint(checkpoint_id)
    extra = {
        "checkpoint_info": row.info if row else None,
        "checkpoint_size": row.size if row else None,
        "restore_path": row.path if row else None,
    }
    return web.json_response(chosen(_shown(service, action, checkpoint_id) | extra, DETAILS))


async def upload(request: web.Request) -> web.Response:
    """What a cluster's controller tells of an action: how far it is, and the pod to create at a restore."""
    service = service_of(request)
    body = await json_object(request)
    action_id = str(text(body, "action_id", required=True))
    status = STATUSES[str(choice(body, "status", STATUSES, required=True))]
    text(body, "pod_id")
    told = {field: body[field] for field in UPLOADED if table(body, field, {})}
    action = service.store.action(action_id)
    if not action:
        raise RefusedError(404, f"Failed to get action_id within the db: {action_id}")
    service.operations.upload(action, status, told)
    return web.Response(text="Success", content_type="text/plain")


def _shown(service: Service, action: Action, checkpoint_id: str) -> dict[str, Any]:
    checkpoint = service.store.checkpoint(checkpoint_id)
    late = service.quirks.late_checkpoint_ids and not action.ended
    return {
        "action_id": action.id,
        "checkpoint_id": None if late else checkpoint_id,
        "status": status_word(service.era, action.status),
        "type": service.era.heartbeat_type if action.reason == HEARTBEAT else action.type,
        "action_timestamp": shown(action.started),
        "checkpoint_completed_timestamp": shown(action.completed),
        "details": {**action.request, "error": action.error} if action.error else action.request,
        "gpu": checkpoint.gpu if checkpoint else "",
        "platform": checkpoint.platform if checkpoint else "",
        "node_name": action.node or None,
        "total_duration": action.figures.get("total_duration") or _duration(service.era, action),
        "total_io": action.figures.get("total_io") or (checkpoint.size if checkpoint else None),
        "reason": action.reason,
        "checkpoint_name": checkpoint.name if checkpoint else None,
        "delta": False,
        "parent_checkpoint_id": None,
        "workload_kind": "pod",
        "checkpoint_status": checkpoint.status if checkpoint else None,
        "checksum": None,
    }


def status_word(era: Era, status: ActionStatus) -> str:
    """What an action's status reads in the list, which has words of its own for the end."""
    words = {ActionStatus.READY: era.words.success, ActionStatus.ERROR: era.words.failure}
    return words.get(status, status.value)


def _duration(era: Era, action: Action) -> int | str | None:
    duration = nanoseconds(action.started, action.completed)
    return f"{duration / 1e9:.3f}s" if era.duration_as_text and duration is not None else duration


ROUTES: list[Route] = [
    ("GET", "/actions", list_actions),
    ("GET", "/actions/from_pod/{id}", latest_of_pod),
    ("GET", "/actions/{id}", get_action),
    ("POST", "/actions/upload", upload),
]
