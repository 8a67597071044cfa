"""The agent as a whole: its two servers, and what they answer."""

from __future__ import annotations

import hmac
import json
import sys
import threading
import time
from typing import Any

from .checkpoints import Checkpoints, RefusedError
from .content import Content
from .freezer import Freezer, thaw_what_is_left
from .peers import HEADER, Peers
from .pods import take_all
from .registry import Registry
from .serving import Handler, PlainServer, TlsServer, server_context
from .settings import Settings
from .shelf import Shelf
from .watchdog import NOTES

_POLL_SECONDS = 0.1
_LEEWAY = 60.0
"""Seconds beside those for a dump, in which what a kubelet wrote for an agent that died may come."""
UNSHOWN = ("texts",)
RECORD = "X-Checkpoint-Record"
"""The header with what is known of an archive that is taken over, as JSON."""


class Agent:
    """Serves until it is stopped. Raises OSError where it cannot listen, or has no certificate."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self.shelf = Shelf(settings.checkpoints, settings.dump_timeout + _LEEWAY)
        self.peers = Peers(settings)
        self.registry = Registry(self.shelf, Content(settings.content), self.peers)
        self.checkpoints = Checkpoints(settings, self.shelf, Content(settings.content))
        self.freezer = Freezer(settings.cgroups, self.shelf.folder / NOTES)
        context = server_context(str(settings.secret / "tls.crt"), str(settings.secret / "tls.key"))
        self.servers = (
            TlsServer(settings.service, ServiceHandler, context, agent=self),
            PlainServer(settings.registry, RegistryHandler, agent=self),
        )
        self.started = time.time()

    def start(self) -> None:
        """Begins to serve."""
        thaw_what_is_left(self.shelf.folder / NOTES, now=True)
        self.sweep()
        for server in self.servers:
            threading.Thread(target=server.serve_forever, args=(_POLL_SECONDS,), daemon=True).start()

    def stop(self) -> None:
        """Ends; nothing stays frozen, and the archives go along where the settings say so."""
        thaw_what_is_left(self.shelf.folder / NOTES, now=True)
        for server in self.servers:
            server.shutdown()
            server.server_close()
        if self.settings.remove_on_stop:
            self.shelf.clear()

    def sweep(self) -> None:
        """Removes what an agent before this one left half done."""
        for name in self.shelf.sweep(self.checkpoints.at_work):
            print(f"node agent: removed {name}, which belonged to nothing", file=sys.stderr, flush=True)

    def shown(self) -> dict[str, Any]:
        """Where it serves, and how it is."""
        service, registry = (str(server.address) for server in self.servers)
        return {
            "node": self.settings.node,
            "service": service,
            "registry": registry,
            "started": self.started,
            "freezes": self.freezer.works,
            "free": self.shelf.free(),
            "at_work": sorted(self.checkpoints.at_work),
        }


class RegistryHandler(Handler):
    """What the node's runtime asks."""

    agent: Agent

    def do_GET(self) -> None:  # noqa: N802
        """A manifest or a blob; `/v2/` says that this is a registry."""
        path = self.path.partition("?")[0]
        if path in ("/v2", "/v2/"):
            self.answer(200, {})
            return
        blob = self.agent.registry.find(path, ask=True)
        if blob:
            self.send_blob(blob)
        else:
            code = "MANIFEST_UNKNOWN" if "/manifests/" in path else "BLOB_UNKNOWN"
            self.answer(404, {"errors": [{"code": code, "message": f"no agent of this cluster has {path}"}]})

    do_HEAD = do_GET  # noqa: N815


class ServiceHandler(Handler):
    """What the server asks, and other agents: each request carries the agents' token; `/healthz` needs none."""

    agent: Agent

    def do_GET(self) -> None:  # noqa: N802
        """Health; facts of this agent; the archives; the registry, for other agents."""
        path = self.path.partition("?")[0]
        if path == "/healthz":
            self.answer(200, {"node": self.agent.settings.node})
        elif not self._is_authorized():
            return
        elif path == "/v1/facts":
            self.answer(200, self.agent.shown())
        elif path == "/v1/checkpoints":
            self.answer(200, {"items": [_shown(record) for record in self.agent.shelf.records()]})
        elif path.startswith("/v1/checkpoints/"):
            self._checkpoint(path.rpartition("/")[2])
        elif path.startswith("/v1/registry/"):
            blob = self.agent.registry.find(path.removeprefix("/v1/registry"), ask=False)
            self.send_blob(blob) if blob else self._refuse(404, f"{path} is not here")
        else:
            self._refuse(404, f"no such path: {path}")

    do_HEAD = do_GET  # noqa: N815

    def do_POST(self) -> None:  # noqa: N802
        """Takes a checkpoint, or those of all containers of a pod at one moment."""
        if not self._is_authorized():
            return
        try:
            if self.path == "/v1/checkpoints":
                self.answer(200, _shown(self.agent.checkpoints.take(self.body())))
            elif self.path == "/v1/pods":
                records = take_all(self.agent.checkpoints, self.agent.freezer, self.body().get("checkpoints") or [])
                self.answer(200, {"items": [_shown(record) for record in records]})
            else:
                self._refuse(404, f"no such path: {self.path}")
        except ValueError as wrong:
            self._refuse(400, str(wrong))
        except RefusedError as refused:
            self._refuse(refused.status, str(refused))

    def do_PUT(self) -> None:  # noqa: N802
        """Learns of the other agents and of base images that may be asked for; or takes an archive over."""
        if not self._is_authorized():
            return
        try:
            if self.path == "/v1/peers":
                asked = self.body()
                self.agent.peers.know(str(address) for address in asked.get("peers") or [])
                self.agent.registry.allow([str(digest) for digest in asked.get("bases") or []])
                self.answer(200, {})
            elif self.path == "/v1/archives":
                record = json.loads(self.headers.get(RECORD) or "{}")
                size = int(self.headers.get("Content-Length") or 0)
                self.answer(200, _shown(self.agent.checkpoints.adopt(record, self.rfile, size)))
            else:
                self._refuse(404, f"no such path: {self.path}")
        except ValueError as wrong:
            self._refuse(400, str(wrong))
        except RefusedError as refused:
            self._refuse(refused.status, str(refused))

    def do_DELETE(self) -> None:  # noqa: N802
        """Removes an archive; one that is not there is no error."""
        if self._is_authorized():
            there = self.agent.shelf.remove(self.path.removeprefix("/v1/checkpoints/"))
            self.answer(200, {"removed": there})

    def _checkpoint(self, id_: str) -> None:
        record = self.agent.shelf.record(id_)
        if record:
            self.answer(200, _shown(record))
        elif id_ in self.agent.checkpoints.at_work:
            self._refuse(409, "it is being taken")
        else:
            self._refuse(404, f"no checkpoint {id_}")

    def _is_authorized(self) -> bool:
        given = self.headers.get(HEADER, "")
        if hmac.compare_digest(given.encode(), self.agent.settings.token.encode()):
            return True
        self._refuse(401, f"{HEADER} is missing or wrong")
        return False

    def _refuse(self, status: int, text: str) -> None:
        """With an error that may come before the body was read: then the connection cannot be used again."""
        self.close_connection = True
        self.answer(status, {"message": text})


def _shown(record: dict[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in record.items() if key not in UNSHOWN}
