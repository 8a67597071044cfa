"""An emulated cluster with just enough of Cedana in it, and a witness to checkpoint."""

import asyncio
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest_asyncio
import yaml

from propagator_server.backend import CheckpointRequest, Pod, RestoreRequest
from sandbox import kinds
from sandbox.api import objects
from sandbox.cedana.backend import EmulatedBackend
from sandbox.cluster import Cluster, Latencies

WITNESS = Path(__file__).parents[3] / "resources" / "workloads" / "witness.yaml"
CLUSTER_ID = "0b54a3f6-0000-4000-8000-00000000000a"
INSTALL = "cedana-system"
QUICK = Latencies(pod_start=0.01, pod_stop=0.01, checkpoint=0.01, restore=0.01, freeze=0.0, uninstall=0.01)


@dataclass
class Emulated:
    """A cluster and the propagator's backend over it."""

    cluster: Cluster
    backend: EmulatedBackend

    def create(self, kind: Any, **obj: Any) -> dict[str, Any]:
        return objects.create(self.cluster, kind, {"apiVersion": kind.api_version, "kind": kind.kind, **obj})

    def delete_pod(self, name: str, namespace: str = "default") -> None:
        objects.delete(self.cluster, kinds.POD, namespace, name, grace=0)

    def install(self, cluster_id: str = CLUSTER_ID) -> None:
        """The objects of the chart that the backend looks at."""
        self.create(kinds.NAMESPACE, metadata={"name": INSTALL})
        self.create(kinds.RUNTIME_CLASS, metadata={"name": "cedana"}, handler="cedana")
        metadata = {"name": "cedana-config", "namespace": INSTALL}
        self.create(kinds.CONFIG_MAP, metadata=metadata, data={"cluster-id": cluster_id})
        self.component("manager", "cedana-manager-1")
        for node in self.cluster.store.list(kinds.NODE):
            self.component("helper", f"cedana-helper-{node['metadata']['name']}", node["metadata"]["name"])

    def component(self, name: str, pod: str, node: str | None = None) -> None:
        labels = {"app.kubernetes.io/component": name}
        spec: dict[str, Any] = {"containers": [{"name": name, "image": "busybox", "command": ["sleep", "1000000"]}]}
        if node:
            spec["nodeName"] = node
        self.create(kinds.POD, metadata={"name": pod, "namespace": INSTALL, "labels": labels}, spec=spec)

    async def ready(self, namespace: str | None = None) -> None:
        """Waits until every pod is Ready."""
        await until(lambda: all(map(is_ready, self.cluster.store.list(kinds.POD, namespace))))

    async def witness(self, name: str = "web", **changes: Any) -> Pod:
        """A Ready pod with a witness that has printed a step."""
        manifest = yaml.safe_load(WITNESS.read_text())
        manifest["metadata"] |= {"name": name, "namespace": "default"} | changes.pop("metadata", {})
        manifest["spec"] |= changes
        self.create(kinds.POD, **{key: manifest[key] for key in ("metadata", "spec")})
        await self.ready()
        found = await self.backend.find_pod(namespace="default", name=name, cluster_id=None)
        if found is None:
            pods = self.cluster.store.list(kinds.POD, "default")
            (uid,) = [pod["metadata"]["uid"] for pod in pods if pod["metadata"]["name"] == name]
            found = Pod(uid, "default", name, CLUSTER_ID, ("test-witness",))
        await until(lambda: len(self.lines(found.uid)) > 0)
        return found

    def lines(self, uid: str, container: str = "test-witness") -> list[tuple[int, str]]:
        """A container's log: time and text."""
        there = self.cluster.runtime.container(uid, container)
        return [(line.at, line.text.decode()) for line in there.log.lines] if there else []

    def pod(self, name: str) -> dict[str, Any] | None:
        return self.cluster.store.get(kinds.POD, "default", name)


def is_ready(pod: dict[str, Any]) -> bool:
    conditions = pod.get("status", {}).get("conditions", [])
    return any(each["type"] == "Ready" and each["status"] == "True" for each in conditions)


async def until(condition: Callable[[], bool]) -> None:
    """Waits until it holds; fails when it does not within 60 s, on a busy machine, too."""
    async with asyncio.timeout(60):
        while not condition():  # noqa: ASYNC110 - one wait for anything
            await asyncio.sleep(0.01)


def dump(pod: Pod, action: str = "action-1", **changes: Any) -> CheckpointRequest:
    ids = tuple(f"{action}-{name}" for name in pod.containers)
    fields = {"kind": "simple", "overrides": {}, "created": lambda **_: None} | changes
    return CheckpointRequest(action_id=action, pod=pod, checkpoint_ids=ids, **fields)


def back(action: str = "action-1", **changes: Any) -> RestoreRequest:
    fields = {"cluster_id": None, "pod_name": None, "overrides": {}} | changes
    return RestoreRequest(action_id="restore-1", checkpoint_action_id=action, **fields)


@pytest_asyncio.fixture
async def bare() -> AsyncIterator[Emulated]:
    """Two nodes, without Cedana."""
    cluster = Cluster("emulated", nodes=2, latencies=QUICK)
    await cluster.start()
    yield Emulated(cluster, EmulatedBackend([cluster]))
    await cluster.stop()


@pytest_asyncio.fixture
async def emulated(bare: Emulated) -> Emulated:
    """Two nodes, with Cedana at work."""
    bare.install()
    await bare.ready()
    return bare
