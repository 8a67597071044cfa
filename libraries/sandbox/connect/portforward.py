"""pods/portforward: streams of bytes to the servers of emulated containers.

Two protocols over websockets: `v4.channel.k8s.io` (a data and an error channel a port, each begun with the port number,
little-endian), which the Python client speaks, and SPDY in a tunnel (`SPDY/3.1+portforward.k8s.io`), kubectl's.
"""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING

from aiohttp import WSMsgType, web

from ..api.status import bad_request
from ..runtime import Connection, Refused
from . import spdy
from .targets import dial, pod_of

if TYPE_CHECKING:
    from ..cluster import Cluster

CHANNELS = "v4.channel.k8s.io"
TUNNEL = "SPDY/3.1+portforward.k8s.io"
_CLIENT = "127.0.0.1"


async def pod_portforward(
    request: web.Request, cluster: Cluster, namespace: str, name: str, _rest: str
) -> web.StreamResponse:
    """Forwards connections to the pod's ports."""
    pod = pod_of(cluster, namespace, name)
    if request.headers.get("Upgrade", "").lower() != "websocket":
        raise bad_request("Upgrade request required")
    dial(cluster, pod)
    if pod.get("status", {}).get("phase") != "Running":
        phase = pod.get("status", {}).get("phase")
        raise bad_request(f"unable to forward port because pod is not running. Current status={phase}")
    socket = web.WebSocketResponse(protocols=(TUNNEL, CHANNELS))
    await socket.prepare(request)
    forwarder = _Forwarder(cluster, pod["metadata"]["uid"])
    try:
        if socket.ws_protocol == TUNNEL:
            await _tunnel(socket, forwarder)
        else:
            ports = [int(p) for text in request.query.getall("ports", []) for p in text.split(",") if p.isdigit()]
            await _channels(socket, forwarder, ports)
    except ConnectionResetError:
        pass
    finally:
        forwarder.close()
    return socket


class _Forwarder:
    """The connections of one request, each under a number."""

    def __init__(self, cluster: Cluster, uid: str) -> None:
        self.runtime = cluster.runtime
        self.uid = uid
        self.connections: dict[int, Connection] = {}

    def open(self, number: int, port: int) -> bytes:
        """Connects; gives what is to be said on the error channel when nothing listens."""
        try:
            self.connections[number] = self.runtime.connect(self.uid, port, _CLIENT)
        except Refused:
            inside = f"dial tcp4 127.0.0.1:{port}: connect: connection refused"
            text = f"error forwarding port {port} to pod {self.uid}, uid : failed to connect to localhost:{port}: "
            return (text + inside).encode()
        return b""

    def close(self) -> None:
        """Closes all."""
        for connection in self.connections.values():
            connection.close()


async def _channels(socket: web.WebSocketResponse, forwarder: _Forwarder, ports: list[int]) -> None:
    for number, port in enumerate(ports):
        for channel in (2 * number, 2 * number + 1):
            await socket.send_bytes(bytes([channel]) + struct.pack("<H", port))
        refusal = forwarder.open(2 * number, port)
        if refusal:
            await socket.send_bytes(bytes([2 * number + 1]) + refusal)
            await socket.close()
            return
    async for message in socket:
        if message.type is not WSMsgType.BINARY or message.data[:1] == b"":
            continue
        channel = message.data[0]
        connection = forwarder.connections.get(channel)
        if connection is None:
            continue
        await forwarder.runtime.thaw(forwarder.uid)
        answer = connection.feed(message.data[1:])
        if answer:
            await socket.send_bytes(bytes([channel]) + answer)
        if all(each.ended for each in forwarder.connections.values()):
            await socket.close()
            return


async def _tunnel(socket: web.WebSocketResponse, forwarder: _Forwarder) -> None:
    wire = spdy.Connection()
    errors: dict[str, int] = {}
    pairs: dict[int, int] = {}
    async for message in socket:
        if message.type is not WSMsgType.BINARY:
            continue
        for frame in wire.feed(message.data):
            if frame.kind == spdy.SYN_STREAM:
                await socket.send_bytes(wire.reply(frame.stream))
                asked = frame.headers.get("requestid", "")
                if frame.headers.get("streamtype") == "error":
                    errors[asked] = frame.stream
                    continue
                pairs[frame.stream] = errors.get(asked, 0)
                refusal = forwarder.open(frame.stream, int(frame.headers.get("port", "0")))
                if refusal:
                    end = wire.data(frame.stream, b"", last=True)
                    await socket.send_bytes(wire.data(pairs[frame.stream], refusal, last=True) + end)
            elif frame.kind == spdy.PING:
                await socket.send_bytes(wire.pong(frame))
            elif frame.kind == 0 and frame.stream in forwarder.connections:
                await forwarder.runtime.thaw(forwarder.uid)
                await socket.send_bytes(_exchange(wire, frame, forwarder, pairs[frame.stream]))


def _exchange(wire: spdy.Connection, frame: spdy.Frame, forwarder: _Forwarder, error_stream: int) -> bytes:
    """What goes back for a data frame; the end of the client's half ends ours."""
    connection = forwarder.connections[frame.stream]
    answer = connection.feed(frame.data)
    if frame.flags & spdy.FIN:
        connection.close()
    if connection.ended:
        del forwarder.connections[frame.stream]
    out = wire.data(frame.stream, answer, last=connection.ended) if answer or connection.ended else b""
    return out + (wire.data(error_stream, b"", last=True) if connection.ended else b"")
