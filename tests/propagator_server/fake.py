"""A backend in memory and a server on a real socket, for tests of the API and of its client."""

import asyncio
import socket
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import datetime
from uuid import uuid4

from aiohttp import web

from propagator_server.app import create_app
from propagator_server.backend import (
    BackendError,
    CheckpointRequest,
    ContainerCheckpoint,
    Node,
    NotAnsweredError,
    Pod,
    RestoreRequest,
)

TOKEN = "fake-token-0123456789abcdef"


@dataclass
class FakeBackend:
    """Pods by UID. `gate` holds checkpoints up, before and after the state is taken, until the test lets them go on."""

    known: dict[str, Pod] = field(default_factory=dict)
    saved: dict[str, CheckpointRequest] = field(default_factory=dict)
    restored: list[RestoreRequest] = field(default_factory=list)
    forgotten: list[str] = field(default_factory=list)
    fail: BackendError | None = None
    gates: list[threading.Event] = field(default_factory=list)
    restore_gate: threading.Event | None = None
    removal: BackendError | None = None
    heard: datetime | None = None

    def hold(self) -> None:
        """Checkpoints wait before their state is taken."""
        self.gates = [threading.Event()]

    def let_go(self) -> None:
        for gate in self.gates:
            gate.set()

    def add_pod(self, cluster_id: str, name: str = "web", containers: Sequence[str] = ("web",)) -> Pod:
        pod = Pod(str(uuid4()), "shop", name, cluster_id, tuple(containers), ready=len(containers), node="node-1")
        self.known[pod.uid] = pod
        return pod

    async def find_pod(
        self, *, uid: str | None = None, namespace: str | None = None, name: str | None = None, cluster_id: str | None
    ) -> Pod | None:
        for pod in self.known.values():
            named = pod.uid == uid if uid else (pod.namespace, pod.name) == (namespace, name)
            if named and cluster_id in (None, pod.cluster_id):
                return pod
        return None

    async def pods(self) -> Sequence[Pod]:
        return list(self.known.values())

    async def nodes(self) -> Sequence[Node]:
        clusters = dict.fromkeys(pod.cluster_id for pod in self.known.values())
        return [Node(str(uuid4()), "node-1", cluster_id, "Ready", heard=self.heard) for cluster_id in clusters]

    async def checkpoint(self, request: CheckpointRequest) -> Sequence[ContainerCheckpoint]:
        await self._pass_gate(0)
        if self.fail:
            raise self.fail
        request.created()
        await self._pass_gate(1)
        self.saved[request.action_id] = request
        return [
            ContainerCheckpoint(name, f"cedana://{checkpoint_id}", 4096)
            for name, checkpoint_id in zip(request.pod.containers, request.checkpoint_ids, strict=True)
        ]

    async def restore(self, request: RestoreRequest) -> Pod:
        if self.fail:
            raise self.fail
        if self.restore_gate:
            await asyncio.to_thread(self.restore_gate.wait, 120)
        self.restored.append(request)
        source = self.saved[request.checkpoint_action_id].pod
        name = request.pod_name or f"{source.name}-restored"
        pod = replace(source, uid=str(uuid4()), name=name, cluster_id=request.cluster_id or source.cluster_id)
        self.known[pod.uid] = pod
        return pod

    async def forget(self, checkpoint_id: str) -> None:
        if self.removal:
            raise self.removal
        self.forgotten.append(checkpoint_id)

    async def _pass_gate(self, number: int) -> None:
        if number < len(self.gates):
            await asyncio.to_thread(self.gates[number].wait, 120)


def silent() -> BackendError:
    return NotAnsweredError("no helper has a matching pod")


@contextmanager
def served(app: web.Application) -> Iterator[str]:
    """The base URL of the application, which runs in a thread of its own on a real socket."""
    loop = asyncio.new_event_loop()
    listener = socket.create_server(("127.0.0.1", 0))
    runner = web.AppRunner(app, shutdown_timeout=0.1)
    ready = threading.Event()

    async def start() -> None:
        await runner.setup()
        await web.SockSite(runner, listener).start()

    def run() -> None:
        asyncio.set_event_loop(loop)
        loop.run_until_complete(start())
        loop.call_soon(ready.set)
        loop.run_forever()
        loop.run_until_complete(runner.cleanup())
        left = asyncio.all_tasks(loop)
        for task in left:
            task.cancel()
        loop.run_until_complete(asyncio.gather(*left, return_exceptions=True))
        loop.run_until_complete(loop.shutdown_default_executor())
        loop.close()

    thread = threading.Thread(target=run)
    thread.start()
    assert ready.wait(60)
    try:
        yield f"http://127.0.0.1:{listener.getsockname()[1]}"
    finally:
        loop.call_soon_threadsafe(loop.stop)
        thread.join(60)
        assert not thread.is_alive()


@contextmanager
def propagator(
    backend: FakeBackend, era: str = "jan26", *, middlewares: Sequence = (), **options: object
) -> Iterator[str]:
    """A propagator of that era over the backend, with middlewares that misbehave outermost."""
    app = create_app(backend, era=era, token=TOKEN, **options)  # type: ignore[arg-type]
    for middleware in middlewares:
        app.middlewares.insert(0, middleware)
    with served(app) as url:
        yield url
