"""Requests through the API server's proxy to a real process that runs in a pod's place."""

from __future__ import annotations

import aiohttp
from aiohttp import web

from ..api.status import failure

_HOP_BY_HOP = frozenset(("connection", "transfer-encoding", "content-length", "host", "authorization"))
_TIMEOUT = aiohttp.ClientTimeout(total=None, sock_connect=5)


async def to_process(request: web.Request, scheme: str, port: int, rest: str) -> web.StreamResponse:
    """The process's answer. As the API server does, a pod's certificate is not looked at. Raises 503."""
    path = "/" + rest.lstrip("/") + (f"?{request.query_string}" if request.query_string else "")
    headers = {key: value for key, value in request.headers.items() if key.lower() not in _HOP_BY_HOP}
    try:
        async with (
            aiohttp.ClientSession(timeout=_TIMEOUT, auto_decompress=False) as session,
            session.request(
                request.method,
                f"{scheme}://127.0.0.1:{port}{path}",
                data=await request.read(),
                headers=headers,
                ssl=False,
            ) as answer,
        ):
            kept = {key: value for key, value in answer.headers.items() if key.lower() not in _HOP_BY_HOP}
            return web.Response(status=answer.status, body=await answer.read(), headers=kept)
    except aiohttp.ClientError as failed:
        raise failure(503, "ServiceUnavailable", f"error trying to reach service: {failed}") from None
