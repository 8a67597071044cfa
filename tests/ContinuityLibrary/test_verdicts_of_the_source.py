"""Verdicts where the source was seen badly, or never."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

import pytest
from tests.ContinuityLibrary.make import ANOTHER, Story, at, line, log, run

from ContinuityLibrary.evidence import Look, Source
from ContinuityLibrary.logs import LogLine
from ContinuityLibrary.verdict import Kind, Verdict, judge


def verdict_of(**changes: object) -> Verdict:
    return judge(replace(Story(), **changes).evidence)  # type: ignore[arg-type]


# the source


READY = at(6)


def with_source(before: Look, *after: Look, ready_at: datetime | None = READY, story: Story | None = None) -> Verdict:
    evidence = (story or Story()).evidence
    return judge(replace(evidence, source=Source("uid-source", before, after), ready_at=ready_at))


def test_a_source_that_was_never_seen() -> None:
    for before in (Look(at(5), None), Look(at(5), log(started=0))):
        verdict = with_source(before)
        assert str(verdict) == "inconclusive: no step of the source was read before the checkpoint was asked for"
        assert verdict.settled


def test_a_source_whose_own_chain_is_broken() -> None:
    lines = (*run(1, 9, 0.2), line(10, 2.0, chain="0123456789abcdef"))
    verdict = with_source(Look(at(5), log(lines, started=0)))
    assert str(verdict) == "inconclusive: the source's own witness is broken: its step 10 does not follow"


def test_the_first_broken_line_of_the_source_is_named() -> None:
    wrong = (line(8, 1.6, chain="0123456789abcdef"), line(10, 2.0, chain="0123456789abcdef"))
    verdict = with_source(Look(at(5), log(run(1, 9, 0.2), wrong[::-1], started=0)))
    assert "its step 8 does not follow" in str(verdict)


def test_a_source_that_was_read_too_early() -> None:
    """Its log was read at second 5.9, the checkpoint was ready at 6: a first step after its last one proves nothing."""
    before, story = Story().source.before, Story(copied=14, own=run(16, 40, 10.3))
    early, in_time = (Look(at(moment), log(run(1, 14, 0.2), started=0)) for moment in (5.9, 6.0))
    verdict = with_source(before, early, story=story)
    assert (
        str(verdict)
        == "inconclusive: step 16 came first, and the source's log was not read after the checkpoint was ready"
    )
    assert verdict.pending
    assert with_source(before, in_time, story=story).kind is Kind.AHEAD
    assert with_source(before, in_time, ready_at=None, story=story).kind is Kind.INCONCLUSIVE


def test_a_source_that_was_read_too_early_is_enough_where_the_first_step_follows_on_it() -> None:
    """r can only be larger than what was read, so that the upper bound holds all the more."""
    story = Story(copied=10, own=run(11, 30, 10.3))
    assert with_source(story.source.before, story=story).kind is Kind.CONTINUED


def test_a_copied_line_that_a_too_early_reading_does_not_know_is_no_rewind() -> None:
    story = Story(copied=12, own=run(12, 30, 10.3))
    verdict = with_source(story.source.before, story=story)
    assert verdict.kind is not Kind.REWOUND
    twice = Story(copied=10, own=run(11, 12, 9.5) + run(12, 30, 10.3))
    verdict = with_source(twice.source.before, story=twice)
    assert str(verdict) == (
        "inconclusive: step 12 came twice; the source's log was read too early to tell whose the first is"
    )


def test_the_first_reading_when_the_checkpoint_was_ready_gives_r() -> None:
    """A later one knows more steps of a source that lives on, and must not widen the window."""
    story = Story(copied=14, own=run(17, 40, 10.3))
    ends = tuple(Look(at(moment), log(run(1, until, 0.2), started=0)) for moment, until in ((6.1, 14), (7, 20)))
    for after in (ends, ends[::-1]):
        verdict = with_source(story.source.before, *after, story=story)
        assert (verdict.kind, verdict.r) == (Kind.AHEAD, 14)


def test_a_reading_that_lost_the_process_gives_no_r() -> None:
    """The source's container was restarted, and its log begins anew."""
    story = Story()
    anew = Look(at(6.1), log(run(1, 3, 6.0, ANOTHER), started=6), restarts=1)
    verdict = with_source(story.source.before, anew, story=Story(own=run(16, 40, 10.3), copied=10))
    assert verdict.kind is Kind.INCONCLUSIVE
    kept = replace(anew, previous=log(run(1, 14, 0.2), started=0))
    assert with_source(story.source.before, kept).kind is Kind.CONTINUED


def test_lines_that_the_sources_log_lost_are_not_the_copys() -> None:
    """The source's log was rotated after the checkpoint; the copy still has lines that were read nowhere."""
    lines = run(1, 14, 0.2)
    before = Look(at(5), log(lines[4:10], started=0))
    after = Look(at(6.1), log(lines[12:], started=0))
    assert with_source(before, after).kind is Kind.CONTINUED


def with_gap(story: Story) -> Verdict:
    """The source's step 11 was read nowhere: its log was rotated in between."""
    lines = run(1, 14, 0.2)
    before = Look(at(5), log(lines[:10], started=0))
    return with_source(before, Look(at(6.1), log(lines[11:], started=0)), story=story)


def test_a_line_that_fills_the_sources_gap_at_another_time_is_the_copys() -> None:
    """The source printed step 10 at second 2.0 and step 12 at 2.4."""
    assert with_gap(Story(copied=10, own=run(11, 30, 10.3))).a == 11
    for seconds in (0.5, 2.0, 2.4, 3.0):
        verdict = with_gap(Story(copied=10, own=run(11, 11, seconds) + run(12, 30, 10.3)))
        assert verdict.a == 11, f"at {seconds}: {verdict}"
    for seconds in (2.01, 2.2, 2.39):
        verdict = with_gap(Story(copied=10, own=run(11, 11, seconds) + run(12, 30, 10.3)))
        assert (verdict.kind, verdict.a) == (Kind.CONTINUED, 12), f"at {seconds}: {verdict}"


def test_a_gap_of_the_source_is_found_where_its_clock_went_back() -> None:
    """Steps 1 to 3 are stamped later than all others; step 7 was read nowhere, and the copy still has it."""
    lines = dict(enumerate((*run(1, 3, 50.2), *run(4, 14, 0.8)), 1))
    known = [one for n, one in lines.items() if n != 7]
    story = Story(copied=0, own=tuple(lines.values())[:11] + run(12, 30, 10.3))
    before, after = Look(at(5), log(known[:9], started=0)), Look(at(6.1), log(known, started=0))
    assert with_source(before, after, story=story).kind is Kind.CONTINUED


@pytest.mark.parametrize(
    ("number", "kind"), [(1, Kind.REWOUND), (10, Kind.REWOUND), (11, Kind.INCONCLUSIVE), (14, Kind.REWOUND)]
)
@pytest.mark.parametrize("shift", [-1, 1])
def test_a_copied_line_with_another_timestamp_is_found(number: int, kind: Kind, shift: int) -> None:
    lines = list(Story().source_lines[: max(11, number)])
    lines[number - 1] = LogLine(lines[number - 1].stamp + shift, lines[number - 1].text)
    verdict = verdict_of(copied=0, own=(*lines, *Story().own))
    assert verdict.kind is kind, str(verdict)


def test_a_step_that_is_older_than_its_container_is_inconclusive() -> None:
    """`startedAt` is second 10 and may lie 2 s after the first step."""
    assert verdict_of(copied=10, own=run(11, 30, 8.0)).kind is Kind.CONTINUED
    verdict = verdict_of(copied=10, own=run(11, 30, 7.99))
    assert str(verdict) == (
        "inconclusive: step 11 is older than the restored container, and no line of the source's log"
    )
