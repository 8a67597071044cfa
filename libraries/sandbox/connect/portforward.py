"""pods/portforward: streams of bytes to the HTTP that an emulated container speaks.

Two protocols over websockets: `v4.channel.k8s.io` (a data and an error channel a port, each begun with the port number,
little-endian), which the Python client speaks, and SPDY in a tunnel (`SPDY/3.1+portforward.k8s.io`), kubectl's.
"""

from __future__ import annotations

import struct
from http import HTTPStatus
from typing import TYPE_CHECKING

from aiohttp import WSMsgType, web

from ..api.status import bad_request
from ..runtime import Refused, Request, Runtime
from . import spdy
from .targets import pod_of

if TYPE_CHECKING:
    from ..cluster import Cluster

CHANNELS = "v4.channel.k8s.io"
TUNNEL = "SPDY/3.1+portforward.k8s.io"


class Wire:
    """One forwarded connection: HTTP/1.1 requests in, answers out."""

    def __init__(self, runtime: Runtime, uid: str, port: int) -> None:
        self.runtime = runtime
        self.uid = uid
        self.port = port
        self._buffer = b""

    def feed(self, data: bytes) -> bytes:
        """What comes back for these bytes. Raises Refused when nothing listens on the port."""
        self._buffer += data
        answers = b""
        while (request := self._request()) is not None:
            answer = self.runtime.http(self.uid, self.port, request)
            length = {"Content-Length": str(len(answer.body))}
            phrase = HTTPStatus(answer.status).phrase
            lines = [f"HTTP/1.1 {answer.status} {phrase}", *(f"{k}: {v}" for k, v in (answer.headers | length).items())]
            answers += "\r\n".join(lines).encode() + b"\r\n\r\n" + answer.body
        return answers

    def _request(self) -> Request | None:
        head, mark, rest = self._buffer.partition(b"\r\n\r\n")
        if not mark:
            return None
        first, *lines = head.decode(errors="replace").split("\r\n")
        headers = {k.strip(): v.strip() for k, _, v in (line.partition(":") for line in lines)}
        length = int({k.lower(): v for k, v in headers.items()}.get("content-length", "0"))
        if len(rest) < length:
            return None
        self._buffer = rest[length:]
        method, path, *_ = [*first.split(" "), "/"]
        return Request(method, path, headers, rest[:length], "127.0.0.1")


async def pod_portforward(
    request: web.Request, cluster: Cluster, namespace: str, name: str, _rest: str
) -> web.StreamResponse:
    """Forwards connections to the pod's ports."""
    pod = pod_of(cluster, namespace, name)
    if request.headers.get("Upgrade", "").lower() != "websocket":
        raise bad_request("Upgrade request required")
    if pod.get("status", {}).get("phase") != "Running":
        phase = pod.get("status", {}).get("phase")
        raise bad_request(f"unable to forward port because pod is not running. Current status={phase}")
    socket = web.WebSocketResponse(protocols=(TUNNEL, CHANNELS))
    await socket.prepare(request)
    uid = pod["metadata"]["uid"]
    try:
        if socket.ws_protocol == TUNNEL:
            await _tunnel(socket, cluster.runtime, uid)
        else:
            ports = [int(p) for text in request.query.getall("ports", []) for p in text.split(",") if p.isdigit()]
            await _channels(socket, cluster.runtime, uid, ports)
    except ConnectionResetError:
        pass
    return socket


def _refusal(port: int, uid: str) -> bytes:
    inside = f"dial tcp4 127.0.0.1:{port}: connect: connection refused"
    return f"error forwarding port {port} to pod {uid}, uid : failed to connect to localhost:{port}: {inside}".encode()


async def _channels(socket: web.WebSocketResponse, runtime: Runtime, uid: str, ports: list[int]) -> None:
    wires = [Wire(runtime, uid, port) for port in ports]
    for number, port in enumerate(ports):
        for channel in (2 * number, 2 * number + 1):
            await socket.send_bytes(bytes([channel]) + struct.pack("<H", port))
    async for message in socket:
        if message.type is not WSMsgType.BINARY or not message.data or message.data[0] // 2 >= len(wires):
            continue
        channel, wire = message.data[0], wires[message.data[0] // 2]
        try:
            answer = wire.feed(message.data[1:])
        except Refused:
            await socket.send_bytes(bytes([channel + 1]) + _refusal(wire.port, uid))
            await socket.close()
            return
        if answer:
            await socket.send_bytes(bytes([channel]) + answer)


async def _tunnel(socket: web.WebSocketResponse, runtime: Runtime, uid: str) -> None:
    connection = spdy.Connection()
    wires: dict[int, Wire] = {}
    errors: dict[str, int] = {}
    pairs: dict[int, int] = {}
    async for message in socket:
        if message.type is not WSMsgType.BINARY:
            continue
        for frame in connection.feed(message.data):
            if frame.kind == spdy.SYN_STREAM:
                await socket.send_bytes(connection.reply(frame.stream))
                if frame.headers.get("streamtype") == "error":
                    errors[frame.headers.get("requestid", "")] = frame.stream
                else:
                    wires[frame.stream] = Wire(runtime, uid, int(frame.headers.get("port", "0")))
                    pairs[frame.stream] = errors.get(frame.headers.get("requestid", ""), 0)
            elif frame.kind == spdy.PING:
                await socket.send_bytes(connection.pong(frame))
            elif frame.kind == 0 and frame.stream in wires:
                await socket.send_bytes(_exchange(connection, frame, wires[frame.stream], pairs[frame.stream]))


def _exchange(connection: spdy.Connection, frame: spdy.Frame, wire: Wire, error_stream: int) -> bytes:
    """What goes back for a data frame; the end of the client's half ends ours."""
    last = bool(frame.flags & spdy.FIN)
    try:
        answer = wire.feed(frame.data)
    except Refused:
        refusal = connection.data(error_stream, _refusal(wire.port, wire.uid), last=True)
        return refusal + connection.data(frame.stream, b"", last=True)
    out = connection.data(frame.stream, answer, last=last) if answer or last else b""
    return out + (connection.data(error_stream, b"", last=True) if last else b"")
