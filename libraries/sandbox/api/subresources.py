"""Subresources of their own kind: tokens, evictions, bindings, and those that connect (log, exec, proxy)."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from aiohttp import web

from ..kinds import PDB, POD, SERVICE_ACCOUNT, fields
from ..kinds.strategy import dig, selects
from ..schemas import types
from . import answers, bodies, deletes, verbs
from .access import AUDIENCE, Tokens
from .context import Call
from .status import bad_request, conflict, failure, invalid, method_not_allowed, not_emulated, success

Object = dict[str, Any]
CONNECTING = ("attach", "exec", "log", "portforward", "proxy")


async def connect(call: Call, request: web.Request, rest: str) -> web.StreamResponse:
    """Hands the request to the emulated node."""
    from .. import connect as handlers

    if call.subresource == "log" and request.method != "GET":
        raise method_not_allowed()
    handler = handlers.HANDLERS.get((call.kind.plural, call.subresource))
    if handler is None:
        raise not_emulated(f"{call.kind.plural}/{call.subresource}")
    response: web.StreamResponse = await handler(request, call.cluster, call.namespace, call.name, rest)
    return response


async def token(call: Call, request: web.Request, tokens: Tokens) -> web.StreamResponse:
    """A token of a service account (TokenRequest)."""
    if request.method != "POST":
        raise method_not_allowed()
    verbs.prepare(call, request, "CreateOptions")
    struct = types.struct("authentication/v1.TokenRequest")
    asked = bodies.read(await request.read(), request.headers.get("Content-Type", ""), call, struct)
    account = verbs.existing(Call(call.cluster, SERVICE_ACCOUNT, call.namespace, call.name))
    spec = asked.get("spec") or {}
    seconds = spec.get("expirationSeconds") or 3600
    if seconds < 600:
        error = fields.invalid("spec.expirationSeconds", seconds, "may not specify a duration less than 10 minutes")
        raise invalid("authentication.k8s.io", "TokenRequest", call.name, [error])
    audiences = spec.get("audiences") or [AUDIENCE]
    now = datetime.now(UTC)
    body = {
        "kind": "TokenRequest",
        "apiVersion": "authentication.k8s.io/v1",
        "metadata": {
            "name": call.name,
            "namespace": call.namespace,
            "creationTimestamp": now.strftime("%Y-%m-%dT%H:%M:%SZ"),
        },
        "spec": {"audiences": audiences, "expirationSeconds": seconds, "boundObjectRef": spec.get("boundObjectRef")},
        "status": {
            "token": tokens.issue(account, seconds, audiences),
            "expirationTimestamp": (now + timedelta(seconds=seconds)).strftime("%Y-%m-%dT%H:%M:%SZ"),
        },
    }
    return answers.answer(body, request, code=201)


async def evict(call: Call, request: web.Request) -> web.StreamResponse:
    """An eviction: a deletion that disruption budgets may refuse."""
    if request.method != "POST":
        raise method_not_allowed()
    verbs.prepare(call, request, "CreateOptions")
    struct = types.struct("policy/v1.Eviction")
    eviction = bodies.read(await request.read(), request.headers.get("Content-Type", ""), call, struct)
    name = dig(eviction, "metadata.name")
    if name not in (None, "", call.name):
        raise bad_request(f"name in URL does not match name in Eviction object: {call.name} != {name}")
    pod = verbs.existing(call)
    _ask_budgets(call, pod)
    deletes.delete_object(call, deletes.options_of(eviction.get("deleteOptions") or {}))
    return answers.answer(success(code=201), request, code=201)


def _ask_budgets(call: Call, pod: Object) -> None:
    if dig(pod, "status.phase") in ("Pending", "Succeeded", "Failed") or pod["metadata"].get("deletionTimestamp"):
        return
    labels = pod["metadata"].get("labels") or {}
    store = call.cluster.store
    budgets = [b for b in store.list(PDB, call.namespace) if selects(dig(b, "spec.selector"), labels)]
    if len(budgets) > 1:
        raise failure(
            500,
            "InternalError",
            "This pod has more than one PodDisruptionBudget, which the eviction subresource does not support.",
        )
    for budget in budgets:
        name, status = budget["metadata"]["name"], budget.get("status") or {}
        allowed = status.get("disruptionsAllowed", 0)
        if allowed <= 0:
            message = (
                f"The disruption budget {name} needs {status.get('desiredHealthy', 0)} healthy pods and has "
                f"{status.get('currentHealthy', 0)} currently"
            )
            cause = {"reason": "DisruptionBudget", "message": message}
            text = "Cannot evict pod as it would violate the pod's disruption budget."
            raise failure(429, "TooManyRequests", text, {"causes": [cause]})
        if not call.dry_run:
            store.change(PDB, call.namespace, name, _one_less)


def _one_less(budget: Object) -> None:
    budget["status"]["disruptionsAllowed"] -= 1


async def bind(call: Call, request: web.Request) -> web.StreamResponse:
    """A binding: the node that a pod is to run on."""
    if request.method != "POST":
        raise method_not_allowed()
    verbs.prepare(call, request, "CreateOptions")
    binding = bodies.read(
        await request.read(), request.headers.get("Content-Type", ""), call, types.struct("core/v1.Binding")
    )
    node = dig(binding, "target.name")
    if not node:
        raise invalid("", "Binding", call.name, [fields.required("target.name")])
    name = call.name or dig(binding, "metadata.name") or ""
    pod = verbs.existing(Call(call.cluster, POD, call.namespace, name))
    if dig(pod, "spec.nodeName"):
        raise conflict(POD, name, f'pod {name} is already assigned to node "{pod["spec"]["nodeName"]}"')
    if not call.dry_run:
        call.cluster.store.change(POD, call.namespace, name, lambda obj: obj["spec"].update(nodeName=node))
    return answers.answer(success(code=201), request, code=201)
