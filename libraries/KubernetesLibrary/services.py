"""HTTP to a Service through the API server's proxy, so that it works from wherever the cluster's API is reached."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

from kubernetes.client.exceptions import ApiException
from urllib3.exceptions import HTTPError

from harness.failures import NotAsExpected
from harness.kube import Cluster, api_errors
from harness.kube.connection import READ_TIMEOUT
from harness.kube.errors import plain
from harness.waiting import Done, Look, Pending, wait_until

UNREACHED = {429, 500, 502, 503, 504}
"""What the API server answers itself while a Service has no endpoint that takes a connection, or it is overloaded."""
UNREACHED_TEXT = "error trying to reach service"
SHORTEST_WAIT = 1.0
"""Seconds that a request gets even when the time for all of them is up."""
LOOK = "the endpoints of the Service, and whether its pods are Ready and listen on its target port"


@dataclass(frozen=True)
class Answer:
    """What a Service answered.

    Attributes:
        status: HTTP status.
        body: text of the body; bytes that are no UTF-8 are replaced.
    """

    status: int
    body: str

    def __str__(self) -> str:
        start = " ".join(self.body.split())[:80]
        return f"status {self.status}{f', body begins {start!r}' if start else ', no body'}"

    @property
    def of_the_api_server(self) -> bool:
        """Whether the API server itself answered, as it does when it does not reach the Service."""
        return self._status.get("kind") == "Status" or self.body.lower().startswith(UNREACHED_TEXT)

    @property
    def words(self) -> str:
        """What the API server says."""
        return str(self._status.get("message") or self.body).strip()

    @property
    def _status(self) -> dict[str, Any]:
        try:
            parsed = self.json()
        except ValueError:
            return {}
        return parsed if isinstance(parsed, dict) and parsed.get("apiVersion") == "v1" else {}

    def json(self) -> Any:
        """The body as JSON.

        Raises:
            ValueError: it is none.
        """
        return json.loads(self.body)


@dataclass(frozen=True)
class Target:
    """A path of a Service.

    Attributes:
        port: number or name; may be None where the Service has only one.
        path: with the query, if any.
    """

    namespace: str
    service: str
    port: str | None = None
    path: str = "/"

    def __str__(self) -> str:
        return f"Service {self.namespace}/{self.service}{f' port {self.port}' if self.port else ''} at {self.path}"

    @property
    def proxy_path(self) -> str:
        """Where the API server proxies it."""
        name = quote(self.service, safe="") + (f":{quote(self.port, safe='')}" if self.port else "")
        namespace = quote(self.namespace, safe="")
        path = quote(self.path.lstrip("/"), safe="/?&=%+:@!$'(),;~*")
        return f"/api/v1/namespaces/{namespace}/services/{name}/proxy/{path}"


def request(cluster: Cluster, target: Target, status: int | None, timeout: float) -> Answer:
    """A GET; tried again while the Service has no endpoint that answers.

    Args:
        status: what the Service must answer; None: anything.
        timeout: seconds.

    Raises:
        NotAsExpected: another status.
        WaitTimedOut: no answer; says what was last seen; cause `service-unreachable`.
        OperationFailed: there is no such Service, or the API refuses.
    """
    answer = _ask(cluster, target, timeout, lambda _: True)
    if status is not None and answer.status != status:
        raise NotAsExpected(f"{target} to answer with status {status}", str(answer), LOOK, cause="service-unreachable")
    return answer


def wait_until_answers(cluster: Cluster, target: Target, status: int, timeout: float) -> Answer:
    """GETs until the Service answers with `status`.

    Raises:
        WaitTimedOut: it did not; says what was last seen; cause `service-unreachable`.
        OperationFailed: there is no such Service, or the API refuses.
    """
    return _ask(cluster, target, timeout, lambda answer: answer.status == status, f" with status {status}")


def _ask(cluster: Cluster, target: Target, timeout: float, good: Callable[[Answer], bool], how: str = "") -> Answer:
    deadline = time.monotonic() + timeout

    def look() -> Look[Answer]:
        answer = _get(cluster, target, max(SHORTEST_WAIT, deadline - time.monotonic()))
        if isinstance(answer, Answer):
            return Done(answer) if good(answer) else Pending(str(answer))
        return answer

    with api_errors(f"proxy to {target}"):
        return wait_until(
            look, timeout=timeout, expected=f"{target} to answer{how}", look_next=LOOK, cause="service-unreachable"
        )


def _get(cluster: Cluster, target: Target, timeout: float) -> Answer | Pending:
    """One GET. The generated client cannot make it: it encodes the slashes of a path."""
    client = cluster.api_client
    method, url, headers, _, _ = client.param_serialize(
        "GET", target.proxy_path, query_params=[], header_params={"Accept": "*/*"}, auth_settings=["BearerToken"]
    )
    try:
        response = client.call_api(method, url, headers, _request_timeout=min(timeout, READ_TIMEOUT))
        answer = Answer(response.status, response.read().decode(errors="replace"))
    except (HTTPError, OSError) as problem:
        return Pending(f"no answer: {plain(problem)}", "cluster-unreachable")
    if not answer.of_the_api_server:
        return answer
    if answer.status not in UNREACHED:
        raise ApiException(answer.status, response.reason, body=answer.body)
    return Pending(f"the API server does not reach it: {answer.words}")
