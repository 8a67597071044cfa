"""What a checkpoint does to its source: a process that goes on, and every way in which it does not."""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from tests.ContinuityLibrary.api import FakeApi, FakePod, serving
from tests.ContinuityLibrary.make import ANOTHER, NONCE, at, line, log, run

from ContinuityLibrary import collect, source
from ContinuityLibrary.evidence import Look
from ContinuityLibrary.logs import LogLine
from ContinuityLibrary.observation import Observation, Workload
from ContinuityLibrary.source_keywords import SourceKeywords
from harness.failures import E2EFailure, NotAsExpected, WaitTimedOut
from harness.kube import Cluster
from harness.waiting import Pace

WORKLOAD, COPY = Workload("fake", "ns", "test"), Workload("fake", "ns", "test-restored")
LONG, SHORT = 20.0, 0.3


@pytest.fixture
def both(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[tuple[FakeApi, Cluster]]:
    monkeypatch.setattr(collect, "PACE", Pace(least=0.02, share=0.02, most=0.1))
    with serving(tmp_path) as pair:
        yield pair


@pytest.fixture
def api(both: tuple[FakeApi, Cluster]) -> FakeApi:
    return both[0]


@pytest.fixture
def cluster(both: tuple[FakeApi, Cluster]) -> Cluster:
    return both[1]


@pytest.fixture
def observed(api: FakeApi, cluster: Cluster) -> Observation:
    api.pods["test"] = FakePod()
    return collect.observe(cluster, WORKLOAD, steps=5, timeout=LONG)


def harm(cluster: Cluster, observed: Observation, timeout: float = LONG) -> E2EFailure:
    with pytest.raises(E2EFailure) as raised:
        source.should_go_on(cluster, observed, timeout=timeout)
    assert raised.value.cause.name == "source-harmed"
    return raised.value


def test_a_source_that_goes_on_is_waited_for_until_its_next_step(cluster: Cluster, observed: Observation) -> None:
    reached = source.last_step(observed)
    assert source.should_go_on(cluster, observed, timeout=LONG) > reached
    assert source.last_step(observed) > reached, "the observation knows it, too"


def test_a_source_that_stands_still_is_harmed(api: FakeApi, cluster: Cluster, observed: Observation) -> None:
    api.pods["test"].last = observed.step
    failed = harm(cluster, observed, SHORT)
    assert isinstance(failed, WaitTimedOut)
    assert f"no step after {observed.step}" in failed.seen


def test_a_source_that_is_gone_is_harmed(api: FakeApi, cluster: Cluster, observed: Observation) -> None:
    del api.pods["test"]
    assert "is gone" in harm(cluster, observed).seen
    assert observed.gone, "the verdict need not look for it"


def test_another_pod_of_that_name_is_not_the_source(api: FakeApi, cluster: Cluster, observed: Observation) -> None:
    api.pods["test"] = FakePod()
    assert "is gone" in harm(cluster, observed).seen


def test_a_restart_is_harm_even_if_the_nonce_were_the_same(
    api: FakeApi, cluster: Cluster, observed: Observation
) -> None:
    api.pods["test"].restarts = 1
    api.pods["test"].previous = []
    assert "restarted once" in harm(cluster, observed).seen


def test_a_source_that_ended_is_harmed(api: FakeApi, cluster: Cluster, observed: Observation) -> None:
    api.pods["test"].state = {"terminated": {"exitCode": 137, "reason": "Error"}}
    assert "does not run any more" in harm(cluster, observed).seen


def test_a_source_whose_memory_was_damaged_is_harmed(api: FakeApi, cluster: Cluster, observed: Observation) -> None:
    line = api.pods["test"].lines()[-1]
    wrong = f"{line.rpartition('=')[0]}={'0' * 16}".replace("step=", "step=9")
    api.pods["test"].copied = [wrong]
    assert "does not follow" in harm(cluster, observed).seen


def test_restarts_from_before_the_checkpoint_are_no_harm(api: FakeApi, cluster: Cluster) -> None:
    api.pods["test"] = FakePod(restarts=2, previous=[])
    observed = collect.observe(cluster, WORKLOAD, steps=5, timeout=LONG)
    assert source.should_go_on(cluster, observed, timeout=LONG)


def beside(api: FakeApi, observed: Observation, **changes: object) -> None:
    cut = observed.step
    facts = {"name": "test-restored", "first": cut + 1, "copied": api.pods["test"].lines()[:cut]} | changes
    api.pods["test-restored"] = FakePod(**facts)  # type: ignore[arg-type]


def parted(cluster: Cluster, observed: Observation, timeout: float = LONG) -> source.Parting:
    return source.parted(cluster, observed, COPY, copy_cluster=cluster, steps=3, timeout=timeout)


def test_source_and_copy_are_told_apart_by_steps_that_both_took(
    api: FakeApi, cluster: Cluster, observed: Observation
) -> None:
    cut = observed.step
    beside(api, observed)
    seen = parted(cluster, observed)
    assert len(seen.taken_twice) >= 3
    assert seen.taken_twice[0] == cut + 1, "no copied line is taken for one of the copy's own"


def test_a_copy_that_stands_still_does_not_go_its_own_way(
    api: FakeApi, cluster: Cluster, observed: Observation
) -> None:
    beside(api, observed, last=observed.step + 4, began=time.time() - 5)
    with pytest.raises(WaitTimedOut) as raised:
        parted(cluster, observed, 0.6)
    assert raised.value.cause.name == "process-silent"


def test_a_source_that_stands_still_beside_its_copy_does_not_go_its_own_way(
    api: FakeApi, cluster: Cluster, observed: Observation
) -> None:
    beside(api, observed, began=time.time() - 5)
    api.pods["test"].last = collect.observe(cluster, WORKLOAD, steps=observed.step + 4, timeout=LONG).step
    with pytest.raises(WaitTimedOut) as raised:
        parted(cluster, observed, 0.6)
    assert raised.value.cause.name == "process-silent"


def test_the_source_itself_is_no_copy(api: FakeApi, cluster: Cluster, observed: Observation) -> None:
    beside(api, observed, uid=observed.uid)
    with pytest.raises(NotAsExpected) as raised:
        parted(cluster, observed)
    assert raised.value.cause.name == "not-restored"


def test_a_source_that_dies_beside_its_copy_is_harmed(api: FakeApi, cluster: Cluster, observed: Observation) -> None:
    beside(api, observed)
    del api.pods["test"]
    with pytest.raises(NotAsExpected) as raised:
        parted(cluster, observed)
    assert raised.value.cause.name == "source-harmed"


def test_one_process_has_one_nonce_and_never_goes_back(api: FakeApi, cluster: Cluster, observed: Observation) -> None:
    keywords = SourceKeywords()
    later = collect.observe(cluster, WORKLOAD, steps=observed.step + 1, timeout=LONG)
    assert keywords.should_be_the_same_process(observed, later) == observed.nonce
    assert keywords.should_be_the_same_process(observed, observed) == observed.nonce
    with pytest.raises(NotAsExpected) as rewound:
        keywords.should_be_the_same_process(later, observed)
    api.pods["test"] = FakePod(nonce="b" * 16)
    another = collect.observe(cluster, WORKLOAD, steps=5, timeout=LONG)
    with pytest.raises(NotAsExpected) as restarted:
        keywords.should_be_the_same_process(observed, another)
    assert (rewound.value.cause.name, restarted.value.cause.name) == ("process-rewound", "process-restarted")


def told(*parts: Iterable[LogLine]) -> Look:
    """A look at a container whose log has these lines."""
    return Look(at(9), log(*parts))


def test_only_its_own_lines_harm_a_source_and_the_first_is_named() -> None:
    observed = Observation(WORKLOAD, "uid", told(run(1, 5, 0.2)))
    assert source.harm_in(observed, told(run(1, 5, 0.2), [line(9, 3, ANOTHER, "0" * 16)])) == ""
    broken = told([line(8, 3, chain="0" * 16), line(7, 2, chain="0" * 16)])
    assert source.harm_in(observed, broken) == "the hash of its step 7 does not follow"


def test_a_step_of_another_process_is_none_of_the_source() -> None:
    observed = Observation(WORKLOAD, "uid", told(run(1, 5, 0.2)))
    observed.add(told(run(1, 5, 0.2), [line(9, 3, ANOTHER)]))
    assert source.last_step(observed) == 5


@pytest.mark.parametrize(("restarts", "times"), [(3, "once"), (4, "2 times")])
def test_only_restarts_since_the_checkpoint_are_counted(restarts: int, times: str) -> None:
    observed = Observation(WORKLOAD, "uid", replace(told(run(1, 5, 0.2)), restarts=2))
    seen = replace(told(run(1, 5, 0.2)), restarts=restarts)
    expected = f"its container was restarted {times} since the checkpoint was asked for"
    assert source.harm_in(observed, seen) == expected


def test_what_nobody_printed_is_no_step() -> None:
    observed, copy = Observation(WORKLOAD, "uid", told(run(1, 5, 0.2))), told(run(1, 3, 0.2))
    assert source.last_step(Observation(WORKLOAD, "uid", told())) == 0
    assert source._parting(observed, copy) == source.Parting(NONCE, (), 5, 0)
    assert source._parting(Observation(WORKLOAD, "uid", told()), told()) == source.Parting("", (), 0, 0)


def test_another_process_beside_the_source_is_no_step_of_its() -> None:
    observed = Observation(WORKLOAD, "uid", told(run(7, 9, 0.2, ANOTHER), run(1, 5, 1.2)))
    copy = told(run(1, 3, 1.2), run(4, 6, 5.2), run(7, 9, 8.2, ANOTHER))
    assert source._parting(observed, copy) == source.Parting(NONCE, (4, 5), 5, 6)


@pytest.mark.parametrize("steps", [1, 2])
def test_no_more_steps_are_waited_for_than_were_asked_for(
    api: FakeApi, cluster: Cluster, observed: Observation, steps: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    beside(api, observed)
    partings = [source.Parting(NONCE, (4, 5)[:number], 5 + number, 6 + number) for number in range(3)]
    monkeypatch.setattr(source, "_parting", lambda *_: partings.pop(0))
    seen = source.parted(cluster, observed, COPY, copy_cluster=cluster, steps=steps, timeout=LONG)
    assert (seen.taken_twice, len(partings)) == ((4, 5)[:steps], 2 - steps)


def test_a_source_that_goes_back_is_harmed() -> None:
    """Its container was restored in place, from an older state, and nobody counts a restart."""
    observed = Observation(WORKLOAD, "uid", told(run(1, 5, 0.2)))
    assert source.harm_in(observed, told(run(1, 8, 0.2))) == ""
    again = told(run(1, 8, 0.2), run(7, 12, 3.0))
    assert source.harm_in(observed, again) == "it went back: its step 7 came again"
    assert source.harm_in(observed, told(run(1, 5, 0.2), run(4, 4, 3.0))) == "it went back: its step 4 came again"


def test_a_step_that_its_log_had_twice_before_the_checkpoint_is_no_way_back() -> None:
    """A source that was restored itself: the head of its log was copied with a line that it then printed again."""
    copied = (*run(1, 3, 0.2), *run(3, 5, 2.0))
    observed = Observation(WORKLOAD, "uid", told(copied))
    assert source.harm_in(observed, told(copied, run(6, 8, 2.6))) == ""


def test_a_copy_whose_hashes_do_not_follow_takes_no_step() -> None:
    observed = Observation(WORKLOAD, "uid", told(run(1, 9, 0.2)))
    forged = told(run(1, 4, 0.2), [line(number, 5 + number, chain="0" * 16) for number in range(5, 10)])
    assert source._parting(observed, forged) == source.Parting(NONCE, (), 9, 0)
