"""Verdicts on a process that falls silent, goes back or is restarted, and on a log that shows too little."""

from __future__ import annotations

from dataclasses import replace

import pytest
from tests.ContinuityLibrary.make import ANOTHER, Story, at, log, run, seen

from ContinuityLibrary.evidence import ContainerLog, Demands, Evidence, Look, Source
from ContinuityLibrary.logs import LogLine
from ContinuityLibrary.verdict import Kind, Verdict, judge


def verdict_of(**changes: object) -> Verdict:
    return judge(replace(Story(), **changes).evidence)  # type: ignore[arg-type]


# steps must keep coming


def silent(own: tuple[LogLine, ...], *moments: float, demands: Demands | None = None) -> Verdict:
    story = Story(own=own)
    return judge(seen(story.evidence, *(story.look(moment) for moment in moments), demands=demands))


def test_silent_without_a_step() -> None:
    verdict = silent((), 11, 14)
    assert str(verdict) == "silent: no step of its own of nonce aaaa.. for 3.0 s"
    assert verdict.pending, "its first step may still come"
    assert verdict.a is None


def test_silent_after_some_steps() -> None:
    verdict = silent(run(12, 16, 10.3), 12, 15)
    assert str(verdict) == "silent: no step after 16 of nonce aaaa.. for 3.0 s"
    assert verdict.pending


def test_silent_after_many_steps() -> None:
    assert silent(run(12, 60, 10.3), 20, 23).kind is Kind.SILENT


def test_a_log_that_came_all_at_once_and_stopped_is_silent() -> None:
    """A process prints its steps one after the other; a file that somebody wrote has them all at once."""
    assert silent(run(12, 60, 10.3), 20, 20.4).kind is Kind.INCONCLUSIVE
    assert silent(run(12, 60, 10.3), 20, 24).kind is Kind.SILENT


def test_not_silent_before_patience_is_over() -> None:
    assert silent((), 11, 13.9).kind is Kind.INCONCLUSIVE
    assert silent(run(12, 60, 10.3), 20, 22.9).kind is Kind.INCONCLUSIVE
    assert silent((), 11, 13.9, demands=Demands(patience=2.9)).kind is Kind.SILENT


def test_silence_counts_from_the_last_new_step() -> None:
    story = Story()
    looks = (story.look(11, drop=10), story.look(19, drop=3), story.look(20), story.look(22.9))
    assert judge(seen(story.evidence, *looks)).kind is Kind.CONTINUED
    assert judge(seen(story.evidence, *looks, story.look(23))).kind is Kind.SILENT


def test_silence_counts_from_when_the_pod_was_ready() -> None:
    story = Story(own=())
    starting = replace(story.look(11), ready=False)
    assert judge(seen(story.evidence, starting, story.look(13), story.look(15.9))).kind is Kind.INCONCLUSIVE
    assert judge(seen(story.evidence, starting, story.look(13), story.look(16))).kind is Kind.SILENT


def test_a_pod_that_is_not_ready_is_not_silent() -> None:
    story = Story(own=())
    looks = (replace(story.look(seconds), ready=False) for seconds in (11, 20))
    verdict = judge(seen(story.evidence, *looks))
    assert str(verdict) == "inconclusive: the restored pod is not Ready and has printed no step of its own"
    assert verdict.pending


def test_replayed_lines_of_the_source_are_no_steps_of_a_process() -> None:
    """Steps up to r can be read from the source's log; a process must get past them."""
    verdict = verdict_of(b=2, r=14, copied=2, own=run(3, 14, 10.3))
    assert str(verdict) == "inconclusive: it is at step 14, and the source had printed up to 14 when it began"
    assert (bool(verdict.pending), verdict.wanting) == (True, 1)
    assert verdict_of(b=2, r=14, copied=2, own=run(3, 15, 10.3)).kind is Kind.CONTINUED


def test_a_source_that_lives_on_ahead_does_not_keep_the_copy_from_continuing() -> None:
    """The source has printed 20 steps before the copy begins, and is always ahead of it."""
    story = Story(b=10, own=run(12, 30, 10.3))
    late = Look(at(21), log(run(1, 14, 0.2), run(15, 60, 9.2), started=0))
    source = replace(story.source, after=(*story.source.after, late))
    assert judge(replace(story.evidence, source=source)).kind is Kind.CONTINUED
    short = replace(story, own=run(12, 20, 10.3))
    verdict = judge(replace(short.evidence, source=source))
    assert str(verdict) == "inconclusive: it is at step 20, and the source had printed up to 20 when it began"


def test_only_what_the_source_had_printed_before_must_be_passed() -> None:
    """The source prints step 20 at the very moment of the copy's first step, second 10.3."""
    story = Story(own=run(12, 20, 10.3))
    late = Look(at(21), log(run(1, 14, 0.2), run(15, 60, 9.3), started=0))
    source = replace(story.source, after=(*story.source.after, late))
    assert judge(replace(story.evidence, source=source)).kind is Kind.CONTINUED


def test_the_whole_log_of_the_source_replayed_with_new_timestamps_is_rewound() -> None:
    assert verdict_of(copied=0, own=run(1, 40, 10.3)).kind is Kind.REWOUND


def test_the_log_of_a_source_that_lives_on_is_no_process() -> None:
    """The `restored` container shows what the source prints: every line of it is the source's, timestamp included."""
    source = run(1, 60, 0.2)
    looks = tuple(Look(at(moment), log(source[:until], started=9)) for moment, until in ((11, 54), (12, 59)))
    ends = tuple(Look(at(moment), log(source[:until], started=0)) for moment, until in ((6.1, 29), (12.1, 60)))
    before = Look(at(5), log(source[:24], started=0))
    verdict = judge(Evidence(Source("one", before, ends), "two", looks, ready_at=at(6)))
    assert str(verdict) == "inconclusive: the restored process has printed no step of its own yet"


def test_what_the_source_printed_before_it_ended_is_not_the_copys() -> None:
    """The runtime copied the source's log to its very end, which was never read; then an older state began."""
    story = Story(copied=14, own=run(15, 22, 6.5) + run(12, 40, 10.3))
    assert (judge(story.evidence).kind, judge(story.evidence).a) == (Kind.CONTINUED, 12)


@pytest.mark.parametrize(
    ("begin", "number", "kind"),
    [
        (9.0, 15, Kind.INCONCLUSIVE),
        (11.99, 15, Kind.INCONCLUSIVE),
        (12.0, 15, Kind.REWOUND),
        (9.0, 14, Kind.REWOUND),
    ],
)
def test_lines_around_the_start_that_the_source_may_have_printed_last(begin: float, number: int, kind: Kind) -> None:
    """Step 15 came twice. The first of the two is from within 2 s of the container's start (second 10) and follows on
    the source's last step that was read: it may be the source's."""
    verdict = verdict_of(copied=number - 1, own=run(number, number, begin) + run(12, 40, 12.3))
    assert verdict.kind is kind, str(verdict)


def test_a_step_that_came_twice_in_a_container_whose_start_is_not_known() -> None:
    story = Story(own=run(15, 16, 9.0) + run(12, 40, 10.3))
    looks = (Look(look.read_at, ContainerLog(look.log.lines)) for look in story.evidence.restored if look.log)
    assert "the source's log was read too early" in str(judge(seen(story.evidence, *looks)))


def test_a_step_that_follows_on_the_source_is_the_sources_only_when_it_is_older_than_the_container() -> None:
    """`startedAt` is second 10 and may lie 2 s after the first step."""
    assert verdict_of(copied=14, own=run(15, 40, 8.0)).a == 15
    assert verdict_of(copied=14, own=run(15, 40, 7.99)).a == 16


def test_a_later_checkpoint_with_its_log_is_ahead() -> None:
    """Its log holds steps of the source that were never read; they are older than the container."""
    assert verdict_of(copied=14, own=run(15, 20, 6.0) + run(21, 50, 10.3)).kind is Kind.AHEAD


# it goes back


def test_two_histories_in_one_log_are_rewound() -> None:
    own = run(12, 30, 12.3) + run(12, 30, 12.31)
    verdict = verdict_of(own=own)
    assert str(verdict) == "rewound: step 12 of nonce aaaa.. was reached, then 12 came again"


def test_a_process_that_goes_back_within_its_container_is_rewound() -> None:
    verdict = verdict_of(own=run(12, 30, 10.3) + run(14, 40, 16))
    assert str(verdict) == "rewound: step 30 of nonce aaaa.. was reached, then 14 came again"


def test_the_same_line_twice_is_one_step() -> None:
    own = run(12, 30, 10.3)
    assert verdict_of(own=own + own).kind is Kind.CONTINUED


def test_steps_stamped_out_of_order_are_inconclusive() -> None:
    """Steps 11 to 13 come after step 30: the process went back to where it had not been, or the clock did."""
    verdict = verdict_of(copied=10, own=run(14, 30, 10.3) + run(11, 13, 16))
    assert str(verdict) == (
        "inconclusive: step 11 is stamped later than step 30: the process or the node's clock went back"
    )
    assert verdict.pending


def restarted(previous: ContainerLog | None, now: ContainerLog, restarts: int = 1, **state: bool) -> Verdict:
    story = Story()
    looks = tuple(
        Look(at(moment), replace(now, lines=now.lines[: len(now.lines) - drop]), previous, restarts=restarts, **state)
        for moment, drop in ((28, 3), (30, 0))
    )
    return judge(seen(story.evidence, *looks))


COPY = run(1, 11, 0.2)


def test_rewound_by_the_kubelet() -> None:
    first = log(COPY, run(12, 30, 10.3), started=10)
    verdict = restarted(first, log(COPY, run(12, 50, 18.3), started=18))
    assert str(verdict) == "rewound: step 30 of nonce aaaa.. was reached, then 12 came again"


def test_rewound_by_the_kubelet_is_told_in_the_order_of_time() -> None:
    """The log of the first start could be read by a later look only."""
    now = log(COPY, run(12, 50, 18.3), started=18)
    late = Look(at(30), now, log(COPY, run(12, 30, 10.3), started=10), restarts=1)
    verdict = judge(seen(Story().evidence, replace(late, read_at=at(29), previous=None), late))
    assert str(verdict) == "rewound: step 30 of nonce aaaa.. was reached, then 12 came again"


def test_restarted_afresh_by_the_kubelet() -> None:
    first = log(COPY, run(12, 30, 10.3), started=10)
    assert restarted(first, log(run(1, 20, 18.3, ANOTHER), started=18)).kind is Kind.RESTARTED


def test_a_restart_whose_previous_log_is_lost_is_inconclusive() -> None:
    verdict = restarted(None, log(COPY, run(12, 50, 18.3), started=18))
    assert str(verdict) == (
        "inconclusive: the restored container was restarted, and the log of its start before that is not there"
    )
    assert verdict.settled


def test_two_restarts_whose_first_log_is_lost_are_inconclusive() -> None:
    verdict = restarted(log(COPY, started=14), log(COPY, run(12, 50, 18.3), started=18), restarts=2)
    assert verdict.kind is Kind.INCONCLUSIVE


def test_a_start_that_failed_before_the_first_step_does_not_matter() -> None:
    assert restarted(log(COPY, started=10), log(COPY, run(12, 50, 18.3), started=18)).kind is Kind.CONTINUED


def test_a_restart_whose_log_seems_to_go_on_is_not_continued() -> None:
    first = log(COPY, run(12, 30, 10.3), started=10)
    verdict = restarted(first, log(run(31, 60, 18.3), started=18))
    assert str(verdict) == (
        "inconclusive: the restored container was restarted when it had reached step 30, "
        "and its steps are not those of one process"
    )


def test_a_restart_without_a_step_since_is_not_continued() -> None:
    verdict = restarted(log(COPY, run(12, 60, 10.3), started=10), log(COPY, started=25))
    assert str(verdict) == "inconclusive: the restored container was restarted when it had reached step 60"
    assert verdict.pending


def test_a_restart_that_only_the_last_look_shows() -> None:
    story = Story()
    again = Look(at(22), log(COPY, started=21), restarts=1)
    for looks in ((story.look(20, drop=4), story.look(21), again), (again, story.look(20, drop=4), story.look(21))):
        assert "the log of its start before that is not there" in str(judge(seen(story.evidence, *looks)))


def test_a_container_that_ended_is_not_continued() -> None:
    story = Story()
    ended = replace(story.look(21), running=False, ready=False, state="ended: exit code 0")
    verdict = judge(seen(story.evidence, story.look(20, drop=4), ended))
    assert str(verdict) == "inconclusive: the restored container does not run after step 30: ended: exit code 0"
    assert verdict.pending
    over = judge(seen(story.evidence, story.look(20, drop=4), replace(ended, over=True)))
    assert str(over) == "inconclusive: the restored container ended after step 30: ended: exit code 0"
    assert over.settled


def test_a_container_that_never_ran_is_inconclusive() -> None:
    waiting = Look(at(20), None, running=False, ready=False, state="CreateContainerError: no such image")
    verdict = judge(seen(Story().evidence, waiting))
    assert str(verdict) == "inconclusive: the restored container does not run: CreateContainerError: no such image"
    assert verdict.pending
    over = judge(seen(Story().evidence, replace(waiting, over=True)))
    assert "ended before it printed a step" in str(over)
    assert over.settled


# quicker than it can be


@pytest.mark.parametrize(("last", "settled"), [(32, False), (33, True)])
def test_steps_that_came_quicker_than_they_can_be_taken(last: int, settled: bool) -> None:
    """The script sleeps for 0.1 s, and a node may be late by two seconds: with 20 steps, but not with 21."""
    head, own = Story().source_lines[:11], run(12, last, 10.3, period=0)
    looks = (Look(at(20 + more), log(head, own[: len(own) - 4 + 4 * more], started=10)) for more in (0, 1))
    verdict = judge(seen(Story().evidence, *looks))
    came = "came within 0.0 s, and the witness sleeps between two steps: it did not take them one by one"
    quick = f"the steps up to {last} came quicker than the witness takes them"
    assert str(verdict) == "inconclusive: " + (f"steps 12 to {last} {came}" if settled else quick)
    assert verdict.settled is settled


def test_what_came_too_quick_is_told_in_seconds() -> None:
    assert "steps 12 to 80 came within 1.4 s," in str(verdict_of(own=run(12, 80, 10.3, period=0.02)))


def test_a_container_that_was_replaced_without_a_restart() -> None:
    own = run(12, 60, 10.3)
    cut, begun = Story().source_lines[:11], [("one", 12), ("one", 20), ("two", 40), ("two", 49)]
    looks = [Look(at(20 + n), log(cut, own[:n], started=10), container=name) for name, n in begun]
    verdict = judge(seen(Story().evidence, *looks))
    assert str(verdict) == (
        "inconclusive: the restored container was replaced by another one that is not counted as a restart"
    )
    assert judge(seen(Story().evidence, *looks[:2])).kind is Kind.CONTINUED
    empty = replace(looks[0], log=log(cut, started=10), container="none")
    unnamed = replace(looks[0], container="")
    assert judge(seen(Story().evidence, empty, unnamed, *looks[:2])).kind is Kind.CONTINUED


# too early, too little, lost


def test_nothing_seen_yet() -> None:
    verdict = judge(seen(Story().evidence))
    assert (verdict.kind, bool(verdict.pending), verdict.wanting) == (Kind.INCONCLUSIVE, True, 0)


def test_seen_once_is_not_enough() -> None:
    story = Story()
    verdict = judge(seen(story.evidence, story.look(21)))
    assert str(verdict) == "inconclusive: its log was seen once only, so that it may have stopped"
    assert verdict.pending


def test_enough_steps_are_needed() -> None:
    short = verdict_of(own=run(12, 18, 10.3))
    assert str(short) == "inconclusive: 7 of 8 steps of its own were seen so far"
    assert short.pending
    assert short.wanting == 1
    assert verdict_of(own=run(12, 14, 10.3)).wanting == 5
    whole = verdict_of(own=run(12, 19, 10.3))
    assert (whole.kind, whole.wanting) == (Kind.CONTINUED, 0)


@pytest.mark.parametrize("lost", [(20,), (20, 21, 22), (29,)])
def test_gaps_are_inconclusive(lost: tuple[int, ...]) -> None:
    own = tuple(one for n, one in zip(range(12, 31), run(12, 30, 10.3), strict=True) if n not in lost)
    verdict = verdict_of(own=own)
    assert verdict.kind is Kind.INCONCLUSIVE
    assert verdict.pending
    what = f"step {lost[0]} is" if len(lost) == 1 else f"steps {lost[0]} to {lost[-1]} are"
    assert str(verdict) == f"inconclusive: {what} missing in the restored log"


def test_a_gap_after_the_copied_lines_is_inconclusive() -> None:
    assert verdict_of(copied=11, own=run(13, 30, 10.3)).kind is Kind.INCONCLUSIVE


def test_a_log_whose_head_was_rotated_away_is_inconclusive() -> None:
    """No copied line stands before step 12, and it came long after the container's start at second 10, though a step
    takes 0.2 s only."""
    assert verdict_of(copied=0, own=run(12, 40, 12.2)).kind is Kind.CONTINUED
    verdict = verdict_of(copied=0, own=run(12, 40, 12.201))
    assert str(verdict) == "inconclusive: the restored log's beginning is lost: it starts with step 12"
    assert verdict.settled


@pytest.mark.parametrize(("begin", "kind"), [(13.4, Kind.CONTINUED), (13.5, Kind.INCONCLUSIVE)])
def test_no_head_is_missed_where_none_could_hide_an_older_state(begin: float, kind: Kind) -> None:
    """Step 45 comes first, after 3.4 or 3.5 s: before it there is room for 34 or 35 steps, after step 11 or 10 (b)."""
    assert verdict_of(b=10, r=44, copied=0, own=run(45, 80, begin)).kind is kind


def test_an_early_look_remembers_what_was_rotated_away() -> None:
    story = Story()
    late = Look(at(30), log(run(25, 60, 12.9), started=10))
    assert judge(seen(story.evidence, story.look(14), late)).kind is Kind.CONTINUED


def test_a_start_time_that_is_not_known_proves_nothing() -> None:
    story = Story(copied=0)
    looks = tuple(
        replace(look, log=ContainerLog(look.log.lines)) for look in story.evidence.restored if look.log is not None
    )
    assert judge(seen(story.evidence, *looks)).kind is Kind.INCONCLUSIVE


def test_noise_and_a_partial_last_line_do_not_matter() -> None:
    noise = tuple(LogLine(one.stamp + 5, '10.0.0.1 - - "GET /\u2028 HTTP/1.1" 200 615') for one in run(12, 30, 10.3))
    torn = LogLine(run(31, 31, 14.2)[0].stamp, run(31, 31, 14.2)[0].text[:-3])
    assert verdict_of(own=(*Story().own, *noise, torn)).kind is Kind.CONTINUED
