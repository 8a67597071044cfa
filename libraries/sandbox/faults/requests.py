"""Faults that befall requests: which requests, and what becomes of them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from aiohttp import web
from aiohttp.typedefs import Handler

from .activation import Activation
from .answers import Act, Exchange
from .declaration import Injection
from .scene import Scene

_VERBS = {"POST": "create", "PUT": "update", "PATCH": "patch"}
_NAMESPACE_SUBRESOURCES = ("status", "finalize")


@dataclass(frozen=True)
class Asked:
    """What a request is for.

    Attributes:
        verb: as Kubernetes' authorization has it (get, list, watch, create ...); at the propagator the HTTP method.
        resource: plural, with the subresource if any (`pods/log`); at the propagator the route without its prefix.
    """

    verb: str
    resource: str
    namespace: str = ""
    name: str = ""

    @property
    def kind(self) -> str:
        """Requests of the same kind are alike."""
        return f"{self.verb} {self.resource}"

    @property
    def pod(self) -> str:
        """The pod that it names."""
        return self.name if self.resource.split("/", 1)[0] == "pods" else ""


Choice = Callable[[Asked], bool]


def of_kubernetes(request: web.Request) -> Asked:
    """What a request to the Kubernetes API is for; discovery and the like are `get` of the resource ``."""
    parts = [part for part in request.path.split("/") if part]
    head = 2 if parts[:1] == ["api"] else 3
    rest = parts[head:]
    if parts[:1] not in (["api"], ["apis"]) or not rest:
        return Asked("get", "", name=request.path)
    namespace = ""
    if rest[0] == "namespaces" and len(rest) > 2 and rest[2] not in _NAMESPACE_SUBRESOURCES:
        namespace, rest = rest[1], rest[2:]
    name = rest[1] if len(rest) > 1 else ""
    resource = f"{rest[0]}/{rest[2]}" if len(rest) > 2 else rest[0]
    return Asked(_verb(request, name), resource, namespace, name or _selected(request))


def _verb(request: web.Request, name: str) -> str:
    if request.method == "GET":
        return "get" if name else "watch" if request.query.get("watch") in ("1", "true", "True") else "list"
    if request.method == "DELETE":
        return "delete" if name else "deletecollection"
    return _VERBS.get(request.method, "get")


def _selected(request: web.Request) -> str:
    """The name that a list or watch is limited to."""
    selector = request.query.get("fieldSelector", "")
    return selector.removeprefix("metadata.name=") if selector.startswith("metadata.name=") else ""


def of_propagator(request: web.Request) -> Asked:
    """What a request to the propagator is for."""
    route = request.match_info.route.resource
    path = route.canonical if route else request.path
    return Asked(request.method, "/" + path.lstrip("/").partition("/")[2])


_READ: dict[str, Callable[[web.Request], Asked]] = {"kubernetes": of_kubernetes, "propagator": of_propagator}


def _any(_: Asked) -> bool:
    return True


def on_requests(server: str, act: Act, only: Choice = _any) -> Injection:
    """The injection that lets `act` answer the requests that `only` chooses."""

    async def inject(scene: Scene, active: Activation) -> None:
        async def hook(request: web.Request, handler: Handler) -> web.StreamResponse:
            asked = _READ[server](request)
            if not only(asked) or not active.takes(asked.namespace, asked.pod, asked.kind):
                return await handler(request)
            return await act(Exchange(request, handler, active, scene))

        active.on_list(scene.gates[server].hooks, hook)

    return inject
