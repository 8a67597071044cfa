"""A proxy that spoils some of the calls that go through it, in front of the propagator or of the Kubernetes API.

Every way in which a call can go wrong is one of three: the work was not done, it was done and its answer is lost, or it
is done later, when nobody waits for the answer any more.
"""

from __future__ import annotations

import asyncio
import random
import ssl
import threading
from collections import Counter
from collections.abc import Awaitable, Callable, Iterator, Mapping
from contextlib import AbstractAsyncContextManager, contextmanager, suppress
from dataclasses import dataclass, field

import aiohttp
from aiohttp import web

HOP_BY_HOP = {"host", "connection", "keep-alive", "transfer-encoding", "content-length", "content-encoding", "te"}
FAILED = (500, 502, 503, 504)
STATUSES = (429, *FAILED)


@dataclass
class Faults:
    """Which calls are spoilt, and how.

    Args:
        share: of the calls, from 0 to 1.
        stall: seconds that a stalled call is held; longer than any client waits for an answer.
        seed: of the dice.
    """

    share: float
    stall: float
    seed: int
    calls: int = 0
    spoilt: Counter[str] = field(default_factory=Counter)
    victims: Counter[str] = field(default_factory=Counter)

    def __post_init__(self) -> None:
        self._dice = random.Random(self.seed)  # noqa: S311 - dice

    def choose(self, client: str) -> str:
        """How the next call of that client is spoilt; empty when it is not."""
        self.calls += 1
        if self._dice.random() >= self.share:
            return ""
        how = self._dice.choice(list(WAYS))
        self.spoilt[how] += 1
        self.victims[client] += 1
        return how

    def status(self, *, done: bool) -> int:
        """An error status. 429 says that nothing was done, so that nothing may have been."""
        return self._dice.choice(FAILED if done else STATUSES)


@dataclass
class Call:
    """A call on its way."""

    request: web.Request
    body: bytes
    upstream: aiohttp.ClientSession
    url: str
    faults: Faults

    async def forward(self) -> web.StreamResponse:
        """Sends it on and passes the answer back as it comes, so that watches work."""
        async with self._sent() as answer:
            response = web.StreamResponse(status=answer.status, headers=_passed(answer.headers))
            await response.prepare(self.request)
            async for part in answer.content.iter_any():
                await response.write(part)
            await response.write_eof()
            return response

    async def do(self) -> bytes:
        """Sends it on and reads the answer, of a watch its beginning."""
        async with self._sent() as answer:
            if "watch=" in self.request.query_string:
                return await answer.content.readany()
            return await answer.read()

    def cut(self) -> web.Response:
        """Breaks the connection off."""
        if self.request.transport:
            self.request.transport.abort()
        return web.Response()

    def refuse(self, *, done: bool) -> web.Response:
        """An error as a gateway or an overloaded server gives it."""
        return web.Response(
            status=self.faults.status(done=done), text="upstream connect error or disconnect/reset before headers"
        )

    def _sent(self) -> AbstractAsyncContextManager[aiohttp.ClientResponse]:
        headers = {name: value for name, value in self.request.headers.items() if name.lower() not in HOP_BY_HOP}
        return self.upstream.request(self.request.method, self.url, headers=headers, data=self.body or None)


async def _refused(call: Call) -> web.StreamResponse:
    return call.refuse(done=False)


async def _cut_before(call: Call) -> web.StreamResponse:
    return call.cut()


async def _cut_after(call: Call) -> web.StreamResponse:
    await call.do()
    return call.cut()


async def _failed_after(call: Call) -> web.StreamResponse:
    await call.do()
    return call.refuse(done=True)


async def _half(call: Call) -> web.StreamResponse:
    answer = await call.do()
    response = web.StreamResponse(headers={"Content-Length": str(len(answer) + 1000)})
    await response.prepare(call.request)
    await response.write(answer[: len(answer) // 2])
    return call.cut()


async def _garbled(call: Call) -> web.StreamResponse:
    await call.do()
    return web.Response(text="<html><body>Please log in to the guest network</body></html>", content_type="text/html")


async def _stalled(call: Call) -> web.StreamResponse:
    await asyncio.sleep(call.faults.stall)
    return call.cut()


async def _stalled_after(call: Call) -> web.StreamResponse:
    await call.do()
    await asyncio.sleep(call.faults.stall)
    return call.cut()


async def _late(call: Call) -> web.StreamResponse:
    await asyncio.sleep(call.faults.stall)
    await call.do()
    return call.cut()


WAYS: dict[str, Callable[[Call], Awaitable[web.StreamResponse]]] = {
    "refused": _refused,
    "cut": _cut_before,
    "stalled": _stalled,
    "done, then cut": _cut_after,
    "done, then an error": _failed_after,
    "done, then half an answer": _half,
    "done, then nonsense": _garbled,
    "done, then stalled": _stalled_after,
    "done when given up": _late,
}


@contextmanager
def proxy(upstream: str, faults: Faults, tls: ssl.SSLContext | None = None) -> Iterator[str]:
    """A proxy before `upstream` in a thread of its own; gives its URL."""
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever, name=f"proxy of {upstream}", daemon=True)
    thread.start()
    server = _Server(upstream, faults, tls)
    try:
        yield asyncio.run_coroutine_threadsafe(server.start(), loop).result(10)
    finally:
        asyncio.run_coroutine_threadsafe(server.stop(), loop).result(10)
        loop.call_soon_threadsafe(loop.stop)
        thread.join(10)
        loop.close()


class _Server:
    def __init__(self, upstream: str, faults: Faults, tls: ssl.SSLContext | None) -> None:
        self._upstream, self._faults, self._tls = upstream, faults, tls
        self._session: aiohttp.ClientSession | None = None
        self._runner: web.AppRunner | None = None

    async def start(self) -> str:
        connector = aiohttp.TCPConnector(ssl=self._tls if self._tls else False, limit=0)
        self._session = aiohttp.ClientSession(connector=connector, timeout=aiohttp.ClientTimeout(total=None))
        app = web.Application(client_max_size=2**24)
        app.router.add_route("*", "/{path:.*}", self._handle)
        # A client that gives up does not call its work off: that is what makes it late.
        self._runner = web.AppRunner(app, access_log=None, handler_cancellation=False, shutdown_timeout=0.1)
        await self._runner.setup()
        await web.TCPSite(self._runner, "127.0.0.1", 0).start()
        return f"http://127.0.0.1:{self._runner.addresses[0][1]}"

    async def stop(self) -> None:
        assert self._runner
        assert self._session
        await self._runner.cleanup()
        await self._session.close()
        for task in asyncio.all_tasks() - {asyncio.current_task()}:  # calls that are held
            task.cancel()

    async def _handle(self, request: web.Request) -> web.StreamResponse:
        assert self._session
        url = self._upstream + request.path_qs
        call = Call(request, await request.read(), self._session, url, self._faults)
        how = self._faults.choose(request.headers.get("User-Agent", ""))
        with suppress(ConnectionError):  # the client has gone
            return await (WAYS[how](call) if how else call.forward())
        return call.cut()


def _passed(headers: Mapping[str, str]) -> dict[str, str]:
    return {name: value for name, value in headers.items() if name.lower() not in HOP_BY_HOP}
