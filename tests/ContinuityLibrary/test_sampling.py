"""Observing and judging witnesses that are asked, with pods and answers whose story a test tells."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
from tests.ContinuityLibrary.api import FakeApi, FakePod, serving
from tests.ContinuityLibrary.make import ANOTHER, NONCE

from ContinuityLibrary import ContinuityLibrary, any_witness, sampling
from ContinuityLibrary.observation import Workload
from ContinuityLibrary.sampled import PodState, Reading
from ContinuityLibrary.sampled_keywords import way_to
from ContinuityLibrary.samplers import Unanswered
from ContinuityLibrary.sampling import Asking, PodSeen, SampledObservation
from ContinuityLibrary.verdict import Kind
from harness.failures import BadInput, NotAsExpected, OperationFailed, WaitTimedOut
from harness.kube import CLUSTERS, Cluster
from harness.waiting import Pace

SOURCE, RESTORED = Workload("fake", "ns", "test"), Workload("fake", "ns", "again")
PATIENT = 60.0


class Script:
    """What the witness says in turn; the last word again and again. A callable is called for what it does."""

    def __init__(self, *answers: object) -> None:
        self.answers, self.asked = list(answers), list[str]()

    def ask(self) -> Reading:
        answer = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
        if callable(answer):
            answer = answer()
        if isinstance(answer, Exception):
            raise answer
        if isinstance(answer, Reading):
            return answer
        assert isinstance(answer, int)
        return Reading(answer, NONCE)


@pytest.fixture
def fake(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[tuple[FakeApi, Cluster]]:
    monkeypatch.setattr(sampling, "PACE", Pace(least=0.01, share=0.02, most=0.05))
    with serving(tmp_path) as (api, cluster):
        api.pods["test"], api.pods["again"] = FakePod("test"), FakePod("again")
        CLUSTERS.add(cluster)
        yield api, cluster
        CLUSTERS.discard("fake")


@pytest.fixture
def api(fake: tuple[FakeApi, Cluster]) -> FakeApi:
    return fake[0]


@pytest.fixture
def cluster(fake: tuple[FakeApi, Cluster]) -> Cluster:
    return fake[1]


def says(monkeypatch: pytest.MonkeyPatch, *answers: object) -> Script:
    """Lets the witness say that from now on."""
    script = Script(*answers)

    class Opened:
        def __init__(self, _cluster: Cluster, workload: Workload, uid: str, _way: object) -> None:
            script.asked.append(f"{workload.pod} {uid}")

        def __enter__(self) -> Script:
            return script

        def __exit__(self, *raised: object) -> None:
            """Closes nothing."""

    monkeypatch.setattr(sampling, "opened", Opened)
    return script


def observed(cluster: Cluster, samples: int = 3, least: int = 0, timeout: float = PATIENT) -> SampledObservation:
    """The source, observed."""
    return sampling.observe(cluster, SOURCE, way_to("http"), samples=samples, least=least, timeout=timeout)


def test_it_is_observed_until_its_samples_grow(api: FakeApi, cluster: Cluster, monkeypatch) -> None:
    script = says(monkeypatch, Unanswered("refused"), 4, 4, 5, 9)
    seen = observed(cluster)
    assert [one.count for one in seen.samples] == [4, 5, 9]
    assert (seen.uid, seen.nonce, seen.step) == (api.pods["test"].uid, NONCE, 9)
    assert str(seen) == "ns/test: count 9 of nonce aaaa.. (http witness at forwarded port 8080)"
    assert repr(seen) == f"<observation of {seen}>"
    assert script.asked == [f"test {seen.uid}"] * 5
    assert [one.asks for one in seen.samples] == [3, 4, 5], "each attempt may have been counted"


def test_a_process_that_begins_anew_is_observed_anew(api: FakeApi, cluster: Cluster, monkeypatch) -> None:
    says(monkeypatch, 7, 8, Reading(9, ANOTHER), Reading(10, ANOTHER), Reading(11, ANOTHER))
    assert [one.reading for one in observed(cluster).samples] == [Reading(n, ANOTHER) for n in (9, 10, 11)]


def test_a_pod_that_is_replaced_is_observed_anew(api: FakeApi, cluster: Cluster, monkeypatch) -> None:
    old = api.pods["test"]

    def replaced() -> int:
        api.pods["test"] = FakePod("test")
        return 8

    says(monkeypatch, 7, replaced, 9, 10, 11)
    seen = observed(cluster)
    assert [one.count for one in seen.samples] == [9, 10, 11]
    assert seen.uid == api.pods["test"].uid != old.uid


def test_a_count_is_driven_up(api: FakeApi, cluster: Cluster, monkeypatch) -> None:
    says(monkeypatch, *range(1, 30))
    samples = observed(cluster, least=20).samples
    assert [(one.count, one.asks) for one in samples] == [(20, 20), (21, 21), (22, 22)]


@pytest.mark.parametrize(
    ("answers", "words"),
    [
        ((4,), "1 samples, the last one 4"),
        ((Unanswered("connection refused"),), "connection refused"),
    ],
)
def test_one_that_gives_too_little(api, cluster: Cluster, monkeypatch, answers: tuple[object], words: str) -> None:
    says(monkeypatch, *answers)
    with pytest.raises(WaitTimedOut) as problem:
        observed(cluster, timeout=0.2)
    assert problem.value.cause.name == "witness-missing"
    assert words in problem.value.seen
    assert "http witness at forwarded port 8080 of pod test to give 3 samples" in problem.value.expected


def test_a_count_that_cannot_be_driven_up(api: FakeApi, cluster: Cluster, monkeypatch) -> None:
    says(monkeypatch, 4)
    with pytest.raises(WaitTimedOut, match="its count does not grow: 4 came after 4"):
        observed(cluster, least=5, timeout=0.1)


def test_there_is_no_such_pod(api: FakeApi, cluster: Cluster, monkeypatch) -> None:
    says(monkeypatch, 4)
    api.pods.clear()
    with pytest.raises(WaitTimedOut, match="there is no pod test in namespace ns"):
        observed(cluster, timeout=0.1)


def test_an_answer_of_a_pod_that_changed_meanwhile_is_none(api: FakeApi, cluster: Cluster, monkeypatch) -> None:
    pod = PodSeen(api.pods["again"].uid, 1, PodState())
    says(monkeypatch, 4)
    with pytest.raises(Unanswered, match="pod again changed while it was asked") as problem:
        Asking(cluster, RESTORED, way_to("http")).take(pod)
    assert problem.value.unreached
    api.pods["again"].restarts = 1
    assert Asking(cluster, RESTORED, way_to("http")).take(pod).restarts == 1
    api.pods["again"] = FakePod("again", restarts=1)
    with pytest.raises(Unanswered, match="changed"):
        Asking(cluster, RESTORED, way_to("http")).take(pod)
    del api.pods["again"]
    with pytest.raises(Unanswered, match="changed"):
        Asking(cluster, RESTORED, way_to("http")).take(pod)


@pytest.fixture
def source(api: FakeApi, cluster: Cluster, monkeypatch: pytest.MonkeyPatch) -> SampledObservation:
    """The source, last seen at count 102."""
    says(monkeypatch, 100, 101, 102)
    return observed(cluster)


def judged(cluster: Cluster, source: SampledObservation, timeout: float = PATIENT):
    """The verdict on the restored pod."""
    return any_witness.await_verdict(cluster, source, RESTORED, timeout=timeout)


def test_it_has_continued(api: FakeApi, cluster: Cluster, source: SampledObservation, monkeypatch) -> None:
    script = says(monkeypatch, Unanswered("refused"), 103, 103, 104, 105)
    verdict = judged(cluster, source)
    assert str(verdict) == "continued: count 102 -> 103 of nonce aaaa.."
    assert set(script.asked) == {f"again {api.pods['again'].uid}"}


def test_what_another_pod_of_the_name_said_is_forgotten(api, cluster: Cluster, source, monkeypatch) -> None:
    def replaced() -> int:
        api.pods["again"] = FakePod("again")
        return 105

    says(monkeypatch, 104, replaced, 103, 104, 105)
    verdict = judged(cluster, source)
    assert (verdict.kind, verdict.a) == (Kind.CONTINUED, 103)


def test_it_has_restarted(api: FakeApi, cluster: Cluster, source: SampledObservation, monkeypatch) -> None:
    says(monkeypatch, Reading(1, ANOTHER))
    assert judged(cluster, source).kind is Kind.RESTARTED


def test_it_is_foreign(api: FakeApi, cluster: Cluster, source: SampledObservation, monkeypatch) -> None:
    source.others = {NONCE: "itself", ANOTHER: "ns/other"}
    says(monkeypatch, Reading(1, ANOTHER))
    assert str(judged(cluster, source)).endswith("which is that of ns/other")


def test_a_pod_that_is_not_ready_is_not_asked(api: FakeApi, cluster: Cluster, source, monkeypatch) -> None:
    api.pods["again"].ready = False
    script = says(monkeypatch, 103)
    verdict = judged(cluster, source, timeout=0.1)
    assert "is not Ready and was not sampled" in verdict.detail
    assert script.asked == []


def test_the_source_itself_is_not_asked(api: FakeApi, cluster: Cluster, source, monkeypatch) -> None:
    script = says(monkeypatch, 103)
    assert any_witness.await_verdict(cluster, source, SOURCE, timeout=PATIENT).kind is Kind.ORIGINAL
    assert script.asked == []


def test_there_is_no_restored_pod(api: FakeApi, cluster: Cluster, source, monkeypatch) -> None:
    del api.pods["again"]
    assert "there is no pod again in namespace ns" in judged(cluster, source, timeout=0.1).detail


def test_a_pod_that_has_ended(api: FakeApi, cluster: Cluster, source, monkeypatch) -> None:
    api.pods["again"].phase, api.pods["again"].ready = "Failed", False
    verdict = judged(cluster, source)
    assert (verdict.kind, verdict.settled) == (Kind.INCONCLUSIVE, True)
    assert "ended before it was sampled: pod again is Failed" in verdict.detail


def test_a_pod_that_says_nothing_is_silent_in_the_end(api, cluster: Cluster, source, monkeypatch) -> None:
    says(monkeypatch, Unanswered("connection refused"))
    verdict = judged(cluster, source, timeout=8)
    assert verdict.kind is Kind.SILENT
    assert "but connection refused" in verdict.detail


def test_a_pod_that_is_not_reached_is_not_blamed(api, cluster: Cluster, source, monkeypatch) -> None:
    says(monkeypatch, Unanswered("no endpoints", unreached=True))
    verdict = judged(cluster, source, timeout=0.2)
    assert (verdict.kind, verdict.detail) == (Kind.INCONCLUSIVE, "the restored pod was not reached: no endpoints")


def test_an_api_that_never_answers(api: FakeApi, cluster: Cluster, source, tmp_path: Path) -> None:
    with serving(tmp_path) as (_, gone):
        pass
    with pytest.raises(OperationFailed) as problem:
        judged(gone, source, timeout=0.1)
    assert problem.value.cause.name == "cluster-unreachable"


# the source after its checkpoint


def test_the_source_goes_on(api: FakeApi, cluster: Cluster, source: SampledObservation, monkeypatch) -> None:
    says(monkeypatch, Unanswered("refused"), 102, 103)
    assert any_witness.should_go_on(cluster, source, timeout=PATIENT) == 103


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        (Reading(103, ANOTHER), "it has count 103 of nonce bbbb.."),
        (101, "it has count 101 of nonce aaaa.."),
        (Reading(50), "it has count 50"),
    ],
)
def test_a_source_with_another_memory_is_harmed(cluster, source, monkeypatch, answer, words: str) -> None:
    says(monkeypatch, answer)
    with pytest.raises(NotAsExpected) as problem:
        any_witness.should_go_on(cluster, source, timeout=PATIENT)
    assert (problem.value.cause.name, problem.value.seen) == ("source-harmed", words)


def test_a_source_that_stands_still_is_harmed(api: FakeApi, cluster: Cluster, source, monkeypatch) -> None:
    says(monkeypatch, 102)
    with pytest.raises(WaitTimedOut) as problem:
        any_witness.should_go_on(cluster, source, timeout=0.1)
    assert problem.value.cause.name == "source-harmed"


def test_a_source_that_was_restarted_has_ended_or_is_gone_is_harmed(api, cluster, source, monkeypatch) -> None:
    says(monkeypatch, 103)
    pod = api.pods["test"]
    pod.restarts = 1
    with pytest.raises(NotAsExpected, match="its containers were restarted: 1 times, before 0"):
        any_witness.should_go_on(cluster, source, timeout=PATIENT)
    pod.restarts, pod.phase = 0, "Failed"
    with pytest.raises(NotAsExpected, match="it does not run any more: pod test is Failed"):
        any_witness.should_go_on(cluster, source, timeout=PATIENT)
    api.pods["test"] = FakePod("test")
    with pytest.raises(NotAsExpected, match=f"its pod with UID {pod.uid} is gone"):
        any_witness.should_go_on(cluster, source, timeout=PATIENT)
    del api.pods["test"]
    with pytest.raises(NotAsExpected, match="is gone") as problem:
        any_witness.should_go_on(cluster, source, timeout=PATIENT)
    assert problem.value.cause.name == "source-harmed"


def test_a_source_is_held_to_its_restarts_of_when_it_was_last_seen(api, cluster, source, monkeypatch) -> None:
    says(monkeypatch, 103)
    api.pods["test"].restarts = 1
    first = source.samples[-1]
    seen = replace(source, samples=[first, replace(first, restarts=1)])
    assert any_witness.should_go_on(cluster, seen, timeout=PATIENT) == 103
    api.pods["test"].restarts = 2
    with pytest.raises(NotAsExpected, match="its containers were restarted: 2 times, before 1"):
        any_witness.should_go_on(cluster, seen, timeout=PATIENT)


def test_the_keywords_take_it_as_any_other_observation(api: FakeApi, cluster: Cluster, monkeypatch) -> None:
    library = ContinuityLibrary()
    says(monkeypatch, 100, 101, 102)
    seen = library.observe_sampled_workload("test", "ns", timeout=timedelta(seconds=PATIENT), cluster="fake")
    script = says(monkeypatch, 103, 104, 105)
    assert (library.note_checkpoint_request(), library.note_checkpoint_done()) == (102, None)
    library.note_deletion(seen)
    assert script.asked == [], "asking now could be in the checkpoint's way"
    verdict = library.workload_should_have_continued(pod="again", timeout=timedelta(seconds=PATIENT))
    assert (verdict.witness, verdict.downtime is not None) == ("http", True)
    (told,) = library.get_verdicts()
    assert (told["verdict"], told["witness"], told["restored"]) == ("continued", "http", "ns/again")
    with pytest.raises(BadInput, match="Observe Workload"):
        library.source_and_copy_should_go_their_own_ways(seen, "again")


@pytest.mark.parametrize(("witness", "least"), [("http", 0), ("stub_status", 1000), ("redis", 0)])
def test_how_high_a_count_is_driven(api, cluster, monkeypatch, witness, least: int) -> None:
    said: list[int] = []
    monkeypatch.setattr(
        sampling, "observe", lambda *_, least, **__: said.append(least) or SampledObservation(*_[1:3], "u")
    )
    library = ContinuityLibrary()
    library.observe_sampled_workload("test", "ns", witness, cluster="fake")
    library.observe_sampled_workload("test", "ns", witness, least=7, cluster="fake")
    assert said == [least, 7]
    assert library._nonces == {}, "a witness without a nonce makes no process known"


def test_a_sampled_pod_that_does_not_stay_ready_ends_the_wait(api, cluster: Cluster, source, monkeypatch) -> None:
    ready = api.pods["again"].document()
    says(monkeypatch, 103, 104, 105)
    api.pods["again"].restarts = 1
    with pytest.raises(NotAsExpected, match="0 restarts before, 1 now"):
        any_witness.await_verdict(cluster, source, RESTORED, timeout=PATIENT, ready=ready)


def test_before_the_first_sample_nothing_is_known(cluster: Cluster) -> None:
    fresh = SampledObservation(SOURCE, way_to("redis"), "uid")
    assert (fresh.step, fresh.nonce) == (0, "")
    assert str(fresh) == "ns/test: count 0 (redis witness at forwarded port 6379)"


def test_the_process_itself_is_none_of_the_others(api: FakeApi, cluster: Cluster, monkeypatch) -> None:
    says(monkeypatch, 1, 2, 3)
    seen = observed(cluster)
    seen.others = {NONCE: "itself", ANOTHER: "another"}
    assert seen.evidence("uid").others == {ANOTHER: "another"}


@pytest.mark.parametrize(
    ("phase", "over"), [("Running", False), ("Pending", False), ("Succeeded", True), ("Failed", True)]
)
def test_how_a_pod_does(api: FakeApi, cluster: Cluster, phase: str, over: bool) -> None:
    api.pods["test"].phase = phase
    seen = sampling.look_at(cluster, SOURCE)
    assert seen is not None
    running = phase == "Running"
    assert (seen.state.running, seen.state.over, seen.state.state == "running") == (running, over, running)


def test_a_refused_look_is_no_missing_pod(api: FakeApi, cluster: Cluster) -> None:
    api.pod_status = 403
    with pytest.raises(OperationFailed, match="not now"):
        sampling.look_at(cluster, SOURCE)


def test_a_count_that_stands_still_is_told_by_how_long_and_a_higher_one_begins_anew(
    api: FakeApi, cluster: Cluster, monkeypatch
) -> None:
    says(monkeypatch, 1, 2, 3, 9)
    watcher = sampling.Watcher(cluster, observed(cluster), RESTORED, cluster)
    watcher.look()
    long_ago = watcher.since = sampling.now() - timedelta(seconds=100)
    watcher.look()
    assert watcher.verdict is not None
    assert (watcher.verdict.kind, ", but" in watcher.verdict.detail) == (Kind.SILENT, False)
    says(monkeypatch, 10)
    watcher.look()
    assert watcher.since is not None
    assert watcher.since > long_ago


def test_who_was_asked_is_known_to_the_run(api: FakeApi, cluster: Cluster, monkeypatch) -> None:
    library = ContinuityLibrary()
    says(monkeypatch, *range(1, 30))
    first = library.observe_sampled_workload("test", "ns", cluster="fake")
    assert first.others == {NONCE: "ns/test"}
