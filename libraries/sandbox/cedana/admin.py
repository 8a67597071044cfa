"""The propagator's settings over HTTP: `GET /propagator`, `PUT /propagator` of the admin server.

The body, in both directions: `{"era": ..., "quirks": {name: value}, "helper": {option: true|false}}`; a PUT may have
only what is to change. `GET /propagator/stored` tells what checkpoints take: bytes by action.
"""

from __future__ import annotations

from aiohttp import web

from .setup import Cedana


def add_routes(app: web.Application, cedana: Cedana) -> None:
    """Adds the routes to the admin server."""

    async def settings(_: web.Request) -> web.Response:
        return web.json_response(cedana.settings())

    async def change(request: web.Request) -> web.Response:
        try:
            cedana.change(await request.json())
        except ValueError as wrong:
            return web.json_response({"message": str(wrong)}, status=400)
        return web.json_response(cedana.settings())

    async def stored(_: web.Request) -> web.Response:
        return web.json_response(cedana.backend.stored())

    app.router.add_get("/propagator", settings)
    app.router.add_put("/propagator", change)
    app.router.add_get("/propagator/stored", stored)
