"""Whether the network follows a pod: what counts as following, and what each failure says."""

from __future__ import annotations

from typing import Any

import pytest

from harness.failures import NotAsExpected, OperationFailed, WaitTimedOut
from harness.kube import Cluster
from harness.kube.endpoints import Endpoint, endpoints_in
from KubernetesLibrary import following
from KubernetesLibrary.execution import Execution, Place

HERE = Cluster("here", None)  # type: ignore[arg-type]
CLIENT = Place("ns", "client")
POD = {"metadata": {"name": "web", "uid": "u2", "labels": {"app": "web", "x": "y"}}, "status": {"podIP": "10.0.0.2"}}
NEW, OLD = Endpoint("10.0.0.2", "web", "u2"), Endpoint("10.0.0.1", "before", "u1")


@pytest.fixture
def service(monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    """The Service that there is, and what its slices say in turn."""
    told: dict[str, Any] = {"spec": {"selector": {"app": "web"}}, "slices": [[NEW]]}
    monkeypatch.setattr(following.objects, "find", lambda *_: told if told["spec"] else None)

    def endpoints_of(*_: object) -> list[Endpoint]:
        found = told["slices"].pop(0) if len(told["slices"]) > 1 else told["slices"][0]
        if isinstance(found, Exception):
            raise found
        return found

    monkeypatch.setattr(following, "endpoints_of", endpoints_of)
    return told


def leads(pod: dict[str, Any] | None = POD, timeout: float = 5) -> None:
    """Waits for it."""
    following.wait_until_leads_to(HERE, "ns", "web", pod, timeout)


def test_it_leads_to_the_pod_in_the_end(service) -> None:
    unready = Endpoint("10.0.0.1", "before", "u1", ready=False)
    away = OperationFailed("a list", "no answer", cause="cluster-unreachable")
    service["slices"] = [[OLD], away, [], [OLD, NEW], [unready, NEW]]
    leads()
    assert len(service["slices"]) == 1, "one that is not ready leads nowhere"


@pytest.mark.parametrize(
    "found", [[OLD, NEW], [], [Endpoint("10.0.0.2", "web", "u1")], [Endpoint("10.0.0.9", "web", "u2")]]
)
def test_it_leads_elsewhere(service, found: list[Endpoint]) -> None:
    service["slices"] = [found]
    with pytest.raises(WaitTimedOut) as problem:
        leads(timeout=0.05)
    assert problem.value.cause.name == "stale-endpoints"
    assert (str(found[0]) if found else "its endpoints are: none") in problem.value.seen
    assert "Service ns/web to lead to pod web at 10.0.0.2 only" in problem.value.expected


def test_it_leads_nowhere(service) -> None:
    service["slices"] = [[NEW], []]
    leads(None)
    service["slices"] = [[NEW]]
    with pytest.raises(WaitTimedOut, match="lead to no ready pod"):
        leads(None, timeout=0.05)


def test_a_pod_without_the_labels_is_the_pods_fault(service) -> None:
    for labels in (None, {"app": "other"}, {"x": "y"}):
        with pytest.raises(NotAsExpected) as problem:
            leads({**POD, "metadata": {**POD["metadata"], "labels": labels}})
        assert problem.value.cause.name == "pod-changed"


def test_there_is_no_such_service(service) -> None:
    service["spec"] = None
    with pytest.raises(NotAsExpected, match="there is none") as problem:
        leads()
    assert problem.value.cause.name == "bad-manifest"


def test_an_api_that_refuses_ends_it_at_once(service) -> None:
    service["slices"] = [OperationFailed("a list", "403: no", cause="cluster-refused")]
    with pytest.raises(OperationFailed, match="403"):
        leads()


def test_endpoints_of_slices() -> None:
    target = {"kind": "Pod", "name": "web", "uid": "u2"}
    slices = [
        {"endpoints": [{"addresses": ["10.0.0.2"], "targetRef": target, "conditions": {"ready": True}}]},
        {"endpoints": [{"addresses": ["10.0.0.1", "10.0.0.3"], "conditions": {"ready": False}}]},
        {"endpoints": [{"addresses": ["10.0.0.4"]}, {"addresses": ["10.0.0.4"], "conditions": {"ready": None}}]},
        {"endpoints": None},
    ]
    assert endpoints_in(slices) == [
        Endpoint("10.0.0.1", ready=False),
        NEW,
        Endpoint("10.0.0.3", ready=False),
        Endpoint("10.0.0.4"),
    ]
    assert str(Endpoint("10.0.0.1", ready=False)) == "10.0.0.1 (no pod, not ready)"


@pytest.fixture
def commands(monkeypatch: pytest.MonkeyPatch) -> list[Execution]:
    """What commands in the client do in turn; the last again and again."""
    ends: list[Execution] = []
    monkeypatch.setattr(following, "execute", lambda *_, **__: ends.pop(0) if len(ends) > 1 else ends[0])
    return ends


def ended(stdout: str = "", code: int = 0) -> Execution:
    """A command that ended so."""
    return Execution(("x",), code, stdout, "")


def resolves(*addresses: str, timeout: float = 5) -> list[str]:
    """Waits for it."""
    return following.wait_until_resolves(HERE, CLIENT, "web.ns", addresses, timeout)


def test_a_name_resolves_in_the_end(commands) -> None:
    commands += [ended(code=2), ended("10.0.0.1  web.ns\n"), ended("10.0.0.2  web.ns\n10.0.0.1  web.ns\n\n")]
    assert resolves("10.0.0.1", "10.0.0.2") == ["10.0.0.1", "10.0.0.2"]


@pytest.mark.parametrize(
    ("answer", "seen"),
    [
        (ended("10.0.0.1  web.ns\n"), "it has 10.0.0.1"),
        (ended("10.0.0.1 web.ns\n10.0.0.2 web.ns\n"), "it has 10.0.0.1, 10.0.0.2"),
        (ended(code=2), "it has none (exit code 2)"),
        (ended("10.0.0.2 web.ns\n", code=1), "it has 10.0.0.2"),
    ],
)
def test_a_name_with_other_addresses(commands, answer: Execution, seen: str) -> None:
    commands.append(answer)
    with pytest.raises(WaitTimedOut) as problem:
        resolves("10.0.0.2", timeout=0.05)
    assert problem.value.cause.name == "stale-dns"
    assert problem.value.seen.startswith(seen)


def test_a_name_without_an_address(commands) -> None:
    commands += [ended("10.0.0.1 web.ns\n"), ended(code=2)]
    assert resolves() == []


def test_a_command_prints_in_the_end(commands) -> None:
    commands += [ended("+PO"), ended("+PONG", code=1), ended("+PONG\r\n")]
    assert following.wait_until_prints(HERE, CLIENT, ("nc",), "+PONG", 5).stdout == "+PONG\r\n"
    commands[:] = [ended("+PONG", code=1)]
    with pytest.raises(WaitTimedOut, match="nc in pod ns/client to print '\\+PONG'") as problem:
        following.wait_until_prints(HERE, CLIENT, ("nc",), "+PONG", 0.05)
    assert problem.value.cause.name == "service-unreachable"
