"""What listens in an emulated container, and what answers HTTP: nginx, and stand-ins for the rest."""

from __future__ import annotations

from typing import TYPE_CHECKING

from . import nginx
from .requests import Request, Response

if TYPE_CHECKING:
    from .container import Container


class Refused(Exception):
    """Nothing listens on the port."""


class NotHttp(Exception):
    """What listens on the port does not speak HTTP."""


def answer(container: Container, port: int, request: Request, now: int) -> Response:
    """What the container says to a request on this port. Raises Refused and NotHttp."""
    service = service_on(container, port)
    if not service:
        raise Refused(f"connect: connection refused on port {port}")
    memory = container.machine.memory if container.machine else None
    http = memory.nginx if memory else None
    if service == "nginx" and http:
        return nginx.answer(container, http, port, request, now)
    if service == "witness" and memory and memory.served:
        return memory.served.answer(request)
    if service == "stand-in":
        return Response(200, b"emulated container\n", {"Server": "emulated", "Content-Type": "text/plain"})
    raise NotHttp(f"port {port} speaks no HTTP")


def listening(container: Container) -> set[int]:
    """The ports on which something listens now."""
    if not container.running or container.machine is None:
        return set()
    if container.process_ports is not None:
        return set(container.process_ports)
    memory = container.machine.memory
    found = set(memory.ports) | (nginx.ports(memory.nginx) if memory.nginx else set())
    return found | (container.declared_ports if container.is_stand_in else set())


def service_on(container: Container, port: int) -> str:
    """What listens on a port: `nginx`, `redis`, `echo`, `witness`, `stand-in`, or nothing."""
    if port not in listening(container) or container.machine is None:
        return ""
    memory = container.machine.memory
    if port in memory.ports:
        return memory.ports[port]
    return "nginx" if memory.nginx and port in nginx.ports(memory.nginx) else "stand-in"


def keeps_alive(container: Container, port: int) -> bool:
    """Whether the server on a port keeps a connection for the next request: all do but those of HTTP/1.0."""
    return service_on(container, port) != "witness"
