"""What happened lately, in the two shapes that were published for it."""

from typing import Any

from aiohttp import web

from ..bodies import choice, query_int
from ..clock import nanoseconds, shown
from ..records import ActionStatus, ActionType, Event
from ..service import Service, service_of
from . import Route

HOUR, YEAR = 3600, 366 * 24 * 3600
OPERATIONS = {ActionType.CHECKPOINT_POD: "checkpoint", ActionType.RESTORE_POD: "restore"}


async def list_events(request: web.Request) -> web.Response:
    """Events of the last `time` seconds: an array, and in the newest era an object of notifications."""
    service, query = service_of(request), request.query
    newest = service.era.cluster_filters
    seconds = query_int(request, "time", HOUR, 1, YEAR)
    if newest and "hrs" in query:
        seconds = query_int(request, "hrs", 1, 1, YEAR // HOUR) * HOUR
    operation = choice(query, "operation", ("checkpoint", "restore", "storage", "all")) if newest else None
    operation = None if operation == "all" else operation or query.get("operation") or None
    events = [each for each in service.events.latest(seconds) if operation in (None, OPERATIONS[each.action.type])]
    if newest:
        cluster_id, workload = query.get("cluster_id"), query.get("workload")
        wanted = [each for each in events if cluster_id in (None, each.action.cluster_id)]
        rows = [_notification(service, each) for each in wanted if workload in (None, "", "pod", each.action.pod_name)]
        return web.json_response({"events": rows})
    return web.json_response([_event(each) for each in events if query.get("resource_type") in (None, "pod")])


def _event(event: Event) -> dict[str, Any]:
    action = event.action
    operation = OPERATIONS[action.type]
    return {
        "id": event.number,
        "timestamp": int(event.at.timestamp()),
        "operation": operation,
        "resource_type": "pod",
        "source": "propagator",
        "status": action.status,
        "message": _message(event),
        "metadata": {"action_id": action.id, "pod_id": action.pod_uid, "cluster_id": action.cluster_id},
    }


def _notification(service: Service, event: Event) -> dict[str, Any]:
    action = event.action
    checkpoints = [service.store.checkpoint(checkpoint_id) for checkpoint_id in action.checkpoint_ids]
    restores = action.type is ActionType.RESTORE_POD
    return {
        "id": str(event.number),
        "timestamp": shown(event.at),
        "type": "error" if action.status is ActionStatus.ERROR else "info",
        "operation": OPERATIONS[action.type],
        "result": action.status,
        "description": _message(event),
        "context": "",
        "read": False,
        "cluster_id": action.cluster_id or "",
        "workload_type": "pod",
        "node_name": action.node,
        "pod_uid": action.pod_uid,
        "name": action.pod_name,
        "namespace": action.namespace,
        "action_id": action.id,
        "checkpoint_id": action.checkpoint_ids[0],
        "restore_uuid": action.id if restores else "",
        "storage_tier": "",
        "failure_stage": "",
        "failure_reason": action.error or "",
        "duration_ns": nanoseconds(action.started, action.completed) or 0,
        "physical_bytes": sum(row.size or 0 for row in checkpoints if row),
        "pause_ns": 0,
        "pod_ready_at_ms": None,
        "pod_scheduled_at_ms": None,
    }


def _message(event: Event) -> str:
    action = event.action
    pod = f"{action.namespace}/{action.pod_name}"
    return action.error or f"{OPERATIONS[action.type]} of pod {pod} is {action.status}"


ROUTES: list[Route] = [("GET", "/events", list_events)]
