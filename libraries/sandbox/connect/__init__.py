"""Connecting subresources: logs, exec, port-forward, and HTTP through the API server's proxy.

`HANDLERS[(plural, subresource)]` is called as `handler(request, cluster, namespace, name, rest)` after authorization;
refusals are raised as `api.status.ApiError`. What the sandbox does not emulate is refused with 501.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING

from aiohttp import web

from ..api.status import not_emulated
from .execs import pod_exec
from .logs import pod_log
from .portforward import pod_portforward
from .proxy import node_proxy, pod_proxy, service_proxy

if TYPE_CHECKING:
    from ..cluster import Cluster

__all__ = ["HANDLERS", "Handler"]

Handler = Callable[[web.Request, "Cluster", str, str, str], Awaitable[web.StreamResponse]]


def _refused(what: str) -> Handler:
    async def handler(
        _request: web.Request, _cluster: Cluster, _namespace: str, _name: str, _rest: str
    ) -> web.StreamResponse:
        raise not_emulated(what)

    return handler


HANDLERS: dict[tuple[str, str], Handler] = {
    ("pods", "log"): pod_log,
    ("pods", "exec"): pod_exec,
    ("pods", "proxy"): pod_proxy,
    ("services", "proxy"): service_proxy,
    ("nodes", "proxy"): node_proxy,
    ("pods", "attach"): _refused("attaching to a container's terminal"),
    ("pods", "portforward"): pod_portforward,
}
