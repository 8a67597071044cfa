"""What is remembered of a workload."""

from __future__ import annotations

import pytest
from tests.ContinuityLibrary.make import ANOTHER, NONCE, at, line, log, run

from ContinuityLibrary import observation as observed
from ContinuityLibrary.evidence import Look
from ContinuityLibrary.observation import Observation, Workload

WORKLOAD = Workload("main", "ns", "web")


def observation(*lines, **facts) -> Observation:
    return Observation(WORKLOAD, "uid", Look(at(5), log(lines, started=0)), **facts)


def test_of_a_silent_workload_nothing_is_known() -> None:
    silent = observation()
    assert (silent.nonce, silent.step, silent.steps, silent.log) == ("", 0, 0, [])
    assert Observation(WORKLOAD, "uid", Look(at(5))).log == []


def test_only_the_steps_of_the_process_that_is_seen_count() -> None:
    seen = observation(*run(1, 9, 0.1, ANOTHER), *run(1, 3, 3.0))
    assert (seen.nonce, seen.step, seen.steps) == (NONCE, 3, 3)
    assert len(seen.log) == 12


def test_the_nonce_is_looked_for_once_a_look(monkeypatch: pytest.MonkeyPatch) -> None:
    """A long log asks for it with each of its steps."""
    seen, asked = observation(*run(1, 50, 0.2)), []
    monkeypatch.setattr(observed.witness, "follows", lambda step: bool(asked.append(step.number) or True))
    assert {seen.nonce for _ in range(50)} == {NONCE}
    assert len(asked) == 50
    seen.asked(Look(at(9), log(run(1, 3, 0.2, ANOTHER), started=0)))
    assert seen.nonce == ANOTHER


def test_a_step_that_was_read_twice_counts_once() -> None:
    assert observation(line(1, 0.2), line(1, 0.3), line(2, 0.4)).steps == 2


def test_a_line_with_a_wrong_hash_is_no_step() -> None:
    seen = observation(*run(1, 3, 0.2), line(4, 0.8, chain="0" * 16))
    assert (seen.step, seen.steps) == (3, 3)


def test_a_new_request_forgets_what_came_after_an_earlier_one() -> None:
    seen = observation(*run(1, 3, 0.2), ready_at=at(6))
    seen.add(Look(at(7), log(run(1, 5, 0.2), started=0)))
    late = Look(at(9), log(run(1, 7, 0.2), started=0))
    seen.asked(late)
    assert (seen.before, seen.after, seen.ready_at, seen.step) == (late, [], None, 7)


def test_of_looks_from_before_the_checkpoint_was_ready_only_the_newest_is_kept() -> None:
    seen = observation(*run(1, 3, 0.2))
    first, second, third, fourth = (Look(at(5.0 + n), log(run(1, 3 + n, 0.2), started=0)) for n in range(1, 5))
    seen.add(first)
    seen.add(second)
    assert seen.after == [second]
    seen.ready_at = third.read_at
    seen.add(third)
    assert seen.after == [third], "what was seen before the checkpoint was ready says nothing more"
    seen.add(fourth)
    seen.add(fourth)
    assert seen.after == [third, fourth], "the first tells r, the newest which lines are the source's"


def test_a_look_without_a_log_keeps_the_one_of_the_look_before() -> None:
    seen = observation(*run(1, 3, 0.2), ready_at=at(6))
    logged = log(run(1, 5, 0.2), started=0)
    seen.add(Look(at(7), logged))
    seen.add(Look(at(8)))
    assert seen.after[-1].log == logged
    assert seen.after[-1].read_at == at(8)


def test_the_moments_that_were_noted_are_evidence() -> None:
    seen = observation(*run(1, 3, 0.2), ready_at=at(6), deleted_at=at(7), restore_asked_at=at(8))
    seen.others = {NONCE: "itself", ANOTHER: "ns/other"}
    told = seen.evidence("uid-2", [Look(at(9))])
    assert (told.ready_at, told.deleted_at, told.restore_asked_at) == (at(6), at(7), at(8))
    assert (told.restored_uid, told.restored, told.others) == ("uid-2", (Look(at(9)),), {ANOTHER: "ns/other"})


def test_each_look_has_the_whole_log() -> None:
    seen = observation(*run(1, 3, 0.2), ready_at=at(6))
    seen.add(Look(at(7), log(run(1, 5, 0.2), started=0)))
    seen.add(Look(at(8), None))
    assert seen.newest.log.lines == run(1, 5, 0.2)
    seen.asked(Look(at(9), log(run(1, 7, 0.2), started=0)))
    assert seen.newest is seen.before
    assert seen.before.log.lines == run(1, 7, 0.2)
