"""What servers answer when something is wrong: built from the request, and from the real answer where there is one."""

from __future__ import annotations

import asyncio
import json
import socket
import struct
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any, NoReturn

from aiohttp import web
from aiohttp.typedefs import Handler

from .activation import Activation
from .scene import Scene

LONG = 3600.0
"""Seconds after which nobody waits any more."""


@dataclass(frozen=True)
class Exchange:
    """A request that a fault has struck, and how to have it answered as usual."""

    request: web.Request
    handler: Handler
    active: Activation
    scene: Scene
    facts: dict[str, Any] = field(default_factory=dict)

    @property
    def values(self) -> dict[str, Any]:
        """The parameters of the fault."""
        return self.active.values

    async def go(self) -> web.StreamResponse:
        """The usual answer."""
        return await self.handler(self.request)


Act = Callable[[Exchange], Awaitable[web.StreamResponse]]


async def reset(request: web.Request) -> NoReturn:
    """Cuts the connection, so that the client sees a reset; the server ends the request when it notices."""
    transport = request.transport
    if transport is not None:
        raw = transport.get_extra_info("socket")
        if raw is not None:
            raw.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        transport.abort()
    await asyncio.sleep(LONG)
    raise ConnectionResetError("the connection was cut on purpose")


async def cut(exchange: Exchange) -> web.StreamResponse:
    """Never handles the request: the connection is reset."""
    await reset(exchange.request)


async def lost(exchange: Exchange) -> web.StreamResponse:
    """Handles the request, and then resets the connection."""
    await exchange.go()
    await reset(exchange.request)


async def halved(exchange: Exchange) -> web.StreamResponse:
    """Sends half of the usual answer's body, and then closes the connection."""
    usual = await exchange.go()
    body = _body_of(usual)
    if not body:
        await reset(exchange.request)
    response = web.StreamResponse(status=usual.status, headers={"Content-Type": usual.content_type})
    response.content_length = len(body)
    await response.prepare(exchange.request)
    await response.write(body[: len(body) // 2])
    if exchange.request.transport is not None:
        exchange.request.transport.close()
    await asyncio.sleep(LONG)
    return response


async def slow(exchange: Exchange) -> web.StreamResponse:
    """Answers `seconds` later than usual."""
    await asyncio.sleep(exchange.values["seconds"])
    return await exchange.go()


async def stalled(exchange: Exchange) -> web.StreamResponse:
    """Begins an answer and never goes on."""
    response = web.StreamResponse(headers={"Content-Type": "application/json"})
    response.enable_chunked_encoding()
    await response.prepare(exchange.request)
    await asyncio.sleep(LONG)
    return response


def with_text(text: str, *, status: int = 200, kind: str = "text/plain", **headers: str) -> Act:
    """Answers a text of its own instead of handling the request. Underscores in header names stand for hyphens."""

    async def act(_: Exchange) -> web.StreamResponse:
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        return web.Response(status=status, text=text, content_type=kind, headers=named)

    return act


def changing_json(change: Callable[[Any, Exchange], Any]) -> Act:
    """Handles the request and changes the JSON of a successful answer."""

    async def act(exchange: Exchange) -> web.StreamResponse:
        usual = await exchange.go()
        if usual.status != 200 or usual.content_type != "application/json":
            return usual
        text = json.dumps(change(json.loads(_body_of(usual)), exchange))
        return web.Response(text=text, headers={"Content-Type": usual.headers["Content-Type"]})

    return act


def changing_text(change: Callable[[str], str], kind: str = "text/plain") -> Act:
    """Handles the request and changes the text of a successful answer."""

    async def act(exchange: Exchange) -> web.StreamResponse:
        usual = await exchange.go()
        if usual.status != 200:
            return usual
        return web.Response(text=change(_body_of(usual).decode()), content_type=kind)

    return act


def _body_of(response: web.StreamResponse) -> bytes:
    """The body of a whole answer; nothing of one that is streamed."""
    body = response.body if isinstance(response, web.Response) else None
    return body if isinstance(body, bytes) else b""
