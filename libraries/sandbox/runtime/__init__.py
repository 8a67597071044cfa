"""Containers of emulated pods: by pod UID, in virtual time, so that a container that nobody looks at costs nothing."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any

from .container import Container
from .http import NotHttp, Refused, answer, keeps_alive, listening
from .logs import SECOND
from .requests import Request, Response
from .setup import Setup, StartError
from .shell.commands import Place
from .shell.machine import Machine
from .snapshot import ContainerSnapshot, PodSnapshot
from .streams import Connection
from .surroundings import Host

__all__ = [
    "SECOND",
    "Connection",
    "Container",
    "ContainerSnapshot",
    "Host",
    "NotHttp",
    "PodContainers",
    "PodSnapshot",
    "Refused",
    "Request",
    "Response",
    "Runtime",
    "Setup",
    "StartError",
]

UPTIME = 24 * 3600 * SECOND
"""For how long a node ran when it was first seen (ns)."""

REPEATED_LINE_EVERY = 30
"""One restored container in so many has a line twice (measured: 1 in about 30 restores)."""


KEEP_ALIVE = 65
"""Seconds for which nginx keeps a connection on which nothing more comes (keepalive_timeout in its image's
configuration). The API server's proxy, a Go HTTP transport, would keep it for 90 s."""


@dataclass
class PodContainers:
    """What runs of one pod: the latest container of each name, and the one before it."""

    uid: str
    containers: dict[str, Container] = field(default_factory=dict)
    previous: dict[str, Container] = field(default_factory=dict)
    timers: dict[str, asyncio.TimerHandle] = field(default_factory=dict)
    connections: list[Connection] = field(default_factory=list)
    origin: PodSnapshot | None = None
    frozen_until: int = 0


class Runtime:
    """All containers of a cluster. `on_exit(uid, container)` is called when one ends by itself."""

    def __init__(self, clock: Callable[[], int] = time.time_ns) -> None:
        self.now = clock
        self.pods: dict[str, PodContainers] = {}
        self.on_exit: Callable[[str, Container], None] = lambda _uid, _container: None
        self.repeated_line_every = REPEATED_LINE_EVERY
        self._staged: dict[str, PodSnapshot] = {}
        self._hosts: dict[str, Host] = {}
        self._restores = 0

    def host(self, node: str) -> Host:
        """A node as its containers see it."""
        if node not in self._hosts:
            self._hosts[node] = Host(node, booted=max(0, self.now() - UPTIME))
        return self._hosts[node]

    def jump_clock(self, node: str, seconds: float) -> None:
        """Sets a node's clock forward or (below 0) back; what its containers did until now keeps its times."""
        host = self.host(node)
        for held in self.pods.values():
            for container in held.containers.values():
                if container.setup.surroundings.host is host:
                    container.advance(self.now())
        host.ahead += int(seconds * SECOND)

    def stage(self, pod_uid: str, snapshot: PodSnapshot) -> None:
        """The containers of this pod will start from the snapshot. Call it in the tick in which the pod was created."""
        self._staged[pod_uid] = snapshot

    def snapshot(self, pod_uid: str, pod: dict[str, Any] | None = None, *, freeze: float = 0.0) -> PodSnapshot:
        """Every container of the pod at one moment; the source goes on after `freeze` seconds in which it stands.

        Raises KeyError when nothing runs of this pod.
        """
        held = self.pods[pod_uid]
        now = self.now()
        for container in held.containers.values():
            container.advance(now)
        if not any(container.running for container in held.containers.values()):
            raise KeyError(pod_uid)
        for container in held.containers.values():
            if container.running and container.machine:
                container.machine.memory.shift(int(freeze * SECOND))
        taken = {name: container.snapshot(now) for name, container in held.containers.items()}
        for container in held.containers.values():
            self._watch(held, container)
        cut = held.frozen_until = now + int(freeze * SECOND)
        return PodSnapshot(pod or {}, cut, taken, freeze)

    def snapshot_of(self, pod_uid: str, name: str, freeze: float) -> tuple[ContainerSnapshot, int]:
        """One container of a pod as a kubelet's checkpoint has it, and the moment (ns) at which it goes on, `freeze`
        seconds from now. Raises KeyError when it does not run."""
        held = self.pods[pod_uid]
        container, now = held.containers[name], self.now()
        container.advance(now)
        if not container.running or not container.machine:
            raise KeyError(name)
        container.machine.memory.shift(int(freeze * SECOND))
        taken, cut = container.snapshot(now), now + int(freeze * SECOND)
        self._watch(held, container)
        held.frozen_until = max(held.frozen_until, cut)
        return taken, cut

    def process_ended(self, pod_uid: str, name: str, exit_code: int) -> None:
        """A real process that runs in a container's place has ended by itself."""
        held = self.pods.get(pod_uid)
        container = held.containers.get(name) if held else None
        if held and container:
            container.process_ended(self.now(), exit_code)
            self._watch(held, container)

    async def thaw(self, pod_uid: str) -> None:
        """Waits as long as a dump holds the pod's processes: who asks them something then waits for the answer."""
        held = self.pods.get(pod_uid)
        await asyncio.sleep(max(0, held.frozen_until - self.now()) / SECOND if held else 0)

    def add(self, pod_uid: str) -> PodContainers:
        """The place of a pod's containers, made when there is none."""
        if pod_uid not in self.pods:
            self.pods[pod_uid] = PodContainers(pod_uid, origin=self._staged.pop(pod_uid, None))
        return self.pods[pod_uid]

    def start(self, pod_uid: str, setup: Setup, origin: tuple[ContainerSnapshot, int] | None = None) -> Container:
        """Starts a container: anew, from `origin` (its state at a moment), or from the snapshot that was staged for its
        pod. Raises StartError."""
        held = self.add(pod_uid)
        name = setup.spec["name"]
        before = held.containers.get(name)
        container = Container(setup, before.attempt + 1 if before else 0, self.now())
        staged = held.origin.containers.get(name) if held.origin else None
        if origin and origin[0].memory:
            container.resume(*origin, extra_line=False)
        elif staged and held.origin and staged.memory:
            self._restores += 1
            extra = self._restores % self.repeated_line_every == 0
            container.resume(staged, held.origin.at, extra_line=extra)
        else:
            container.begin()
        container.peers = lambda: [
            one for one in held.containers.values() if one is not container and one.shares_files_with(container)
        ]
        if before:
            held.previous[name] = before
        held.containers[name] = container
        self._watch(held, container)
        return container

    def stop(self, pod_uid: str, name: str, exit_code: int | None) -> Container | None:
        """Ends one container from outside, with SIGTERM or (where given) this exit code; `on_exit` is not called."""
        held = self.pods.get(pod_uid)
        container = held.containers.get(name) if held else None
        if held and container:
            self._unwatch(held, name)
            container.stop(self.now(), exit_code)
        return container

    def forget(self, pod_uid: str) -> None:
        """Ends and forgets everything of a pod."""
        self._staged.pop(pod_uid, None)
        held = self.pods.pop(pod_uid, None)
        for name in list(held.timers) if held else []:
            assert held is not None
            self._unwatch(held, name)
        for container in held.containers.values() if held else ():
            container.discard(self.now())

    def container(self, pod_uid: str, name: str, *, previous: bool = False) -> Container | None:
        """A container as it is now, or the one before its last restart."""
        held = self.pods.get(pod_uid)
        found = (held.previous if previous else held.containers).get(name) if held else None
        if found:
            found.advance(self.now())
        return found

    def http(self, pod_uid: str, port: int, request: Request) -> Response:
        """What the pod answers on a port. Raises Refused when nothing listens there, and NotHttp."""
        return answer(self._listener(pod_uid, port), port, request, self.now())

    def connect(self, pod_uid: str, port: int, client: str) -> Connection:
        """A connection to a pod's port, from an address. Raises Refused when nothing listens there."""
        held, container = self.pods.get(pod_uid), self._listener(pod_uid, port)
        assert held is not None
        connection = Connection(container, port, client, self.now, lambda: self._wake(held, container))
        held.connections = [*(each for each in held.connections if not each.ended), connection]
        return connection

    def keep_alive(self, pod_uid: str, port: int, client: str) -> None:
        """A request of the API server's proxy was answered: it keeps the connection, where the server does (nginx)."""
        until = self.now() + KEEP_ALIVE * SECOND
        for connection in self._established(pod_uid):
            if connection.until is not None and (connection.port, connection.client) == (port, client):
                connection.until = until
                return
        with suppress(Refused):
            if keeps_alive(self._listener(pod_uid, port), port):
                self.connect(pod_uid, port, client).until = until

    def cut_connections(self, pod_uid: str) -> None:
        """Ends all connections to the pod; their clients learn it when they next say something."""
        for connection in self._established(pod_uid):
            connection.close()

    def connections(self, pod_uid: str) -> int:
        """How many connections to the pod are established."""
        return len(self._established(pod_uid))

    def _established(self, pod_uid: str) -> list[Connection]:
        held, now = self.pods.get(pod_uid), self.now()
        found = (each for each in held.connections if each.container.running and not each.ended) if held else ()
        return [each for each in found if each.until is None or each.until > now]

    def _listener(self, pod_uid: str, port: int) -> Container:
        held = self.pods.get(pod_uid)
        for name in list(held.containers) if held else []:
            container = self.container(pod_uid, name)
            if container and port in listening(container):
                return container
        raise Refused(f"connect: connection refused on port {port}")

    def run(
        self, container: Container, argv: list[str], sink: Callable[[int, str, bytes], None], stdin: bytes = b""
    ) -> Machine:
        """A command beside the container's process, in its file tree (exec, exec probes). Raises Unsupported."""
        now = self.now()
        container.advance(now)
        setup, hostname = container.setup, container.machine.place.hostname if container.machine else ""
        place = Place(container.files, hostname, {**setup.env}, now, setup.cwd, setup.surroundings)
        return Machine.start(argv, place, sink, now, complete=False, stdin=stdin)

    def close(self) -> None:
        """Ends everything."""
        for uid in list(self.pods):
            self.forget(uid)

    def _watch(self, held: PodContainers, container: Container) -> None:
        self._unwatch(held, container.name)
        if not container.running:
            asyncio.get_running_loop().call_soon(self._ended, held.uid, container)
            return
        due = container.next_end
        if due is not None:
            delay = max(0, due - self.now()) / SECOND
            held.timers[container.name] = asyncio.get_running_loop().call_later(
                delay + 0.001, self._wake, held, container
            )

    def _unwatch(self, held: PodContainers, name: str) -> None:
        timer = held.timers.pop(name, None)
        if timer:
            timer.cancel()

    def _wake(self, held: PodContainers, container: Container) -> None:
        container.advance(self.now())
        self._watch(held, container)

    def _ended(self, uid: str, container: Container) -> None:
        held = self.pods.get(uid)
        if held and held.containers.get(container.name) is container:
            self.on_exit(uid, container)
