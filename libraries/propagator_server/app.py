"""The API as an aiohttp application."""

from collections.abc import Iterable, Mapping
from typing import Any

from aiohttp import web

from .backend import Backend
from .eras import Era, by_name
from .events import Events
from .heartbeats import Heartbeats
from .inventory import Inventory
from .operations import Operations
from .prefixes import PREFIXES, require_operation
from .quirks import Quirks
from .records import PolicyStatus
from .refusals import answer_refusals, require_token
from .resources import (
    actions,
    checkpoint,
    checkpoints,
    clusters,
    events,
    nodes,
    pipelines,
    pods,
    policies,
    restore,
    unserved,
    user,
)
from .service import SERVICE, Service
from .store import Store

RESOURCES = (actions, checkpoint, checkpoints, clusters, events, nodes, pipelines, pods, policies, restore, user)


def create_app(
    backend: Backend,
    *,
    era: Era | str,
    token: str,
    quirks: Quirks | Mapping[str, Any] | None = None,
    prefixes: Iterable[str] = PREFIXES,
    discoverable: Mapping[str, str] | None = None,
    store: Store | None = None,
) -> web.Application:
    """A propagator over a backend. `app[SERVICE]` is what can be changed while it runs.

    Args:
        backend: the cluster or clusters below it.
        era: which time of the API is spoken, or its name.
        token: the only bearer token that is accepted.
        quirks: oddities that are on, or their values by name.
        prefixes: path prefixes that it is served under.
        discoverable: URLs by name for `GET /discover/{name}`.
        store: the rows of before; none by default. Its active policies go on when it serves.

    Raises:
        ValueError: no such era or quirk.
    """
    oddities = quirks if isinstance(quirks, Quirks) else Quirks().changed(quirks or {})
    store, seen = store or Store(), Events()
    store.observe(seen.changed)
    inventory = Inventory(backend, store, oddities)
    operations = Operations(store, backend, oddities)
    heartbeats = Heartbeats(store, inventory, operations)
    app = web.Application(middlewares=[answer_refusals, require_token, require_operation])
    app[SERVICE] = Service(
        backend=backend,
        store=store,
        inventory=inventory,
        operations=operations,
        heartbeats=heartbeats,
        events=seen,
        era=by_name(era) if isinstance(era, str) else era,
        quirks=oddities,
        token=token,
        discoverable=discoverable or {},
    )
    for prefix in prefixes:
        for resource in RESOURCES:
            for method, path, handler in resource.ROUTES:
                for each in ("GET", "HEAD") if method == "GET" else (method,):
                    app.router.add_route(each, prefix + path, handler)
        app.router.add_route("*", prefix + "/{rest:.*}", unserved.refuse)

    async def go_on(_: web.Application) -> None:
        for policy in store.policies():
            if policy.status is PolicyStatus.ACTIVE:
                heartbeats.start(policy)

    async def close(_: web.Application) -> None:
        await heartbeats.close()
        await operations.close()

    app.on_startup.append(go_on)
    app.on_cleanup.append(close)
    return app
