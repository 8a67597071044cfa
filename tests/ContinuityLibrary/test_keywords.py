"""The keywords that note and check what happens to the source, for one workload and for several at once."""

from __future__ import annotations

import time
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from tests.ContinuityLibrary.api import FakeApi, FakePod, serving

from ContinuityLibrary import ContinuityLibrary, collect, source
from ContinuityLibrary.observation import Observation, Workload
from ContinuityLibrary.sampled_keywords import way_to
from ContinuityLibrary.sampling import SampledObservation
from harness.failures import BadInput, NotAsExpected, OperationFailed, WaitTimedOut
from harness.kube import CLUSTERS
from harness.waiting import Pace, Pending

LONG = timedelta(seconds=20)


@pytest.fixture
def api(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[FakeApi]:
    monkeypatch.setattr(collect, "PACE", Pace(least=0.02, share=0.02, most=0.1))
    with serving(tmp_path) as (api, cluster):
        CLUSTERS.add(cluster)
        yield api
        CLUSTERS.discard("fake")


@pytest.fixture
def library() -> ContinuityLibrary:
    return ContinuityLibrary()


@pytest.fixture
def both(api: FakeApi, library: ContinuityLibrary) -> list[Observation]:
    for name, nonce in (("a", "a" * 16), ("b", "b" * 16)):
        api.pods[name] = FakePod(name, nonce=nonce)
    return library.observe_workloads(["a", "b"], "ns", timeout=LONG)


def warnings(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    heard: list[str] = []
    monkeypatch.setattr("ContinuityLibrary.noting_keywords.logger.warn", heard.append)
    return heard


def test_containers_are_those_of_the_pods_spec(api: FakeApi, library: ContinuityLibrary) -> None:
    api.pods["a"] = FakePod("a")
    (one,) = library.observe_containers("a", "ns", timeout=LONG)
    assert one.workload == Workload("fake", "ns", "a", "main")


def test_each_source_gets_its_own_bounds(both, library: ContinuityLibrary, monkeypatch: pytest.MonkeyPatch) -> None:
    heard = warnings(monkeypatch)
    asked = library.note_checkpoint_request(both)
    assert asked == [one.step for one in both]
    reached = library.note_checkpoint_done(both, timeout=LONG)
    assert all(r >= b for r, b in zip(reached, asked, strict=True))
    assert heard == []


def grown(pod: FakePod, step: int) -> None:
    """Lets a pod that stood still go on, and waits until it has printed more than that step."""
    pod.last = None
    while len(pod.lines()) <= step:
        time.sleep(0.01)


@pytest.mark.parametrize("moment", ["request", "deletion"])
def test_the_log_is_read_anew_at_each_moment(moment: str, api: FakeApi, library: ContinuityLibrary) -> None:
    api.pods["a"] = FakePod("a", last=5)
    observed = library.observe_workload("a", "ns", timeout=LONG)
    grown(api.pods["a"], observed.step)
    if moment == "request":
        assert library.note_checkpoint_request(observed) > 5
    else:
        library.note_deletion(observed)
    assert max(one.number for one in observed.newest.steps()) > 5


def test_a_source_that_is_gone_too_early(api: FakeApi, both: list[Observation], library: ContinuityLibrary) -> None:
    del api.pods["a"]
    library.note_deletion(both[0])
    assert both[0].after == [], "there was nothing to be read any more"
    with pytest.raises(NotAsExpected, match="it is gone") as raised:
        library.note_checkpoint_request(both[0])
    assert raised.value.cause.name == "evidence-missing"


def test_a_source_that_is_silent_after_its_checkpoint_is_named(
    api: FakeApi, both: list[Observation], library: ContinuityLibrary, monkeypatch: pytest.MonkeyPatch
) -> None:
    heard = warnings(monkeypatch)
    api.pods["b"].last = both[1].step
    library.note_checkpoint_done(both, timeout=timedelta(seconds=0.3))
    assert heard == ["the source ns/b printed no step after its checkpoint was ready"]
    library.note_checkpoint_done(both, timeout=timedelta(0))
    assert len(heard) == 1, "with 0 nothing was waited for"


def test_moments_are_noted_for_each(api: FakeApi, both: list[Observation], library: ContinuityLibrary) -> None:
    library.note_deletion(both)
    before = collect.now()
    library.note_restore_request(both)
    for one in both:
        assert one.deleted_at <= before <= one.restore_asked_at <= collect.now()


def test_sources_go_on_and_the_one_that_does_not_is_named(
    api: FakeApi, both: list[Observation], library: ContinuityLibrary
) -> None:
    steps = [one.step for one in both]
    reached = library.source_should_have_gone_on(both, timeout=LONG)
    assert all(now > then for now, then in zip(reached, steps, strict=True))
    del api.pods["b"]
    with pytest.raises(NotAsExpected) as raised:
        library.source_should_have_gone_on(both, timeout=LONG)
    assert raised.value.cause.name == "source-harmed"
    assert "1 of 2; b" in raised.value.seen.replace("ns/", "")


def copied(api: FakeApi, observed: Observation, name: str) -> None:
    cut = observed.step
    api.pods[name] = FakePod(name, first=cut + 1, copied=api.pods["a"].lines()[:cut])


def test_a_copy_is_looked_for_beside_its_source_if_nothing_else_is_said(
    both: list[Observation], library: ContinuityLibrary, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[Workload] = []
    parting = source.Parting("a" * 16, (4, 5, 6), 9, 8)
    monkeypatch.setattr(source, "parted", lambda *given, **_: asked.append(given[2]) or parting)
    monkeypatch.setattr(library, "_cluster", lambda _: CLUSTERS.get("fake"))
    assert library.source_and_copy_should_go_their_own_ways(both[0], "a-2") is parting
    library.source_and_copy_should_go_their_own_ways(both[0], "a-2", "other", cluster="there")
    library.source_and_copy_should_go_their_own_ways(both[0], cluster="there")
    assert asked == [Workload("fake", "ns", "a-2"), Workload("there", "other", "a-2"), Workload("there", "ns", "a")]


def test_a_copy_that_is_not_there_yet_is_waited_for(
    api: FakeApi, both: list[Observation], library: ContinuityLibrary, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(WaitTimedOut) as raised:
        library.source_and_copy_should_go_their_own_ways(both[0], "a-2", timeout=timedelta(seconds=0.2))
    assert raised.value.cause.name == "restored-pod-missing"
    assert "there is no pod a-2 in namespace ns" in raised.value.seen
    copied(api, both[0], "a-2")
    looks = [Pending("pod a-2 changed while its log was read")]
    look = collect.patient_look
    monkeypatch.setattr(collect, "patient_look", lambda *of: looks.pop() if looks and of[1].pod == "a-2" else look(*of))
    assert library.source_and_copy_should_go_their_own_ways(both[0], "a-2", timeout=LONG).taken_twice
    assert not looks


def test_a_witness_that_is_asked_is_not_waited_for_after_its_checkpoint(
    api: FakeApi, library: ContinuityLibrary, monkeypatch: pytest.MonkeyPatch
) -> None:
    heard = warnings(monkeypatch)
    asked = SampledObservation(Workload("fake", "ns", "a"), way_to("http"), "uid")
    assert library.note_checkpoint_done(asked, timeout=LONG) is None
    assert not heard
    assert not api.asked


def test_only_what_prints_its_steps_can_be_told_from_its_copy(library: ContinuityLibrary) -> None:
    asked = SampledObservation(Workload("fake", "ns", "a"), way_to("http"), "uid")
    with pytest.raises(BadInput, match="one of `Observe Workload`"):
        library.source_and_copy_should_go_their_own_ways(asked, "a-2")


@pytest.mark.parametrize("restored", ["a", "a-2"])
def test_a_refusal_is_no_missing_pod(
    restored: str, api: FakeApi, both: list[Observation], library: ContinuityLibrary
) -> None:
    api.pod_status = 403
    with pytest.raises(OperationFailed) as raised:
        library.workload_should_have_continued(both[0], restored, timeout=LONG)
    assert "not now" in raised.value.seen
