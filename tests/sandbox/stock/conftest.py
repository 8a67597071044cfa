"""A sandbox, node agents in it as real processes, and a propagator over it, in the test's own event loop."""

from __future__ import annotations

import asyncio
import base64
import time
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import helm_python
import pytest
import yaml
from aiohttp import ClientSession
from tests.sandbox.cluster.conftest import WITNESS

from propagator_server.commandline import Options as ServerOptions
from propagator_server.commandline import parse
from propagator_server.server import Server
from sandbox import kinds
from sandbox.api import objects
from sandbox.cluster import Cluster, Latencies
from sandbox.server import Options, Sandbox

Object = dict[str, Any]
CHART = Path(__file__).parents[3] / "libraries" / "propagator_server" / "stock" / "chart"
TOKEN = "token-of-the-stock-tests"
LONG = 60.0
"""Seconds that anything may take on a machine that is busy with something else."""
QUICK = Latencies(pod_start=0.02, pod_stop=0.02, checkpoint=0.02, restore=0.02, back_off=0.1)


def rendered(cluster_id: str, **agent: Any) -> list[Object]:
    """The chart's objects."""
    values = {"config": {"clusterId": cluster_id}, "agent": agent}
    with helm_python.Chart.load(str(CHART)) as chart:
        files = chart.render(values, name="cedana", namespace="cedana-system")
    return [one for name, text in files.items() if "NOTES" not in name for one in yaml.safe_load_all(text) if one]


class Stock:
    """What the tests do with it."""

    def __init__(self, sandbox: Sandbox, kubeconfig: str, state: Path) -> None:
        self.sandbox, self.kubeconfig, self.state = sandbox, kubeconfig, state
        self.cluster: Cluster = sandbox.cluster
        self.nodes = sandbox.stock[0]
        self.server: Server | None = None
        self.url = ""
        self.cluster_id = ""

    def options(self, *more: str) -> ServerOptions:
        """Of the propagator."""
        given = ["--kubeconfig", self.kubeconfig, "--state", str(self.state), *more]
        return parse(given, {"PROPAGATOR_TOKEN": TOKEN})

    async def serve(self, *more: str) -> None:
        """Starts the propagator."""
        self.server = Server(self.options(*more))
        self.url = (await self.server.start())["propagator_url"]

    async def stop_serving(self) -> None:
        """Ends the propagator."""
        if self.server:
            await self.server.stop()
        self.server = None

    async def ask(self, method: str, path: str, body: Any = None) -> tuple[int, Any]:
        """A request to the propagator: status and text, or JSON."""
        headers = {"Authorization": f"Bearer {TOKEN}"}
        async with ClientSession(self.url, headers=headers) as session, session.request(method, path, json=body) as got:
            text = await got.text()
            return got.status, (await got.json()) if text[:1] in ("{", "[") else text.strip('"')

    async def install(self, **agent: Any) -> None:
        """Registers the cluster and installs the agents in it; waits until they are Ready."""
        self.cluster_id = (await self.ask("POST", "/v2/cluster", {"cluster_name": "test"}))[1]
        self.create(kinds.NAMESPACE, {"metadata": {"name": "cedana-system"}})
        self.create(kinds.NAMESPACE, {"metadata": {"name": "test"}})
        known = {kind.kind: kind for kind in self.cluster.store.registry.all() if kind.stored_as is None}
        for one in rendered(self.cluster_id, **agent):
            self.create(known[one["kind"]], one)
        await self.until(lambda: len(self.ready_agents()) == len(self.cluster.store.list(kinds.NODE)))

    def create(self, kind: kinds.Kind, body: Object) -> Object:
        """Creates an object."""
        return objects.create(self.cluster, kind, {"apiVersion": kind.api_version, "kind": kind.kind, **body})

    def agent_pods(self) -> list[Object]:
        """The agents' pods."""
        pods = self.cluster.store.list(kinds.POD, "cedana-system")
        return [pod for pod in pods if pod["metadata"]["labels"].get("app.kubernetes.io/component") == "node-agent"]

    def ready_agents(self) -> list[Object]:
        """Those that are Ready."""
        return [pod for pod in self.agent_pods() if is_ready(pod)]

    async def pod(self, name: str, node: str = "node-1", containers: int = 1, **spec: Any) -> Object:
        """A pod with witnesses that runs on a node."""
        command = ["sh", "-c", WITNESS]
        names = ["main", *(f"side-{number}" for number in range(2, containers + 1))]
        made = [{"name": each, "image": "busybox:1.37", "command": command} for each in names]
        spec = {"containers": made, "nodeSelector": {"kubernetes.io/hostname": node}, **spec}
        self.create(kinds.POD, {"metadata": {"name": name, "namespace": "test"}, "spec": spec})
        await self.until(lambda: is_ready(self.get(name)))
        await self.until(lambda: len(self.log(name)) > 1)
        return self.get(name)

    def get(self, name: str) -> Object:
        """A pod of the tests', or an empty object."""
        return self.cluster.store.get(kinds.POD, "test", name) or {}

    def log(self, name: str, container: str = "main") -> list[str]:
        """Its witness's lines."""
        pod = self.get(name)
        found = self.cluster.runtime.container(pod["metadata"]["uid"], container) if pod else None
        return [line.text.decode() for line in found.log.lines] if found else []

    async def delete(self, name: str) -> None:
        """Deletes a pod and waits until it is gone."""
        objects.delete(self.cluster, kinds.POD, "test", name, grace=0)
        await self.until(lambda: not self.get(name))

    async def checkpoint(self, name: str) -> str:
        """Asks for a checkpoint; its action."""
        status, action = await self.ask(
            "POST", "/v2/checkpoint/pod", {"pod_name": name, "namespace": "test", "cluster_id": self.cluster_id}
        )
        assert status == 200, action
        return str(action)

    async def restore(self, action: str) -> str:
        """Asks for a restore; its action."""
        body = {"action_id": action, "reason": "manual", "cluster_id": self.cluster_id}
        status, made = await self.ask("POST", "/v2/restore/pod", body)
        assert status == 200, made
        return str(made)

    async def ended(self, action: str) -> tuple[str, str]:
        """Waits for the end of an action: its status, and its details."""
        deadline = time.monotonic() + LONG
        while True:
            found = (await self.ask("GET", f"/v2/checkpoint/status/{action}"))[1]
            if found["status"] in ("ready", "error"):
                return found["status"], found["details"] or ""
            assert time.monotonic() < deadline, f"not ended within {LONG} s: {found}"
            await asyncio.sleep(0.02)

    async def ready(self, action: str) -> str:
        """Waits until an action has ended well."""
        assert await self.ended(action) == ("ready", "")
        return action

    def archives(self, node: str) -> list[Path]:
        """The files in a node's checkpoint folder and below."""
        folder = self.nodes.kubelets.checkpoints(node)
        return sorted(path for path in folder.rglob("*") if path.is_file())

    async def until(self, condition: Callable[[], Any]) -> Any:
        """Waits until the condition gives something true."""
        deadline = time.monotonic() + LONG
        while not (result := condition()):
            if time.monotonic() > deadline:
                shown = [self.log_of(pod) for pod in self.agent_pods()]
                pytest.fail(f"not within {LONG} s; the agents say {shown}")
            await asyncio.sleep(0.01)
        return result

    def log_of(self, pod: Object) -> list[str]:
        """What an agent said."""
        found = self.cluster.runtime.container(pod["metadata"]["uid"], "agent")
        return [line.text.decode() for line in found.log.lines] if found else []

    def agent_token(self) -> str:
        """The agents' token."""
        secret = self.cluster.store.get(kinds.SECRET, "cedana-system", "node-agent")
        assert secret
        return base64.b64decode(secret["data"]["token"]).decode()


def is_ready(pod: Object) -> bool:
    """Whether a pod is Ready."""
    conditions = pod.get("status", {}).get("conditions") or []
    return any(each["type"] == "Ready" and each["status"] == "True" for each in conditions)


@pytest.fixture
async def stock(tmp_path: Path) -> AsyncIterator[Stock]:
    """Two nodes with agents, and a propagator that keeps its state in a file."""
    sandbox = Sandbox(Options(state_dir=tmp_path / "sandbox", latencies=QUICK))
    facts = await sandbox.start()
    made = Stock(sandbox, facts["kubeconfig"], tmp_path / "state.db")
    try:
        await made.serve()
        await made.install()
        yield made
    finally:
        await made.stop_serving()
        await sandbox.stop()
