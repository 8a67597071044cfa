"""Faults of the Kubernetes API: it refuses, fails, lags, and drops what it had begun."""

from __future__ import annotations

import asyncio
import json
import time
from collections import deque
from typing import Any

from aiohttp import web

from .. import kinds
from ..api.status import ApiError, failure, forbidden
from ..kinds import Kind
from ..store import Change, Object
from .activation import Activation
from .answers import Act, Exchange, changing_json, cut, halved, reset, slow
from .declaration import OBJECTS, Declarations, Group, Injection
from .pods import is_workload
from .requests import Asked, Choice, of_kubernetes, on_requests
from .scene import Scene, in_each_cluster

FAULTS = Declarations(Group.KUBERNETES, OBJECTS)
fails, tolerated = FAULTS.fails, FAULTS.tolerated
READS = ("get", "list", "watch")


def api(act: Act, only: Choice | None = None) -> Injection:
    """Requests to the Kubernetes API."""
    return on_requests("kubernetes", act, only or (lambda _: True))


def with_error(error: ApiError) -> Act:
    """Answers a Status without handling the request."""

    async def act(_: Exchange) -> web.StreamResponse:
        return web.json_response(error.status, status=error.code, headers=error.headers)

    return act


def admitting(refuse: Any, which: Any) -> Injection:
    """Refuses new objects at their admission, whoever makes them; `which` chooses by kind and object."""

    async def inject(scene: Scene, active: Activation) -> None:
        def admit(kind: Kind, obj: Object) -> None:
            if which(scene, kind, obj) and active.takes_pod(obj, kind.plural):
                raise refuse(kind, obj)

        active.on_list(scene.cluster.points.admit, admit)

    return in_each_cluster(inject)


def _reads(asked: Asked) -> bool:
    return asked.verb in READS and bool(asked.resource)


def _lists(asked: Asked) -> bool:
    return asked.verb == "list"


def _watches(asked: Asked) -> bool:
    return asked.verb == "watch"


def _workloads(scene: Scene, kind: Kind, obj: Object) -> bool:
    return kind is kinds.POD and is_workload(scene.cluster, obj)


def webhook(_: Kind, __: Object) -> ApiError:
    """What a policy engine's refusal looks like."""
    message = (
        'admission webhook "validate.kyverno.svc-fail" denied the request: resource was blocked due to the following '
        "policies: only-signed-images: image is not signed"
    )
    return failure(400, "", message)


def using_up_quota(which: Any) -> Injection:
    """A ResourceQuota that has no room for new pods is there as soon as such a pod is to be made; `which` chooses."""

    async def inject(scene: Scene, active: Activation) -> None:
        def admit(kind: Kind, obj: Object) -> None:
            if which(scene, kind, obj) and active.takes_pod(obj, kind.plural):
                raise forbidden(kind, obj["metadata"].get("name", ""), _used_up(scene.cluster, obj))

        active.on_list(scene.cluster.points.admit, admit)

    return in_each_cluster(inject)


def _used_up(cluster: Any, obj: Object) -> str:
    namespace = obj["metadata"]["namespace"]
    quota = cluster.store.get(kinds.RESOURCE_QUOTA, namespace, "compute")
    if quota is None:
        hard = {"pods": str(cluster.store.count(kinds.POD, namespace))}
        made = {"metadata": {"name": "compute", "namespace": namespace}, "spec": {"hard": hard}}
        quota = cluster.store.create(kinds.RESOURCE_QUOTA, made)
    most = quota["spec"]["hard"]["pods"]
    return f"exceeded quota: compute, requested: pods=1, used: pods={most}, limited: pods={most}"


fails("webhook-refused", "api-webhook-refuses", "An admission webhook refuses the workload's pods.")(
    admitting(webhook, _workloads)
)
fails("quota", "api-quota", "The quota of the namespace has no room for the workload's pods.")(
    using_up_quota(_workloads)
)
fails("cluster-refused", "api-forbidden", "The user may not create pods (403).")(
    api(
        with_error(
            failure(
                403,
                "Forbidden",
                'pods is forbidden: User "admin" cannot create resource "pods" in API group "" in the namespace',
                {"kind": "pods"},
            )
        ),
        lambda asked: asked.kind == "create pods",
    )
)
fails("cluster-refused", "api-unauthorized", "Every request is answered 401: the kubeconfig's token is not valid.")(
    api(with_error(failure(401, "Unauthorized", "Unauthorized")))
)
fails("cluster-unreachable", "api-cut-off", "Every connection to the API is reset.")(api(cut))


async def _not_deleted(exchange: Exchange) -> web.StreamResponse:
    asked = of_kubernetes(exchange.request)
    there = exchange.scene.at(asked.namespace, asked.name)
    pod = there.cluster.store.get(kinds.POD, asked.namespace, asked.name)
    return web.json_response(pod) if pod else await exchange.go()


fails("stuck-terminating", "api-forgets-deletions", "Deletions of pods are accepted, but nothing is deleted.")(
    api(_not_deleted, lambda asked: asked.kind == "delete pods")
)

tolerated("api-429", "Each kind of request is answered 429 once, with a Retry-After of one second.", each=1)(
    api(
        with_error(
            failure(
                429,
                "TooManyRequests",
                "the server has received too many requests and has asked us to try again later",
                {"retryAfterSeconds": 1},
                {"Retry-After": "1"},
            )
        ),
        lambda asked: bool(asked.resource),
    )
)
tolerated("api-500", "Each kind of read is answered 500 once.", each=1)(
    api(with_error(failure(500, "InternalError", "Internal error occurred: etcdserver: request timed out")), _reads)
)
tolerated("api-503", "Each kind of read is answered 503 once: the server is shutting down.", each=1)(
    api(with_error(failure(503, "ServiceUnavailable", "apiserver is shutting down", {}, {"Retry-After": "1"})), _reads)
)
tolerated("api-reset", "The connection of each kind of read is reset once.", each=1)(api(cut, _reads))
tolerated("api-half-body", "The answer to each kind of list breaks off in the middle once.", each=1)(
    api(halved, _lists)
)
tolerated("api-slow", "Every answer takes a fifth of a second longer.", seconds=0.2)(api(slow))


@tolerated(
    "api-refuses-for-a-while",
    "For two seconds from the first request for a pod on, all connections are reset.",
    seconds=2.0,
)
async def _for_a_while(scene: Scene, active: Activation) -> None:
    first: list[float] = []

    async def act(exchange: Exchange) -> web.StreamResponse:
        first.append(time.monotonic())
        if time.monotonic() - first[0] < active.values["seconds"]:
            await reset(exchange.request)
        return await exchange.go()

    await api(act, lambda asked: bool(first) or asked.kind == "get pods")(scene, active)


async def _dropped(exchange: Exchange) -> web.StreamResponse:
    """Cuts a watch some time after it has begun."""
    watching = asyncio.ensure_future(exchange.go())
    try:
        done, _ = await asyncio.wait({watching}, timeout=exchange.values["seconds"])
        if done:
            return watching.result()
        await reset(exchange.request)
    finally:
        watching.cancel()


tolerated("api-watch-dropped", "Every watch breaks off 0.2 seconds after it has begun.", seconds=0.2)(
    api(_dropped, _watches)
)


async def _silent(exchange: Exchange) -> web.StreamResponse:
    response = web.StreamResponse(headers={"Content-Type": "application/json"})
    response.enable_chunked_encoding()
    await response.prepare(exchange.request)
    await asyncio.sleep(exchange.values["seconds"])
    await response.write_eof()
    return response


tolerated(
    "api-watch-silent",
    "Each kind of watch stays open for two seconds without any event, and ends, twice.",
    each=2,
    seconds=2.0,
)(api(_silent, _watches))
_GONE = failure(410, "Expired", "too old resource version: 1 (2)").status


async def _gone_in_stream(_: Exchange) -> web.StreamResponse:
    return web.Response(text=json.dumps({"type": "ERROR", "object": _GONE}) + "\n", content_type="application/json")


tolerated("api-watch-expired", "Each kind of watch ends at once with the event 410 Gone, twice.", each=2)(
    api(_gone_in_stream, _watches)
)
tolerated("api-410", "Each kind of watch is refused with 410 Gone, twice.", each=2)(
    api(with_error(failure(410, "Expired", "too old resource version: 1 (2)")), _watches)
)


@tolerated(
    "api-stale-lists",
    "Lists of pods come from a cache that is a second behind, unless a resourceVersion asks for newer ones.",
    seconds=1.0,
)
@in_each_cluster
async def _stale(scene: Scene, active: Activation) -> None:
    recent: deque[tuple[float, Change]] = deque(maxlen=5_000)
    active.stack.callback(scene.cluster.store.subscribe(lambda change: recent.append((time.monotonic(), change))))

    def change(body: Any, exchange: Exchange) -> Any:
        if not isinstance(body, dict) or not str(body.get("kind", "")).endswith("List"):
            return body
        since = time.monotonic() - active.values["seconds"]
        before = _as_before(body, [one for at, one in recent if at > since])
        asked = exchange.request.query.get("resourceVersion") or "0"
        return body if int(asked) > int(before["metadata"]["resourceVersion"]) else before

    await api(changing_json(change), lambda asked: asked.kind == "list pods")(scene, active)


def _as_before(body: Object, changes: list[Change]) -> Object:
    """A list as it was before these changes; what they deleted is not brought back."""
    kind = body["kind"].removesuffix("List")
    items = {item["metadata"]["uid"]: item for item in body["items"]}
    own = [change for change in changes if change.kind.kind == kind]
    for change in reversed(own):
        uid = change.object["metadata"]["uid"]
        if uid in items and change.old is None:
            del items[uid]
        elif uid in items and change.old is not None:
            items[uid] = change.old
    if not own:
        return body
    version = str(min(change.revision for change in own) - 1)
    return {**body, "metadata": {**body["metadata"], "resourceVersion": version}, "items": list(items.values())}
