"""Evidence collected over HTTP with the official client, and waiting exactly as long as waiting can help."""

from __future__ import annotations

import time
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from unittest.mock import Mock

import pytest
from tests.ContinuityLibrary.api import FakeApi, FakePod, serving

from ContinuityLibrary import any_witness, collect
from ContinuityLibrary.observation import Observation, Workload
from ContinuityLibrary.verdict import Kind, Verdict
from harness.failures import NotAsExpected, OperationFailed, WaitTimedOut
from harness.kube import Cluster
from harness.waiting import Pace, Pending

WORKLOAD = Workload("fake", "ns", "test")
RESTORED = Workload("fake", "ns", "test-restored")
LONG, SHORT = 60.0, 0.4


@pytest.fixture
def both(tmp_path: Path) -> Iterator[tuple[FakeApi, Cluster]]:
    with serving(tmp_path) as pair:
        yield pair


@pytest.fixture(autouse=True)
def eager(monkeypatch: pytest.MonkeyPatch) -> None:
    """The fake witness is ten times as fast as the real one, and so is the looking."""
    monkeypatch.setattr(collect, "PACE", Pace(least=0.02, share=0.02, most=0.1))


@pytest.fixture
def api(both: tuple[FakeApi, Cluster]) -> FakeApi:
    return both[0]


@pytest.fixture
def cluster(both: tuple[FakeApi, Cluster]) -> Cluster:
    return both[1]


@pytest.fixture
def observed(api: FakeApi, cluster: Cluster) -> Observation:
    """A source that was observed, checkpointed, noted, and goes on."""
    api.pods["test"] = FakePod()
    observation = collect.observe(cluster, WORKLOAD, steps=5, timeout=LONG)
    collect.note_ready(cluster, observation, timeout=LONG)
    return observation


def restore(api: FakeApi, observation: Observation, **changes: object) -> FakePod:
    """The restored pod, with the source's lines up to the cut in front; the source is gone."""
    source = api.pods.pop("test")
    cut = observation.step
    facts = {"name": "test-restored", "first": cut + 1, "copied": source.lines()[:cut]} | changes
    pod = FakePod(**facts)  # type: ignore[arg-type]
    api.pods["test-restored"] = pod
    return pod


def judged(cluster: Cluster, observation: Observation, timeout: float = LONG) -> Verdict:
    return collect.await_verdict(cluster, observation, RESTORED, timeout=timeout)


def test_a_look_holds_what_the_api_tells(api: FakeApi, cluster: Cluster) -> None:
    pod = FakePod(last=3, restarts=1, previous=["2026-11-24T22:18:40.5Z before"], began=time.time() - 5)
    api.pods["test"] = pod
    seen = collect.look_at(cluster, WORKLOAD)
    assert seen is not None
    look = seen.look
    assert seen.uid == pod.uid
    assert (look.restarts, look.running, look.ready, look.over, look.state) == (1, True, True, False, "running")
    assert look.log is not None
    assert len(look.log.lines) == 3
    assert look.log.started_at == datetime.fromtimestamp(int(pod.began), UTC)
    assert look.previous is not None
    assert [line.text for line in look.previous.lines] == ["before"]
    assert look.previous.started_at == datetime.fromtimestamp(int(pod.began), UTC)


def test_a_pod_whose_containers_have_no_status_yet(api: FakeApi, cluster: Cluster) -> None:
    api.pods["test"] = FakePod(phase="Pending", ready=False, unheard=True)
    seen = collect.look_at(cluster, WORKLOAD)
    assert seen is not None
    assert (seen.look.restarts, seen.look.previous, seen.look.running) == (0, None, False)


def test_reading_never_touches_the_workload(api: FakeApi, cluster: Cluster) -> None:
    api.pods["test"] = FakePod()
    collect.observe(cluster, WORKLOAD, steps=2, timeout=LONG)
    assert {path.split("?")[0].removeprefix("/api/v1/namespaces/ns/pods/test") for path in api.asked} == {"", "/log"}


def test_a_pod_that_is_not_there(cluster: Cluster) -> None:
    assert collect.look_at(cluster, WORKLOAD) is None


def test_a_container_that_has_not_started(api: FakeApi, cluster: Cluster) -> None:
    waiting = {"waiting": {"reason": "CreateContainerError", "message": "no such image"}}
    api.pods["test"] = FakePod(phase="Pending", ready=False, state=waiting)
    seen = collect.look_at(cluster, WORKLOAD)
    assert seen is not None
    assert seen.look.log is None
    assert not seen.look.running
    assert "CreateContainerError (no such image)" in seen.look.state


@pytest.mark.parametrize(("phase", "over"), [("Failed", True), ("Succeeded", True), ("Running", False)])
def test_a_pod_that_has_ended(api: FakeApi, cluster: Cluster, phase: str, over: bool) -> None:
    api.pods["test"] = FakePod(phase=phase, ready=False)
    seen = collect.look_at(cluster, WORKLOAD)
    assert seen is not None
    assert seen.look.over is over


def test_a_container_that_is_not_in_the_pod(api: FakeApi, cluster: Cluster) -> None:
    api.pods["test"] = FakePod()
    with pytest.raises(NotAsExpected, match="it has main"):
        collect.look_at(cluster, Workload("fake", "ns", "test", "sidecar"))


def test_a_pod_that_restarts_while_it_is_read_is_read_again(api: FakeApi, cluster: Cluster) -> None:
    api.pods["test"] = FakePod(began=time.time() - 5)
    api.between.append(lambda: setattr(api.pods["test"], "restarts", 1))
    with pytest.raises(collect.PodChanged):
        collect.look_at(cluster, WORKLOAD)
    api.between.append(lambda: setattr(api.pods["test"], "restarts", 2))
    assert collect.observe(cluster, WORKLOAD, steps=1, timeout=LONG).before.restarts == 2


def test_a_log_that_the_api_refuses(api: FakeApi, cluster: Cluster) -> None:
    api.pods["test"] = FakePod()
    api.log_status = 403
    with pytest.raises(OperationFailed, match="403"):
        collect.look_at(cluster, WORKLOAD)


def test_observe_waits_for_the_steps(api: FakeApi, cluster: Cluster) -> None:
    api.pods["test"] = FakePod()
    observation = collect.observe(cluster, WORKLOAD, steps=7, timeout=LONG)
    assert observation.steps >= 7
    assert observation.step == observation.steps
    assert observation.nonce == "a" * 16
    assert observation.log[0].startswith("witness/1 nonce=aaaa")
    assert str(observation) == f"ns/test: step {observation.step} of nonce aaaa.."
    assert repr(observation) == f"<observation of {observation}>", "without the log"


def test_observe_says_what_it_saw_when_the_time_is_up(api: FakeApi, cluster: Cluster) -> None:
    with pytest.raises(WaitTimedOut, match="there is no pod test in namespace ns") as missing:
        collect.observe(cluster, WORKLOAD, steps=3, timeout=SHORT)
    assert missing.value.cause.name == "witness-missing"
    api.pods["test"] = FakePod(last=0)
    with pytest.raises(WaitTimedOut, match="no line of a witness"):
        collect.observe(cluster, WORKLOAD, steps=3, timeout=SHORT)
    api.pods["test"] = FakePod(last=2)
    with pytest.raises(WaitTimedOut, match="2 steps of nonce aaaaaaaaaaaaaaaa"):
        collect.observe(cluster, WORKLOAD, steps=3, timeout=SHORT)


def test_ready_is_noted_with_r_and_the_sources_next_step(api: FakeApi, cluster: Cluster) -> None:
    api.pods["test"] = FakePod()
    observation = collect.observe(cluster, WORKLOAD, steps=3, timeout=LONG)
    reached, went_on = collect.note_ready(cluster, observation, timeout=LONG)
    assert went_on
    assert reached is not None
    assert reached >= observation.step
    assert len(observation.after) == 2
    assert observation.ready_at is not None
    assert observation.after[0].read_at >= observation.ready_at


def test_a_source_that_does_not_go_on_is_noted(api: FakeApi, cluster: Cluster) -> None:
    api.pods["test"] = FakePod(last=5)
    observation = collect.observe(cluster, WORKLOAD, steps=5, timeout=LONG)
    assert collect.note_ready(cluster, observation, timeout=SHORT) == (5, False)
    del api.pods["test"]
    assert collect.note_ready(cluster, observation, timeout=LONG) == (None, False)
    assert observation.gone


def test_what_another_witness_printed_is_no_step_of_the_source(api: FakeApi, cluster: Cluster) -> None:
    foreign = FakePod(nonce="b" * 16, first=900, last=900, began=time.time() - 60).lines()
    api.pods["test"] = FakePod(last=5, copied=foreign)
    observation = collect.observe(cluster, WORKLOAD, steps=5, timeout=LONG)
    assert collect.note_ready(cluster, observation, timeout=SHORT) == (5, False)


def test_a_source_whose_log_is_lost_has_reached_nothing(api: FakeApi, cluster: Cluster) -> None:
    api.pods["test"] = FakePod()
    observation = collect.observe(cluster, WORKLOAD, steps=5, timeout=LONG)
    api.pods["test"].last = 0
    assert collect.note_ready(cluster, observation, timeout=SHORT) == (0, False)


def test_another_pod_of_that_name_is_not_the_source(api: FakeApi, cluster: Cluster, observed: Observation) -> None:
    assert collect.source_end(cluster, observed) is not None
    api.pods["test"] = FakePod()
    assert collect.source_end(cluster, observed) is None


def test_continued(api: FakeApi, cluster: Cluster, observed: Observation) -> None:
    restore(api, observed)
    verdict = judged(cluster, observed)
    assert verdict.kind is Kind.CONTINUED, str(verdict)
    assert verdict.a == observed.step + 1
    assert verdict.steps >= 8


def test_continued_is_waited_for_from_before_the_pod_is_there(
    api: FakeApi, cluster: Cluster, observed: Observation
) -> None:
    restore(api, observed, ready=False, began=time.time() + 0.5)
    verdict = judged(cluster, observed)
    assert verdict.kind is Kind.CONTINUED, str(verdict)


@pytest.mark.parametrize(
    ("changes", "kind"),
    [
        ({"nonce": "b" * 16, "first": 1}, Kind.RESTARTED),
        ({"first": 2}, Kind.REWOUND),
        ({"first": 900}, Kind.AHEAD),
        ({"nonce": "c" * 16}, Kind.FOREIGN),
    ],
)
def test_what_no_further_look_can_change_is_not_waited_for(
    api: FakeApi, cluster: Cluster, observed: Observation, changes: dict[str, object], kind: Kind
) -> None:
    observed.others = {"c" * 16: "ns/other"}
    restore(api, observed, **changes)
    begin = time.monotonic()
    assert judged(cluster, observed, timeout=120).kind is kind
    assert time.monotonic() - begin < 60, "half of the time that it had"


def test_the_original(api: FakeApi, cluster: Cluster, observed: Observation) -> None:
    verdict = collect.await_verdict(cluster, observed, WORKLOAD, timeout=LONG)
    assert verdict.kind is Kind.ORIGINAL


def test_a_restored_pod_that_is_not_there(api: FakeApi, cluster: Cluster, observed: Observation) -> None:
    verdict = judged(cluster, observed, timeout=SHORT)
    assert "there is no pod test-restored in namespace ns" in str(verdict)


def test_silent_at_the_end_of_the_time(api: FakeApi, cluster: Cluster, observed: Observation) -> None:
    restore(api, observed, last=observed.step + 2)
    verdict = judged(cluster, observed, timeout=8)
    assert verdict.kind is Kind.SILENT, str(verdict)


def test_a_copy_of_a_living_sources_log_is_no_process(api: FakeApi, cluster: Cluster, observed: Observation) -> None:
    """The `restored` pod shows the source's log as it grows, and prints nothing itself."""
    source = api.pods["test"]
    api.pods["test-restored"] = FakePod(name="test-restored", began=source.began)
    verdict = judged(cluster, observed, timeout=2)
    assert verdict.kind is not Kind.CONTINUED, str(verdict)


def test_a_restore_beside_a_living_source_continues(api: FakeApi, cluster: Cluster, observed: Observation) -> None:
    source = api.pods["test"]
    restore(api, observed)
    api.pods["test"] = source
    verdict = judged(cluster, observed)
    assert verdict.kind is Kind.CONTINUED, str(verdict)
    assert not observed.gone
    assert len(observed.after) == 2, "the first and the newest"


def test_each_look_at_a_restored_pod_knows_its_living_source_up_to_then(
    api: FakeApi, cluster: Cluster, observed: Observation
) -> None:
    source = api.pods["test"]
    restore(api, observed)
    api.pods["test"] = source
    known = observed.newest
    collect.Watcher(cluster, observed, RESTORED, cluster).look()
    assert observed.newest.read_at > known.read_at
    assert not observed.gone


def test_a_source_that_is_not_there_is_known_to_be_gone(api: FakeApi, cluster: Cluster, observed: Observation) -> None:
    restore(api, observed)
    collect.Watcher(cluster, observed, RESTORED, cluster).look()
    assert observed.gone


def test_a_pod_that_changes_under_a_look_is_looked_at_again(cluster: Cluster, monkeypatch: pytest.MonkeyPatch) -> None:
    words = "pod test changed while its log was read"
    monkeypatch.setattr(collect, "look_at", Mock(side_effect=collect.PodChanged(words)))
    assert collect.patient_look(cluster, WORKLOAD) == Pending(words)


def test_an_api_that_does_not_answer_is_no_verdict(tmp_path: Path) -> None:
    with serving(tmp_path) as (api, cluster):
        api.pods["test"] = FakePod()
        observation = collect.observe(cluster, WORKLOAD, steps=2, timeout=LONG)
    with pytest.raises(OperationFailed) as problem:
        collect.await_verdict(cluster, observation, RESTORED, timeout=SHORT)
    assert problem.value.cause.name == "cluster-unreachable"


def test_looks_of_a_pod_that_was_replaced_are_forgotten(api: FakeApi, cluster: Cluster, observed: Observation) -> None:
    pod = restore(api, observed, last=observed.step + 2)
    watcher = collect.Watcher(cluster, observed, RESTORED, cluster)
    watcher.look()
    watcher.look()
    assert watcher.uid == pod.uid
    api.pods["test-restored"] = FakePod(name="test-restored", first=observed.step + 1, copied=pod.copied)
    watcher.look()
    assert watcher.uid == api.pods["test-restored"].uid
    assert len(watcher.looks) == 1


def test_what_a_look_at_a_restored_pod_saw_is_kept_once(api: FakeApi, cluster: Cluster, observed: Observation) -> None:
    restore(api, observed, last=observed.step + 2)
    watcher = collect.Watcher(cluster, observed, RESTORED, cluster)
    watcher.look()
    watcher.look()
    first, second = (one.log.lines for one in watcher.looks)
    assert first
    assert all(any(new is old for old in first) for new in second[: len(first)])


def test_a_native_sidecar_is_a_container_and_an_init_container_is_not() -> None:
    running = {"name": "proxy", "state": {"running": {}}}
    pod = {
        "spec": {
            "initContainers": [{"name": "rules"}, {"name": "proxy", "restartPolicy": "Always"}],
            "containers": [{"name": "app"}],
        },
        "status": {"initContainerStatuses": [running], "containerStatuses": [{"name": "app"}]},
    }
    assert collect._container(pod, Workload("main", "default", "test", "proxy")) == running
    assert collect._container(pod, Workload("main", "default", "test", ""))["name"] == "app"
    with pytest.raises(NotAsExpected, match=r"a container rules\nSeen: it has app, proxy"):
        collect._container(pod, Workload("main", "default", "test", "rules"))
    pod["spec"]["containers"].append({"name": "second"})
    with pytest.raises(NotAsExpected, match=r"pod test to have a container \(one only, or name one\)"):
        collect._container(pod, Workload("main", "default", "test", ""))


def test_a_pod_that_does_not_stay_ready_ends_the_wait_for_its_verdict(
    api: FakeApi, cluster: Cluster, observed: Observation
) -> None:
    pod = restore(api, observed, last=observed.step + 1)
    ready = pod.document()
    pod.restarts = 1
    with pytest.raises(NotAsExpected, match="0 restarts before, 1 now") as failure:
        any_witness.await_verdict(cluster, observed, RESTORED, timeout=LONG, ready=ready)
    assert failure.value.cause.name == "restored-pod-unstable"


def test_a_settled_verdict_is_no_good_where_the_pod_did_not_stay_ready(
    api: FakeApi, cluster: Cluster, observed: Observation
) -> None:
    pod = restore(api, observed)
    assert any_witness.await_verdict(cluster, observed, RESTORED, timeout=LONG, ready=pod.document()).settled
    with pytest.raises(NotAsExpected, match="replaced"):
        any_witness.await_verdict(cluster, observed, RESTORED, timeout=LONG, ready=FakePod("test-restored").document())


def test_a_source_that_does_not_hold_still_is_looked_at_again(
    api: FakeApi, cluster: Cluster, observed: Observation, monkeypatch: pytest.MonkeyPatch
) -> None:
    restore(api, observed)
    watcher = collect.Watcher(cluster, observed, RESTORED, cluster)
    busy = WaitTimedOut("pod test to hold still", "pod test changed while its log was read", cause="evidence-missing")
    monkeypatch.setattr(watcher, "_look_at_source", Mock(side_effect=busy))
    answer = watcher.look()
    assert isinstance(answer, Pending)
    assert (answer.seen, answer.cause) == (busy.seen, "evidence-missing")
    assert watcher.verdict is None, "nothing is judged by half of the evidence"


@pytest.mark.parametrize("status", [400, 404])
def test_a_log_that_is_not_there_is_none(status: int, api: FakeApi, cluster: Cluster) -> None:
    api.pods["test"], api.log_status = FakePod(), status
    seen = collect.look_at(cluster, WORKLOAD)
    assert seen is not None
    assert seen.look.log is None


def test_a_source_that_is_known_to_be_gone_is_not_asked_for(
    api: FakeApi, cluster: Cluster, observed: Observation
) -> None:
    restore(api, observed)
    observed.gone = True
    api.asked.clear()
    assert judged(cluster, observed).kind is Kind.CONTINUED
    assert {path.split("/")[6].partition("?")[0] for path in api.asked} == {"test-restored"}
