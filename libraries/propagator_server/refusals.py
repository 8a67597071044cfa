"""How the API says no: one exception for handlers, one middleware that shapes every 4xx and 5xx by era."""

import logging
from collections.abc import Awaitable, Callable
from typing import Any

from aiohttp import web

from .backend import BackendError
from .eras import ErrorBody
from .service import service_of

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]
log = logging.getLogger(__name__)


class RefusedError(Exception):
    """A request that is answered with an error: HTTP status, message, and details for eras that show them."""

    def __init__(self, status: int, message: str, details: Any = None) -> None:
        super().__init__(message)
        self.status, self.message, self.details = status, message, details


@web.middleware
async def answer_refusals(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Turns exceptions into answers, those of aiohttp (unknown path, wrong method) included."""
    try:
        return await handler(request)
    except RefusedError as refused:
        return refusal(request, refused)
    except web.HTTPException as known:
        if known.status < 400:
            raise
        return refusal(request, RefusedError(known.status, f"{known.reason}: {request.method} {request.path}"))
    except BackendError as failed:
        return refusal(request, RefusedError(500, str(failed)))
    except Exception:
        log.exception("%s %s", request.method, request.path)
        return refusal(request, RefusedError(500, "internal error; the server's log has it"))


@web.middleware
async def require_token(request: web.Request, handler: Handler) -> web.StreamResponse:
    """401 unless the request carries `Authorization: Bearer <token>` to the letter."""
    if request.headers.get("Authorization") != f"Bearer {service_of(request).token}":
        raise RefusedError(401, "Invalid or missing API key")
    return await handler(request)


def refusal(request: web.Request, refused: RefusedError) -> web.Response:
    """The answer in the shape of the era that is spoken."""
    body: dict[str, Any] = {"message": refused.message}
    shape = service_of(request).era.error_body
    if shape is ErrorBody.CODED:
        body["cedana_error_code"] = refused.status
    elif shape is ErrorBody.DETAILED:
        body |= {"code": str(refused.status), "details": refused.details}
    return web.json_response(body, status=refused.status)
