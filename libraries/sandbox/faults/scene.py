"""What faults can take hold of in a running sandbox."""

from __future__ import annotations

import ssl
from collections.abc import Awaitable, Callable, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from aiohttp import web
from aiohttp.typedefs import Handler

from .. import kinds

if TYPE_CHECKING:
    from propagator_server.service import Service

    from ..cedana.backend import EmulatedBackend
    from ..cluster import Cluster
    from .activation import Activation
    from .declaration import Injection
    from .works import Works

Hook = Callable[[web.Request, Handler], Awaitable[web.StreamResponse]]
Serve = Callable[[ssl.SSLContext], AbstractAsyncContextManager[str]]
"""Serves the propagator over TLS too, for as long as the context is open; gives its URL."""


class Gate:
    """A middleware through which all requests of one server go; hooks answer in its place, or let them pass."""

    def __init__(self) -> None:
        self.hooks: list[Hook] = []

    def middleware(self) -> Any:
        """The middleware."""

        @web.middleware
        async def pass_on(request: web.Request, handler: Handler) -> web.StreamResponse:
            for hook in reversed(self.hooks):
                handler = _bound(hook, handler)
            return await handler(request)

        return pass_on


def _bound(hook: Hook, handler: Handler) -> Handler:
    async def through(request: web.Request) -> web.StreamResponse:
        return await hook(request, handler)

    return through


@dataclass
class Scene:
    """A sandbox as faults see it.

    Attributes:
        clusters: all there are.
        cluster: the one that it is about, where it is about one; else the first.
        gates: of the Kubernetes API (`kubernetes`) and of the propagator (`propagator`).
        works: every checkpoint, restore and removal goes through it.
    """

    clusters: Sequence[Cluster]
    cluster: Cluster
    backend: EmulatedBackend
    works: Works
    service: Service
    serve: Serve
    state_dir: Path
    gates: dict[str, Gate] = field(default_factory=dict)

    def at(self, namespace: str, pod: str) -> Scene:
        """The same in the cluster that has the pod, or else the namespace."""
        has_pod = [one for one in self.clusters if one.store.get(kinds.POD, namespace, pod)]
        has_namespace = [one for one in self.clusters if one.store.get(kinds.NAMESPACE, None, namespace)]
        return replace(self, cluster=[*has_pod, *has_namespace, self.cluster][0])


def in_each_cluster(inject: Injection) -> Injection:
    """An injection that is done in each cluster by itself."""

    async def everywhere(scene: Scene, active: Activation) -> None:
        for cluster in scene.clusters:
            await inject(replace(scene, cluster=cluster), active)

    return everywhere
