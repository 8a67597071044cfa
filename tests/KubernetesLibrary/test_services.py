"""Services through the API server's proxy: what is tried again, what is an answer, what is a failure."""

from __future__ import annotations

import pytest
from tests.harness.fake_api import FakeApi, cut, refuse, status

from harness.failures import NotAsExpected, OperationFailed, WaitTimedOut
from harness.kube import Cluster
from harness.kube.proxying import Answer, Target
from KubernetesLibrary.services import request, wait_until_answers

TARGET = Target("ns", "web", "80", "/index.html?a=b c")
PATH = "/api/v1/namespaces/ns/services/web:80/proxy/index.html"
NO_ENDPOINTS = status(503, 'no endpoints available for service "web"', "ServiceUnavailable")
PATIENT = 30.0


def answers(api: FakeApi, *script: tuple[int, object]) -> None:
    """What the proxy answers in turn."""
    for code, body in script:
        api.lists.append(lambda handler, code=code, body=body: handler.answer(code, body))


def test_the_service_answers(api: FakeApi, cluster: Cluster) -> None:
    answers(api, (200, "<h1>Welcome</h1>"))
    assert request(cluster, TARGET, 200, PATIENT) == Answer(200, "<h1>Welcome</h1>")
    assert api.calls == [f"GET {PATH}?a=b%20c"]


def test_a_service_without_endpoints_is_asked_again(api: FakeApi, cluster: Cluster) -> None:
    refused = status(503, "error trying to reach service: dial tcp 10.42.0.7:80: connect: connection refused")
    answers(api, (503, NO_ENDPOINTS), (503, refused), (502, "Error trying to reach service: 'EOF'"), (200, "hello"))
    assert request(cluster, TARGET, 200, PATIENT).body == "hello"


def test_a_cut_connection_is_tried_again(api: FakeApi, cluster: Cluster) -> None:
    api.lists += [cut, cut]
    answers(api, (200, "hello"))
    assert request(cluster, TARGET, 200, PATIENT).body == "hello"


def test_no_answer_in_time_names_what_was_last_seen(api: FakeApi, cluster: Cluster) -> None:
    answers(api, *[(503, NO_ENDPOINTS)] * 50)
    with pytest.raises(WaitTimedOut) as failure:
        request(cluster, TARGET, 200, 0.3)
    assert failure.value.expected == "Service ns/web port 80 at /index.html?a=b c to answer within 0.3 s"
    assert failure.value.seen.startswith(
        'the API server does not reach it: no endpoints available for service "web" (so for the last 0.'
    )
    assert failure.value.cause.name == "service-unreachable"


def test_another_status_of_the_service_itself_is_its_answer(api: FakeApi, cluster: Cluster) -> None:
    answers(api, (503, "busy, come again"))
    with pytest.raises(NotAsExpected, match="Seen: status 503, body begins 'busy, come again'"):
        request(cluster, TARGET, 200, PATIENT)
    answers(api, (404, ""), (418, "teapot"))
    assert request(cluster, TARGET, 404, PATIENT) == Answer(404, "")
    assert request(cluster, TARGET, None, PATIENT).status == 418


def test_waiting_goes_on_until_the_status_is_the_wanted_one(api: FakeApi, cluster: Cluster) -> None:
    answers(api, (503, "starting"), (404, "no"), (200, "ready"))
    assert wait_until_answers(cluster, TARGET, 200, PATIENT).body == "ready"


def test_waiting_in_vain_names_the_last_answer(api: FakeApi, cluster: Cluster) -> None:
    answers(api, *[(404, "no")] * 50)
    with pytest.raises(WaitTimedOut) as failure:
        wait_until_answers(cluster, TARGET, 200, 0.3)
    assert failure.value.expected.endswith("to answer with status 200 within 0.3 s")
    assert failure.value.seen.startswith("status 404, body begins 'no' (so for the last 0.")


@pytest.mark.parametrize("code", [401, 403, 404])
def test_what_the_api_server_refuses_is_not_tried_again(api: FakeApi, cluster: Cluster, code: int) -> None:
    api.lists += [refuse(code, 'services "web" not found')]
    with pytest.raises(OperationFailed, match=f'{code}: services "web" not found'):
        wait_until_answers(cluster, TARGET, 200, PATIENT)
    assert len(api.calls) == 1


@pytest.mark.parametrize(
    ("target", "path"),
    [
        (Target("ns", "web"), "/api/v1/namespaces/ns/services/web/proxy/"),
        (Target("ns", "web", "http", "a/b"), "/api/v1/namespaces/ns/services/web:http/proxy/a/b"),
        (Target("n/s", "../x"), "/api/v1/namespaces/n%2Fs/services/..%2Fx/proxy/"),
    ],
)
def test_where_the_proxy_is(target: Target, path: str) -> None:
    assert target.proxy_path == path


def test_an_answer_can_be_read_as_json() -> None:
    assert Answer(200, '{"hits": 3}').json() == {"hits": 3}
    assert not Answer(200, '{"kind": "Status"}').of_the_api_server
