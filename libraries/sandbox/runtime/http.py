"""HTTP in an emulated container: nginx with its status, its pages and simple locations; stand-ins for the rest."""

from __future__ import annotations

import re
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import TYPE_CHECKING

from .images import NGINX_VERSION

if TYPE_CHECKING:
    from .container import Container

_LOCATION = re.compile(r"location\s+(=\s*|\^~\s*)?(/\S*)\s*\{([^{}]*)\}")
_LISTEN = re.compile(r"listen\s+(?:\S*:)?(\d+)")
_RETURN = re.compile(r"return\s+(\d{3})(?:\s+(?:'([^']*)'|\"([^\"]*)\"|([^;]+)))?\s*;")
_ROOT = re.compile(r"root\s+([^;]+);")
_TYPES = {".html": "text/html", ".txt": "text/plain", ".json": "application/json", ".css": "text/css"}
_STATUS = "Active connections: 1 \nserver accepts handled requests\n {0} {0} {0} \nReading: 0 Writing: 1 Waiting: 0 \n"
_ERROR_PAGE = (
    "<html>\r\n<head><title>{0} {1}</title></head>\r\n<body>\r\n<center><h1>{0} {1}</h1></center>\r\n"
    "<hr><center>nginx/{2}</center>\r\n</body>\r\n</html>\r\n"
)


@dataclass(frozen=True)
class Request:
    """A request that reached a container; `client` is the address that it came from."""

    method: str = "GET"
    path: str = "/"
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes = b""
    client: str = "10.244.0.1"


@dataclass
class Response:
    """What the container answered."""

    status: int
    body: bytes = b""
    headers: dict[str, str] = field(default_factory=dict)


class Refused(Exception):
    """Nothing listens on the port."""


def answer(container: Container, port: int, request: Request, now: int) -> Response:
    """What the container says to a request on this port. Raises Refused when nothing listens there."""
    if port not in listening(container):
        raise Refused(f"connect: connection refused on port {port}")
    if container.is_stand_in:
        return Response(200, b"emulated container\n", {"Server": "emulated", "Content-Type": "text/plain"})
    return _nginx(container, request, now)


def listening(container: Container) -> set[int]:
    """The ports on which something listens now."""
    if not container.running:
        return set()
    if container.is_stand_in:
        return container.declared_ports
    if container.machine is None or "nginx" not in container.machine.memory.serves:
        return set()
    found = {int(port) for port in _LISTEN.findall(_configuration(container, defaults=False))}
    return found or {80} | container.container_ports


def _configuration(container: Container, *, defaults: bool) -> str:
    """nginx's configuration: what was mounted or written, and (with `defaults`) the image's own."""
    texts = []
    for path in container.files.paths():
        if path.startswith("/etc/nginx/") and path.endswith(".conf"):
            text = container.files.read(path)
            if defaults or text != container.image.files.get(path):
                texts.append(text.decode(errors="replace"))
    return "\n".join(re.sub(r"#[^\n]*", "", text) for text in texts)


def _nginx(container: Container, request: Request, now: int) -> Response:
    assert container.machine is not None
    counters = container.machine.memory.counters
    counters["requests"] = counters.get("requests", 0) + 1
    path = request.path.split("?", 1)[0]
    response = _location(container, path, counters["requests"]) or _page(container, path)
    version = _version(container)
    if response.status >= 400 and not response.body:
        phrase = HTTPStatus(response.status).phrase
        response.body = _ERROR_PAGE.format(response.status, phrase, version).encode()
        response.headers["Content-Type"] = "text/html"
    response.headers |= {
        "Server": f"nginx/{version}",
        "Date": time.strftime("%a, %d %b %Y %H:%M:%S GMT", time.gmtime(now // 10**9)),
    }
    _log_access(container, request, response, now)
    if request.method == "HEAD":
        response.body = b""
    return response


def _version(container: Container) -> str:
    """The version of the image's tag (nginx:1.27.3), as far as it names one."""
    named = container.image.files.get("/etc/nginx/.version", b"").decode()
    return named if named.count(".") == 2 else f"{named}.0" if named else NGINX_VERSION


def _location(container: Container, path: str, requests: int) -> Response | None:
    found = _LOCATION.findall(_configuration(container, defaults=True))
    exact = [each for each in found if each[0].strip() == "=" and each[1] == path]
    prefixed = [each for each in found if each[0].strip() != "=" and path.startswith(each[1])]
    prefixed.sort(key=lambda each: -len(each[1]))
    for _, _, body in (exact + prefixed)[:1]:
        if "stub_status" in body:
            return Response(200, _STATUS.format(requests).encode(), {"Content-Type": "text/plain"})
        if returned := _RETURN.search(body):
            text = next((g for g in returned.groups()[1:] if g), "").replace("\\n", "\n")
            return Response(int(returned.group(1)), text.encode(), {"Content-Type": "text/plain"})
    return None


def _page(container: Container, path: str) -> Response:
    roots = _ROOT.findall(_configuration(container, defaults=False)) or ["/usr/share/nginx/html"]
    name = roots[0].strip().rstrip("/") + (path if not path.endswith("/") else path + "index.html")
    try:
        body = container.files.read(name)
    except FileNotFoundError:
        return Response(404 if not path.endswith("/") else 403)
    except IsADirectoryError:
        return Response(301, headers={"Location": path + "/"})
    kind = next((kind for end, kind in _TYPES.items() if name.endswith(end)), "application/octet-stream")
    return Response(200, body, {"Content-Type": kind})


def _log_access(container: Container, request: Request, response: Response, now: int) -> None:
    at = time.strftime("%d/%b/%Y:%H:%M:%S +0000", time.gmtime(now // 10**9))
    headers = {name.lower(): value for name, value in request.headers.items()}
    line = (
        f"{request.client} - - [{at}] "
        f'"{request.method} {request.path} HTTP/1.1" {response.status} {len(response.body)} '
        f'"{headers.get("referer", "-")}" "{headers.get("user-agent", "-")}" "{headers.get("x-forwarded-for", "-")}"\n'
    )
    container.log.write(now, "stdout", line.encode())
