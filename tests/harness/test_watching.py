"""Waiting by watch, when the server does what servers do: drop, expire, stall, fail and answer nonsense."""

from __future__ import annotations

import re
import time
from typing import Any

import pytest
from kubernetes.client.exceptions import ApiException
from tests.harness.fake_api import (
    Act,
    FakeApi,
    after,
    cut,
    drops,
    ends_at_once,
    expired,
    garbage,
    of_version,
    pod,
    refuse,
    says,
    stays_open,
)
from urllib3.exceptions import SSLError

from harness.failures import OperationFailed, WaitTimedOut
from harness.kube import Cluster, api_errors, watching
from harness.kube.pods import list_pods, wait_until_gone, wait_until_ready
from harness.kube.watching import Objects, watch_until, watch_while
from harness.waiting import Done, Look, Pending, bearing_silence

WAITING, READY = pod("web", "u1", ready=False), pod("web", "u1")
FAULTS = [ends_at_once, drops, expired, refuse(500), refuse(429), cut, garbage]
PATIENT = 60.0
"""Seconds that a wait may take in a test which it must not run out of."""


def becomes_ready(api: FakeApi) -> None:
    api.pods = [READY]


def test_a_change_is_seen_when_the_watch_tells_it(api: FakeApi, cluster: Cluster) -> None:
    api.pods = [WAITING]
    api.watches.append(says(("MODIFIED", READY), then=stays_open))
    assert wait_until_ready(cluster, "ns", "web", PATIENT)["metadata"]["uid"] == "u1"
    assert len(api.calls) == 2


@pytest.mark.parametrize("fault", FAULTS)
def test_a_watch_that_fails_is_taken_up_again(
    api: FakeApi, cluster: Cluster, fault: Act, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(
        watching, "RELIST_AFTER", 1.0
    )  # where a refusal is asked again at once, no event is left to come
    api.pods = [WAITING]
    api.watches += [fault, after(becomes_ready, fault)]
    assert wait_until_ready(cluster, "ns", "web", PATIENT) == READY


@pytest.mark.parametrize("fault", [refuse(500), refuse(503), refuse(429), cut, garbage])
def test_a_list_that_fails_is_asked_for_again(api: FakeApi, cluster: Cluster, fault: Act) -> None:
    api.pods = [READY]
    api.lists += [fault, fault]
    assert wait_until_ready(cluster, "ns", "web", PATIENT) == READY


def test_a_watch_that_goes_silent_is_begun_anew(
    api: FakeApi, cluster: Cluster, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(watching, "RELIST_AFTER", 0.2)
    api.pods = [WAITING]
    api.watches += [stays_open, after(becomes_ready, stays_open)]
    assert wait_until_ready(cluster, "ns", "web", PATIENT) == READY


def test_a_server_that_ends_each_watch_at_once_is_not_asked_without_a_pause(
    api: FakeApi, cluster: Cluster, monkeypatch: pytest.MonkeyPatch
) -> None:
    pauses = list[float]()
    monkeypatch.setattr(watching, "_pause", lambda begun, _: pauses.append(begun))
    api.pods = [WAITING]
    api.watches += [ends_at_once] * 3 + [after(becomes_ready, ends_at_once)]
    assert wait_until_ready(cluster, "ns", "web", PATIENT) == READY
    assert len(pauses) == 4, "one between each watch and the list after it"


def test_a_watch_that_expired_has_ended_and_one_that_is_refused_has_not(api: FakeApi, cluster: Cluster) -> None:
    api.watches += [expired, refuse(500)]
    end = time.monotonic() + PATIENT
    assert list(watching._changes(list_pods(cluster, "ns"), [], "1", end)) == []
    with pytest.raises(ApiException):
        list(watching._changes(list_pods(cluster, "ns"), [], "1", end))


@pytest.mark.parametrize("left", [0.5, 1000.0])
def test_a_watch_waits_for_no_connection_longer_than_for_anything_else(left: float) -> None:
    asked = list[float]()

    def call(**options: Any) -> None:
        asked.extend(options["_request_timeout"])
        raise ApiException(status=500)

    with pytest.raises(ApiException):
        list(watching._changes(call, [], "1", time.monotonic() + left))
    assert asked[0] <= min(watching.CONNECT_TIMEOUT, left) <= asked[0] + 1
    assert asked[1] <= left


def test_a_stalled_list_does_not_outlast_the_wait(
    api: FakeApi, cluster: Cluster, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(watching, "LAST_LOOK", 0.2)
    api.lists += [stays_open] * 10
    with pytest.raises(WaitTimedOut, match="did not answer") as failure:
        wait_until_ready(cluster, "ns", "web", 0.5)
    assert failure.value.cause.name == "cluster-unreachable"
    assert len(api.calls) <= 3


@pytest.mark.parametrize("code", [400, 401, 403, 404, 405, 422])
def test_an_answer_that_will_not_change_ends_the_wait(api: FakeApi, cluster: Cluster, code: int) -> None:
    api.lists += [refuse(code, "pods is forbidden")] * 10
    with pytest.raises(OperationFailed, match=f"{code}: pods is forbidden") as failure:
        wait_until_ready(cluster, "ns", "web", PATIENT)
    assert failure.value.cause.name == "cluster-refused"
    assert len(api.calls) == 1


def test_the_failure_names_what_was_last_seen_and_how_long(api: FakeApi, cluster: Cluster) -> None:
    api.pods = [WAITING]
    with pytest.raises(WaitTimedOut) as failure:
        wait_until_ready(cluster, "ns", "web", 0.3)
    text = str(failure.value)
    assert "Expected: pod web to be Ready within 0.3 s" in text
    assert re.search(r"pod web is Pending; container main waits: ContainerCreating \(so for the last [\d.]+ s", text)
    assert "Look next: the events" in text
    assert "Cause: not-ready (environment)" in text


def test_an_outage_is_told_as_an_outage(cluster: Cluster, api: FakeApi) -> None:
    api.server.shutdown()
    api.server.server_close()
    with pytest.raises(WaitTimedOut, match="the API did not answer") as failure:
        wait_until_ready(cluster, "ns", "web", 0.5)
    assert failure.value.cause.name == "cluster-unreachable"


def test_an_outage_ends_a_watch_where_it_is_borne_only_for_a_while(cluster: Cluster, api: FakeApi) -> None:
    api.server.shutdown()
    api.server.server_close()
    with bearing_silence(0.3), pytest.raises(WaitTimedOut, match="the API did not answer") as failure:
        wait_until_gone(cluster, "ns", "web", 900)
    assert re.search(r"so for the last \d{1,2}\.\d+ s of 900", failure.value.seen)
    assert failure.value.cause.name == "cluster-unreachable"


def test_a_deleted_object_leaves_the_known_ones(api: FakeApi, cluster: Cluster) -> None:
    api.pods = [READY]
    api.watches.append(says(("DELETED", READY), then=stays_open))
    wait_until_gone(cluster, "ns", "web", PATIENT)
    assert len(api.calls) == 2


def test_another_pod_of_the_name_is_not_the_one_that_is_awaited_to_go(api: FakeApi, cluster: Cluster) -> None:
    api.pods = [pod("web", "u2")]
    wait_until_gone(cluster, "ns", "web", PATIENT, uid="u1")


def test_a_list_from_before_an_object_was_made_does_not_say_that_it_is_gone(api: FakeApi, cluster: Cluster) -> None:
    api.lists += [of_version("3"), of_version("9", READY)]
    api.watches.append(says(("DELETED", READY), then=stays_open))
    wait_until_gone(cluster, "ns", "web", PATIENT, since="9")
    assert "resourceVersion=9" in api.calls[1]
    assert len(api.calls) == 3


def test_what_the_judge_raises_ends_the_wait(api: FakeApi, cluster: Cluster) -> None:
    def judge(_: Objects) -> Look[None]:
        raise ApiException(500, "of the judge")

    with pytest.raises(ApiException, match="of the judge"):
        watch_until(list_pods(cluster, "ns"), judge, timeout=PATIENT, expected="nothing")
    assert len(api.calls) == 1


def test_a_bookmark_is_no_object(api: FakeApi, cluster: Cluster) -> None:
    api.pods = [WAITING]
    bookmark = {"kind": "Pod", "apiVersion": "v1", "metadata": {"resourceVersion": "7"}}
    api.watches.append(says(("BOOKMARK", bookmark), ("MODIFIED", READY), then=stays_open))
    assert wait_until_ready(cluster, "ns", "web", PATIENT) == READY


def test_watching_for_a_while_tells_the_first_violation(api: FakeApi, cluster: Cluster) -> None:
    api.pods = [READY]
    api.watches.append(says(("MODIFIED", WAITING), then=stays_open))
    seen = watch_while(list_pods(cluster, "ns"), _phase_if_pending, seconds=PATIENT)
    assert seen == "Pending"


def test_watching_for_a_while_without_a_violation(api: FakeApi, cluster: Cluster) -> None:
    api.pods = [READY]
    assert watch_while(list_pods(cluster, "ns"), _phase_if_pending, seconds=0.3) is None


def test_a_list_older_than_what_was_seen_is_asked_for_anew(api: FakeApi, cluster: Cluster) -> None:
    new = pod("web", "u1", resourceVersion="9")
    old = pod("other", "u2", resourceVersion="3")
    api.lists += [of_version("8", old), of_version("9", new)] * 3
    assert watch_while(list_pods(cluster, "ns"), _others, seconds=1.0, since="9") is None
    assert [call for call in api.calls if "resourceVersion=9&resourceVersionMatch=NotOlderThan&" in f"{call}&"]


def test_a_list_that_stays_older_is_not_believed(api: FakeApi, cluster: Cluster) -> None:
    old, new = pod("other", "u2", resourceVersion="3"), pod("web", "u1", resourceVersion="9")
    api.lists += [of_version("9", new), *[of_version("8", old)] * 4, *[of_version("10", new)] * 100]
    api.watches += [ends_at_once] * 100
    assert watch_while(list_pods(cluster, "ns"), _others, seconds=4.0) is None
    assert len([call for call in api.calls if "NotOlderThan" in call]) == 2


def test_what_a_watch_told_is_newer_than_a_list_from_before_it(api: FakeApi, cluster: Cluster) -> None:
    ready = pod("web", "u1", resourceVersion="9")
    gone = pod("other", "u2", resourceVersion="3")
    api.lists += [of_version("3", pod("web", "u1", ready=False, resourceVersion="3"))]
    api.lists += [of_version("4", gone), *[of_version("9", ready)] * 100]
    api.watches += [says(("MODIFIED", ready))]
    assert watch_while(list_pods(cluster, "ns"), _others, seconds=0.5) is None


@pytest.mark.parametrize(
    ("known", "seen", "after"),
    [("10", "9", True), ("9", "10", False), ("", "9", False), ("x", "9", False), ("9", "x", False)],
)
def test_versions_are_compared_as_numbers(known: str, seen: str, after: bool) -> None:
    assert watching.Newest(known).is_after(seen) is after


def _others(pods: Objects) -> str | None:
    return next((one["metadata"]["name"] for one in pods if one["metadata"]["name"] != "web"), None)


def test_a_wait_without_time_still_takes_one_look(api: FakeApi, cluster: Cluster) -> None:
    api.pods = [READY]
    found = watch_until(
        list_pods(cluster, "ns"), lambda pods: Done(len(pods)) if pods else Pending("none"), timeout=0, expected="a pod"
    )
    assert found == 1


def _phase_if_pending(pods: Objects) -> str | None:
    phase: str = pods[0]["status"]["phase"]
    return phase if phase == "Pending" else None


def test_when_the_time_is_up_it_is_looked_once_more(api: FakeApi, cluster: Cluster) -> None:
    api.pods = [READY]
    seen = iter([None, "late"])
    assert watch_while(list_pods(cluster, "ns"), lambda _: next(seen), seconds=0.0) == "late"


def test_a_wait_that_says_nothing_of_where_to_look_next(api: FakeApi, cluster: Cluster) -> None:
    with pytest.raises(WaitTimedOut) as failure:
        watch_until(list_pods(cluster, "ns"), lambda _: Pending("no"), timeout=0.0, expected="much")
    assert (failure.value.look, failure.value.cause.name) == ("", "unknown")


def test_an_api_that_refuses_to_the_end_is_told_and_not_asked_without_a_pause(api: FakeApi, cluster: Cluster) -> None:
    api.lists += [refuse(500)] * 1000
    with pytest.raises(WaitTimedOut, match="the API answered 500") as failure:
        wait_until_ready(cluster, "ns", "web", 0.5)
    assert failure.value.cause.name == "cluster-refused"
    assert len(api.calls) <= 6


class Untrusted:
    """A list call whose server nobody trusts so many times; then it has the pod that is awaited."""

    def __init__(self, api: FakeApi, cluster: Cluster, times: int) -> None:
        api.pods = [READY]
        self._list, self._times = list_pods(cluster, "ns"), times

    def __call__(self, **options: object) -> object:
        if self._times:
            self._times -= 1
            raise SSLError("[SSL: CERTIFICATE_VERIFY_FAILED] certificate verify failed: certificate has expired")
        return self._list(**options)


def awaited(call: Untrusted) -> None:
    with api_errors("watch the pods"):
        watch_until(call, lambda pods: Done(None) if pods else Pending("none"), timeout=PATIENT, expected="a pod")


def test_a_certificate_that_is_not_trusted_is_not_waited_for(
    api: FakeApi, cluster: Cluster, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(watching, "DISTRUST", 0.3)
    with pytest.raises(OperationFailed, match="certificate has expired") as failure:
        awaited(Untrusted(api, cluster, 1000))
    assert failure.value.cause.name == "cluster-unreachable"
    assert "this machine's clock" in str(failure.value)


def test_a_server_that_gets_its_certificate_is(api: FakeApi, cluster: Cluster) -> None:
    awaited(Untrusted(api, cluster, 2))


@pytest.mark.parametrize(
    "before", [[OSError("connection refused")], [None, None]], ids=["away", "a list and a watch that ended"]
)
def test_distrust_lasts_from_when_the_server_was_last_away_or_trusted(
    api: FakeApi, cluster: Cluster, monkeypatch: pytest.MonkeyPatch, before: list[Exception | None]
) -> None:
    since_long_ago = watching._Trust(time.monotonic() - 1000)
    monkeypatch.setattr(watching, "_Trust", lambda: since_long_ago)
    api.watches.append(ends_at_once)
    listed, acts = list_pods(cluster, "ns"), [*before, SSLError("[SSL: CERTIFICATE_VERIFY_FAILED]")]

    def call(**options: object) -> object:
        if acts and (problem := acts.pop(0)):
            raise problem
        return listed(**options)

    def look(_: Objects) -> Look[None]:
        return Pending("more to come") if acts else Done(None)

    watch_until(call, look, timeout=PATIENT, expected="to be borne")
    assert not acts
