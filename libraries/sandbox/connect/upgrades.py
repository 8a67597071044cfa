"""Websockets to containers: the protocols v4 and v5.channel.k8s.io.

A frame's first byte is its channel: 0 stdin, 1 stdout, 2 stderr, 3 the Status at the end, 4 resize; in v5, 255 closes a
channel (k8s.io/apimachinery pkg/util/remotecommand/constants.go).
"""

from __future__ import annotations

import json
from typing import Any

from aiohttp import web

from ..api.status import bad_request

PROTOCOLS = ("v5.channel.k8s.io", "v4.channel.k8s.io")
STDIN, STDOUT, STDERR, STATUS, CLOSE = 0, 1, 2, 3, 255
CHANNELS = {"stdout": STDOUT, "stderr": STDERR}
SUCCESS: dict[str, Any] = {"metadata": {}, "status": "Success"}


def is_asked(request: web.Request, name: str) -> bool:
    """Whether a flag of the query is on."""
    return request.query.get(name, "") in ("true", "1")


def needs_upgrade(request: web.Request) -> None:
    """Raises 400 for a request that wants no other protocol."""
    if not request.headers.get("Upgrade"):
        raise bad_request("Upgrade request required")


def needs_websocket(request: web.Request) -> None:
    """Raises 400 for a request that wants another protocol."""
    if (wanted := request.headers["Upgrade"]).lower() != "websocket":
        raise bad_request(f"the sandbox speaks websocket only ({', '.join(PROTOCOLS)}), not {wanted}")


async def accepted(request: web.Request) -> web.WebSocketResponse:
    """The websocket."""
    socket = web.WebSocketResponse(protocols=PROTOCOLS, heartbeat=None)
    await socket.prepare(request)
    return socket


async def send_status(socket: web.WebSocketResponse, status: dict[str, Any]) -> None:
    """Ends the connection with this Status."""
    await socket.send_bytes(bytes([STATUS]) + json.dumps(status).encode())
    await socket.close()


async def refused(request: web.Request, why: str) -> web.StreamResponse:
    """The kubelet's refusal. The API server, which speaks v5 itself, tells it once the websocket is there (apiserver
    pkg/util/proxy/streamtranslator.go); to speakers of v4 and SPDY it passes on the kubelet's 500."""
    if PROTOCOLS[0] not in request.headers.get("Sec-WebSocket-Protocol", ""):
        return web.Response(status=500, text=f"{why}\n")
    socket = await accepted(request)
    message = f"unable to upgrade connection: {why}"
    details = {"causes": [{"message": message}]}
    told = {"status": "Failure", "message": f"Internal error occurred: {message}", "reason": "InternalError"}
    await send_status(socket, {"metadata": {}, **told, "details": details, "code": 500})
    return socket
