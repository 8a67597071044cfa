"""The sandbox as a whole: cluster, API, propagator and admin on loopback ports, and what is needed to reach them."""

from __future__ import annotations

import base64
import importlib.util
import json
import os
import secrets
import shutil
import ssl
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from aiohttp import web

from .api.app import create_app
from .api.journal import Journal
from .cluster import Cluster, Latencies
from .tls import server_tls

HOST = "127.0.0.1"
_SHUTDOWN_SECONDS = 0.2


@dataclass(frozen=True)
class Options:
    """How a sandbox is started. `state_dir` None: a temporary one, removed at the end."""

    nodes: int = 2
    era: str = "jan26"
    state_dir: Path | None = None
    latencies: Latencies | None = None
    watch_list: bool = False
    name: str = "sandbox"
    outlive_parent: bool = False


class Sandbox:
    """One running sandbox."""

    def __init__(self, options: Options) -> None:
        self._options = options
        self._runners: list[web.AppRunner] = []
        self._journal = Journal()
        self.token = secrets.token_urlsafe(24)
        self.cluster = Cluster(options.name, options.nodes, options.latencies or Latencies())
        self._temporary = options.state_dir is None
        self.state_dir = options.state_dir or Path(tempfile.mkdtemp(prefix="cedana-sandbox-"))

    async def start(self) -> dict[str, str]:
        """Serves everything; returns what the line on stdout says."""
        self.state_dir.mkdir(parents=True, exist_ok=True)
        tls = server_tls(self.state_dir, HOST)
        self.cluster.certificate = tls.authority.decode()
        await self.cluster.start()
        faults: list[Any] = []  # middlewares that inject faults stand here, inside the journal, outside of the rest
        api = create_app(
            self.cluster,
            self.token,
            outer=[self._journal.middleware("kubernetes"), *faults],
            watch_list=self._options.watch_list,
        )
        server = await self._serve(api, tls.context)
        facts = {
            "kubeconfig": str(self._kubeconfig(server, tls.authority)),
            "propagator_url": await self._propagator(),
            "token": self.token,
            "chart": str(Path(__file__).parent / "chart" / "cedana"),
        }
        admin = await self._serve(self._admin(server))
        return {**facts, "admin_url": admin}

    async def stop(self) -> None:
        """Ends everything and leaves no file."""
        for runner in reversed(self._runners):
            await runner.cleanup()
        await self.cluster.stop()
        if self._temporary:
            shutil.rmtree(self.state_dir, ignore_errors=True)
        else:
            (self.state_dir / "kubeconfig").unlink(missing_ok=True)

    async def _serve(self, app: web.Application, tls: ssl.SSLContext | None = None) -> str:
        runner = web.AppRunner(
            app, access_log=None, handler_cancellation=True, shutdown_timeout=_SHUTDOWN_SECONDS, handle_signals=False
        )
        await runner.setup()
        self._runners.append(runner)
        site = web.TCPSite(runner, HOST, 0, ssl_context=tls)
        await site.start()
        return f"{'https' if tls else 'http'}://{HOST}:{runner.addresses[0][1]}"

    async def _propagator(self) -> str:
        """The propagator over the emulated cluster; empty where it is not installed beside us."""
        if not _there("propagator_server.app") or not _there("sandbox.cedana.backend"):
            return ""
        from propagator_server.app import create_app as create_propagator

        from .cedana.backend import EmulatedBackend
        from .cedana.uninstaller import UninstallerController

        uninstaller = UninstallerController(self.cluster)
        self.cluster.controllers.append(uninstaller)
        uninstaller.start()
        app = create_propagator(EmulatedBackend([self.cluster]), era=self._options.era, token=self.token)
        app.middlewares.insert(0, self._journal.middleware("propagator"))
        return await self._serve(app)

    def _kubeconfig(self, server: str, authority: bytes) -> Path:
        path = self.state_dir / "kubeconfig"
        name = self._options.name
        cluster = {"server": server, "certificate-authority-data": base64.b64encode(authority).decode()}
        context = {"cluster": name, "user": "admin", "namespace": "default"}
        config = {
            "apiVersion": "v1",
            "kind": "Config",
            "current-context": name,
            "clusters": [{"name": name, "cluster": cluster}],
            "users": [{"name": "admin", "user": {"token": self.token}}],
            "contexts": [{"name": name, "context": context}],
        }
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with os.fdopen(descriptor, "w") as file:
            json.dump(config, file, indent=2)
            file.write("\n")
        return path

    def _admin(self, server: str) -> web.Application:
        app = web.Application()

        async def journal(_: web.Request) -> web.Response:
            return web.json_response(self._journal.entries())

        async def facts(_: web.Request) -> web.Response:
            store = self.cluster.store
            counts = {kind.resource: store.count(kind) for kind in store.registry.all() if kind.stored_as is None}
            return web.json_response(
                {
                    "emulated": True,
                    "name": self._options.name,
                    "server": server,
                    "nodes": self._options.nodes,
                    "era": self._options.era,
                    "revision": store.revision,
                    "objects": {name: count for name, count in counts.items() if count},
                }
            )

        app.router.add_get("/journal", journal)
        app.router.add_get("/facts", facts)
        return app


def _there(module: str) -> bool:
    try:
        return importlib.util.find_spec(module) is not None
    except ModuleNotFoundError:
        return False
