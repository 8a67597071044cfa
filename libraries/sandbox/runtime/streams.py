"""Connections to the ports of emulated containers: bytes in, bytes out, as their servers answer."""

from __future__ import annotations

import re
from collections.abc import Callable
from http import HTTPStatus
from typing import TYPE_CHECKING

from . import redis
from .http import answer, keeps_alive, service_on
from .requests import Request, Response
from .shell.memory import Memory

if TYPE_CHECKING:
    from .container import Container

_REQUEST_LINE = re.compile(rb"[A-Z]{1,16} \S+ HTTP/1\.[01]\r?$")
_STAND_IN = b"emulated container\n"


class Connection:
    """One connection to a port; it ends with its container, or by itself at `until` (ns since the epoch).

    `served` is called when the server has done something.
    """

    def __init__(
        self, container: Container, port: int, client: str, clock: Callable[[], int], served: Callable[[], None]
    ) -> None:
        self.container = container
        self.port = port
        self.client = client
        self.ended = False
        self.until: int | None = None
        self._clock = clock
        self._served = served
        self._buffer = b""
        serve = {"redis": self._redis, "echo": self._echo}
        self._serve = serve.get(service_on(container, port), self._http)

    def feed(self, data: bytes) -> bytes:
        """What comes back for these bytes."""
        self.container.advance(self._clock())
        if self.ended or not self.container.running:
            self.ended = True
            return b""
        self._buffer += data
        answer = self._serve()
        self._served()
        return answer

    def close(self) -> None:
        """The client closes."""
        self.ended = True

    def _memory(self) -> Memory:
        assert self.container.machine is not None
        return self.container.machine.memory

    def _echo(self) -> bytes:
        data, self._buffer = self._buffer, b""
        return data

    def _redis(self) -> bytes:
        state = self._memory().redis
        assert state is not None
        answers = b""
        try:
            while True:
                words, self._buffer = redis.take(self._buffer)
                if words is None:
                    return answers
                if words[:1] and words[0].upper() == b"QUIT":
                    self.ended = True
                    return answers + b"+OK\r\n"
                answers += redis.answer(state, words, self._clock()) if words else b""
        except redis.ReplyError as error:
            self.ended = True
            return answers + f"-{error}\r\n".encode()

    def _http(self) -> bytes:
        answers = b""
        while not self.ended and self._buffer:
            line, mark, _ = self._buffer.partition(b"\n")
            if mark and not _REQUEST_LINE.match(line):
                self.ended = True
                return answers + (_STAND_IN if self.container.is_stand_in else _written(Response(400), close=True))
            request = self._request()
            if request is None:
                break
            asked = {k.lower(): v.lower() for k, v in request.headers.items()}.get("connection")
            close = self.ended = asked == "close" or not keeps_alive(self.container, self.port)
            answers += _written(answer(self.container, self.port, request, self._clock()), close=close)
        return answers

    def _request(self) -> Request | None:
        head, mark, rest = self._buffer.partition(b"\r\n\r\n")
        if not mark:
            return None
        first, *lines = head.decode(errors="replace").split("\r\n")
        headers = {k.strip(): v.strip() for k, _, v in (line.partition(":") for line in lines)}
        length = {k.lower(): v for k, v in headers.items()}.get("content-length", "0")
        size = int(length) if length.isdigit() else 0
        if len(rest) < size:
            return None
        self._buffer = rest[size:]
        method, path, *_ = first.split(" ")
        return Request(method, path, headers, rest[:size], self.client)


def _written(response: Response, *, close: bool) -> bytes:
    headers = {**response.headers, "Content-Length": str(len(response.body))}
    headers["Connection"] = "close" if close else "keep-alive"
    head = [f"HTTP/1.1 {response.status} {HTTPStatus(response.status).phrase}"]
    head += [f"{name}: {value}" for name, value in headers.items()]
    return "\r\n".join(head).encode() + b"\r\n\r\n" + response.body
