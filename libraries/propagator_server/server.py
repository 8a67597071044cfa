"""A propagator over stock clusters as a whole: its state, its backend, and where it serves."""

from __future__ import annotations

import asyncio
import logging
import ssl
from contextlib import suppress
from typing import Any

from aiohttp import web

from .app import create_app
from .backend import BackendError
from .clock import now
from .commandline import Options
from .persistence import Database, Kept, interrupted, kept_store
from .records import Cluster
from .stock.backend import StockBackend
from .stock.cluster import StockCluster
from .stock.saved import Saved
from .store import new_id

HOST = "127.0.0.1"
SWEEP_EVERY = 60.0
"""Seconds between two looks for archives that belong to nothing."""
_OWNER = "owner"
log = logging.getLogger(__name__)


class Server:
    """Without a state file all that it has saved goes when it ends. Raises what `Database` and `StockCluster` raise."""

    def __init__(self, options: Options) -> None:
        self._options = options
        self._database = Database(options.state)
        clusters = [StockCluster(file, context, options.namespace) for file, context in options.clusters]
        self._store = kept_store(self._database)
        saved = Kept(self._database, "saved", Saved.to_json, Saved.from_json)
        self.backend = StockBackend(clusters, saved, self._owner())
        self._runner: web.AppRunner | None = None
        self._sweeping: asyncio.Task[None] | None = None

    async def start(self) -> dict[str, Any]:
        """Serves; returns what the line on stdout says."""
        for action in interrupted(self._store):
            log.warning("action %s had not ended when the propagator was stopped; it ends in an error", action.id)
        for cluster_id in await self.backend.cluster_ids():
            if not self._store.cluster(cluster_id):
                # Its agents are there already, and know it by this id.
                self._store.add_cluster(Cluster(cluster_id, f"cluster-{cluster_id[:8]}", registered=now()))
        options = self._options
        app = create_app(self.backend, era=options.era, token=options.token, quirks=options.quirks, store=self._store)
        self._runner = web.AppRunner(app, access_log=None, handle_signals=False, shutdown_timeout=0.5)
        await self._runner.setup()
        tls = None
        if options.certificate:
            tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            tls.load_cert_chain(options.certificate, options.key)
        await web.TCPSite(self._runner, HOST, options.port, ssl_context=tls).start()
        self._sweeping = asyncio.create_task(self._sweep(), name="sweep")
        port = self._runner.addresses[0][1]
        # A certificate is made out to a name; that of loopback is the one that it may have.
        url = f"https://localhost:{port}" if tls else f"http://{HOST}:{port}"
        return {"propagator_url": url, **({} if options.given else {"token": options.token})}

    async def stop(self) -> None:
        """Ends all."""
        if self._sweeping:
            self._sweeping.cancel()
            with suppress(asyncio.CancelledError):
                await self._sweeping
        if self._runner:
            await self._runner.cleanup()
        await self.backend.close(clear=self._options.state is None)
        self._database.close()

    def _owner(self) -> str:
        """By which the agents tell this propagator's archives from those of others."""
        for id_, _ in self._database.read(_OWNER):
            return id_
        owner = new_id()
        self._database.put(_OWNER, owner, {})
        return owner

    async def _sweep(self) -> None:
        while True:
            with suppress(BackendError):
                for id_ in await self.backend.sweep():
                    log.warning("removed the archive of checkpoint %s, which belonged to nothing", id_)
            await asyncio.sleep(SWEEP_EVERY)
