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
    service = service_of(request)
    name = request.match_info["name"]
    url = service.discoverable.get(name)
    if url is None:
        raise RefusedError(service.era.unknown_service, f"This propagator has no service named {name!r}")
    return web.Response(text=url, content_type="text/plain")


ROUTES: list[Route] = [("GET", "/user", user), ("GET", "/discover/{name}", discover)]
