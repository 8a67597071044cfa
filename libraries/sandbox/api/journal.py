"""What was asked of the server: a bounded ring of requests, without bodies and headers."""

from __future__ import annotations

import time
from collections import deque
from typing import Any

from aiohttp import web
from aiohttp.typedefs import Handler

LIMIT = 10_000


class Journal:
    """Requests in the order of their answers. Times are Unix seconds, durations milliseconds."""

    def __init__(self, limit: int = LIMIT) -> None:
        self._entries: deque[dict[str, Any]] = deque(maxlen=limit)

    def entries(self) -> list[dict[str, Any]]:
        """All that is kept, oldest first."""
        return list(self._entries)

    def middleware(self, server: str) -> Any:
        """An aiohttp middleware that writes the requests of a server down."""

        @web.middleware
        async def record(request: web.Request, handler: Handler) -> web.StreamResponse:
            started, clock = time.time(), time.perf_counter()
            status = 0
            try:
                response = await handler(request)
                status = response.status
            except web.HTTPException as error:
                status = error.status
                raise
            else:
                return response
            finally:
                self._entries.append(
                    {
                        "time": round(started, 6),
                        "server": server,
                        "client": request.headers.get("User-Agent", ""),
                        "verb": request.method,
                        "path": request.path,
                        "query": request.query_string,
                        "status": status,
                        "ms": round((time.perf_counter() - clock) * 1000, 3),
                    }
                )

        return record
