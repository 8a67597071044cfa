"""Calls without the official client's classes: they send what these would send, and answer as these do."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from kubernetes import client
from kubernetes.client.exceptions import ApiException
from tests.harness.fake_api import FakeApi, pods_now, refuse

from harness.kube import Cluster
from harness.kube.connection import TimedApiClient
from harness.kube.plain import CALLS, MERGE, PLACES, Plain

OFFICIAL = ("CoreV1Api", "AppsV1Api", "CoordinationV1Api", "AuthorizationV1Api")
VALUES = {"name": "a-name", "namespace": "a-namespace", "path": "stats/summary"}
BODIES = {"POST": {"metadata": {}}, "PATCH": {"metadata": {"uid": "1"}}, "DELETE": {"preconditions": {"uid": "1"}}}
CONTENT = {"POST": "application/json", "DELETE": "application/json", "PATCH": MERGE}
"""What a body is taken for that comes without a content type, or as a patch by operations that is none."""
QUERIES: dict[str, dict[str, Any]] = {
    "list": {"field_selector": "metadata.name=a b", "resource_version": "7", "resource_version_match": "NotOlderThan"},
    "read_namespaced_pod_log": {
        "container": "c",
        "limit_bytes": 9,
        "previous": False,
        "tail_lines": 3,
        "timestamps": True,
    },
    "create_self_subject_access_review": {"body": {"spec": {}}},
    "connect_get_namespaced_pod_exec": {"command": ["sh", "-c", "a b"], "container": "c", "stdin": False, "tty": False},
    "connect_get_namespaced_pod_portforward": {"ports": "80"},
    "patch_node": {"_content_type": "application/merge-patch+json"},
}


class Answer:
    """What every call is answered."""

    status = 200
    response = "as it came"


class Recorder(TimedApiClient):
    """Sends nothing."""

    def __init__(self) -> None:
        super().__init__(client.Configuration(host="http://nowhere", api_key={"authorization": "Bearer t"}))
        self.sent: list[tuple[Any, ...]] = []

    def call_api(self, *request: Any, **options: Any) -> Any:
        """Notes it."""
        self.sent.append((*request, options))
        return Answer()


def sent_by(call: Callable[..., Any], api: Recorder, name: str) -> tuple[Any, ...]:
    """The request of that call."""
    method, path = CALLS[name]
    arguments: list[Any] = [VALUES[one] for one in PLACES if f"{{{one}}}" in path]
    options = QUERIES.get(name) or QUERIES.get(name.split("_", maxsplit=1)[0], {})
    options = ({"body": BODIES[method]} if method in BODIES else {}) | options
    assert call(*arguments, **options, _preload_content=False, _request_timeout=(1.0, 2.0)) == "as it came"
    sent = api.sent[-1]
    headers = dict(sent[2])
    if headers.get("Content-Type") in (None, "application/json-patch+json") and method in CONTENT:
        headers["Content-Type"] = CONTENT[method]
    return (*sent[:2], headers, *sent[3:])


@pytest.mark.parametrize("name", CALLS)
def test_a_call_is_the_official_one(name: str) -> None:
    api = Recorder()
    official = next(kind for kind in OFFICIAL if hasattr(getattr(client, kind), name))
    plain = sent_by(getattr(Plain(api, official), name), api, name)
    assert plain == sent_by(getattr(getattr(client, official)(api), name), api, name)


def test_who_wants_objects_gets_the_official_call(api: FakeApi, cluster: Cluster) -> None:
    api.lists += [pods_now]
    assert cluster.core.list_namespaced_pod("ns").items == []


def test_a_refusal_is_the_official_one(api: FakeApi, cluster: Cluster) -> None:
    api.lists += [refuse(409)]
    with pytest.raises(ApiException) as refusal:
        cluster.core.list_namespaced_pod("ns", _preload_content=False)
    assert (refusal.value.status, type(refusal.value).__name__) == (409, "ConflictException")
    assert refusal.value.body


def test_what_the_official_class_does_not_have_is_told(cluster: Cluster) -> None:
    with pytest.raises(AttributeError, match="no_such_call"):
        cluster.core.no_such_call("x")
