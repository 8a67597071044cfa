"""Middlewares that misbehave, each for the first `times` requests of one method whose path has a part."""

import asyncio
from dataclasses import dataclass, field
from typing import Any

from aiohttp import web


@dataclass
class Fault:
    """What a request meets: `before` the work is done, `after` it, or `late` (done after the answer was given up)."""

    method: str
    part: str
    how: str
    times: int = 1
    status: int = 503
    headers: dict[str, str] = field(default_factory=dict)
    body: str = "no healthy upstream"
    delay: float = 0.0
    seen: list[str] = field(default_factory=list)

    @property
    def middleware(self) -> Any:
        @web.middleware
        async def misbehave(request: web.Request, handler: Any) -> web.StreamResponse:
            if request.method != self.method or self.part not in request.path:
                return await handler(request)
            self.seen.append(request.path)
            if len(self.seen) > self.times:
                return await handler(request)
            return await getattr(self, f"_{self.how}")(request, handler)

        return misbehave

    async def _before(self, _: web.Request, __: Any) -> web.StreamResponse:
        return web.Response(status=self.status, text=self.body, headers=self.headers)

    async def _after(self, request: web.Request, handler: Any) -> web.StreamResponse:
        await handler(request)
        return web.Response(status=self.status, text=self.body, headers=self.headers)

    async def _cut_before(self, request: web.Request, _: Any) -> web.StreamResponse:
        request.transport.abort()
        return web.Response()

    async def _cut_after(self, request: web.Request, handler: Any) -> web.StreamResponse:
        await handler(request)
        request.transport.abort()
        return web.Response()

    async def _half(self, request: web.Request, handler: Any) -> web.StreamResponse:
        await handler(request)
        response = web.StreamResponse(headers={"Content-Length": "1000"})
        await response.prepare(request)
        await response.write(b'"0b54')
        request.transport.close()
        return response

    async def _stall_after(self, request: web.Request, handler: Any) -> web.StreamResponse:
        answer = await handler(request)
        await asyncio.sleep(self.delay)
        return answer

    async def _late(self, request: web.Request, handler: Any) -> web.StreamResponse:
        await request.read()
        await asyncio.sleep(self.delay)
        return await handler(request)
