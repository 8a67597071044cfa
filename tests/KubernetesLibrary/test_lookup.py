"""Which pod a restore made, and why it is none of the others."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest
from tests.harness.fake_api import pod

from harness.failures import NotAsExpected
from harness.waiting import Done, Pending
from KubernetesLibrary.lookup import Wanted, judge, sought, unready

ORIGINAL = pod("web", "u0")
WANTED = Wanted("web", "u0")


def found(wanted: Wanted, *pods: dict[str, Any]) -> str | None:
    """UID of the pod that is found."""
    answer = judge(wanted, pods)
    return answer.value["metadata"]["uid"] if isinstance(answer, Done) else None


@pytest.mark.parametrize("name", ["web-restored", "web-restored-x7k2p", "web"])
def test_the_names_that_a_restored_pod_may_have(name: str) -> None:
    assert found(WANTED, pod("other", "u1"), pod(name, "u2")) == "u2"


@pytest.mark.parametrize("name", ["web-2", "webrestored", "my-web-restored", "other-restored"])
def test_names_of_other_pods(name: str) -> None:
    assert found(WANTED, pod(name, "u2")) is None


def test_a_pod_that_was_restored_before_keeps_its_base_name() -> None:
    again = Wanted("web-restored-x7k2p", "u1")
    assert found(again, pod("web-restored-q9d4s", "u2")) == "u2"


def test_the_name_that_was_asked_for_is_the_only_one() -> None:
    wanted = Wanted("web", "u0", name="fresh")
    assert found(wanted, pod("fresh", "u2")) == "u2"
    assert found(wanted, pod("web-restored", "u2")) is None


@pytest.mark.parametrize(
    ("there", "objection"),
    [
        (pod("web", "u0"), "it is the original itself"),
        (pod("web-restored-1", "old"), "it was there before the restore"),
        (
            pod("web-restored-1", "u3", creationTimestamp="2026-01-01T00:00:04Z"),
            "created at 2026-01-01T00:00:04Z, before the restore was asked for",
        ),
        (
            pod("web", "u4", creationTimestamp="2026-01-01T00:00:09Z", deletionTimestamp="2026-01-01T00:00:10Z"),
            "it is being deleted",
        ),
        (pod("redis", "u5"), "another name"),
    ],
)
def test_why_a_pod_cannot_be_it(there: dict[str, Any], objection: str) -> None:
    asked = datetime(2026, 1, 1, 0, 0, 5, tzinfo=UTC)
    answer = judge(Wanted("web", "u0", known=frozenset({"old"}), asked_at=asked), [there])
    assert isinstance(answer, Pending)
    name = there["metadata"]["name"]
    assert f"{name} (Running, created at {there['metadata']['creationTimestamp']}): {objection}" in answer.seen
    assert answer.cause == "restored-pod-missing"


def test_a_pod_of_the_second_in_which_the_restore_was_asked_for_can_be_it() -> None:
    asked = datetime(2026, 1, 1, 0, 0, 5, 900_000, tzinfo=UTC)
    restored = pod("web", "u2", creationTimestamp="2026-01-01T00:00:05Z")
    assert found(Wanted("web", "u0", asked_at=asked), restored) == "u2"


def test_several_are_told_and_none_is_chosen() -> None:
    with pytest.raises(NotAsExpected, match=r"2 pods could be it: web-restored-1 .*, web-restored-2 ") as failure:
        judge(WANTED, [pod("web-restored-1", "u1"), pod("web-restored-2", "u2")])
    assert "a pod restored from web, named web-restored... or web" in failure.value.expected


def test_no_pod_at_all() -> None:
    assert judge(WANTED, []) == Pending("no pod in the namespace", "restored-pod-missing")


def test_what_keywords_know_of_it() -> None:
    naive = datetime(2026, 1, 1, 0, 0, 5)
    wanted = sought(ORIGINAL, "", [pod("a", "u1"), pod("b", "u2")], naive)
    assert wanted == Wanted("web", "u0", None, frozenset({"u1", "u2"}), naive.replace(tzinfo=UTC), original_gone=True)
    assert not sought(ORIGINAL, None, [ORIGINAL], None).original_gone
    assert not sought(ORIGINAL, None, None, None).original_gone


def test_a_restored_process_that_keeps_ending_is_not_the_environments_fault() -> None:
    waiting = {"name": "c", "state": {"waiting": {"reason": "CrashLoopBackOff"}}}
    state = unready({"metadata": {"name": "web-restored"}, "status": {"containerStatuses": [waiting]}})
    assert ("CrashLoopBackOff" in state.seen, state.cause) == (True, "")
    waiting["state"] = {"waiting": {"reason": "ImagePullBackOff"}}
    assert (
        unready({"metadata": {"name": "web-restored"}, "status": {"containerStatuses": [waiting]}}).cause
        == "image-pull"
    )


@pytest.mark.parametrize(("gone", "cause"), [(True, "not-restored"), (False, "restored-pod-missing")])
def test_an_original_that_was_gone_and_is_back_is_no_restored_pod(gone: bool, cause: str) -> None:
    answer = judge(Wanted("web", "u0", original_gone=gone), [pod("web", "u0")])
    assert isinstance(answer, Pending)
    assert answer.cause == cause
    assert "it is the original itself" in answer.seen
