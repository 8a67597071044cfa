"""Faults over HTTP: `GET /faults`, `POST /faults`, `DELETE /faults[/id]` of the admin server."""

from __future__ import annotations

from typing import Any

from aiohttp import web

from .engine import Faults, named
from .limits import FaultError


def add_routes(app: web.Application, faults: Faults) -> None:
    """Adds the routes to the admin server."""

    async def active(_: web.Request) -> web.Response:
        return web.json_response([each.shown() for each in faults.all()])

    async def begin(request: web.Request) -> web.Response:
        try:
            name, given = _asked(await _body(request))
            started = await faults.begin(named(name), given)
        except FaultError as refused:
            return _refused(400, str(refused))
        return web.json_response(started.shown(), status=201)

    async def end(request: web.Request) -> web.Response:
        wanted = request.match_info["id"]
        if not await faults.end(wanted):
            there = ", ".join(each.id for each in faults.all()) or "none"
            return _refused(404, f"no fault with the id {wanted!r} is on; there are {there}")
        return web.json_response({"ended": [wanted]})

    async def end_all(_: web.Request) -> web.Response:
        ended = [each.id for each in faults.all()]
        await faults.end_all()
        return web.json_response({"ended": ended})

    app.router.add_get("/faults", active)
    app.router.add_post("/faults", begin)
    app.router.add_delete("/faults", end_all)
    app.router.add_delete("/faults/{id}", end)


def _refused(status: int, message: str) -> web.Response:
    return web.json_response({"message": message}, status=status)


async def _body(request: web.Request) -> dict[str, Any]:
    try:
        body = await request.json()
    except ValueError:
        body = None
    if not isinstance(body, dict):
        raise FaultError('the body is no JSON object; it must be {"name": ..., "parameters": {...}}')
    return body


def _asked(body: dict[str, Any]) -> tuple[Any, dict[str, Any]]:
    """Name and parameters, which may stand in `parameters` or beside the name."""
    beside = {key: value for key, value in body.items() if key not in ("name", "parameters")}
    inside = body.get("parameters", {})
    if not isinstance(inside, dict):
        raise FaultError(f"parameters is {inside!r}; it must be an object")
    return body.get("name"), {**inside, **beside}
