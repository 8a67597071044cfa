"""Heartbeat policies: checkpoints at regular times.

No spec gives the unit of `heartbeat_time`; seconds are what later policies count in. Nor do they say what the text of
an answer is; here it is the policy's id.
"""

from collections.abc import Sequence
from typing import Any

from aiohttp import web

from ..bodies import choice, ids, is_uuid, json_object, query_bool, text, whole_number
from ..clock import now, shown
from ..records import Policy, PolicyStatus, Resource
from ..refusals import RefusedError
from ..replies import by_field, chosen, id_text, page
from ..service import Service, service_of
from ..store import new_id
from . import Route

LARGEST_PAGE = 100
RESOURCES = ("pods", "namespace", "jobs")


async def create_policy(request: web.Request) -> web.Response:
    """A new policy, at work from now on."""
    service = service_of(request)
    policy = _policy(service, await json_object(request), new_id())
    service.store.put_policy(policy)
    service.heartbeats.start(policy)
    return id_text(request, policy.id)


async def update_policy(request: web.Request) -> web.Response:
    """Puts a policy in the place of the one with the same id."""
    service = service_of(request)
    body = await json_object(request)
    policy = _policy(service, body, _known_id(service, body).id)
    service.store.put_policy(policy)
    service.heartbeats.start(policy)
    return id_text(request, policy.id)


async def list_policies(request: web.Request) -> web.Response:
    """Every policy."""
    service = service_of(request)
    policies = service.store.policies()
    if service.era.cluster_filters:
        policies = listed(request, policies)
    rows = [chosen(await _shown(service, policy), service.era.policy_fields) for policy in policies]
    if not service.paged:
        return web.json_response(rows)
    automatic: dict[str, Any] = {"automatic_policies": []} if query_bool(request, "include_automatic") else {}
    sort = by_field("id", "timestamp")
    return page(request, "policies", rows, sort=sort, default="timestamp", largest=LARGEST_PAGE, also=automatic)


def listed(request: web.Request, policies: Sequence[Policy]) -> list[Policy]:
    """Those of the query's resource and status; without a status, all that are not disabled."""
    resource = choice(request.query, "resource", RESOURCES)
    status = choice(request.query, "status", tuple(PolicyStatus))
    rows = [row for row in policies if resource in (None, row.resource)]
    return [row for row in rows if (row.status == status if status else row.status is not PolicyStatus.DISABLED)]


async def pods_of_policy(request: web.Request) -> web.Response:
    """The pods that a policy is about."""
    service = service_of(request)
    policy = service.store.policy(request.match_info["id"])
    if not policy:
        raise RefusedError(404, f"No policy {request.match_info['id']!r}")
    pods = await service.heartbeats.pods(policy)
    rows = [{"id": pod.uid, "name": pod.name, "namespace": pod.namespace, "status": pod.status} for pod in pods]
    return web.json_response(rows)


async def delete_policy(request: web.Request) -> web.Response:
    """Ends a policy; its id stands in the body."""
    service = service_of(request)
    policy = _known_id(service, await json_object(request))
    service.heartbeats.stop(policy.id)
    service.store.remove_policy(policy.id)
    return id_text(request, policy.id)


def _policy(service: Service, body: dict[str, Any], policy_id: str) -> Policy:
    cluster_id = str(text(body, "cluster_id", required=True))
    if not service.active_cluster(cluster_id):
        raise RefusedError(400, f"Invalid request parameters: no cluster {cluster_id!r}")
    choice(body, "policy_type", ("heartbeat",))
    resource = Resource(choice(body, "resource", tuple(Resource)) or Resource.PODS)
    return Policy(
        id=policy_id,
        cluster_id=cluster_id,
        interval=whole_number(body, "heartbeat_time"),
        resource=resource,
        pod_uids=ids(body, "resource_ids"),
        namespace=str(text(body, "resource_name", required=resource is Resource.NAMESPACE) or ""),
        made=now(),
    )


def _known_id(service: Service, body: dict[str, Any]) -> Policy:
    policy_id = str(text(body, "id", required=True))
    policy = service.store.policy(policy_id)
    if not is_uuid(policy_id) or not policy:
        raise RefusedError(service.era.unknown_policy, f"No policy {policy_id!r}")
    return policy


async def _shown(service: Service, policy: Policy) -> dict[str, Any]:
    pods = await service.heartbeats.pods(policy)
    names = [policy.namespace] if policy.resource is Resource.NAMESPACE else list(policy.pod_uids)
    return {
        "id": policy.id,
        "status": policy.status,
        "policy_type": "heartbeat",
        "input": policy.interval,
        "resource": policy.resource,
        "resource_list": names,
        "pod_count": len(pods),
        "job_count": None,
        "timestamp": shown(policy.made),
        "cluster_id": policy.cluster_id,
        "namespace": policy.namespace or None,
        "start_time": None,
        "end_time": None,
    }


ROUTES: list[Route] = [
    ("POST", "/policy/create", create_policy),
    ("POST", "/policy/update", update_policy),
    ("GET", "/policy/list", list_policies),
    ("DELETE", "/policy/delete", delete_policy),
    ("GET", "/policy/{id}/pods", pods_of_policy),
]
