"""How requests leave: with the token on a copy of the request that nobody gets to see, and never without a timeout."""

from __future__ import annotations

import socket
from collections.abc import Mapping
from typing import Any, Literal
from urllib.parse import urlsplit

import requests
from requests.adapters import HTTPAdapter

from harness.calls import CALLS
from harness.secrets import SECRETS

from .urls import is_local

CONNECT_TIMEOUT, READ_TIMEOUT = 5.0, 30.0
Timeouts = tuple[float, float]


class TokenAdapter(HTTPAdapter):
    """Adds `Authorization: Bearer` to a copy of each request to one origin.

    Whoever logs the response's request (RequestsLibrary does, headers and all) sees it without the token. A redirect to
    another host, port or scheme does not carry it.
    """

    def __init__(self, origin: str, token: str, timeouts: Timeouts, verify: bool | str = True) -> None:
        super().__init__()
        self._origin, self._token, self._timeouts = _origin_of(origin), token, timeouts
        self._verify = verify
        self._closed_port: socket.socket | None = None

    def cut_off(self) -> None:
        """From now on every request meets a port of this machine that nobody listens at."""
        self.reconnect()
        self.close()  # or a connection that is open already would be used
        self._closed_port = socket.socket()
        self._closed_port.bind(("127.0.0.1", 0))

    def reconnect(self) -> None:
        """Requests reach the service again."""
        if self._closed_port:
            self._closed_port.close()
        self._closed_port = None

    def send(  # noqa: PLR0917 - the signature of requests' adapters
        self,
        request: requests.PreparedRequest,
        stream: bool = False,
        timeout: float | tuple[float, float] | tuple[float, None] | None = None,
        verify: bool | str = True,
        cert: bytes | str | tuple[bytes | str, bytes | str] | None = None,
        proxies: Mapping[str, str] | None = None,
    ) -> requests.Response:
        """Sends the copy and answers as if the original had been sent."""
        sent = request.copy()
        if self._closed_port:
            sent.url = f"http://127.0.0.1:{self._closed_port.getsockname()[1]}/"
            proxies = None
        elif _origin_of(request.url or "") == self._origin:
            sent.headers["Authorization"] = f"Bearer {self._token}"
        # Requests would prefer REQUESTS_CA_BUNDLE of the environment to a bundle that was given.
        trusted = self._verify if isinstance(self._verify, str) else verify
        try:
            with CALLS.watched("propagator", str(sent.method), str(request.url)) as call:
                sent.headers.update(call.headers)
                response = super().send(sent, stream, timeout or self._timeouts, trusted, cert, proxies)
                call.status = response.status_code
        except requests.RequestException as failed:
            failed.request = request
            raise
        response.request = request
        return response


def mount(
    session: requests.Session,
    base_url: str,
    token: str,
    *,
    verify: Literal[True] | str = True,
    timeouts: Timeouts = (CONNECT_TIMEOUT, READ_TIMEOUT),
) -> None:
    """Makes the session carry the token to the base URL's origin.

    Args:
        session: any session; its own adapters stay for other hosts.
        base_url: normalised.
        token: the bearer token; it is masked in every text of the harness from now on.
        verify: True, or the path of a bundle of CA certificates.
        timeouts: seconds to connect, and between two pieces of an answer.
    """
    SECRETS.add(token)
    scheme, netloc = urlsplit(base_url)[:2]
    session.verify = verify
    session.auth = _no_other_auth
    if is_local(base_url):
        session.trust_env = False  # a proxy cannot reach this machine's own loopback
    session.mount(f"{scheme}://{netloc}/", TokenAdapter(base_url, token, timeouts, verify))


def open_session(base_url: str, token: str, **options: Any) -> requests.Session:
    """A session of one's own, with the token mounted."""
    session = requests.Session()
    mount(session, base_url, token, **options)
    return session


def _no_other_auth(request: requests.PreparedRequest) -> requests.PreparedRequest:
    """Keeps requests from adding a password of ~/.netrc, which would be logged with the request."""
    return request


def _origin_of(url: str) -> tuple[str, str, int | None]:
    parts = urlsplit(url)
    port = parts.port or {"http": 80, "https": 443}.get(parts.scheme)
    return parts.scheme, parts.hostname or "", port
