"""pods/exec: a command beside the container's process."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

from aiohttp import WSMsgType, web

from ..api.status import bad_request
from ..runtime import SECOND, Container
from ..runtime.shell.launch import SHELLS, base_name
from ..runtime.shell.machine import Machine
from ..runtime.shell.tokens import Unsupported
from . import upgrades
from .targets import container_name, dial, pod_of

if TYPE_CHECKING:
    from ..cluster import Cluster

NOT_EMULATED = 126
_READERS = ("cat", "sha256sum", "wc", "head", "tail", "cut", "tr", "od", "tar")


async def pod_exec(request: web.Request, cluster: Cluster, namespace: str, name: str, _rest: str) -> web.StreamResponse:
    """Runs a command beside the container's process."""
    pod = pod_of(cluster, namespace, name)
    upgrades.needs_upgrade(request)
    wanted = container_name(pod, request.query.get("container", ""))
    command = request.query.getall("command", [])
    if not command:
        raise bad_request("you must specify at least 1 command for the container")
    dial(cluster, pod)
    container = cluster.runtime.container(pod["metadata"]["uid"], wanted)
    if container is None or not container.running:
        return await upgrades.refused(request, f'container not found ("{wanted}")')
    upgrades.needs_websocket(request)
    socket = await upgrades.accepted(request)
    session = _Session(cluster, container, socket, command, reads=upgrades.is_asked(request, "stdin"))
    await session.run()
    return socket


class _Session:
    def __init__(
        self, cluster: Cluster, container: Container, socket: web.WebSocketResponse, command: list[str], *, reads: bool
    ) -> None:
        self.cluster = cluster
        self.container = container
        self.socket = socket
        self.command = command
        self.reads = reads
        self.stdin = bytearray()
        self.ended = asyncio.Event()
        self.output: list[tuple[int, bytes]] = []

    async def run(self) -> None:
        receiver = asyncio.create_task(self._receive())
        try:
            status = await self._interpret() if self._is_interactive() else await self._command(self.command)
            await upgrades.send_status(self.socket, _status(status))
        except ConnectionResetError:
            return
        finally:
            receiver.cancel()

    def _is_interactive(self) -> bool:
        return (
            self.reads
            and base_name(self.command[0]) in SHELLS
            and all(a.startswith("-") and "c" not in a for a in self.command[1:])
        )

    async def _command(self, argv: list[str]) -> int:
        if self.reads and base_name(argv[0]) in (*_READERS, *SHELLS):
            await self.ended.wait()
        try:
            machine = self.cluster.runtime.run(self.container, argv, self._take, bytes(self.stdin))
            return await self._finish(machine)
        except Unsupported as error:
            await self._flush()
            await self._send(upgrades.STDERR, f"emulated container: {error} is not emulated\n".encode())
            return NOT_EMULATED
        except FileNotFoundError as error:
            await self._send(upgrades.STDERR, f"sh: can't open '{error}': No such file or directory\n".encode())
            return 2

    async def _finish(self, machine: Machine) -> int:
        """Runs the command in real time to its end, or until the client or the container goes."""
        while True:
            now = self.cluster.runtime.now()
            machine.advance(now)
            await self._flush()
            if machine.exit_code is not None:
                return machine.exit_code
            if self.socket.closed or not self.container.running:
                return 137
            due = machine.next_due
            await asyncio.sleep(0.2 if due is None else min(0.2, max(0.0, (due - now) / SECOND) + 0.001))

    async def _interpret(self) -> int:
        """A shell that reads its lines from stdin; each line runs by itself."""
        status, read = 0, 0
        while True:
            end = self.stdin.find(b"\n", read)
            if end < 0 and not self.ended.is_set():
                await asyncio.wait([asyncio.ensure_future(self.ended.wait())], timeout=0.05)
                continue
            line = bytes(self.stdin[read : end if end >= 0 else None]).decode(errors="replace").strip()
            if line.split()[:1] == ["exit"]:
                return int(line.split()[1]) if line.split()[1:] and line.split()[1].isdigit() else status
            if line:
                status = await self._command(["sh", "-c", line])
            if end < 0:
                return status
            read = end + 1

    def _take(self, _at: int, stream: str, data: bytes) -> None:
        self.output.append((upgrades.CHANNELS[stream], data))

    async def _flush(self) -> None:
        taken, self.output = self.output, []
        for channel, data in taken:
            await self._send(channel, data)

    async def _send(self, channel: int, data: bytes) -> None:
        await self.socket.send_bytes(bytes([channel]) + data)

    async def _receive(self) -> None:
        async for message in self.socket:
            if message.type not in (WSMsgType.BINARY, WSMsgType.TEXT):
                continue
            data = message.data.encode() if isinstance(message.data, str) else message.data
            if data[:1] == bytes([upgrades.STDIN]):
                self.stdin += data[1:]
            elif data[:1] == bytes([upgrades.CLOSE]) and data[1:2] == bytes([upgrades.STDIN]):
                self.ended.set()
        self.ended.set()


def _status(exit_code: int) -> dict[str, Any]:
    if exit_code == 0:
        return upgrades.SUCCESS
    return {
        "metadata": {},
        "status": "Failure",
        "message": f"command terminated with non-zero exit code: command terminated with exit code {exit_code}",
        "reason": "NonZeroExitCode",
        "details": {"causes": [{"reason": "ExitCode", "message": str(exit_code)}]},
    }
