"""Faults of heartbeat policies: they do nothing, or do not end."""

from __future__ import annotations

from typing import Any

from aiohttp import web

from .activation import Activation
from .answers import Exchange, changing_json
from .declaration import REQUESTS, Declarations, Group
from .propagator import propagator, to
from .scene import Scene

FAULTS = Declarations(Group.PROPAGATOR, REQUESTS)
fails = FAULTS.fails
CREATE, DELETE, LIST = "/policy/create", "/policy/delete", "/policy/list"


async def _asleep(exchange: Exchange) -> web.StreamResponse:
    answer = await exchange.go()
    for policy in exchange.scene.service.store.policies():
        exchange.scene.service.heartbeats.stop(policy.id)
    return answer


fails(
    "heartbeat-missing",
    "heartbeat-never-beats",
    "A heartbeat policy is accepted and takes no checkpoint.",
    suite="heartbeat",
    test="The Latest Heartbeat Restores A Lost Pod",
)(propagator(_asleep, to("POST", CREATE)))


@fails(
    "heartbeat-unwanted",
    "heartbeat-goes-on",
    "A heartbeat policy is deleted and no longer listed, and goes on.",
    suite="heartbeat",
    test="A Heartbeat Ends With Its Policy",
)
async def _goes_on(scene: Scene, active: Activation) -> None:
    deleted: set[str] = set()

    async def pretend(exchange: Exchange) -> web.StreamResponse:
        policy_id = str((await exchange.request.json()).get("id"))
        deleted.add(policy_id)
        return web.Response(text=f'"{policy_id}"')

    def hide(body: Any, _: Exchange) -> Any:
        if isinstance(body, dict):
            rows = [row for row in body["policies"] if row["id"] not in deleted]
            return {**body, "policies": rows, "total_count": len(rows)}
        return [row for row in body if row["id"] not in deleted]

    await propagator(pretend, to("DELETE", DELETE))(scene, active)
    await propagator(changing_json(hide), to("GET", LIST))(scene, active)
