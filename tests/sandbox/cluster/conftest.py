"""A cluster inside the test's own event loop, and what the tests ask of it."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Callable
from copy import deepcopy
from typing import Any

import pytest

from sandbox import kinds
from sandbox.api import objects
from sandbox.cluster import Cluster, Latencies
from sandbox.kinds import Kind

Object = dict[str, Any]
LONG = 60.0
"""Seconds that anything may take on a machine that is busy with something else."""
WITNESS = (
    "k=$(od -An -N8 -tx1 /dev/urandom | tr -d ' \\n'); n=0; c=0000000000000000\n"
    'while :; do n=$((n+1)); c=$(printf \'%s %s %s\' "$c" "$k" "$n" | sha256sum | cut -c1-16); '
    'echo "witness/1 nonce=$k step=$n chain=$c"; sleep 0.2; done'
)


class Hands:
    """Creates, reads and waits in namespace `test` of a cluster."""

    def __init__(self, cluster: Cluster) -> None:
        self.cluster = cluster

    def create(self, kind: Kind, body: Object) -> Object:
        """Creates an object in the namespace."""
        metadata = {"namespace": "test", **body["metadata"]} if kind.namespaced else body["metadata"]
        full = {"apiVersion": kind.api_version, "kind": kind.kind, **body, "metadata": metadata}
        return objects.create(self.cluster, kind, full)

    def pod(self, name: str, command: list[str] | None = None, **spec: Any) -> Object:
        """Creates a pod with one container `main` (busybox), or with `containers`."""
        container: Object = {
            "name": "main",
            "image": spec.pop("image", "busybox:1"),
            **({"command": command} if command else {}),
        }
        for key in (
            "readinessProbe",
            "livenessProbe",
            "startupProbe",
            "env",
            "ports",
            "volumeMounts",
            "resources",
            "imagePullPolicy",
            "args",
            "securityContext",
        ):
            if key in spec:
                container[key] = spec.pop(key)
        labels = spec.pop("labels", {"app": name})
        return self.create(
            kinds.POD, {"metadata": {"name": name, "labels": labels}, "spec": {"containers": [container], **spec}}
        )

    def get(self, kind: Kind, name: str) -> Object:
        """The stored object, or an empty one."""
        return self.cluster.store.get(kind, "test" if kind.namespaced else None, name) or {}

    def status(self, name: str) -> Object:
        """A pod's status."""
        return self.get(kinds.POD, name).get("status", {})

    def state(self, name: str, container: int = 0) -> Object:
        """The state of a container of a pod."""
        statuses = self.status(name).get("containerStatuses") or [{}] * (container + 1)
        return statuses[container].get("state", {})

    def ready(self, name: str) -> bool:
        """Whether a pod is Ready."""
        return any(c["type"] == "Ready" and c["status"] == "True" for c in self.status(name).get("conditions") or [])

    def run(self, name: str, *command: str, stdin: bytes = b"") -> tuple[int | None, str, str]:
        """Exit status, output and errors of a command beside a container's process."""
        container = self.cluster.runtime.container(self.get(kinds.POD, name)["metadata"]["uid"], "main")
        assert container is not None, f"no container of {name}"
        out: dict[str, bytes] = {"stdout": b"", "stderr": b""}

        def take(_at: int, stream: str, data: bytes) -> None:
            out[stream] += data

        machine = self.cluster.runtime.run(container, list(command), take, stdin)
        machine.advance(self.cluster.runtime.now() + 60 * 10**9)
        return machine.exit_code, out["stdout"].decode(), out["stderr"].decode()

    def events(self, name: str) -> list[tuple[str, str]]:
        """Reason and message of the events about an object."""
        found = self.cluster.store.list(kinds.EVENT, "test")
        return [(e["reason"], e["message"]) for e in found if e["involvedObject"]["name"] == name]

    def log(self, name: str, container: str = "main") -> list[str]:
        """A container's log lines."""
        found = self.cluster.runtime.container(self.get(kinds.POD, name)["metadata"]["uid"], container)
        return [line.text.decode() for line in found.log.lines] if found else []

    async def until(self, condition: Callable[[], Any], seen: Callable[[], Any] = lambda: "") -> Any:
        """Waits until the condition gives something true; fails with what was last seen."""
        deadline = time.monotonic() + LONG
        while not (result := condition()):
            if time.monotonic() > deadline:
                pytest.fail(f"not within {LONG} s; last seen: {seen()}")
            await asyncio.sleep(0.01)
        return result

    def statuses(self, name: str) -> list[Object]:
        """Every status of a pod from now on, also those that do not last."""
        seen: list[Object] = []
        self.cluster.follow(
            kinds.POD, lambda c: c.object["metadata"]["name"] == name and seen.append(deepcopy(c.object["status"]))
        )
        return seen

    async def running(self, name: str) -> Object:
        """Waits until a pod is Ready."""
        await self.until(lambda: self.ready(name), lambda: self.status(name))
        return self.get(kinds.POD, name)


@pytest.fixture
async def cluster() -> AsyncIterator[Cluster]:
    """A cluster of two nodes in which everything is quick."""
    made = Cluster("test", 2, Latencies(pod_start=0.02, pod_stop=0.02, checkpoint=0.02, restore=0.02, back_off=0.1))
    made.certificate = "-----BEGIN CERTIFICATE-----"
    await made.start()
    objects.create(made, kinds.NAMESPACE, {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "test"}})
    yield made
    await made.stop()


@pytest.fixture
def hands(cluster: Cluster) -> Hands:
    """What the tests do with the cluster."""
    return Hands(cluster)
