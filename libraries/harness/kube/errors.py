"""What the Kubernetes API refuses, and what cannot reach it, as failures of ours with a cause."""

from __future__ import annotations

import contextlib
import json
import re
import ssl
from collections.abc import Callable, Iterator
from typing import Any, TypeVar

from kubernetes.client.exceptions import ApiException
from urllib3.exceptions import HTTPError

from ..diagnosis import QUOTA_WORDS
from ..failures import OperationFailed
from ..waiting import Pending

T = TypeVar("T")

_TEXTS = (
    (QUOTA_WORDS, "quota"),
    ("admission webhook", "webhook-refused"),
    ("because it is being terminated", "stuck-terminating"),
    (" is invalid: ", "bad-manifest"),
)

UNTRUSTED = "CERTIFICATE_VERIFY_FAILED"
"""What OpenSSL says of a certificate that is from nobody known, for another name, or over."""
_HANDSHAKE = re.compile(r"Handshake status (\d+) (.*?) -\+-\+- .* -\+-\+- (.*)", re.DOTALL)

_LOOK_AT_ADDRESS = "is the cluster up, and is its address in the kubeconfig right?"
_LOOK_AT_TRUST = "the authority and the server's name in the kubeconfig, and this machine's clock"


@contextlib.contextmanager
def api_errors(doing: str) -> Iterator[None]:
    """Turns what the official client raises inside the block into `OperationFailed`.

    Args:
        doing: what is being done, as it follows "the Kubernetes API to": `create pod a/b`.

    Raises:
        OperationFailed: with the server's own words; cause `cluster-refused`, `quota`, `webhook-refused`,
            `stuck-terminating`, `bad-manifest` or `cluster-unreachable`.
    """
    try:
        yield
    except ApiException as problem:
        message = server_words(problem)
        cause = next((name for text, name in _TEXTS if re.search(text, message)), "cluster-refused")
        raise OperationFailed(
            f"the Kubernetes API to {doing}", f"{problem.status}: {message}", cause=cause
        ) from problem
    except (HTTPError, ConnectionError, TimeoutError, ssl.SSLError) as problem:
        raise OperationFailed(
            f"the Kubernetes API to {doing}",
            f"no answer: {plain(problem)}",
            _LOOK_AT_TRUST if UNTRUSTED in str(problem) else _LOOK_AT_ADDRESS,
            cause="cluster-unreachable",
        ) from problem


def may_pass(problem: OperationFailed) -> bool:
    """Whether the same look may well succeed a little later: nobody answered, or the server failed by itself."""
    status = getattr(problem.__cause__, "status", None) or 0
    return problem.cause.name == "cluster-unreachable" or status == 429 or status >= 500


def patiently(look: Callable[[], T]) -> T | Pending:
    """One look; where the API does not answer, or fails by itself, why the next one may do better."""
    try:
        return look()
    except OperationFailed as problem:
        if not may_pass(problem):
            raise
        return Pending(problem.seen, problem.cause.name)


def json_of(response: Any) -> dict[str, Any]:
    """The object in an answer of the official client that it did not read itself.

    Raises:
        HTTPError: the answer broke off, or it is no JSON object: something else than a cluster has answered.
    """
    try:
        read = json.loads(response.data)
    except ValueError:
        read = None
    if not isinstance(read, dict):
        raise HTTPError("the answer is no JSON object")
    return read


def server_words(problem: ApiException) -> str:
    """The message of a Status body, or what there is instead."""
    status = status_of(problem)
    return str(status.get("message") or problem.reason or "no reason given")


def status_of(problem: ApiException) -> dict[str, Any]:
    """The Status body of a refused call; empty where there is none."""
    try:
        body = json.loads(problem.body or "")
    except ValueError:
        return {}
    return body if isinstance(body, dict) else {}


def plain(problem: BaseException) -> str:
    """A connection problem in few words: the innermost reason of urllib3's nested ones."""
    reason = getattr(problem, "reason", None)
    while isinstance(reason, BaseException) and getattr(reason, "reason", None) is not None:
        reason = getattr(reason, "reason", None)
    return str(reason or problem)


def handshake_refusal(problem: ApiException) -> ApiException:
    """A refused websocket as a refused call: the client has its status and body only as a text of its own."""
    handshake = _HANDSHAKE.match(str(problem.reason))
    return ApiException(int(handshake[1]), handshake[2], body=handshake[3]) if handshake else problem
