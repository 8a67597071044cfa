"""Connecting subresources: logs, exec, port-forward, and HTTP through the API server's proxy.

`HANDLERS[(plural, subresource)]` is called as `handler(request, cluster, namespace, name, rest)` after authorization;
refusals are raised as `api.status.ApiError`.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING

from aiohttp import web

from .attaches import pod_attach
from .execs import pod_exec
from .logs import pod_log
from .portforward import pod_portforward
from .proxy import node_proxy, pod_proxy, service_proxy

if TYPE_CHECKING:
    from ..cluster import Cluster

__all__ = ["HANDLERS", "Handler"]

Handler = Callable[[web.Request, "Cluster", str, str, str], Awaitable[web.StreamResponse]]


HANDLERS: dict[tuple[str, str], Handler] = {
    ("pods", "log"): pod_log,
    ("pods", "exec"): pod_exec,
    ("pods", "proxy"): pod_proxy,
    ("services", "proxy"): service_proxy,
    ("nodes", "proxy"): node_proxy,
    ("pods", "attach"): pod_attach,
    ("pods", "portforward"): pod_portforward,
}
