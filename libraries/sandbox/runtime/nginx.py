"""An nginx-like server: `stub_status`, pages of the file tree and `return`, as the configuration of its start says.

The configuration's form: nginx.org, "Beginner's Guide" and "Module ngx_http_core_module". Directives in `_REFUSED` make
the place where they stand answer 501; others that are not known change nothing.
"""

from __future__ import annotations

import fnmatch
import re
import time
from collections.abc import Iterator
from dataclasses import dataclass
from http import HTTPStatus
from typing import TYPE_CHECKING

from .files import FileTree
from .images import NGINX_VERSION
from .requests import Request, Response

if TYPE_CHECKING:
    from .container import Container

MAIN = "/etc/nginx/nginx.conf"
_TOKEN = re.compile(r"""\s+|\#[^\n]*|"((?:[^"\\]|\\.)*)"|'((?:[^'\\]|\\.)*)'|([{};])|([^\s{};"']+)""")
_REFUSED = ("proxy_pass", "fastcgi_pass", "rewrite", "alias", "if")
_TYPES = {".html": "text/html", ".txt": "text/plain", ".json": "application/json", ".css": "text/css"}
_STATUS = "Active connections: 1 \nserver accepts handled requests\n {0} {0} {0} \nReading: 0 Writing: 1 Waiting: 0 \n"
_ERROR_PAGE = (
    "<html>\r\n<head><title>{0} {1}</title></head>\r\n<body>\r\n<center><h1>{0} {1}</h1></center>\r\n"
    "<hr><center>nginx/{2}</center>\r\n</body>\r\n</html>\r\n"
)


@dataclass(frozen=True)
class Directive:
    """A line of the configuration, or a block of them."""

    words: tuple[str, ...]
    block: tuple[Directive, ...] = ()

    @property
    def name(self) -> str:
        """Its first word."""
        return self.words[0] if self.words else ""

    def all(self, name: str) -> list[Directive]:
        """The directives of a name in the block."""
        return [each for each in self.block if each.name == name]

    def value(self, name: str) -> str:
        """The first argument of a directive in the block, or nothing."""
        return next((each.words[1] for each in self.all(name) if len(each.words) > 1), "")


def configuration(files: FileTree, main: str = MAIN) -> Directive:
    """The `http` block as nginx reads it at its start. Raises FileNotFoundError for a file that is not there."""
    top = Directive((), _included(files, files.read(main).decode(errors="replace"), 0))
    return next(iter(top.all("http")), Directive(("http",)))


def _included(files: FileTree, text: str, depth: int) -> tuple[Directive, ...]:
    return tuple(_expanded(files, _parsed(iter(_tokens(text))), depth))


def _expanded(files: FileTree, directives: list[Directive], depth: int) -> list[Directive]:
    found: list[Directive] = []
    for each in directives:
        if each.name == "include" and len(each.words) == 2 and depth < 4:
            pattern = each.words[1] if each.words[1].startswith("/") else f"/etc/nginx/{each.words[1]}"
            for path in sorted(fnmatch.filter(files.paths(), pattern)):
                found += _included(files, files.read(path).decode(errors="replace"), depth + 1)
        else:
            found.append(Directive(each.words, tuple(_expanded(files, list(each.block), depth))))
    return found


def _tokens(text: str) -> list[tuple[str, bool]]:
    """The words, each with whether it is a mark (`{`, `}`, `;`)."""
    found = []
    for match in _TOKEN.finditer(text):
        double, single, mark, word = match.groups()
        value = next((each for each in (double, single, mark, word) if each is not None), None)
        if value is not None:
            found.append((value, mark is not None))
    return found


def _parsed(tokens: Iterator[tuple[str, bool]]) -> list[Directive]:
    found: list[Directive] = []
    words: list[str] = []
    for value, is_mark in tokens:
        if not is_mark:
            words.append(value)
        elif value == "}":
            return found
        elif words or value == "{":
            found.append(Directive(tuple(words), tuple(_parsed(tokens)) if value == "{" else ()))
            words = []
    return found


def ports(http: Directive) -> set[int]:
    """The ports of all servers."""
    return {port for server in http.all("server") for port in _ports(server)}


def _ports(server: Directive) -> set[int]:
    listened = {each.words[1].rsplit(":", 1)[-1] for each in server.all("listen") if len(each.words) > 1}
    return {int(text) for text in listened if text.isdigit()} or ({80} if not listened else set())


def answer(container: Container, http: Directive, port: int, request: Request, now: int) -> Response:
    """What nginx says to a request on one of its ports; it is counted and logged."""
    assert container.machine is not None
    counters = container.machine.memory.counters
    counters["requests"] = counters.get("requests", 0) + 1
    server = next(each for each in http.all("server") if port in _ports(each))
    path = request.path.split("?", 1)[0]
    place = _location(server, path) or server
    response = _located(container, server, place, path, counters["requests"])
    version = _version(container)
    if response.status >= 400 and not response.body:
        phrase = HTTPStatus(response.status).phrase
        response.body = _ERROR_PAGE.format(response.status, phrase, version).encode()
        response.headers["Content-Type"] = "text/html"
    response.headers |= {
        "Server": f"nginx/{version}",
        "Date": time.strftime("%a, %d %b %Y %H:%M:%S GMT", time.gmtime(container.clock(now) // 10**9)),
    }
    if "off" not in (place.value("access_log"), server.value("access_log"), http.value("access_log")):
        _log_access(container, request, response, now)
    if request.method == "HEAD":
        response.body = b""
    return response


def _version(container: Container) -> str:
    """The version of the image's tag (nginx:1.27.3), as far as it names one."""
    named = container.image.version
    return named if named.count(".") == 2 else f"{named}.0" if named else NGINX_VERSION


def _located(container: Container, server: Directive, place: Directive, path: str, requests: int) -> Response:
    refused = next((each.name for each in place.block if each.name in _REFUSED), "")
    if refused:
        return Response(501, f"emulated nginx: {refused} is not emulated\n".encode(), {"Content-Type": "text/plain"})
    if place.all("stub_status"):
        return Response(200, _STATUS.format(requests).encode(), {"Content-Type": "text/plain"})
    for returned in [*place.all("return"), *server.all("return")][:1]:
        status, text = returned.words[1], " ".join(returned.words[2:]).replace("\\n", "\n")
        if not status.isdigit():
            status, text = "302", status
        if status in ("301", "302", "303", "307", "308"):
            return Response(int(status), headers={"Location": text})
        return Response(int(status), text.encode(), {"Content-Type": "text/plain"})
    root = place.value("root") or server.value("root") or "/etc/nginx/html"
    return _page(container.files, root.rstrip("/"), path)


def _location(server: Directive, path: str) -> Directive | None:
    best, length = None, -1
    for each in server.all("location"):
        *modifier, place = each.words[1:]
        if modifier == ["="] and place == path:
            return each
        if modifier in ([], ["^~"]) and path.startswith(place) and len(place) > length:
            best, length = each, len(place)
    return best


def _page(files: FileTree, root: str, path: str) -> Response:
    name = root + (path if not path.endswith("/") else path + "index.html")
    try:
        body = files.read(name)
    except FileNotFoundError:
        return Response(404 if not path.endswith("/") else 403)
    except IsADirectoryError:
        return Response(301, headers={"Location": path + "/"})
    kind = next((kind for end, kind in _TYPES.items() if name.endswith(end)), "application/octet-stream")
    return Response(200, body, {"Content-Type": kind})


def _log_access(container: Container, request: Request, response: Response, now: int) -> None:
    at = time.strftime("%d/%b/%Y:%H:%M:%S +0000", time.gmtime(container.clock(now) // 10**9))
    headers = {name.lower(): value for name, value in request.headers.items()}
    line = (
        f"{request.client} - - [{at}] "
        f'"{request.method} {request.path} HTTP/1.1" {response.status} {len(response.body)} '
        f'"{headers.get("referer", "-")}" "{headers.get("user-agent", "-")}" "{headers.get("x-forwarded-for", "-")}"\n'
    )
    container.write(now, "stdout", line.encode())
