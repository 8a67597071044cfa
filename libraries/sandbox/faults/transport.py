"""Faults below the propagator's API: where it sends clients, and who it says it is."""

from __future__ import annotations

import ssl
from datetime import timedelta

from aiohttp import web

from ..tls import Validity, tls_for
from .activation import Activation
from .answers import Exchange
from .declaration import REQUESTS, STATE, Declarations, Group
from .requests import on_requests
from .scene import Scene

FAULTS = Declarations(Group.PROPAGATOR, REQUESTS)


@FAULTS.fails(
    "propagator-answer",
    "propagator-redirect",
    "Every request is redirected to another host, which notes whether the token comes along.",
)
async def _redirected(scene: Scene, active: Activation) -> None:
    active.facts["tokens_received"] = 0

    async def elsewhere(request: web.Request) -> web.Response:
        active.facts["tokens_received"] += "Authorization" in request.headers
        return web.json_response([])

    runner = web.ServerRunner(web.Server(elsewhere))  # type: ignore[arg-type]
    await runner.setup()
    active.stack.push_async_callback(runner.cleanup)
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    other = f"http://localhost:{runner.addresses[0][1]}"

    async def act(exchange: Exchange) -> web.StreamResponse:
        return web.Response(status=307, headers={"Location": f"{other}{exchange.request.path_qs}"})

    await on_requests("propagator", act)(scene, active)


async def _served(scene: Scene, active: Activation, names: tuple[str, ...], validity: Validity, trusted: bool) -> None:
    """The propagator over TLS, at a URL of its own that the activation tells, as it tells whom to trust."""
    active.takes()
    tls = tls_for(scene.state_dir, names, validity)
    context: ssl.SSLContext = tls.context
    active.facts["url"] = await active.stack.enter_async_context(scene.serve(context))
    if trusted:
        active.facts["authority"] = tls.authority.decode()


@FAULTS.fails(
    "propagator-unreachable",
    "propagator-tls-wrong-name",
    "The propagator's certificate is that of another host.",
    limits=STATE - STATE,
)
async def _wrong_name(scene: Scene, active: Activation) -> None:
    await _served(scene, active, ("propagator.example.com",), Validity(), trusted=True)


@FAULTS.fails(
    "propagator-unreachable",
    "propagator-tls-expired",
    "The propagator's certificate ran out a day ago.",
    limits=STATE - STATE,
)
async def _expired(scene: Scene, active: Activation) -> None:
    await _served(scene, active, ("127.0.0.1",), Validity(timedelta(days=-30), timedelta(days=-1)), trusted=True)


@FAULTS.fails(
    "propagator-unreachable",
    "propagator-tls-unknown-authority",
    "The propagator's certificate is right, but nobody knows the authority that signed it.",
    limits=STATE - STATE,
)
async def _unknown_authority(scene: Scene, active: Activation) -> None:
    await _served(scene, active, ("127.0.0.1",), Validity(), trusted=False)
