"""What state a pod is in, in words, and what counts as staying Ready."""

from __future__ import annotations

import json
from typing import Any

import pytest
from kubernetes.client.exceptions import ApiException
from tests.harness.fake_api import FakeApi, pod, says, status, stays_open
from urllib3.exceptions import MaxRetryError, NewConnectionError

from harness.failures import NotAsExpected, OperationFailed, WaitTimedOut
from harness.kube import Cluster, api_errors, pods
from harness.kube.pods import has_stayed_ready, is_ready, state_of, stay_ready, wait_until_ready

POD_PATH = "/api/v1/namespaces/ns/pods/web"


def with_container(**container: Any) -> dict[str, Any]:
    """A pod that is not Ready because of its container."""
    made = pod("web", "u1", ready=False)
    made["status"]["containerStatuses"] = [{"name": "main", "ready": False, "restartCount": 0, **container}]
    return made


@pytest.mark.parametrize(
    ("container", "words", "cause"),
    [
        (
            {"state": {"waiting": {"reason": "ImagePullBackOff", "message": "not found"}}},
            "container main waits: ImagePullBackOff (not found)",
            "image-pull",
        ),
        ({"state": {"waiting": {"reason": "CrashLoopBackOff"}}}, "waits: CrashLoopBackOff", "crash-loop"),
        ({"state": {"waiting": {}}}, "container main waits: no reason given", ""),
        ({"state": {"terminated": {"reason": "Error", "exitCode": 3}}}, "container main ended: Error, exit code 3", ""),
        ({"state": {"running": {}}}, "container main runs but is not ready", ""),
    ],
)
def test_the_state_of_a_container_is_told_with_its_cause(container: dict[str, Any], words: str, cause: str) -> None:
    seen = state_of(with_container(**container))
    assert seen.seen.startswith("pod web is Pending; ")
    assert words in seen.seen
    assert seen.cause == cause


def test_a_pod_that_no_node_takes_says_why() -> None:
    made = pod("web", "u1", ready=False)
    made["status"] = {
        "phase": "Pending",
        "conditions": [{"type": "PodScheduled", "status": "False", "message": "0/1 nodes are available"}],
    }
    seen = state_of(made)
    assert (seen.seen, seen.cause) == ("pod web is Pending; not scheduled: 0/1 nodes are available", "unschedulable")


def test_a_pod_without_a_status_is_told_too() -> None:
    assert state_of({"metadata": {"name": "web"}}).seen == "pod web is without a phase"


def test_a_pod_that_is_being_deleted_is_not_ready() -> None:
    leaving = pod("web", "u1", deletionTimestamp="2026-01-01T00:00:00Z")
    assert not is_ready(leaving)
    assert "being deleted" in state_of(leaving).seen
    assert is_ready(pod("web", "u1"))


def test_a_pod_that_has_ended_is_not_waited_for(api: FakeApi, cluster: Cluster) -> None:
    ended = with_container(state={"terminated": {"reason": "Error", "exitCode": 1}})
    ended["status"]["phase"] = "Failed"
    api.pods = [ended]
    with pytest.raises(NotAsExpected, match="exit code 1"):
        wait_until_ready(cluster, "ns", "web", 30)


def test_staying_ready(api: FakeApi, cluster: Cluster) -> None:
    api.pods = [pod("web", "u1")]
    api.others[POD_PATH] = (200, api.pods[0])
    assert stay_ready(cluster, "ns", "web", 0.3)["metadata"]["uid"] == "u1"


def restarted() -> dict[str, Any]:
    made = pod("web", "u1")
    made["status"]["containerStatuses"][0]["restartCount"] = 1
    return made


@pytest.mark.parametrize(
    ("event", "words"),
    [
        (("MODIFIED", pod("web", "u1", ready=False)), "container main waits: ContainerCreating"),
        (("MODIFIED", restarted()), "its containers restarted: 0 restarts before, 1 now"),
        (("DELETED", pod("web", "u1")), "pod web is gone"),
    ],
)
def test_not_staying_ready(api: FakeApi, cluster: Cluster, event: tuple[str, dict[str, Any]], words: str) -> None:
    api.pods = [pod("web", "u1")]
    api.others[POD_PATH] = (200, api.pods[0])
    api.watches.append(says(event, then=stays_open))
    with pytest.raises(NotAsExpected, match=words) as failure:
        stay_ready(cluster, "ns", "web", 30)
    assert failure.value.cause.name == "restored-pod-unstable"


def test_a_pod_that_was_replaced_since_it_was_seen_did_not_stay(api: FakeApi, cluster: Cluster) -> None:
    api.pods = [pod("web", "u2")]
    with pytest.raises(NotAsExpected, match="replaced by another pod of that name"):
        stay_ready(cluster, "ns", "web", 30, before=pod("web", "u1"))


def since(second: int, **changes: Any) -> dict[str, Any]:
    """A pod that is Ready since that second of a minute."""
    made = pod("web", "u1") | changes
    (ready,) = (one for one in made["status"]["conditions"] if one["type"] == "Ready")
    ready["lastTransitionTime"] = f"2026-01-01T00:00:{second:02}Z"
    return made


def test_one_look_tells_that_a_pod_has_stayed_ready(api: FakeApi, cluster: Cluster) -> None:
    api.others[POD_PATH] = (200, since(5))
    has_stayed_ready(cluster, since(5))
    api.others[POD_PATH] = (200, pod("web", "u1"))
    has_stayed_ready(cluster, pod("web", "u1"))


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        ((404, status(404, "no such pod")), "pod web is gone"),
        ((200, pod("web", "u2")), "replaced by another pod of that name"),
        ((200, pod("web", "u1", ready=False)), "container main waits: ContainerCreating"),
        ((200, restarted()), "its containers restarted: 0 restarts before, 1 now"),
        (
            (200, since(7)),
            "not Ready for a while: it is so since 2026-01-01T00:00:07Z, and was since 2026-01-01T00:00:05Z",
        ),
    ],
)
def test_one_look_tells_that_a_pod_has_not_stayed_ready(
    api: FakeApi, cluster: Cluster, answer: tuple[int, dict[str, Any]], words: str
) -> None:
    api.others[POD_PATH] = answer
    with pytest.raises(NotAsExpected, match=words) as failure:
        has_stayed_ready(cluster, since(5))
    assert failure.value.cause.name == "restored-pod-unstable"
    assert "pod web to stay Ready" in failure.value.expected


def test_a_look_that_is_refused_tells_nothing_of_the_pod(api: FakeApi, cluster: Cluster) -> None:
    api.others[POD_PATH] = (403, status(403, "no"))
    with pytest.raises(OperationFailed, match="403"):
        has_stayed_ready(cluster, since(5))


@pytest.mark.parametrize(
    ("message", "cause"),
    [
        ('pods "web" is forbidden: exceeded quota: small', "quota"),
        ('admission webhook "guard" denied the request', "webhook-refused"),
        ("unable to create new content in namespace a because it is being terminated", "stuck-terminating"),
        ('Pod "a" is invalid: spec.containers: Required value', "bad-manifest"),
        ("no", "cluster-refused"),
    ],
)
def test_what_the_api_refuses_is_told_in_its_words(message: str, cause: str) -> None:
    with pytest.raises(OperationFailed) as failure, api_errors("create pod ns/web"):
        raise ApiException(403, "Forbidden", body=json.dumps(status(403, message)))
    assert failure.value.expected == "the Kubernetes API to create pod ns/web"
    assert failure.value.seen == f"403: {message}"
    assert failure.value.cause.name == cause


def test_what_cannot_be_reached_is_told_in_few_words() -> None:
    refused = NewConnectionError(None, "Connection refused")  # type: ignore[arg-type]
    with pytest.raises(OperationFailed) as failure, api_errors("list the nodes"):
        raise MaxRetryError(None, "/api/v1/nodes", refused)  # type: ignore[arg-type]
    assert failure.value.cause.name == "cluster-unreachable"
    assert "Max retries" not in failure.value.seen
    assert "Connection refused" in failure.value.seen


@pytest.mark.parametrize("status", ["Pending", "ContainerCreating"])
def test_a_status_goes_by_the_phase_or_a_containers_reason(api: FakeApi, cluster: Cluster, status: str) -> None:
    api.pods = [pod("web", "u1", ready=False)]
    assert pods.wait_until_status(cluster, "ns", "web", status, 5)["metadata"]["uid"] == "u1"


def test_a_status_that_never_comes_is_told_with_the_one_there_is(api: FakeApi, cluster: Cluster) -> None:
    api.pods = [pod("web", "u1", ready=False)]
    with pytest.raises(WaitTimedOut, match=r"Expected: pod web to be Succeeded within .*\nSeen: pod web is Pending"):
        pods.wait_until_status(cluster, "ns", "web", "Succeeded", 0.2)


def test_restarts_are_those_of_all_containers() -> None:
    status = {"initContainerStatuses": [{"restartCount": 2}], "containerStatuses": [{"restartCount": 1}, {}]}
    assert pods.restarts({"status": status}) == 3
