"""The other agents of the cluster, which a blob may be got from that this node does not have."""

from __future__ import annotations

import ssl
import urllib.error
import urllib.request
from collections.abc import Iterable
from http.client import HTTPException, HTTPResponse

from .settings import Settings

HEADER = "X-Agent-Token"
_TIMEOUT = 60.0
_NO_CHECK_TIME = ssl.VerifyFlags(0x200000)
"""X509_V_FLAG_NO_CHECK_TIME of OpenSSL's x509_vfy.h. The certificate, trusted for itself, was made by the clock of who
installed the release, which may be ahead of the node's."""


class Peers:
    """Agents by address (`host:port`), as the server named them last. All of them have the same certificate."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self.addresses: tuple[str, ...] = ()

    def know(self, addresses: Iterable[str]) -> None:
        """These are the others from now on."""
        self.addresses = tuple(dict.fromkeys(addresses))

    def open(self, path: str) -> HTTPResponse | None:
        """What the first agent that has it answers for a path of its registry; None where none has it."""
        context = self._tls()
        for address in self.addresses:
            url = f"https://{address}/v1/registry{path}"
            request = urllib.request.Request(url, headers={HEADER: self._settings.token})
            try:
                answer: HTTPResponse = urllib.request.urlopen(request, timeout=_TIMEOUT, context=context)  # noqa: S310
            except (OSError, ValueError, HTTPException):  # has it not, or is not there
                continue
            return answer
        return None

    def _tls(self) -> ssl.SSLContext:
        """Trusts the agents' own certificate and no other; it is the same one at every address."""
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        context.check_hostname = False
        context.verify_flags |= ssl.VERIFY_X509_PARTIAL_CHAIN | _NO_CHECK_TIME
        context.load_verify_locations(self._settings.secret / "tls.crt")
        return context
