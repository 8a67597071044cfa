"""What was asked of the servers, and what changed: a bounded ring of entries, without bodies and headers."""

from __future__ import annotations

import time
from collections import deque
from typing import Any

from aiohttp import web
from aiohttp.typedefs import Handler

LIMIT = 20_000
KINDS = ("request", "pod", "node", "action", "checkpoint", "cluster", "fault")


class Journal:
    """Entries in the order in which they were written: requests when they are answered, changes when they happen.

    Each has `time` (Unix seconds; of a request: when it came) and `kind`, one of `KINDS`. Durations are milliseconds.
    """

    def __init__(self, limit: int = LIMIT) -> None:
        self._entries: deque[dict[str, Any]] = deque(maxlen=limit)

    def entries(self, since: float = 0.0, kinds: frozenset[str] | None = None) -> list[dict[str, Any]]:
        """What is kept, oldest first; not what was before `since`, and of these kinds only."""
        return [
            entry for entry in self._entries if entry["time"] >= since and (kinds is None or entry["kind"] in kinds)
        ]

    def note(self, kind: str, **facts: Any) -> None:
        """Writes a change down."""
        self._entries.append({"time": round(time.time(), 6), "kind": kind, **facts})

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
                        "kind": "request",
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


async def answer(journal: Journal, request: web.Request) -> web.Response:
    """`GET /journal[?since=<Unix seconds>][&kind=<kind>[,<kind>]]`; a bad filter is refused."""
    since, kinds = request.query.get("since", "0"), request.query.get("kind")
    wanted = frozenset(kinds.split(",")) if kinds is not None else None
    try:
        after = float(since)
    except ValueError:
        return web.json_response({"message": f"since is {since!r}; it must be Unix seconds"}, status=400)
    if wanted is not None and not wanted <= set(KINDS):
        return web.json_response({"message": f"kind is {kinds!r}; there are {', '.join(KINDS)}"}, status=400)
    return web.json_response(journal.entries(after, wanted))
