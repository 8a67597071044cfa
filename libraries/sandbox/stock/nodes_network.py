"""Real sockets in the emulated network: where agents and kubelets listen, by the addresses that the cluster has for
them, and a proxy (HTTP CONNECT) through which the agents reach each other and their kubelets."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ..cluster import Cluster

HOST = "127.0.0.1"
_ESTABLISHED = b"HTTP/1.1 200 Connection established\r\n\r\n"
_UNREACHABLE = b"HTTP/1.1 504 Gateway Timeout\r\n\r\n"


class RealPorts:
    """Ports of this machine's loopback by address and port in an emulated cluster."""

    def __init__(self, cluster: Cluster) -> None:
        self._cluster = cluster
        self._ports: dict[tuple[str, int], int] = {}

    def listen(self, address: str, port: int, real: int) -> None:
        """Something listens there."""
        self._ports[address, port] = real

    def close(self, address: str, port: int) -> None:
        """Nothing does any more."""
        self._ports.pop((address, port), None)

    def at(self, address: str, port: int) -> int | None:
        """The real port; None where nothing listens, or its node is cut off."""
        down = any(
            trouble.down and self._cluster.node_address(node) == address
            for node, trouble in self._cluster.kubelet.trouble.items()
        )
        return None if down else self._ports.get((address, port))


def loopback(node: str) -> str:
    """A node's own loopback, as an address of the emulated network."""
    return f"{node}/{HOST}"


class ConnectProxy:
    """A proxy on loopback into the emulated network. `url` is for HTTPS_PROXY."""

    def __init__(self, ports: RealPorts) -> None:
        self._ports = ports
        self._server: asyncio.Server | None = None
        self._tasks: set[asyncio.Task[None]] = set()

    async def start(self) -> str:
        """Serves; gives its URL."""
        self._server = await asyncio.start_server(self._serve, HOST, 0)
        return f"http://{HOST}:{self._server.sockets[0].getsockname()[1]}"

    async def stop(self) -> None:
        """Ends it, and every connection through it."""
        if self._server:
            self._server.close()
        for task in list(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        try:
            head = await reader.readuntil(b"\r\n\r\n")
            address, _, port = head.split(b" ")[1].decode().rpartition(":")
            real = self._ports.at(address.strip("[]"), int(port))
            if real is None:
                writer.write(_UNREACHABLE)
                return
            far_reader, far_writer = await asyncio.open_connection(HOST, real)
            writer.write(_ESTABLISHED)
            await asyncio.gather(_pipe(reader, far_writer), _pipe(far_reader, writer))
        except (OSError, ValueError, IndexError, asyncio.IncompleteReadError):
            return
        finally:
            with suppress(OSError):
                writer.close()


async def _pipe(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    with suppress(OSError):
        while data := await reader.read(65536):
            writer.write(data)
            await writer.drain()
    with suppress(OSError):
        writer.close()
