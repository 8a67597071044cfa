"""Ways to ask a witness: through a Service, at a URL, through a forwarded port; over HTTP, or as a redis client.

Every connection is closed before `take` returns, for an open one can make a checkpoint fail.
"""

from __future__ import annotations

import contextlib
import re
import socket
from collections.abc import Iterator
from dataclasses import dataclass
from http.client import HTTPConnection, HTTPException, HTTPSConnection
from io import BufferedRWPair
from typing import Protocol
from urllib.parse import urlsplit

from kubernetes.client.exceptions import ApiException

from harness.failures import WaitTimedOut
from harness.kube import Cluster
from harness.kube.endpoints import endpoints_of
from harness.kube.errors import server_words
from harness.kube.forwarding import Forwarded, forwarded
from harness.kube.proxying import Answer, Target, get

from . import witness
from .observation import Workload
from .sampled import REDIS, STUB_STATUS, Nature, Reading

TIMEOUT = 5.0
"""Seconds for one answer."""
CONNECTION_REQUESTS = 500
"""Requests after which a new connection is made; nginx closes one after 1000 (its `keepalive_requests`)."""
_STATUS = re.compile(r"server accepts handled requests\s+(\d+)\s+(\d+)\s+(\d+)")
_REDIS_LIMIT = 1 << 20  # bytes of an answer: a real INFO has some thousand, and what is no redis may send without end


class Unanswered(Exception):
    """No sample; the message says why. `unreached`: the process was not even asked, so that it cannot be blamed."""

    def __init__(self, why: str, *, unreached: bool = False) -> None:
        super().__init__(why)
        self.unreached = unreached


@dataclass(frozen=True)
class Way:
    """Where a witness is asked.

    Args:
        nature: what it is.
        route: `port-forward`, `service` or `url`.
        port: of the pod (forwarded), or of the Service: number or name; None where the Service has only one.
        path: of the witness, over HTTP.
        service: its name.
        url: of the witness; `redis://host:port` for redis.
        mark: what tells the counter of this observation from others, in redis.
    """

    nature: Nature
    route: str = "port-forward"
    port: str | None = None
    path: str = "/"
    service: str = ""
    url: str = ""
    mark: str = ""

    def __str__(self) -> str:
        where = {"service": f"Service {self.service}", "url": self.url}.get(self.route, f"forwarded port {self.port}")
        return f"{self.nature.name} witness at {where}"


class Asker(Protocol):
    """An open way to a witness."""

    def ask(self) -> Reading:
        """One answer. Raises Unanswered."""
        ...


def read_http(text: str) -> Reading:
    """A body of the witness protocol. Raises Unanswered."""
    step = witness.parse(text.strip("\r\n"))
    if step is None:
        raise Unanswered(f"it answers no line of a witness, but {text[:80]!r}")
    return Reading(step.number, step.nonce, witness.follows(step))


def read_stub_status(text: str) -> Reading:
    """nginx's page: the requests; nginx.org, "Module ngx_http_stub_status_module". Raises Unanswered."""
    found = _STATUS.search(text)
    if found is None:
        raise Unanswered(f"it answers no stub_status, but {text[:80]!r}")
    return Reading(int(found[3]))


@contextlib.contextmanager
def opened(cluster: Cluster, workload: Workload, uid: str, way: Way) -> Iterator[Asker]:
    """A way to ask the witness of that very pod, closed at the end.

    Args:
        uid: of the pod that is to be asked.

    Raises:
        Unanswered: it cannot be asked, or (inside the block) does not answer.
    """
    try:
        if way.nature is REDIS:
            with _redis_stream(cluster, workload, way) as stream:
                yield _RedisAsker(stream, way.mark)
        elif way.route == "service":
            yield _ServiceAsker(cluster, workload, uid, way)
        else:
            with contextlib.closing(_HttpAsker(cluster, workload, way)) as asker:
                yield asker
    except ApiException as problem:
        raise Unanswered(server_words(problem), unreached=True) from problem
    except (OSError, HTTPException, WaitTimedOut) as problem:
        raise Unanswered(str(problem) or type(problem).__name__) from problem


def _read(way: Way, status: int, body: str) -> Reading:
    if status != 200:
        raise Unanswered(f"it answers with status {status}")
    return read_stub_status(body) if way.nature is STUB_STATUS else read_http(body)


class _ServiceAsker:
    """HTTP through the API server's proxy. Who answers is not told, so that the Service must lead to that pod only."""

    def __init__(self, cluster: Cluster, workload: Workload, uid: str, way: Way) -> None:
        self.cluster, self.way, self.uid, self.namespace = cluster, way, uid, workload.namespace
        others = [one for one in endpoints_of(cluster, workload.namespace, way.service) if one.ready and one.uid != uid]
        if others:
            where = ", ".join(map(str, others))
            raise Unanswered(f"Service {way.service} leads to another pod: {where}", unreached=True)

    def ask(self) -> Reading:
        answer = get(self.cluster, Target(self.namespace, self.way.service, self.way.port, self.way.path), TIMEOUT)
        if not isinstance(answer, Answer):
            raise Unanswered(answer.seen, unreached=True)
        return _read(self.way, answer.status, answer.body)


class _HttpAsker:
    """HTTP over a connection of its own, kept open from one request to the next where the server allows it."""

    def __init__(self, cluster: Cluster, workload: Workload, way: Way) -> None:
        self.cluster, self.workload, self.way = cluster, workload, way
        self.path = way.path
        self._forward: Forwarded | None = None
        self._connection: HTTPConnection | None = None
        self._asked = 0

    def ask(self) -> Reading:
        if self._asked >= CONNECTION_REQUESTS or self._connection is None or self._connection.sock is None:
            self.close()
            self._connection = self._connect()
            self._asked = 0
        self._asked += 1
        try:
            self._connection.request("GET", self.path)
            answer = self._connection.getresponse()
            body = answer.read().decode(errors="replace")
        except (OSError, HTTPException) as problem:
            raise Unanswered(self._refusal() or str(problem) or type(problem).__name__) from problem
        return _read(self.way, answer.status, body)

    def close(self) -> None:
        """Closes the connection."""
        if self._connection is not None:
            self._connection.close()
        if self._forward is not None:
            self._forward.close()

    def _connect(self) -> HTTPConnection:
        if self.way.route == "url":
            url = urlsplit(self.way.url)
            self.path = (url.path or "/") + (f"?{url.query}" if url.query else "")
            kind = HTTPSConnection if url.scheme == "https" else HTTPConnection
            return kind(url.hostname or "", url.port, timeout=TIMEOUT)
        self._forward = _forwarded_port(self.cluster, self.workload, self.way)
        connection = HTTPConnection(self.workload.pod, timeout=TIMEOUT)
        connection.sock = self._forward.socket
        return connection

    def _refusal(self) -> str:
        return self._forward.refusal if self._forward else ""


def _forwarded_port(cluster: Cluster, workload: Workload, way: Way) -> Forwarded:
    return Forwarded(cluster, workload.namespace, workload.pod, int(way.port or 0), TIMEOUT)


@contextlib.contextmanager
def _redis_stream(cluster: Cluster, workload: Workload, way: Way) -> Iterator[BufferedRWPair]:
    if way.route == "url":
        url = urlsplit(way.url)
        with (
            socket.create_connection((url.hostname or "", url.port or 6379), TIMEOUT) as connection,
            connection.makefile("rwb") as stream,
        ):
            yield stream
        return
    with forwarded(cluster, workload.namespace, workload.pod, int(way.port or 0), TIMEOUT) as forward:
        try:
            with forward.socket.makefile("rwb") as stream:
                yield stream
        except (OSError, Unanswered) as problem:
            raise Unanswered(forward.refusal or str(problem) or type(problem).__name__) from problem


class _RedisAsker:
    """INFO for the run_id, which is drawn at the server's start, and INCR of a key that nobody else uses.

    The protocol: redis.io, "Redis serialization protocol specification".
    """

    def __init__(self, stream: BufferedRWPair, mark: str) -> None:
        self.stream, self.mark = stream, mark

    def ask(self) -> Reading:
        found = re.search(r"^run_id:([0-9a-f]{40})\r?$", self._command("INFO", "server"), re.MULTILINE)
        if found is None:
            raise Unanswered("its INFO has no run_id")
        count = self._command("INCR", f"e2e:witness:{self.mark}")
        return Reading(int(count), found[1])

    def _command(self, *words: str) -> str:
        parts = [f"*{len(words)}\r\n", *(f"${len(word.encode())}\r\n{word}\r\n" for word in words)]
        self.stream.write("".join(parts).encode())
        self.stream.flush()
        line = self.stream.readline(_REDIS_LIMIT).decode(errors="replace")
        kind, text = line[:1], line[1:].strip()
        if kind == "-":
            raise Unanswered(f"redis answers {words[0]} with an error: {text}")
        if kind == ":" and text.isdecimal():
            return text
        if kind == "$" and text.isdecimal() and int(text) <= _REDIS_LIMIT:
            return self.stream.read(int(text) + 2).decode(errors="replace")
        raise Unanswered(
            f"it answers {words[0]} not as redis does, but {line[:80]!r}" if line else "it closes the connection"
        )
