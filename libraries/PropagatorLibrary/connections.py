"""Clients by base URL, for code that has only the URL: the removers."""

from __future__ import annotations

import os
import stat
from pathlib import Path

from harness.failures import OperationFailed

from .client import PropagatorClient
from .sending import Patience
from .transport import open_session

TOKEN_VARIABLE = "CEDANA_AUTH_TOKEN"  # noqa: S105 - the name of the variable
TOKEN_FILE_VARIABLE = "CEDANA_AUTH_TOKEN_FILE"  # noqa: S105 - the name of the variable
CA_BUNDLE_VARIABLE = "CEDANA_CA_BUNDLE"

_clients: dict[str, PropagatorClient] = {}


def remember(client: PropagatorClient) -> None:
    """Keeps the client for its URL."""
    _clients[client.base_url] = client


def client_for(base_url: str, budget: float = 20.0) -> PropagatorClient:
    """The client that this process has for that URL, or one with the token of the environment.

    Args:
        base_url: normalised.
        budget: seconds that a new client repeats its GETs for.

    Raises:
        OperationFailed: there is no token.
        PropagatorError: it is not accepted, or there is no answer.
    """
    if base_url in _clients:
        return _clients[base_url]
    session = open_session(base_url, _token(base_url), verify=os.environ.get(CA_BUNDLE_VARIABLE) or True)
    client = PropagatorClient(session, base_url, patience=Patience(total=budget))
    client.check_token()
    return client


def _token(base_url: str) -> str:
    if token := os.environ.get(TOKEN_VARIABLE, "").strip():
        return token
    path = Path(os.environ.get(TOKEN_FILE_VARIABLE, ""))
    if path.is_file() and not path.stat().st_mode & (stat.S_IRWXG | stat.S_IRWXO):
        return path.read_text().strip()
    raise OperationFailed(
        f"a token for {base_url}",
        "none is set",
        f"set {TOKEN_VARIABLE}, or {TOKEN_FILE_VARIABLE} to a file of mode 0600",
        cause="auth",
    )
