"""A pod API in a few lines: what collecting evidence asks of a cluster, with pods whose story a test tells."""

from __future__ import annotations

import contextlib
import itertools
import json
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import yaml
from tests.harness.fake_api import Server

from ContinuityLibrary import witness
from harness.kube import Cluster

PERIOD = 0.02
_uids = itertools.count(1)


@dataclass
class FakePod:
    """A pod with one container, whose witness prints a step each 20 ms from `first` to `last` (None: without end).

    `unheard`: no kubelet has told of its containers yet.
    """

    name: str = "test"
    nonce: str = "a" * 16
    first: int = 1
    last: int | None = None
    copied: list[str] = field(default_factory=list)
    previous: list[str] | None = None
    restarts: int = 0
    phase: str = "Running"
    ready: bool = True
    unheard: bool = False
    state: dict[str, Any] | None = None
    uid: str = field(default_factory=lambda: f"uid-{next(_uids)}")
    began: float = field(default_factory=time.time)

    def lines(self) -> list[str]:
        """Its log up to now."""
        count = int((time.time() - self.began) / PERIOD)
        last = self.first + count - 1 if self.last is None else min(self.last, self.first + count - 1)
        own = [self._line(number) for number in range(self.first, last + 1)]
        return self.copied + own

    def _line(self, number: int) -> str:
        moment = datetime.fromtimestamp(self.began + (number - self.first + 1) * PERIOD, UTC)
        stamp = moment.strftime("%Y-%m-%dT%H:%M:%S.%f000Z")
        return f"{stamp} witness/1 nonce={self.nonce} step={number} chain={witness.chain(self.nonce, number)}"

    def document(self) -> dict[str, Any]:
        """The pod as the API has it."""
        started = datetime.fromtimestamp(int(self.began), UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
        status = {
            "name": "main",
            "ready": self.ready,
            "restartCount": self.restarts,
            "containerID": f"containerd://{self.uid}-{self.restarts}",
            "state": self.state or {"running": {"startedAt": started}},
        }
        if self.previous is not None:
            status["lastState"] = {"terminated": {"exitCode": 0, "startedAt": started}}
        return {
            "metadata": {"name": self.name, "namespace": "ns", "uid": self.uid},
            "spec": {"containers": [{"name": "main"}]},
            "status": {
                "phase": self.phase,
                "conditions": [{"type": "Ready", "status": str(self.ready)}],
                **({} if self.unheard else {"containerStatuses": [status]}),
            },
        }


class FakeApi:
    """The pods by name; `paths` are what was asked, `broken` answers that come instead."""

    def __init__(self) -> None:
        self.pods: dict[str, FakePod] = {}
        self.asked: list[str] = []
        self.log_status = self.pod_status = 200
        self.between: list[Any] = []

    def answer(self, path: str) -> tuple[int, str]:
        """Status and body of a GET."""
        self.asked.append(path)
        parts = urlsplit(path)
        name, _, rest = parts.path.removeprefix("/api/v1/namespaces/ns/pods/").partition("/")
        pod = self.pods.get(name)
        if pod is None:
            return 404, json.dumps({"kind": "Status", "message": f'pods "{name}" not found'})
        if not rest and self.pod_status != 200:
            return self.pod_status, json.dumps({"kind": "Status", "message": "not now"})
        if not rest:
            return 200, json.dumps(pod.document())
        if self.between:
            self.between.pop()()
        wants_previous = parse_qs(parts.query).get("previous", [""])[0].lower() == "true"
        lines = pod.previous if wants_previous else None if pod.state or pod.unheard else pod.lines()
        if lines is None or self.log_status != 200:
            return 400 if lines is None else self.log_status, json.dumps({"kind": "Status", "message": "no log"})
        return 200, "".join(f"{line}\n" for line in lines)


@contextlib.contextmanager
def serving(directory: Path) -> Iterator[tuple[FakeApi, Cluster]]:
    """The API on a port of its own, and a connection to it."""
    api = FakeApi()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            status, body = api.answer(self.path)
            data = body.encode()
            self.send_response(status)
            self.send_header("Content-Length", str(len(data)))
            self.end_headers()
            self.wfile.write(data)

        def log_message(self, *args: object) -> None:
            """Quiet."""

    server = Server(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield api, Cluster("fake", _kubeconfig(directory, server.server_port))
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def _kubeconfig(directory: Path, port: int) -> Path:
    path = directory / "kubeconfig"
    path.write_text(
        yaml.safe_dump(
            {
                "apiVersion": "v1",
                "kind": "Config",
                "current-context": "c",
                "contexts": [{"name": "c", "context": {"cluster": "c", "user": "u"}}],
                "clusters": [{"name": "c", "cluster": {"server": f"http://127.0.0.1:{port}"}}],
                "users": [{"name": "u", "user": {}}],
            }
        )
    )
    return path
