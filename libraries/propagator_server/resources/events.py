"""What happened lately."""

from typing import Any

from aiohttp import web

from ..bodies import query_int
from ..records import Event
from ..refusals import RefusedError
from ..service import service_of
from . import Route

HOUR, YEAR = 3600, 366 * 24 * 3600


async def list_events(request: web.Request) -> web.Response:
    """Events of the last `time` seconds. The newest era answers an object whose fields are not published."""
    service = service_of(request)
    if service.era.cluster_filters:
        raise RefusedError(501, "The shape of events in this era is not published; this propagator does not guess it")
    seconds = query_int(request, "time", HOUR, 1, YEAR)
    operation, resource = request.query.get("operation"), request.query.get("resource_type")
    rows = [_shown(event) for event in service.events.latest(seconds)]
    wanted = [row for row in rows if operation in (None, row["operation"]) and resource in (None, row["resource_type"])]
    return web.json_response(wanted)


def _shown(event: Event) -> dict[str, Any]:
    return {
        "id": event.number,
        "timestamp": int(event.at.timestamp()),
        "operation": event.operation,
        "resource_type": "pod",
        "source": "propagator",
        "status": event.status,
        "message": event.message,
        "metadata": dict(event.metadata),
    }


ROUTES: list[Route] = [("GET", "/events", list_events)]
