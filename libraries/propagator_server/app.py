"""The API as an aiohttp application."""

from collections.abc import Iterable, Mapping

from aiohttp import web

from .backend import Backend
from .eras import Era, by_name
from .heartbeats import Heartbeats
from .operations import Operations
from .refusals import answer_refusals, require_token
from .resources import actions, checkpoint, checkpoints, clusters, nodes, pods, policies, restore, unserved, user
from .service import SERVICE, Service
from .store import Store

PREFIXES = ("/v2", "/v1")
"""The same handlers under both: 2026 re-published /v2 as /v1, and the oldest clients ask /v1 for user and clusters."""
RESOURCES = (actions, checkpoint, checkpoints, clusters, nodes, pods, policies, restore, user)


def create_app(
    backend: Backend,
    *,
    era: Era | str,
    token: str,
    quoted_ids: bool = True,
    prefixes: Iterable[str] = PREFIXES,
    discoverable: Mapping[str, str] | None = None,
) -> web.Application:
    """A propagator over a backend.

    Args:
        backend: the cluster or clusters below it.
        era: which time of the API is spoken, or its name.
        token: the only bearer token that is accepted.
        quoted_ids: whether an id's text is in double quotes.
        prefixes: path prefixes that it is served under.
        discoverable: URLs by name for `GET /discover/{name}`.

    Raises:
        ValueError: no such era.
    """
    store = Store()
    operations = Operations(store, backend)
    heartbeats = Heartbeats(store, backend, operations)
    app = web.Application(middlewares=[answer_refusals, require_token])
    app[SERVICE] = Service(
        backend=backend,
        store=store,
        operations=operations,
        heartbeats=heartbeats,
        era=by_name(era) if isinstance(era, str) else era,
        token=token,
        quoted_ids=quoted_ids,
        discoverable=discoverable or {},
    )
    for prefix in prefixes:
        for resource in RESOURCES:
            for method, path, handler in resource.ROUTES:
                app.router.add_route(method, prefix + path, handler)
        app.router.add_route("*", prefix + "/{rest:.*}", unserved.refuse)

    async def close(_: web.Application) -> None:
        await heartbeats.close()
        await operations.close()

    app.on_cleanup.append(close)
    return app
