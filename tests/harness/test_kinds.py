"""Which kinds a cluster serves is asked when it is needed, and a passing failure is no answer."""

from __future__ import annotations

import pytest
from tests.harness.fake_api import FakeApi, status

from harness.failures import NotAsExpected, OperationFailed
from harness.kube import Cluster
from harness.kube.objects import resource

PODS = {"name": "pods", "kind": "Pod", "namespaced": True, "verbs": ["get"]}
LOGS = {"name": "pods/log", "kind": "Pod", "namespaced": True, "verbs": ["get"]}


def test_a_kind_is_asked_for_once(api: FakeApi, cluster: Cluster) -> None:
    api.others["/api/v1"] = (200, {"resources": [LOGS, PODS]})
    found = [resource(cluster, "v1", "Pod") for _ in range(3)]
    assert {(one.name, one.namespaced, one.path(name="x", namespace="ns")) for one in found} == {
        ("pods", True, "/api/v1/namespaces/ns/pods/x")
    }
    assert api.calls == ["GET /api/v1"]


def test_a_kind_that_comes_later_is_found(api: FakeApi, cluster: Cluster) -> None:
    api.others["/apis/example.org/v1"] = (404, status(404, "the server could not find the requested resource"))
    with pytest.raises(NotAsExpected, match=r"the cluster to serve Thing of example.org/v1"):
        resource(cluster, "example.org/v1", "Thing")
    thing = {"name": "things", "kind": "Thing", "namespaced": False, "verbs": ["get"]}
    api.others["/apis/example.org/v1"] = (200, {"resources": [thing]})
    assert resource(cluster, "example.org/v1", "Thing").path(name="x") == "/apis/example.org/v1/things/x"


@pytest.mark.parametrize("answer", [(200, "<html>a captive portal</html>"), (503, status(503, "busy")), (200, "[]")])
def test_no_answer_is_not_taken_for_a_kind_that_is_not_served(
    api: FakeApi, cluster: Cluster, answer: tuple[int, object]
) -> None:
    api.others["/api/v1"] = answer
    with pytest.raises(OperationFailed) as failure:
        resource(cluster, "v1", "Pod")
    assert failure.value.cause.name in ("cluster-unreachable", "cluster-refused")
    api.others["/api/v1"] = (200, {"resources": [PODS]})
    assert resource(cluster, "v1", "Pod").name == "pods"
