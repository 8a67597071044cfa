"""Policies in the form of 2026: a trigger that says when, a filter that says what of, an action that says what.

Served are heartbeats of pods; what maintenance windows and jobs do is not published, so they are refused.
"""

from typing import Any

from aiohttp import web

from ..bodies import choice, ids, json_object, path_uuid, table, text, whole_number
from ..clock import nanoseconds, now, shown
from ..records import Action, ActionStatus, Policy, Resource
from ..refusals import RefusedError
from ..replies import by_field, id_text, page
from ..service import Service, service_of
from ..store import new_id
from . import Route
from .checkpoint import KINDS
from .policies import LARGEST_PAGE, listed

PARTS = {
    "trigger": ("heartbeat", "maintenance"),
    "filter": ("namespace", "pods", "jobs", "slurm_jobs"),
    "action": ("checkpoint",),
}
SERVED = ("heartbeat", "namespace", "pods", "checkpoint")
MOST = 2**31 - 1
RECENT = 20


async def create_pipeline(request: web.Request) -> web.Response:
    """A new policy, at work from now on."""
    service = service_of(request)
    body = await json_object(request)
    pipeline = table(body, "pipeline", {})
    trigger, filters, action = (_part(pipeline, name) for name in PARTS)
    cluster_id = str(text(filters, "cluster_id", required=True))
    if not service.active_cluster(cluster_id):
        raise RefusedError(400, f"Invalid request parameters: no cluster {cluster_id!r}")
    resource = Resource(pipeline["filter"]["type"])
    of_namespace = resource is Resource.NAMESPACE
    text(action, "runc_root")
    policy = Policy(
        id=new_id(),
        cluster_id=cluster_id,
        interval=_small_number(trigger, "interval_seconds"),
        resource=resource,
        pod_uids=ids(filters, "pod_ids") if not of_namespace and filters.get("pod_ids") is not None else (),
        namespace=str(text(filters, "namespace", required=True)) if of_namespace else "",
        made=now(),
        kind=choice(action, "kind", KINDS) or "simple",
        most=None if trigger.get("max_checkpoints") is None else _small_number(trigger, "max_checkpoints"),
        name=text(body, "name"),
        pipeline=pipeline,
    )
    service.store.put_policy(policy)
    service.heartbeats.start(policy)
    return id_text(request, policy.id)


async def list_pipelines(request: web.Request) -> web.Response:
    """Every policy, in pages."""
    service = service_of(request)
    rows = [await _shown(service, policy) for policy in listed(request, service.store.policies())]
    return page(request, "policies", rows, sort=by_field("id", "timestamp"), default="timestamp", largest=LARGEST_PAGE)


async def get_pipeline(request: web.Request) -> web.Response:
    """One policy."""
    service = service_of(request)
    return web.json_response(await _shown(service, _policy(request)))


async def activity(request: web.Request) -> web.Response:
    """The checkpoints that a policy has made."""
    service, policy = service_of(request), _policy(request)
    actions = service.store.actions_of_policy(policy.id)
    good = [row for row in actions if row.status is ActionStatus.READY]
    recent = [_made(service, action, each) for action in reversed(actions[-RECENT:]) for each in action.checkpoint_ids]
    body = {
        "policy_id": policy.id,
        "total_checkpoints": len(actions),
        "successful_checkpoints": len(good),
        "failed_checkpoints": sum(row.status is ActionStatus.ERROR for row in actions),
        "last_checkpoint_at": shown(good[-1].completed) if good else None,
        "recent_checkpoints": recent[:RECENT],
    }
    return web.json_response(body)


def _part(pipeline: dict[str, Any], name: str) -> dict[str, Any]:
    """The config of a part of the pipeline, whose type must be one that is served."""
    part = table(pipeline, name, {"config": dict})
    kind = choice(part, "type", PARTS[name], required=True)
    if kind not in SERVED:
        raise RefusedError(501, f"A pipeline with a {name} of type {kind} is not served by this propagator")
    if part.get("config") is None:
        raise RefusedError(400, f"Invalid request parameters: {name}.config is missing")
    return table(part, "config", {})


def _small_number(body: dict[str, Any], field: str) -> int:
    value = whole_number(body, field)
    if value > MOST:
        raise RefusedError(400, f"Invalid request parameters: {field} is {value}, more than {MOST}")
    return value


def _policy(request: web.Request) -> Policy:
    policy = service_of(request).store.policy(path_uuid(request, status=404))
    if not policy:
        raise RefusedError(404, f"No policy {request.match_info['id']!r}")
    return policy


async def _shown(service: Service, policy: Policy) -> dict[str, Any]:
    return {
        "id": policy.id,
        "name": policy.name,
        "status": policy.status,
        "timestamp": shown(policy.made),
        "pod_count": len(await service.heartbeats.pods(policy)),
        "job_count": None,
        "pipeline": policy.pipeline,
    }


def _made(service: Service, action: Action, checkpoint_id: str) -> dict[str, Any]:
    row = service.store.checkpoint(checkpoint_id)
    duration = nanoseconds(action.started, action.completed)
    return {
        "checkpoint_id": checkpoint_id,
        "action_id": action.id,
        "pod_name": action.pod_name,
        "namespace": action.namespace,
        "status": action.status,
        "completed_at": shown(action.completed),
        "duration_ms": None if duration is None else duration // 1_000_000,
        "size_bytes": row.size if row else None,
    }


ROUTES: list[Route] = [
    ("POST", "/policy/pipeline/create", create_pipeline),
    ("GET", "/policy/pipeline/list", list_pipelines),
    ("GET", "/policy/pipeline/{id}", get_pipeline),
    ("GET", "/policy/{id}/activity", activity),
]
