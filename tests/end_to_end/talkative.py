"""A propagator that repeats the caller's token wherever it can: a gateway of the tests' own before the real one.

It takes a token of its own and knows the real one, so that a test can choose what the token looks like.
"""

from __future__ import annotations

import base64
import re
import threading
import urllib.parse
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import requests

Answer = tuple[int, dict[str, str], str]


def in_a_500(token: str) -> Answer:
    """An error with the request's header in it, as debug pages have it."""
    return 500, {"X-Request-Id": token}, f'{{"message": "panic: upstream said no to Authorization: Bearer {token}"}}'


def in_a_refusal(token: str) -> Answer:
    """A refusal with the token as a URL's part, and in base64 inside of more."""
    blob = base64.b64encode(f'{{"authorization": "Bearer {token}"}}'.encode()).decode()
    return 400, {}, f"bad request /login?token={urllib.parse.quote(token, safe='')}&context={blob}"


def in_a_redirect(token: str) -> Answer:
    """A redirect to a page that takes the token in its address."""
    return 302, {"Location": f"https://login.example/?token={token}"}, ""


def in_a_page(token: str) -> Answer:
    """A page in the place of JSON."""
    return 200, {}, f"<html><body data-token='{token}'>Signed in with {token}</body></html>"


def in_a_failed_action(token: str) -> Answer:
    """The end of a checkpoint, with the helper's words."""
    return 200, {}, f'{{"status": "error", "details": "upload with token {token} failed: 403"}}'


WAYS = (in_a_500, in_a_refusal, in_a_redirect, in_a_page, in_a_failed_action)


@dataclass
class Talk:
    """Which requests are answered with the token, and how; none when `path` is empty."""

    verb: str = ""
    path: str = ""
    how: Callable[[str], Answer] = in_a_500
    answered: list[str] = field(default_factory=list)

    def takes(self, verb: str, path: str) -> bool:
        """Whether it answers that request."""
        return bool(self.path) and verb == self.verb and re.fullmatch(self.path, path) is not None


@contextmanager
def talkative(upstream: str, real_token: str, token: str, talk: Talk) -> Iterator[str]:
    """Such a gateway; gives its URL."""

    class Handler(BaseHTTPRequestHandler):
        def _any(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            if self.headers.get("Authorization") != f"Bearer {token}":
                self._give(401, {}, b"unauthorized")
            elif talk.takes(self.command, self.path.partition("?")[0]):
                talk.answered.append(self.path)
                status, headers, text = talk.how(token)
                self._give(status, headers, text.encode())
            else:
                headers = {"Authorization": f"Bearer {real_token}", "Content-Type": "application/json"}
                answer = requests.request(self.command, upstream + self.path, data=body, headers=headers, timeout=30)
                self._give(answer.status_code, {"Content-Type": answer.headers["Content-Type"]}, answer.content)

        do_GET = do_POST = do_PATCH = do_DELETE = _any  # noqa: N815 - the base class's names

        def _give(self, status: int, headers: dict[str, str], body: bytes) -> None:
            self.send_response(status)
            for name, value in (headers | {"Content-Length": str(len(body))}).items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: Any) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True).start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        server.server_close()
