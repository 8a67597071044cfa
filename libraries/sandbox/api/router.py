"""From a path to a verb: which resource, which object, may he, and who answers."""

from __future__ import annotations

from typing import TYPE_CHECKING

from aiohttp import web

from ..connect import measures
from ..kinds import BINDING, ENDPOINTS, Kind
from . import access, answers, discovery, openapi, reviews, scale, subresources, verbs, watch
from .access import Action, Tokens
from .context import Call, User
from .options import boolean
from .status import method_not_allowed, no_such_resource, not_emulated

if TYPE_CHECKING:
    from ..cluster import Cluster

_VERBS = {"GET": "get", "POST": "create", "PUT": "update", "PATCH": "patch", "DELETE": "delete"}
_ENDPOINTS_WARNING = "v1 Endpoints is deprecated in v1.33+; use discovery.k8s.io/v1 EndpointSlice"
_NAMESPACE_SUBRESOURCES = ("status", "finalize")


class Router:
    """Routes the requests of one cluster."""

    def __init__(
        self, cluster: Cluster, tokens: Tokens, hub: watch.Hub, version: dict[str, str], *, watch_list: bool
    ) -> None:
        self._cluster = cluster
        self._tokens = tokens
        self._hub = hub
        self._watch_list = watch_list
        self._discovery = discovery.Discovery(cluster.store, version)
        self._openapi = openapi.OpenApi(cluster.store)

    async def handle(self, request: web.Request, user: User) -> web.StreamResponse:
        """Answers a request. Raises ApiError."""
        parts = [part for part in request.path.split("/") if part]
        if parts[:1] == ["api"] and len(parts) > 2 and parts[1] == "v1":
            return await self._resource(request, user, "", "v1", parts[2:])
        if parts[:1] == ["apis"] and len(parts) > 3:
            return await self._resource(request, user, parts[1], parts[2], parts[3:])
        self._authorize(user, Action(_VERBS.get(request.method, "get"), path=request.path), None)
        if parts[:1] == ["openapi"]:
            return self._openapi.answer(request, parts[1:])
        return self._discovery.answer(request, parts)

    async def _resource(
        self, request: web.Request, user: User, group: str, version: str, parts: list[str]
    ) -> web.StreamResponse:
        namespace = ""
        if parts[0] == "namespaces" and len(parts) > 2 and parts[2] not in _NAMESPACE_SUBRESOURCES:
            namespace, parts = parts[1], parts[2:]
        watching = parts[0] == "watch"
        if watching:
            parts = parts[1:]
        kind = self._cluster.store.registry.by_resource(group, version, parts[0]) if parts else None
        if kind is None:
            return self._unknown(group, version)
        call = Call(self._cluster, kind, namespace, user=user)
        call.name = parts[1] if len(parts) > 1 else ""
        call.subresource = parts[2] if len(parts) > 2 else ""
        if (namespace and not kind.namespaced) or (call.subresource and call.subresource not in kind.subresources):
            raise no_such_resource()
        watching = request.method == "GET" and not call.subresource and (watching or boolean(request.query, "watch"))
        self._authorize(user, _action(call, request, watching=watching), kind)
        if kind is ENDPOINTS:
            call.warnings.append(_ENDPOINTS_WARNING)
        if watching and "watch" in kind.verbs:
            form = answers.form(request)
            return await watch.serve(call, request, self._hub, form, watch_list=self._watch_list)
        return await self._dispatch(call, request, "/".join(parts[3:]))

    def _unknown(self, group: str, version: str) -> web.StreamResponse:
        if self._discovery.serves(group, version):
            raise no_such_resource()
        return answers.text("404 page not found\n", 404)

    def _authorize(self, user: User, action: Action, kind: Kind | None) -> None:
        if not access.allowed(self._cluster.store, user, action):
            raise access.refused(user, action, kind)

    async def _dispatch(self, call: Call, request: web.Request, rest: str) -> web.StreamResponse:
        method = request.method
        if call.kind in measures.KINDS:
            return await measures.serve(call, request)
        if call.subresource:
            return await self._subresource(call, request, rest)
        if reviews.is_review(call.kind):
            return await reviews.answer(call, request, self._tokens)
        if call.kind is BINDING and method == "POST" and call.namespace and not call.name:
            return await subresources.bind(call, request)
        if not call.name:
            return await self._collection(call, request)
        handlers = {"GET": verbs.get, "PUT": verbs.update, "PATCH": verbs.patch, "DELETE": verbs.delete}
        handler = handlers.get(method)
        if handler is None or (call.kind.namespaced and not call.namespace):
            raise method_not_allowed()
        return await handler(call, request)

    async def _collection(self, call: Call, request: web.Request) -> web.StreamResponse:
        method = request.method
        if method == "GET" and "list" in call.kind.verbs:
            return await verbs.list_(call, request)
        if call.kind.namespaced and not call.namespace:
            raise method_not_allowed()
        if method == "POST" and "create" in call.kind.verbs:
            return await verbs.create(call, request)
        if method == "DELETE" and "deletecollection" in call.kind.verbs:
            return await verbs.delete_collection(call, request)
        raise method_not_allowed()

    async def _subresource(self, call: Call, request: web.Request, rest: str) -> web.StreamResponse:
        name, method = call.subresource, request.method
        if name in subresources.CONNECTING:
            return await subresources.connect(call, request, rest)
        if name == "token":
            return await subresources.token(call, request, self._tokens)
        own = {"scale": scale.serve, "eviction": subresources.evict, "binding": subresources.bind}.get(name)
        if own is not None:
            return await own(call, request)
        if name not in ("status", "finalize"):
            raise not_emulated(f"{call.kind.plural}/{name}")
        status_handlers = {"GET": verbs.get, "PUT": verbs.update, "PATCH": verbs.patch}
        handler = (status_handlers if name == "status" else {"PUT": verbs.finalize}).get(method)
        if handler is None:
            raise method_not_allowed()
        return await handler(call, request)


def _action(call: Call, request: web.Request, *, watching: bool) -> Action:
    verb = _VERBS.get(request.method, "get")
    if call.subresource in subresources.CONNECTING and call.subresource != "log":
        verb = {"GET": "get", "POST": "create"}.get(request.method, verb)
    elif watching:
        verb = "watch"
    elif not call.name and request.method == "GET":
        verb = "list"
    elif not call.name and request.method == "DELETE":
        verb = "deletecollection"
    resource = f"{call.kind.plural}/{call.subresource}" if call.subresource else call.kind.plural
    namespace = call.name if call.kind.plural == "namespaces" and not call.kind.group else call.namespace
    return Action(verb, call.kind.group, resource, namespace, call.name)
