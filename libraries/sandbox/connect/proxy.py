"""pods/proxy, services/proxy and nodes/proxy: HTTP through the API server to what an emulated container answers."""

from __future__ import annotations

import secrets
from typing import TYPE_CHECKING, Any

from aiohttp import web

from .. import kinds
from ..api.status import ApiError, bad_request, failure, not_emulated, not_found
from ..runtime import NotHttp, Refused, Request
from .measures import summary
from .processes import to_process
from .targets import pod_of, unreachable

if TYPE_CHECKING:
    from ..cluster import Cluster

Object = dict[str, Any]
_HOP_BY_HOP = frozenset(
    ("connection", "upgrade", "transfer-encoding", "content-length", "host", "authorization", "accept-encoding")
)

METRICS = """# HELP kubelet_cgroup_version [ALPHA] cgroup version on the hosts.
# TYPE kubelet_cgroup_version gauge
kubelet_cgroup_version 2
"""
"""What is emulated of cgroups is of version 2. Source: pkg/kubelet/metrics/metrics.go of kubernetes/kubernetes."""


def _unavailable(message: str) -> ApiError:
    return failure(503, "ServiceUnavailable", message)


def _split(name: str, what: str) -> tuple[str, str, str]:
    """Scheme, name and port of `[scheme:]name[:port]`. Raises 400."""
    parts = name.split(":")
    if len(parts) == 1:
        return "", parts[0], ""
    if len(parts) == 2:
        return "", parts[0], parts[1]
    if len(parts) == 3 and parts[0] in ("", "http", "https"):
        return parts[0], parts[1], parts[2]
    raise bad_request(f'invalid {what} request "{name}"')


async def pod_proxy(request: web.Request, cluster: Cluster, namespace: str, name: str, rest: str) -> web.StreamResponse:
    """A request to a pod's port (the first containerPort when none is named)."""
    scheme, pod_name, port = _split(name, "pod")
    pod = pod_of(cluster, namespace, pod_name)
    if not pod.get("status", {}).get("podIP"):
        raise bad_request("address not allowed")
    if not port:
        ports = [p["containerPort"] for c in pod["spec"]["containers"] for p in c.get("ports") or []]
        port = str(ports[0]) if ports else "443" if scheme == "https" else "80"
    if not port.isdigit():
        raise bad_request(f'invalid pod request "{name}"')
    return await _forward(request, cluster, (pod, int(port)), rest, scheme)


async def service_proxy(
    request: web.Request, cluster: Cluster, namespace: str, name: str, rest: str
) -> web.StreamResponse:
    """A request to one of a Service's ready endpoints, by the Service's port name or number."""
    scheme, service_name, port_name = _split(name, "service")
    service = cluster.store.get(kinds.SERVICE, namespace, service_name)
    if service is None:
        raise not_found(kinds.SERVICE, service_name)
    ports = service["spec"].get("ports") or []
    if not port_name and len(ports) == 1:
        port = ports[0]
    else:
        named = [p for p in ports if port_name in (p.get("name", ""), str(p["port"]))]
        if not named:
            raise _unavailable(f'no service port "{port_name}" found for service "{service_name}"')
        port = named[0]
    endpoints = cluster.network.service_endpoints(service, port)
    if not endpoints:
        raise _unavailable(f'no endpoints available for service "{service_name}"')
    chosen = secrets.choice(endpoints)
    if (namespace, service_name) in cluster.network.unreachable:
        raise _no_answer(f"{chosen[0]['status']['podIP']}:{chosen[1]}")
    return await _forward(request, cluster, chosen, rest, scheme)


def _no_answer(address: str) -> ApiError:
    return _unavailable(f"error trying to reach service: dial tcp {address}: i/o timeout")


async def _forward(
    request: web.Request, cluster: Cluster, target: tuple[Object, int], rest: str, scheme: str
) -> web.StreamResponse:
    pod, port = target
    address = f"{pod['status']['podIP']}:{port}"
    if cluster.network.down(pod["metadata"]["uid"]):
        raise _no_answer(address)
    if cluster.real_ports and (real := cluster.real_ports.at(pod["status"]["podIP"], port)):
        return await to_process(request, scheme or "http", real, rest)
    if request.headers.get("Upgrade"):
        raise not_emulated(f"an upgrade to {request.headers['Upgrade']} through the proxy")
    if scheme == "https":
        raise _unavailable("error trying to reach service: http: server gave HTTP response to HTTPS client")
    path = "/" + rest.lstrip("/") + (f"?{request.query_string}" if request.query_string else "")
    headers = {k: v for k, v in request.headers.items() if k.lower() not in _HOP_BY_HOP}
    headers |= {"Host": address, "X-Forwarded-For": request.remote or "127.0.0.1"}
    node = cluster.node_address(pod["spec"]["nodeName"])
    asked = Request(request.method, path, headers, await request.read(), node)
    await cluster.runtime.thaw(pod["metadata"]["uid"])
    try:
        answer = cluster.runtime.http(pod["metadata"]["uid"], port, asked)
    except Refused:
        message = f"error trying to reach service: dial tcp {address}: connect: connection refused"
        raise _unavailable(message) from None
    except NotHttp:
        broken = "net/http: HTTP/1.x transport connection broken: malformed HTTP response"
        raise _unavailable(f"error trying to reach service: {broken}") from None
    cluster.runtime.keep_alive(pod["metadata"]["uid"], port, node)
    return web.Response(status=answer.status, body=answer.body, headers=answer.headers)


async def node_proxy(
    request: web.Request, cluster: Cluster, _namespace: str, name: str, rest: str
) -> web.StreamResponse:
    """What a kubelet serves: its health, its pods, its summary of their use, checkpoints, one metric; no more."""
    node_name = _split(name, "node")[1]
    node = cluster.store.get(kinds.NODE, None, node_name)
    if node is None:
        raise not_found(kinds.NODE, node_name)
    if cluster.kubelet.trouble[node_name].down:
        raise unreachable(cluster, node_name)
    path = rest.strip("/")
    if path == "healthz":
        return web.Response(body=b"ok", headers={"Content-Type": "text/plain; charset=utf-8"})
    if path == "pods":
        pods = cluster.index.on_node(node_name)
        return web.json_response({"kind": "PodList", "apiVersion": "v1", "metadata": {}, "items": pods})
    if path == "stats/summary":
        return web.json_response(summary(cluster, node))
    if path == "configz":
        gates = {"ContainerCheckpoint": False} if cluster.kubelet.trouble[node_name].no_checkpoints else {}
        return web.json_response({"kubeletconfig": {"kind": "KubeletConfiguration", "featureGates": gates}})
    if path == "metrics":
        return web.Response(text=METRICS, content_type="text/plain")
    if path.startswith("checkpoint/") and cluster.checkpoints:
        return await cluster.checkpoints.answer(request, node_name, path.removeprefix("checkpoint/"))
    raise not_emulated(f"the kubelet's /{path}")
