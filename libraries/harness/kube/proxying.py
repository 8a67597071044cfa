"""HTTP to a Service through the API server's proxy, so that it works from wherever the cluster's API is reached."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

from kubernetes.client.exceptions import ApiException
from urllib3.exceptions import HTTPError

from ..waiting import Pending
from .connection import READ_TIMEOUT, Cluster
from .errors import plain

UNREACHED = {429, 500, 502, 503, 504}
"""What the API server answers itself while a Service has no endpoint that takes a connection, or it is overloaded."""
UNREACHED_TEXT = "error trying to reach service"


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


def get(cluster: Cluster, target: Target, timeout: float) -> Answer | Pending:
    """One GET; what stands in the way where nothing of the Service's own was answered.

    The generated client cannot make it: it encodes the slashes of a path.

    Args:
        timeout: seconds.

    Raises:
        ApiException: there is no such Service, or the API refuses.
    """
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
