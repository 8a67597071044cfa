"""What is known of a source, read out of its looks."""

from __future__ import annotations

from dataclasses import replace

import pytest
from tests.ContinuityLibrary.make import ANOTHER, NONCE, Story, at, line, log, run

from ContinuityLibrary.evidence import Evidence, Look, Source
from ContinuityLibrary.history import OwnHistory, SourceHistory
from ContinuityLibrary.logs import LogLine, Printed, steps


def history(*before: LogLine, after: tuple[LogLine, ...] = ()) -> SourceHistory:
    """Of a source that was seen so before the checkpoint was asked for, and so when it was ready."""
    looks = (Look(at(6.1), log(after, started=0)),) if after else ()
    return SourceHistory(Evidence(Source("uid", Look(at(5), log(before, started=0)), looks), ready_at=at(6)))


def printed(number: int, seconds: float, nonce: str = NONCE) -> Printed:
    return steps([line(number, seconds, nonce)])[0]


def test_of_nothing_nothing_is_known() -> None:
    known = history()
    assert (known.nonce, known.b, known.last, known.r, known.known, known.broken) == ("", 0, 0, 0, (), None)
    assert history(after=(line(3, 6.05, ANOTHER),)).r == 0


def test_a_broken_line_tells_no_nonce() -> None:
    known = history(*run(1, 5, 0.2), line(6, 1.4, ANOTHER, "0" * 16))
    assert known.nonce == NONCE
    assert known.broken == steps([line(6, 1.4, ANOTHER, "0" * 16)])[0]


def test_what_another_witness_printed_is_not_the_sources() -> None:
    foreign = line(900, 0.1, ANOTHER)
    known = history(foreign, *run(1, 5, 0.2), after=(foreign, *run(1, 7, 0.2)))
    assert (known.b, known.r, known.last) == (5, 7, 7)
    assert {one.step.nonce for one in known.known} == {NONCE}
    assert known.complete


def test_only_the_sources_own_lines_can_be_lost() -> None:
    known = history(*run(1, 3, 0.2), *run(6, 9, 1.2))
    assert known.has_lost(printed(4, 0.8))
    assert not known.has_lost(printed(4, 0.8, ANOTHER))
    assert not known.has_lost(steps([line(4, 0.8, chain="0" * 16)])[0])
    assert not known.has_lost(printed(6, 0.9)), "that step is there"
    assert not known.has_lost(printed(10, 2.0)), "nothing comes after it"


@pytest.mark.parametrize(
    ("number", "seconds", "lost"), [(6, 2.0, False), (6, 3.2, True), (8, 5.2, False), (8, 4.7, True)]
)
def test_a_lost_line_lies_between_all_that_stands_around_it(number: int, seconds: float, lost: bool) -> None:
    twice = [line(5, 1.0), line(5, 3.0), line(7, 4.5), line(9, 5.0), line(9, 6.0)]
    assert history(*twice).has_lost(printed(number, seconds)) is lost


def test_a_look_is_of_a_container_that_runs_unless_it_says_otherwise() -> None:
    look = Look(at(0))
    assert (look.state, look.running, look.ready, look.over, look.restarts) == ("running", True, True, False, 0)


def test_logs_are_told_by_the_start_of_their_container() -> None:
    first, second = log(run(1, 2, 0.2)), log(run(1, 2, 5.2))
    assert dict(Look(at(0), second, first, restarts=3).runs()) == {2: first, 3: second}
    assert dict(Look(at(0), None, first, restarts=1).runs()) == {0: first}
    assert dict(Look(at(0), first).runs()) == {0: first}


def test_a_story_is_read_as_it_was_told() -> None:
    story = Story()
    known = SourceHistory(replace(story.evidence))
    assert (known.nonce, known.b, known.r, known.last, known.complete) == (NONCE, story.b, story.r, story.r, True)


def own(*looks: Look, source: tuple[LogLine, ...] = ()) -> OwnHistory:
    """The history of a restored container that was looked at so."""
    evidence = Evidence(Source("uid", Look(at(5), log(source or run(1, 5, 0.2), started=0))), restored=looks)
    return OwnHistory(evidence, SourceHistory(evidence))


def test_of_a_container_that_nobody_looked_at_nothing_is_known() -> None:
    known = own()
    assert (known.restarts, known.stalled, known.mine, known.others, known.unread_runs) == (0, 0.0, (), (), [])


def test_own_steps_are_told_from_those_of_another_process() -> None:
    known = own(Look(at(11), log(run(6, 8, 10.2), run(1, 2, 10.9, ANOTHER), started=10)))
    assert ([one.number for one in known.mine], known.numbers) == ([6, 7, 8], [6, 7, 8])
    assert [(one.number, one.nonce) for one in known.others] == [(1, ANOTHER), (2, ANOTHER)]


def test_a_history_grew_when_a_later_look_saw_more_than_the_first_that_saw_any() -> None:
    nothing, three = Look(at(10), log(started=10)), log(run(6, 8, 10.2), started=10)
    assert not own(nothing, Look(at(11), three), Look(at(12), three)).grew
    assert own(nothing, Look(at(11), three), Look(at(12), log(run(6, 9, 10.2), started=10))).grew


def test_a_process_has_stalled_since_the_last_new_step_that_was_seen() -> None:
    log_ = log(run(6, 8, 10.2), started=10)
    assert own(Look(at(11), log_), Look(at(12), log_), Look(at(14.5), log_)).stalled == 3.5
    assert own(Look(at(11), log_, ready=False), Look(at(14), log_, ready=False)).stalled == 0.0
    assert own(Look(at(11), log_)).stalled == 0.0


@pytest.mark.parametrize(("seconds", "fit"), [(10.0, 0), (9.0, 0), (10.2, 2), (11.0, 10)])
def test_steps_that_fit_between_a_containers_start_and_a_step(seconds: float, fit: int) -> None:
    known = own(Look(at(12), log([line(6, seconds)], started=10)))
    assert known.steps_since_start(known.first) == fit


@pytest.mark.parametrize(("begin", "late"), [(12.2, False), (12.201, True)])
def test_two_steps_tell_how_long_a_step_takes(begin: float, late: bool) -> None:
    assert own(Look(at(20), log(run(6, 7, begin), started=10))).begins_late is late
