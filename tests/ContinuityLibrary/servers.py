"""Real servers on this machine that are asked as witnesses: HTTP, and redis in a few lines."""

from __future__ import annotations

import contextlib
import socketserver
import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler

from tests.harness.fake_api import Server

RUN_ID = "0123456789abcdef0123456789abcdef01234567"


@contextlib.contextmanager
def _running(server: socketserver.BaseServer) -> Iterator[int]:
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield server.server_address[1]  # type: ignore[misc]
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


@contextlib.contextmanager
def http(answer: Callable[[str], tuple[int, str | bytes]], protocol: str = "HTTP/1.1") -> Iterator[int]:
    """An HTTP server that answers a path so; its port."""

    class Handler(BaseHTTPRequestHandler):
        protocol_version = protocol

        def do_GET(self) -> None:
            status, said = answer(self.path)
            body = said if isinstance(said, bytes) else said.encode()
            self.send_response(status)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *args: object) -> None:
            """Quiet."""

    with _running(Server(("127.0.0.1", 0), Handler)) as port:
        yield port


@contextlib.contextmanager
def redis(answer: Callable[[list[str]], bytes]) -> Iterator[int]:
    """A server that speaks the redis protocol and answers a command so; its port."""

    class Handler(socketserver.StreamRequestHandler):
        def handle(self) -> None:
            while head := self.rfile.readline():
                words = []
                for _ in range(int(head[1:])):
                    size = int(self.rfile.readline()[1:])
                    words.append(self.rfile.read(size + 2)[:-2].decode())
                if not (said := answer(words)):
                    return
                self.wfile.write(said)

    class Server(socketserver.ThreadingTCPServer):
        daemon_threads = True

    with _running(Server(("127.0.0.1", 0), Handler)) as port:
        yield port


class Counting:
    """What a redis server answers: INFO with a run_id, INCR with the next number of its key."""

    def __init__(self, run_id: str = RUN_ID) -> None:
        self.run_id, self.values = run_id, dict[str, int]()

    def __call__(self, words: list[str]) -> bytes:
        if words == ["INFO", "server"]:
            text = f"# Server\r\nredis_version:8.2.0\r\nrun_id:{self.run_id}\r\nos:Linux\r\n".encode()
            return b"$%d\r\n%s\r\n" % (len(text), text)
        assert words[0] == "INCR"
        self.values[words[1]] = self.values.get(words[1], 0) + 1
        return b":%d\r\n" % self.values[words[1]]
