"""The HTTP servers: a thread for each connection, and what both of them need."""

from __future__ import annotations

import json
import socket
import ssl
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from socketserver import TCPServer
from typing import Any

from .registry import Blob
from .settings import Address

_TLS_HANDSHAKE = b"\x16"
_IDLE_SECONDS = 60.0
_HELLO_SECONDS = 10.0


class Handler(BaseHTTPRequestHandler):
    """Answers with JSON, or with a blob."""

    protocol_version = "HTTP/1.1"
    timeout = _IDLE_SECONDS
    server_version, sys_version = "node-agent", ""

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002
        """Only errors are logged, by who handles them."""

    def answer(self, status: int, value: Any) -> None:
        """A value as JSON."""
        body = json.dumps(value).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)

    def send_blob(self, blob: Blob) -> None:
        """A blob with its digest; the connection is closed where it cannot be sent whole."""
        try:
            self.send_response(200)
            self.send_header("Content-Type", blob.media_type)
            self.send_header("Content-Length", str(blob.size))
            self.send_header("Docker-Content-Digest", blob.digest)
            self.end_headers()
            if self.command == "HEAD":
                return
            sent = 0
            for chunk in blob.chunks():
                self.wfile.write(chunk)
                sent += len(chunk)
            self.close_connection = self.close_connection or sent != blob.size
        finally:
            blob.close()

    def body(self) -> dict[str, Any]:
        """The request's JSON object. Raises ValueError."""
        size = int(self.headers.get("Content-Length") or 0)
        value = json.loads(self.rfile.read(size) or b"{}")
        if not isinstance(value, dict):
            raise ValueError("the body is no JSON object")  # noqa: TRY004
        return value


class PlainServer(ThreadingHTTPServer):
    """HTTP. A TLS hello is answered as containerd has to be answered to fall back to HTTP: with `HTTP/1.0 400`."""

    daemon_threads = True
    request_queue_size = 128

    def __init__(self, address: Address, handler: type[Handler], **attributes: Any) -> None:
        if ":" in address.host:
            self.address_family = socket.AF_INET6
        super().__init__((address.host, address.port), type("Bound", (handler,), attributes))

    @property
    def address(self) -> Address:
        """Where it listens."""
        return Address(str(self.server_address[0]), int(self.server_address[1]))

    def server_bind(self) -> None:
        """As TCP servers do it: those for HTTP ask for the address's name, which takes long where no DNS answers."""
        TCPServer.server_bind(self)
        self.server_name, self.server_port = str(self.server_address[0]), int(self.server_address[1])

    def finish_request(self, request: Any, client_address: Any) -> None:
        """In the connection's own thread."""
        request.settimeout(_HELLO_SECONDS)
        try:
            if request.recv(1, socket.MSG_PEEK) == _TLS_HANDSHAKE:
                request.sendall(b"HTTP/1.0 400 Bad Request\r\n\r\n")
                return
            super().finish_request(request, client_address)
        except (ConnectionError, TimeoutError):
            return

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A client that went away is no error worth a traceback."""


class TlsServer(PlainServer):
    """HTTPS."""

    def __init__(self, address: Address, handler: type[Handler], context: ssl.SSLContext, **attributes: Any) -> None:
        self._context = context
        super().__init__(address, handler, **attributes)

    def finish_request(self, request: Any, client_address: Any) -> None:
        """The handshake is in the connection's own thread, so that a slow client holds up nobody."""
        request.settimeout(_HELLO_SECONDS)
        try:
            with self._context.wrap_socket(request, server_side=True) as secured:
                ThreadingHTTPServer.finish_request(self, secured, client_address)
        except (OSError, ssl.SSLError):
            return


def server_context(certificate: str, key: str) -> ssl.SSLContext:
    """TLS with the agents' certificate."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, key)
    return context
