"""One cluster's API server behind a chain of middlewares: journal, faults, errors, authentication."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from aiohttp import web
from aiohttp.typedefs import Handler

from ..kinds import CRD
from ..store import Change
from . import answers, customs, roles
from .access import Tokens
from .context import MASTERS, User
from .quotas import QuotaStatus
from .router import Router
from .status import ApiError, failure, unauthorized
from .watch import Hub

if TYPE_CHECKING:
    from ..cluster import Cluster

_LOG = logging.getLogger(__name__)
_BODY_LIMIT = 3 * 1024 * 1024
_OPEN = ("/healthz", "/livez", "/readyz", "/version")
VERSION = {
    "major": "1",
    "minor": "33",
    "emulationMajor": "1",
    "emulationMinor": "33",
    "minCompatibilityMajor": "1",
    "minCompatibilityMinor": "32",
    "gitVersion": "v1.33.13+emulated",
    "gitCommit": "0000000000000000000000000000000000000000",
    "gitTreeState": "emulated",
    "buildDate": "1970-01-01T00:00:00Z",
    "goVersion": "none",
    "compiler": "none",
    "platform": "linux/amd64",
}
USER = web.RequestKey("user", User)
HUB = web.AppKey("hub", Hub)


def create_app(
    cluster: Cluster, admin_token: str, *, outer: Sequence[Any] = (), watch_list: bool = False
) -> web.Application:
    """The API of a cluster. `outer` are middlewares around everything (journal, faults), outermost first;
    `watch_list` is the feature gate that lets watches begin with initial events."""
    store = cluster.store
    tokens = Tokens(admin_token, store)
    cluster.service_account_token = tokens.of_pod
    cluster.authenticate = tokens.user
    roles.seed(store)
    hub = Hub(store)
    router = Router(cluster, tokens, hub, VERSION, watch_list=watch_list)
    app = web.Application(middlewares=[*outer, _errors, _authentication(tokens)], client_max_size=_BODY_LIMIT)
    app[HUB] = hub

    async def handle(request: web.Request) -> web.StreamResponse:
        return await router.handle(request, request[USER])

    app.router.add_route("*", "/{path:.*}", handle)

    def withdrawn(change: Change) -> None:
        if change.kind is CRD and change.type == "DELETED":
            customs.withdraw(store, change.object)

    unsubscribe = store.subscribe(withdrawn)
    quotas = QuotaStatus(cluster)

    async def close(_: web.Application) -> None:
        hub.close()
        quotas.close()
        unsubscribe()

    app.on_shutdown.append(close)
    return app


@web.middleware
async def _errors(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Turns refusals into Status bodies; what was not foreseen is a 500 that says so."""
    try:
        return await handler(request)
    except ApiError as error:
        return answers.refusal(error, request)
    except web.HTTPRequestEntityTooLarge:
        message = f"Request entity too large: limit is {_BODY_LIMIT}"
        return answers.refusal(failure(413, "RequestEntityTooLarge", message), request)
    except web.HTTPException:
        raise
    except Exception:
        _LOG.exception("%s %s failed", request.method, request.path)
        message = "Internal error occurred: the sandbox failed at this request; its log has the reason"
        return answers.refusal(failure(500, "InternalError", message), request)


def _authentication(tokens: Tokens) -> Any:
    @web.middleware
    async def authenticate(request: web.Request, handler: Handler) -> web.StreamResponse:
        scheme, _, token = request.headers.get("Authorization", "").partition(" ")
        user = tokens.user(token.strip()) if scheme.lower() == "bearer" else None
        if user is None:
            if token or request.path not in _OPEN:
                raise unauthorized()
            user = User("system:anonymous", ("system:unauthenticated",))
        request[USER] = _impersonated(request, user)
        return await handler(request)

    return authenticate


def _impersonated(request: web.Request, user: User) -> User:
    name = request.headers.get("Impersonate-User")
    if not name:
        return user
    if MASTERS not in user.groups:
        message = (
            f'users "{name}" is forbidden: User "{user.name}" cannot impersonate resource "users" in API group "" '
            "at the cluster scope"
        )
        raise failure(403, "Forbidden", message, {"name": name, "kind": "users"})
    groups = tuple(request.headers.getall("Impersonate-Group", []))
    if name.startswith("system:serviceaccount:"):
        namespace = name.split(":")[2]
        groups += ("system:serviceaccounts", f"system:serviceaccounts:{namespace}")
    return User(name, (*groups, "system:authenticated"))
