"""Faults of the propagator's API: how it refuses, fails, loses and garbles what it is asked."""

from __future__ import annotations

import json
import re
import time
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

from aiohttp import web

from propagator_server.clock import shown
from propagator_server.heartbeats import HEARTBEAT
from propagator_server.refusals import RefusedError, refusal

from .activation import Activation
from .answers import (
    Act,
    Exchange,
    changing_json,
    changing_text,
    cut,
    halved,
    lost,
    reset,
    slow,
    stalled,
    with_text,
)
from .declaration import REQUESTS, STATE, Declarations, Group, Injection
from .requests import Asked, Choice, on_requests
from .scene import Scene

FAULTS = Declarations(Group.PROPAGATOR, REQUESTS)
fails, tolerated = FAULTS.fails, FAULTS.tolerated

CHECKPOINT, RESTORE, STATUS = "/checkpoint/pod", "/restore/pod", "/checkpoint/status/{id}"
UNKNOWN_ID = '"00000000-0000-4000-8000-000000000000"'
LISTS = ("/actions", "/checkpoints", "/cluster", "/pods", "/nodes", "/policy/list")
_UPSTREAM = "upstream connect error or disconnect/reset before headers. reset reason: connection failure"
_LOGIN = "<!DOCTYPE html><html><head><title>Sign in</title></head><body>Please sign in to the network.</body></html>"
_ID = re.compile(r'^"?[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}"?$')
_TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?Z")


def to(method: str, *routes: str) -> Choice:
    """Requests with that method for those routes."""
    return lambda asked: asked.verb == method and asked.resource in routes


def _lists(asked: Asked) -> bool:
    return asked.verb == "GET" and asked.resource in LISTS


def refused(status: int, message: str) -> Act:
    """Refuses in the words of the era, without handling the request."""

    async def act(exchange: Exchange) -> web.StreamResponse:
        return refusal(exchange.request, RefusedError(status, message))

    return act


def propagator(act: Act, only: Choice | None = None) -> Injection:
    """Requests to the propagator."""
    return on_requests("propagator", act, only or (lambda _: True))


def _gateway(status: int, **headers: str) -> Injection:
    return propagator(with_text(_UPSTREAM, status=status, **headers))


fails("auth", "propagator-401", "Every request is answered 401, as if the token had been revoked.")(
    propagator(refused(401, "Invalid or missing API key"))
)
fails("auth", "propagator-403", "Every request is answered 403: the token is known and has no rights.")(
    propagator(refused(403, "The API key has no access to this organisation"))
)
fails("propagator-refused", "propagator-404", "Every path is unknown (404), as at a wrong URL.")(
    propagator(with_text("404 page not found", status=404))
)
fails("propagator-refused", "propagator-409", "Each restore is refused with 409: the pod is busy.")(
    propagator(refused(409, "Another operation on this resource is in progress"), to("POST", RESTORE))
)
fails("propagator-refused", "propagator-422", "Each checkpoint is refused with 422: a field of it is not taken.")(
    propagator(refused(422, "Failed to deserialize the JSON body: unknown variant"), to("POST", CHECKPOINT))
)
fails("propagator-refused", "propagator-deprecate-409", "No checkpoint can be deprecated: each try is answered 409.")(
    propagator(refused(409, "The checkpoint is in use"), to("PATCH", "/checkpoints/deprecate/{id}"))
)
fails(
    "propagator-refused", "propagator-pod-unknown", "The propagator never learns of the pod: a checkpoint of it is 404."
)(propagator(refused(404, "Failed to find checkpointable resource"), to("POST", CHECKPOINT)))
fails("propagator-error", "propagator-500", "Every request is answered 500 with an error of the service's own.")(
    propagator(refused(500, "Internal server error: connection pool exhausted"))
)
fails("propagator-error", "propagator-down", "A gateway answers every request 503: the service behind it is down.")(
    _gateway(503)
)
fails("propagator-unreachable", "propagator-cut-off", "Every connection is reset before an answer.")(propagator(cut))
fails("propagator-unreachable", "propagator-stalled", "Every answer begins and never goes on.")(propagator(stalled))
fails("propagator-answer", "propagator-no-json", "Lists and statuses are answered 200 with a text that is no JSON.")(
    propagator(with_text("OK", kind="application/json"), lambda asked: _lists(asked) or asked.resource == STATUS)
)
fails("propagator-answer", "propagator-html", "Every request is answered 200 with a sign-in page in HTML.")(
    propagator(with_text(_LOGIN, kind="text/html"))
)
fails("propagator-answer", "propagator-empty", "Every request is answered 200 with an empty body.")(
    propagator(with_text("", kind="application/json"))
)

tolerated("propagator-429", "Each kind of request is answered 429 once.", each=1)(
    propagator(refused(429, "Too many requests"))
)


async def _too_many(exchange: Exchange) -> web.StreamResponse:
    answer = refusal(exchange.request, RefusedError(429, "Too many requests"))
    answer.headers["Retry-After"] = f"{exchange.values['seconds']:.0f}"
    return answer


tolerated(
    "propagator-429-retry-after",
    "Each kind of request is answered 429 once, with the time to wait in Retry-After.",
    each=1,
    seconds=1.0,
)(propagator(_too_many))
tolerated("propagator-502", "A gateway answers each kind of request 502 once, before anything is done.", each=1)(
    _gateway(502)
)
tolerated("propagator-503", "A gateway answers each kind of request 503 once, before anything is done.", each=1)(
    _gateway(503)
)


async def _gave_up(exchange: Exchange) -> web.StreamResponse:
    await exchange.go()
    return web.Response(status=504, text="upstream request timeout")


tolerated("propagator-504", "A gateway gives up on each kind of request once (504), while the work is done.", each=1)(
    propagator(_gave_up)
)
tolerated("propagator-reset", "The connection of each kind of request is reset once, before anything is done.", each=1)(
    propagator(cut)
)
tolerated("propagator-answer-lost", "Each kind of answer is lost once, after the work was done.", each=1)(
    propagator(lost)
)
tolerated("propagator-half-body", "Each kind of answer breaks off in the middle once.", each=1)(propagator(halved))
tolerated("propagator-slow", "Every answer takes a second longer.", seconds=1.0)(propagator(slow))
tolerated("propagator-garbled-status", "The status of an operation is answered with HTML twice.", count=2)(
    propagator(with_text("<html><body>Bad gateway</body></html>", kind="text/html"), to("GET", STATUS))
)
tolerated("propagator-status-500", "The status of an operation is answered 500 twice.", count=2)(
    propagator(refused(500, "Internal server error"), to("GET", STATUS))
)
tolerated("propagator-status-404", "The status of no operation is found; only the list of actions has it.")(
    propagator(refused(404, "Action ID not found"), to("GET", STATUS))
)
tolerated("propagator-status-unknown", "An operation's status is a word that nobody knows, three times.", count=3)(
    propagator(changing_json(lambda body, _: {**body, "status": "compacting"}), to("GET", STATUS))
)
tolerated("propagator-status-goes-back", "Every second look, an operation is back at its first status.", count=4)(
    propagator(changing_json(lambda body, _: {**body, "status": "initialized"}), to("GET", STATUS))
)
tolerated("propagator-bare-ids", "Ids are answered without quotes.")(
    propagator(changing_text(lambda text: text.strip('"') if _ID.match(text) else text))
)


def _as_object(text: str) -> str:
    return json.dumps({"id": text.strip('"')}) if _ID.match(text) else text


tolerated("propagator-ids-in-objects", "Ids are answered in a JSON object.")(
    propagator(
        changing_text(_as_object, "application/json"),
        lambda asked: asked.verb == "POST" and asked.resource in (CHECKPOINT, RESTORE, "/cluster"),
    )
)


def _with_more(value: Any) -> Any:
    if isinstance(value, dict):
        return {**{key: _with_more(inner) for key, inner in value.items()}, "x_future": {"since": [2027]}}
    return [_with_more(inner) for inner in value] if isinstance(value, list) else value


tolerated("propagator-unknown-fields", "Every object in an answer has a field more than is documented.")(
    propagator(changing_json(lambda body, _: _with_more(body)))
)
tolerated("propagator-rows-twice", "Lists have every row twice.")(
    propagator(changing_json(lambda body, _: [row for row in body for _ in (0, 1)] if _is_rows(body) else body), _lists)
)


def _is_rows(body: Any) -> bool:
    return isinstance(body, list)


def _skewed(body: Any, exchange: Exchange) -> Any:
    ahead = timedelta(seconds=exchange.values["seconds"])
    text = _TIME.sub(lambda found: str(shown(datetime.fromisoformat(found.group()) + ahead)), json.dumps(body))
    return json.loads(text)


tolerated("propagator-clock-skew", "The propagator's clock is ten minutes ahead of everybody else's.", seconds=600.0)(
    propagator(changing_json(_skewed))
)


def quirk(name: str) -> Injection:
    """Sets one of the propagator's quirks to the fault's only parameter."""

    async def inject(scene: Scene, active: Activation) -> None:
        def begin() -> Callable[[], None]:
            before = scene.service.settings()["quirks"][name]
            (value,) = active.values.values()
            scene.service.change({"quirks": {name: value}})
            return lambda: scene.service.change({"quirks": {name: before}})

        active.whenever_due(begin)

    return inject


tolerated("propagator-lists-lag", "Lists show what was two seconds ago.", limits=STATE, seconds=2.0)(
    quirk("lagging-lists")
)


@tolerated("propagator-pod-known-late", "The propagator learns of a pod two seconds late: 404 until then.", seconds=2.0)
async def _known_late(scene: Scene, active: Activation) -> None:
    first: list[float] = []

    async def act(exchange: Exchange) -> web.StreamResponse:
        first.append(time.monotonic())
        if time.monotonic() - first[0] < active.values["seconds"]:
            return await refused(404, "Failed to find checkpointable resource")(exchange)
        return await exchange.go()

    await propagator(act, to("POST", CHECKPOINT))(scene, active)


@fails("action-unknown", "propagator-forgets", "The propagator forgets each action right after it has accepted it.")
async def _forgets(scene: Scene, active: Activation) -> None:
    await propagator(refused(404, "Action ID not found"), to("GET", STATUS))(scene, active)
    await propagator(changing_json(lambda _body, _: []), to("GET", "/actions"))(scene, active)


async def _twice(exchange: Exchange) -> web.StreamResponse:
    answer = await exchange.go()
    await exchange.go()
    return answer


tolerated("propagator-restores-twice", "The work of one restore request is done twice.")(
    propagator(_twice, to("POST", RESTORE))
)
tolerated("propagator-checkpoints-twice", "The work of one checkpoint request is done twice.")(
    propagator(_twice, to("POST", CHECKPOINT))
)


async def _heartbeat_between(exchange: Exchange) -> web.StreamResponse:
    """Begins a heartbeat's checkpoint of the same pod right after the one that was asked for, whose answer is lost."""
    service = exchange.scene.service
    body = await exchange.request.json()
    await exchange.go()
    pod = await service.backend.find_pod(uid=body.get("pod_id"), cluster_id=None)
    if pod:
        service.operations.start_checkpoint(pod, {"pod_id": pod.uid, "reason": HEARTBEAT}, HEARTBEAT)
    await reset(exchange.request)


tolerated(
    "propagator-heartbeat-between",
    "The answer to a checkpoint request is lost, and a heartbeat checkpoints the same pod right after it.",
    count=1,
)(propagator(_heartbeat_between, to("POST", CHECKPOINT)))
