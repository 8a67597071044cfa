"""Which operations there are: under which prefixes, and in which era."""

from aiohttp import web

from .refusals import Handler
from .service import service_of

PREFIXES = ("/v2", "/v1")
"""The same handlers under both: 2026 re-published /v2 as /v1, and the oldest clients ask /v1 for user and clusters."""
LEGACY = ("/v1/user", "/v1/cluster")


@web.middleware
async def require_operation(request: web.Request, handler: Handler) -> web.StreamResponse:
    """404 for what the era, or the prefixes that are on, do not have."""
    service = service_of(request)
    resource = request.match_info.route.resource
    prefix, _, path = (resource.canonical if resource else "").lstrip("/").partition("/")
    only = service.quirks.prefix
    legacy = request.method in ("GET", "HEAD") and request.path in LEGACY
    method = "GET" if request.method == "HEAD" else request.method
    if f"{method} /{path}" in service.era.absent or (only not in ("both", prefix) and not legacy):
        raise web.HTTPNotFound
    return await handler(request)
