"""The sandbox as a whole: cluster, API, propagator and admin on loopback ports, and what is needed to reach them."""

from __future__ import annotations

import secrets
import shutil
import ssl
import tempfile
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

from aiohttp import web

from propagator_server.quirks import Quirks

from . import recording
from .api import journal as journals
from .api.app import create_app
from .api.journal import Journal
from .cedana.helper import Helper
from .cluster import Cluster, Latencies
from .faults.admin import add_routes
from .faults.engine import Faults
from .faults.setup import Asked, Below, Misbehaviour, begin_all
from .kubeconfig import write_kubeconfig
from .stock.setup import StockNodes
from .tls import ServerTls, server_tls

HOST = "127.0.0.1"
_SHUTDOWN_SECONDS = 0.2


@dataclass(frozen=True)
class Options:
    """How a sandbox is started. `state_dir` None: a temporary one, removed at the end. `nodes`: of each cluster.
    `parent`: the pid of the process that it ends with; None: the one that it finds as its parent. `default_storage`:
    claims that name no class get local-path."""

    nodes: int = 2
    era: str = "jan26"
    state_dir: Path | None = None
    latencies: Latencies | None = None
    watch_list: bool = False
    name: str = "sandbox"
    outlive_parent: bool = False
    clusters: int = 1
    quirks: Quirks = field(default_factory=Quirks)
    helper: Helper = field(default_factory=Helper)
    faults: tuple[Asked, ...] = ()
    parent: int | None = None
    default_storage: bool = False


class Sandbox:
    """One running sandbox."""

    def __init__(self, options: Options) -> None:
        self._options = options
        self._runners: list[web.AppRunner] = []
        self.stock: list[StockNodes] = []
        self._journal = Journal()
        self._misbehaviour = Misbehaviour(self._journal)
        self._faults: Faults | None = None
        self._era: Callable[[], str] = lambda: options.era
        self.token = secrets.token_urlsafe(24)
        names = [options.name, *(f"{options.name}-{number}" for number in range(2, options.clusters + 1))]
        self.clusters = [
            Cluster(name, options.nodes, options.latencies or Latencies(), default_storage=options.default_storage)
            for name in names
        ]
        self.cluster = self.clusters[0]
        self._temporary = options.state_dir is None
        self.state_dir = options.state_dir or Path(tempfile.mkdtemp(prefix="cedana-sandbox-"))

    async def start(self) -> dict[str, Any]:
        """Serves everything; returns what the line on stdout says."""
        self.state_dir.mkdir(parents=True, exist_ok=True)
        tls = server_tls(self.state_dir, HOST)
        clusters = [await self._cluster(cluster, tls) for cluster in self.clusters]
        admin = web.Application()
        propagator = await self._propagator(admin)
        if self._faults:
            propagator = await begin_all(self._faults, self._options.faults) or propagator
        facts = {
            "kubeconfig": clusters[0]["kubeconfig"],
            "propagator_url": propagator,
            "token": self.token,
            "chart": str(Path(__file__).parent / "chart" / "cedana"),
        }
        self._admin(admin, clusters[0]["server"])
        return {**facts, "admin_url": await self._serve(admin), "clusters": clusters}

    async def _cluster(self, cluster: Cluster, tls: ServerTls) -> dict[str, str]:
        """Starts one cluster and serves it; its name and how it is reached."""
        cluster.certificate = tls.authority.decode()
        self.stock.append(StockNodes(cluster, self.state_dir / "nodes", tls.context))
        recording.follow_cluster(self._journal, cluster)
        await cluster.start()
        outer = self._misbehaviour.middlewares("kubernetes")
        api = create_app(cluster, self.token, outer=outer, watch_list=self._options.watch_list)
        server = await self._serve(api, tls.context)
        path = self._kubeconfig(cluster)
        write_kubeconfig(path, cluster.name, server, tls.authority, self.token)
        return {"name": cluster.name, "kubeconfig": str(path), "server": server}

    def _kubeconfig(self, cluster: Cluster) -> Path:
        return self.state_dir / ("kubeconfig" if cluster is self.cluster else f"kubeconfig-{cluster.name}")

    async def stop(self) -> None:
        """Ends everything and leaves no file."""
        if self._faults:
            await self._faults.end_all()
        for stock in self.stock:
            await stock.stop()
        shutil.rmtree(self.state_dir / "nodes", ignore_errors=True)
        for runner in reversed(self._runners):
            await runner.cleanup()
        for cluster in self.clusters:
            await cluster.stop()
            self._kubeconfig(cluster).unlink(missing_ok=True)
        if self._temporary:
            shutil.rmtree(self.state_dir, ignore_errors=True)

    async def _serve(self, app: web.Application, tls: ssl.SSLContext | None = None) -> str:
        runner = web.AppRunner(
            app, access_log=None, handler_cancellation=True, shutdown_timeout=_SHUTDOWN_SECONDS, handle_signals=False
        )
        await runner.setup()
        self._runners.append(runner)
        site = web.TCPSite(runner, HOST, 0, ssl_context=tls)
        await site.start()
        return f"{'https' if tls else 'http'}://{HOST}:{runner.addresses[0][1]}"

    async def _propagator(self, admin: web.Application) -> str:
        """The propagator over the emulated clusters, and how it is set over the admin server."""
        from propagator_server.app import create_app as create_propagator
        from propagator_server.service import SERVICE

        from .cedana.admin import add_routes as add_settings
        from .cedana.setup import Cedana

        cedana = Cedana(self.clusters, self._options.helper)
        works = self._misbehaviour.before(cedana.backend)
        app = create_propagator(works, era=self._options.era, token=self.token, quirks=self._options.quirks)
        app.middlewares[:0] = self._misbehaviour.middlewares("propagator")
        service = app[SERVICE]
        cedana.start(service)
        self._era = lambda: service.era.name
        add_settings(admin, cedana)
        service.store.observe(partial(recording.row_changed, self._journal))
        url = await self._serve(app)
        serve, below = partial(_serve_too, self._runners[-1]), Below(cedana.backend, works, service)
        self._faults = self._misbehaviour.faults(self.clusters, below, serve, self.state_dir)
        return url

    def _admin(self, app: web.Application, server: str) -> None:
        async def journal(request: web.Request) -> web.Response:
            return await journals.answer(self._journal, request)

        async def facts(_: web.Request) -> web.Response:
            store = self.cluster.store
            counts = {kind.resource: store.count(kind) for kind in store.registry.all() if kind.stored_as is None}
            return web.json_response(
                {
                    "emulated": True,
                    "name": self._options.name,
                    "server": server,
                    "nodes": self._options.nodes,
                    "era": self._era(),
                    "revision": store.revision,
                    "objects": {name: count for name, count in counts.items() if count},
                }
            )

        app.router.add_get("/journal", journal)
        app.router.add_get("/facts", facts)
        if self._faults:
            add_routes(app, self._faults)


@asynccontextmanager
async def _serve_too(runner: web.AppRunner, tls: ssl.SSLContext) -> AsyncIterator[str]:
    """Serves over TLS as well what a runner serves; gives the URL."""
    before = set(runner.addresses)
    site = web.TCPSite(runner, HOST, 0, ssl_context=tls)
    await site.start()
    (address,) = set(runner.addresses) - before
    try:
        yield f"https://{HOST}:{address[1]}"
    finally:
        await site.stop()
