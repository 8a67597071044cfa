"""Asking for a checkpoint, and how far an operation has come."""

from typing import Any

from aiohttp import web

from ..backend import Pod
from ..bodies import choice, json_object, table, text
from ..records import ActionType
from ..refusals import RefusedError
from ..replies import id_text
from ..service import Service, service_of
from . import Route

KINDS = ("simple", "rootfs", "rootfsonly")
REASONS = ("heartbeat", "manual", "maintenance")
OVERRIDES = {
    "criu_opts": dict,
    "directory": str,
    "compression": str,
    "streams": int,
    "asynchronous": bool,
    "gpu_freeze_type": str,
    "incremental": bool,
}


async def checkpoint_pod(request: web.Request) -> web.Response:
    """Starts a checkpoint and answers its action's id."""
    service = service_of(request)
    body = await json_object(request)
    choice(body, "kind", KINDS)
    reason = choice(body, "reason", REASONS)
    table(body, "overrides", OVERRIDES)
    pod = await _pod(service, body)
    return id_text(request, service.operations.start_checkpoint(pod, body, reason).id)


async def operation_status(request: web.Request) -> web.Response:
    """Status of a checkpoint, or of a restore; whether the real service knows the latter is not documented."""
    service = service_of(request)
    action_id = request.match_info["id"]
    action = service.store.action(action_id)
    hidden = service.quirks.status_404
    if not action and service.quirks.not_found_status:
        return web.json_response({"status": "not_found", "details": None})
    if not action or hidden == "always" or (hidden == "restores" and action.type is ActionType.RESTORE_POD):
        raise RefusedError(404, f"Action ID not found: {action_id}")
    return web.json_response({"status": action.status, "details": action.error})


async def _pod(service: Service, body: dict[str, Any]) -> Pod:
    """The pod that the body names by UID, or else by name and namespace, in a registered cluster."""
    uid, name, namespace, cluster_id = (text(body, key) for key in ("pod_id", "pod_name", "namespace", "cluster_id"))
    if not uid and not (name and namespace):
        raise RefusedError(service.era.no_address, "Invalid request parameters: pod_id, or pod_name and namespace")
    pod = await service.inventory.find_pod(uid=uid, namespace=namespace, name=name, cluster_id=cluster_id)
    if not pod:
        raise RefusedError(404, f"Failed to find checkpointable resource: pod {uid or f'{namespace}/{name}'}")
    return pod


ROUTES: list[Route] = [
    ("POST", "/checkpoint/pod", checkpoint_pod),
    ("GET", "/checkpoint/status/{id}", operation_status),
]
