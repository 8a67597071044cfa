"""pods/attach: what a container's own process prints from now on, until it ends."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from aiohttp import web

from ..runtime import Container
from . import upgrades
from .logs import news_of
from .targets import container_name, dial, pod_of

if TYPE_CHECKING:
    from ..cluster import Cluster

NO_INPUT = b"emulated container: its process gets nothing of what is typed\n"


async def pod_attach(
    request: web.Request, cluster: Cluster, namespace: str, name: str, _rest: str
) -> web.StreamResponse:
    """Sends the output of the container's process; input is not emulated, which it says on stderr."""
    pod = pod_of(cluster, namespace, name)
    upgrades.needs_upgrade(request)
    wanted = container_name(pod, request.query.get("container", ""))
    dial(cluster, pod)
    container = cluster.runtime.container(pod["metadata"]["uid"], wanted)
    if container is None or not container.running:
        return await upgrades.refused(request, f"container {wanted} not found in pod {name}_{namespace}")
    upgrades.needs_websocket(request)
    socket = await upgrades.accepted(request)
    receiver = asyncio.create_task(_read(socket))
    try:
        await _send(request, cluster, container, socket)
    except ConnectionResetError:
        return socket
    finally:
        receiver.cancel()
    return socket


async def _read(socket: web.WebSocketResponse) -> None:
    """Takes what comes, so that the end of the client is noticed."""
    async for _ in socket:
        pass


async def _send(request: web.Request, cluster: Cluster, container: Container, socket: web.WebSocketResponse) -> None:
    terminal = upgrades.is_asked(request, "tty")
    if upgrades.is_asked(request, "stdin"):
        await socket.send_bytes(bytes([upgrades.STDOUT if terminal else upgrades.STDERR]) + NO_INPUT)
    container.advance(cluster.runtime.now())
    log = container.log
    sent = log.dropped + len(log.lines)
    news = asyncio.Event()
    log.watchers.add(news)
    try:
        while not socket.closed:
            lines = log.lines[max(0, sent - log.dropped) :]
            sent = log.dropped + len(log.lines)
            for line in lines:
                channel = upgrades.STDOUT if terminal else upgrades.CHANNELS[line.stream]
                await socket.send_bytes(bytes([channel]) + line.text + (b"\r\n" if terminal else b"\n"))
            if not container.running:
                break
            await news_of(cluster, container, news, most=1.0)
            container.advance(cluster.runtime.now())
    finally:
        log.watchers.discard(news)
    await upgrades.send_status(socket, upgrades.SUCCESS)
