"""Who the token belongs to, and where other services are."""

from aiohttp import web

from ..refusals import RefusedError
from ..replies import id_text
from ..service import service_of
from . import Route


async def user(request: web.Request) -> web.Response:
    """The user's id; clients call it to check their token."""
    return id_text(request, service_of(request).user_id)


async def discover(request: web.Request) -> web.Response:
    """The URL of a named service."""
    name = request.match_info["name"]
    url = service_of(request).discoverable.get(name)
    if url is None:
        raise RefusedError(404, f"This propagator has no service named {name!r}")
    return web.Response(text=url, content_type="text/plain")


ROUTES: list[Route] = [("GET", "/user", user), ("GET", "/discover/{name}", discover)]
