"""A Kubernetes API of a few lines: pods and namespaces kept as dictionaries, each request answered by a script first.

It is no emulation (the sandbox is). It does what a real server does only when something is wrong with it.
"""

from __future__ import annotations

import json
import threading
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import yaml

Obj = dict[str, Any]
Act = Callable[["Handler"], None]


def pod(name: str, uid: str, *, ready: bool = True, namespace: str = "ns", **metadata: Any) -> Obj:
    """A pod as the API has it."""
    state = (
        {"running": {"startedAt": "2026-01-01T00:00:00Z"}} if ready else {"waiting": {"reason": "ContainerCreating"}}
    )
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {
            "name": name,
            "namespace": namespace,
            "uid": uid,
            "creationTimestamp": "2026-01-01T00:00:00Z",
            "resourceVersion": "1",
            **metadata,
        },
        "spec": {"nodeName": "node-1", "containers": [{"name": "main", "image": "x"}]},
        "status": {
            "phase": "Running" if ready else "Pending",
            "conditions": [{"type": "Ready", "status": "True" if ready else "False"}],
            "containerStatuses": [{"name": "main", "ready": ready, "restartCount": 0, "state": state}],
        },
    }


def status(code: int, message: str, reason: str = "") -> Obj:
    """A Status body."""
    return {
        "apiVersion": "v1",
        "kind": "Status",
        "status": "Failure",
        "code": code,
        "message": message,
        "reason": reason,
    }


class Server(ThreadingHTTPServer):
    """A thread for each connection. Those beyond the usual backlog of 5 would wait for seconds."""

    daemon_threads = True
    request_queue_size = 128


class FakeApi:
    """The server's state and script.

    Attributes:
        pods: what a list of pods answers now.
        watches: what each next watch does; without an entry it stays open in silence.
        lists: what each next list does instead of answering.
        calls: method and path of every request.
    """

    def __init__(self, folder: Path) -> None:
        self.pods: list[Obj] = []
        self.watches: deque[Act] = deque()
        self.lists: deque[Act] = deque()
        self.calls: list[str] = []
        self.others: dict[str, tuple[int, Any]] = {}
        self.over = threading.Event()
        self.server = Server(("127.0.0.1", 0), type("Bound", (Handler,), {"api": self}))
        self.kubeconfig = folder / "kubeconfig"
        self.kubeconfig.write_text(yaml.safe_dump(self._kubeconfig()))

    def _kubeconfig(self) -> Obj:
        return {
            "apiVersion": "v1",
            "kind": "Config",
            "current-context": "fake",
            "clusters": [{"name": "fake", "cluster": {"server": f"http://127.0.0.1:{self.server.server_port}"}}],
            "users": [{"name": "fake", "user": {"token": "t"}}],
            "contexts": [{"name": "fake", "context": {"cluster": "fake", "user": "fake"}}],
        }


class Handler(BaseHTTPRequestHandler):
    """Answers one connection's requests."""

    api: FakeApi
    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        """Lists and watches of pods; `others` by path."""
        path = urlsplit(self.path)
        query = parse_qs(path.query)
        self.rfile.read(int(self.headers.get("Content-Length", "0")))
        self.api.calls.append(f"GET {self.path}")
        if path.path in self.api.others:
            code, body = self.api.others[path.path]
            self.answer(code, body)
        elif query.get("watch") == ["True"] or query.get("watch") == ["true"]:
            self._act(self.api.watches, silence)
        else:
            self._act(self.api.lists, pods_now)

    do_DELETE = do_POST = do_GET  # noqa: N815 - named by http.server

    def log_message(self, *_: Any) -> None:
        """Nothing."""

    def answer(self, code: int, body: Any, **headers: str) -> None:
        """A whole answer; text goes as it is, everything else as JSON. Underscores in header names mean hyphens."""
        data = (body if isinstance(body, str) else json.dumps(body)).encode()
        self.send_response(code)
        for name, value in headers.items():
            self.send_header(name.replace("_", "-"), value)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    def begin(self) -> None:
        """The head of a watch's answer. Chunked, as real ones are: the client reads other answers to their end."""
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Transfer-Encoding", "chunked")
        self.end_headers()
        self.wfile.flush()

    def end(self) -> None:
        """The proper end of a watch's answer."""
        self.wfile.write(b"0\r\n\r\n")

    def event(self, kind: str, obj: Obj) -> None:
        """One line of a watch."""
        line = json.dumps({"type": kind, "object": obj}).encode() + b"\n"
        self.wfile.write(b"%x\r\n%s\r\n" % (len(line), line))
        self.wfile.flush()

    def _act(self, script: deque[Act], default: Act) -> None:
        (script.popleft() if script else default)(self)


def pods_now(handler: Handler) -> None:
    """The list of pods."""
    of_version("1")(handler)


def of_version(version: str, *pods: Obj) -> Act:
    """The list of pods, or these ones instead, with a resourceVersion of its own."""

    def act(handler: Handler) -> None:
        items = list(pods) or handler.api.pods
        handler.answer(200, {"kind": "PodList", "metadata": {"resourceVersion": version}, "items": items})

    return act


def silence(handler: Handler) -> None:
    """An open watch that says nothing until the test is over."""
    handler.begin()
    stays_open(handler)


def stays_open(handler: Handler) -> None:
    """Nothing more until the test is over."""
    handler.api.over.wait(60)
    handler.close_connection = True


def refuse(code: int, message: str = "no", **headers: str) -> Act:
    """An error of the server's."""
    return lambda handler: handler.answer(code, status(code, message), **headers)


def cut(handler: Handler) -> None:
    """The connection ends in the middle of the answer."""
    handler.send_response(200)
    handler.send_header("Content-Length", "1000")
    handler.end_headers()
    handler.wfile.write(b'{"kind": "PodList", "items": [')
    handler.close_connection = True


def garbage(handler: Handler) -> None:
    """An answer that is no list."""
    handler.answer(200, "<html>a captive portal</html>")


def ends_at_once(handler: Handler) -> None:
    """A watch that the server ends right after its head."""
    handler.begin()
    handler.end()


def drops(handler: Handler) -> None:
    """A watch whose connection is cut."""
    handler.begin()
    handler.close_connection = True


def says(*events: tuple[str, Obj], then: Act | None = None) -> Act:
    """A watch with these events, which then ends, or does `then`."""

    def act(handler: Handler) -> None:
        handler.begin()
        for kind, obj in events:
            handler.event(kind, obj)
        (then or Handler.end)(handler)

    return act


def expired(handler: Handler) -> None:
    """A watch whose version is too old."""
    says(("ERROR", status(410, "too old resource version: 1 (9)", "Expired")))(handler)


def after(change: Callable[[FakeApi], None], act: Act) -> Act:
    """Changes the state first."""

    def both(handler: Handler) -> None:
        change(handler.api)
        act(handler)

    return both


@contextmanager
def serving(folder: Path) -> Iterator[FakeApi]:
    """A fake API that serves until the block ends."""
    api = FakeApi(folder)
    thread = threading.Thread(target=lambda: api.server.serve_forever(poll_interval=0.02), daemon=True)
    thread.start()
    try:
        yield api
    finally:
        api.over.set()
        api.server.shutdown()
        api.server.server_close()
        thread.join()
