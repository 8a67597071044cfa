"""What is kept of the looks at a restored container: all that says something, and when each was taken."""

from __future__ import annotations

import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from tests.ContinuityLibrary.api import FakePod
from tests.ContinuityLibrary.make import Story, at, run

from ContinuityLibrary import collect
from ContinuityLibrary.collect import PodLook
from ContinuityLibrary.evidence import ContainerLog, Look
from ContinuityLibrary.observation import Observation, Workload
from ContinuityLibrary.verdict import Kind, Verdict
from harness.kube import Cluster
from harness.waiting import Pending

WORKLOAD, RESTORED = Workload("fake", "ns", "test"), Workload("fake", "ns", "test-restored")
OBSERVED, NOWHERE = Observation(WORKLOAD, "uid-source", Story().source.before), Cluster("fake", Path("/no/kubeconfig"))


def test_the_harnesss_clock_goes_on_from_the_wall_clock(monkeypatch: pytest.MonkeyPatch) -> None:
    wall = datetime(2026, 1, 1, tzinfo=UTC)
    monkeypatch.setattr(collect, "_BEGAN", (time.monotonic() - 100, wall))
    assert timedelta(seconds=100) <= collect.now() - wall < timedelta(seconds=200)


@pytest.mark.parametrize("change", [{"containerID": "containerd://2"}, {"restartCount": 1}])
def test_another_container_is_another_thing_to_look_at(change: dict[str, object]) -> None:
    before, after = FakePod().document(), FakePod().document()
    after["metadata"]["uid"] = before["metadata"]["uid"]
    status = before["status"]["containerStatuses"][0]
    after["status"]["containerStatuses"] = [status | change]
    assert collect._identity(before, WORKLOAD) != collect._identity(after, WORKLOAD)
    after["status"]["containerStatuses"] = [dict(status)]
    assert collect._identity(before, WORKLOAD) == collect._identity(after, WORKLOAD)


def kept(*looks: Look) -> list[float]:
    """When the looks were taken that a watcher keeps of these, in seconds."""
    watcher = collect.Watcher(NOWHERE, OBSERVED, RESTORED, NOWHERE)
    for look in looks:
        watcher._take(PodLook("uid", look))
    return [(look.read_at - at(0)).total_seconds() for look in watcher.looks]


def test_only_the_looks_that_say_something_are_kept() -> None:
    still = ContainerLog(run(1, 3, 0.2))
    growing = [ContainerLog(run(1, 3 + number, 0.2)) for number in range(6)]
    assert kept(*(Look(at(n), still) for n in range(6))) == [0, 5], "since when, and until when"
    assert kept(*(Look(at(n), log) for n, log in enumerate(growing))) == [0, 4, 5]
    stopped = (Look(at(0), growing[0]), *(Look(at(n), growing[1]) for n in range(1, 5)))
    assert kept(*stopped) == [0, 1, 4], "since when it stands still, too"
    ended = Look(at(7), still, running=False)
    assert kept(*(Look(at(n), still) for n in range(6)), ended) == [0, 5, 7]
    again = Look(at(8), still)
    assert kept(*(Look(at(n), still) for n in range(6)), ended, again) == [0, 7, 8]


@pytest.mark.parametrize("spans", [[(1, 3), (1, 6), (5, 8), (7, 10)], [(1, 0), (1, 3), (5, 8), (7, 10)]])
def test_no_line_that_was_seen_is_forgotten_when_a_log_is_rotated(spans: list[tuple[int, int]]) -> None:
    logs = [ContainerLog(run(first, last, first * 0.2)) for first, last in spans]
    assert kept(*(Look(at(n), log) for n, log in enumerate(logs))) == [0, 1, 2, 3]


def test_a_pod_that_is_not_there_is_neither_running_nor_ready() -> None:
    watcher = collect.Watcher(NOWHERE, OBSERVED, RESTORED, NOWHERE)
    watcher._take(None)
    (look,) = watcher.looks
    assert (look.running, look.ready) == (False, False)
    assert look.state == "there is no pod test-restored in namespace ns"


@pytest.mark.parametrize(("wanting", "pause"), [(0, 0.0), (1, 0.1), (8, 0.8), (10, 1.0), (6000, 1.0)])
def test_who_waits_for_steps_looks_when_they_may_be_there_and_now_and_then(
    wanting: int, pause: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    watcher = collect.Watcher(NOWHERE, OBSERVED, RESTORED, NOWHERE)
    verdict = Verdict(Kind.INCONCLUSIVE, "too short", pending="further steps", wanting=wanting)
    monkeypatch.setattr(collect, "patient_look", lambda *_: PodLook("uid", Look(at(0))))
    monkeypatch.setattr(collect.Watcher, "_look_at_source", lambda _: None)
    monkeypatch.setattr(collect, "judge", lambda _: verdict)
    monkeypatch.setattr(time, "monotonic", iter((5.0, 5.01)).__next__)
    answer = watcher.look()
    assert isinstance(answer, Pending)
    assert answer.retry_after == pytest.approx(max(0.01, pause - 0.01))


def test_who_observes_looks_again_when_the_last_step_that_is_missing_may_have_come(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    looks = iter(PodLook("uid", Look(at(0), ContainerLog(run(1, last, 0.2)))) for last in (1, 4, 5))
    pauses: list[float] = []
    monkeypatch.setattr(collect, "patient_look", lambda *_: next(looks))
    monkeypatch.setattr(time, "sleep", pauses.append)
    collect.observe(NOWHERE, WORKLOAD, steps=5, timeout=10)
    assert pauses == pytest.approx([0.35, 0.05])
