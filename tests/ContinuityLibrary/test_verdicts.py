"""Each verdict, each of its borders, and lies that stand in no catalogue."""

from __future__ import annotations

from dataclasses import replace

import pytest
from tests.ContinuityLibrary.make import ANOTHER, NONCE, THIRD, Story, at, line, log, run, seen

from ContinuityLibrary.evidence import Look
from ContinuityLibrary.verdict import Kind, Verdict, judge


def verdict_of(**changes: object) -> Verdict:
    return judge(replace(Story(), **changes).evidence)  # type: ignore[arg-type]


def test_continued() -> None:
    verdict = judge(Story().evidence)
    assert str(verdict) == "continued: step 11 -> 12 of nonce aaaa.."
    assert verdict.settled
    assert (verdict.b, verdict.r, verdict.a, verdict.last, verdict.steps) == (10, 14, 12, 30, 19)
    assert verdict.checked == 14 + 19


@pytest.mark.parametrize(
    ("first", "kind"),
    [
        (9, Kind.REWOUND),
        (10, Kind.REWOUND),
        (11, Kind.CONTINUED),
        (15, Kind.CONTINUED),
        (16, Kind.AHEAD),
    ],
)
def test_the_window_of_the_first_step(first: int, kind: Kind) -> None:
    """b is 10 and r is 14; the copied lines end with the step before the first own one."""
    verdict = verdict_of(copied=min(first - 1, 14), own=run(first, first + 19, 10.3))
    assert verdict.kind is kind, str(verdict)
    assert verdict.a == first
    assert verdict.settled


@pytest.mark.parametrize(("first", "kind"), [(10, Kind.REWOUND), (11, Kind.CONTINUED), (15, Kind.CONTINUED)])
def test_the_window_where_the_runtime_copies_no_log(first: int, kind: Kind) -> None:
    assert verdict_of(copied=0, own=run(first, first + 19, 10.3)).kind is kind


def test_ahead_where_the_runtime_copies_no_log() -> None:
    """Between the container's start (second 10) and the first step (10.3) at most 3 steps can have been lost."""
    assert verdict_of(copied=0, own=run(19, 40, 10.3)).kind is Kind.AHEAD
    doubtful = verdict_of(copied=0, own=run(18, 40, 10.3))
    assert str(doubtful) == "inconclusive: step 18 came first, but steps may be lost at the head of its log"


def test_a_step_of_the_copied_tail_is_printed_again() -> None:
    """The log is copied after the source went on, so that it may hold a line from after the cut."""
    verdict = verdict_of(copied=13, own=run(12, 30, 10.3))
    assert (verdict.kind, verdict.a) == (Kind.CONTINUED, 12)


def test_restarted() -> None:
    verdict = verdict_of(copied=0, own=run(1, 3, 10.3, ANOTHER))
    assert str(verdict) == "restarted: nonce aaaa.. was at step 14, then came step 1 of nonce bbbb.."
    assert (verdict.a, verdict.last, verdict.own_nonce, verdict.steps) == (1, 3, ANOTHER, 3)
    assert verdict.trail[-1][1:] == (3, "other")
    assert verdict.settled


def test_a_restart_with_the_sources_lines_in_front_is_restarted() -> None:
    assert verdict_of(copied=14, own=run(1, 30, 10.3, ANOTHER)).kind is Kind.RESTARTED


def test_a_restart_after_some_steps_that_went_on_is_restarted() -> None:
    own = run(12, 30, 10.3) + run(1, 30, 16, ANOTHER)
    assert verdict_of(own=own).kind is Kind.RESTARTED


def test_a_fresh_process_beside_the_restored_one_is_restarted() -> None:
    own = run(12, 30, 10.3) + run(1, 19, 10.2, ANOTHER)
    assert verdict_of(own=own).kind is Kind.RESTARTED


def test_foreign() -> None:
    others = {ANOTHER: "ns/other", THIRD: "ns/third"}
    verdict = verdict_of(own=run(7, 30, 10.3, ANOTHER), others=others)
    assert str(verdict) == "foreign: step 7 of nonce bbbb.., which is that of ns/other"
    assert (verdict.a, verdict.last) == (7, 30)


def test_foreign_with_its_own_lines_in_front() -> None:
    """The copied lines are from before the container's start; the process begins after them."""
    own = run(1, 6, 5, ANOTHER) + run(7, 30, 10.3, ANOTHER)
    verdict = verdict_of(copied=0, own=own, others={ANOTHER: "ns/other"})
    assert (verdict.kind, verdict.a) == (Kind.FOREIGN, 7)


def test_foreign_wins_over_a_process_that_nobody_knows() -> None:
    own = run(1, 9, 10.3, THIRD) + run(7, 30, 10.3, ANOTHER)
    assert verdict_of(own=own, others={ANOTHER: "ns/other"}).kind is Kind.FOREIGN


def test_an_unknown_process_that_cannot_have_been_started_afresh_is_foreign() -> None:
    """At second 10.3 a process that began with its container at second 10 has printed 3 steps; 50 are allowed more."""
    stranger = verdict_of(own=run(54, 66, 10.3, ANOTHER))
    assert str(stranger) == "foreign: step 54 of nonce bbbb.., which no workload of this run has"
    assert verdict_of(own=run(53, 66, 10.3, ANOTHER)).kind is Kind.RESTARTED


def test_the_sources_own_nonce_among_the_others_is_not_foreign() -> None:
    assert verdict_of(others={NONCE: "ns/source"}).kind is Kind.CONTINUED


@pytest.mark.parametrize("at_step", [12, 20, 30])
def test_broken_chain(at_step: int) -> None:
    own = tuple(
        line(n, 10.3 + 0.2 * n, chain="0123456789abcdef") if n == at_step else line(n, 10.3 + 0.2 * n)
        for n in range(12, 31)
    )
    verdict = verdict_of(own=own)
    assert str(verdict) == f"broken chain: the hash of step {at_step} of nonce aaaa.. does not follow"
    assert verdict.checked == 14 + 18


def test_original() -> None:
    evidence = replace(Story().evidence, restored_uid="uid-source")
    assert str(judge(evidence)) == "original: the pod with UID uid-source is the source itself"
    assert judge(replace(evidence, restored=())).kind is Kind.ORIGINAL


# figures


def test_freeze_gap_and_downtime() -> None:
    lines = run(1, 11, 0.2) + run(12, 14, 2.95)
    source = replace(Story().source, after=(Look(at(6.1), log(lines, started=0)),))
    verdict = judge(replace(Story().evidence, source=source))
    assert verdict.freeze_gap == pytest.approx(0.75)
    assert verdict.downtime == pytest.approx(3.3)
    assert verdict.first_step_at == at(10.3)


def test_figures_that_are_not_known() -> None:
    evidence = replace(Story().evidence, deleted_at=None)
    early = replace(evidence, source=replace(evidence.source, after=()))
    assert judge(evidence).downtime is None
    assert judge(early).freeze_gap is None
    assert judge(replace(evidence, deleted_at=at(11))).downtime is None, "the clocks differ by more than it took"
    assert judge(replace(evidence, deleted_at=at(10.3))).downtime == 0
    assert judge(evidence).restore_to_first_step is None
    assert judge(replace(evidence, restore_asked_at=at(8.3))).restore_to_first_step == pytest.approx(2)


def test_a_verdict_without_figures() -> None:
    verdict = Verdict(Kind.INCONCLUSIVE, "nothing")
    assert (verdict.steps, verdict.checked, verdict.b, verdict.settled) == (0, 0, None, True)
    assert (verdict.nonce, verdict.own_nonce, verdict.pending, verdict.wanting) == ("", "", "", 0)


def test_a_trail_has_milliseconds_and_a_verdict_needs_eight_steps() -> None:
    found = judge(Story(own=run(12, 19, 10.30061)).evidence)
    assert found.kind is Kind.CONTINUED
    assert found.trail[-1] == (round(at(10.30061 + 7 * 0.2).timestamp(), 3), 19, "own")
    assert judge(Story(own=run(12, 18, 10.3)).evidence).kind is Kind.INCONCLUSIVE


def test_as_a_dictionary() -> None:
    found = judge(Story().evidence).to_dict()
    source, own = found["trail"][:14], found["trail"][14:]
    assert source == [(round(at(0.2 * step).timestamp(), 3), step, "source") for step in range(1, 15)]
    assert own == [(round(at(10.3 + 0.2 * (step - 12)).timestamp(), 3), step, "own") for step in range(12, 31)]
    del found["trail"]
    assert found == {
        "verdict": "continued",
        "witness": "log",
        "sentence": "continued: step 11 -> 12 of nonce aaaa..",
        "nonce": NONCE,
        "b": 10,
        "r": 14,
        "a": 12,
        "last": 30,
        "own_nonce": NONCE,
        "own_steps": 19,
        "chain_checked": 33,
        "freeze_gap_seconds": pytest.approx(0.2),
        "downtime_seconds": pytest.approx(3.3),
        "restore_to_first_step_seconds": None,
        "first_step_at": "2026-11-24T12:00:10.300000+00:00",
        "pending": None,
    }
    nothing = judge(seen(Story().evidence)).to_dict()
    assert [key for key, value in nothing.items() if value is None] == [
        "a", "last", "own_nonce", "downtime_seconds", "restore_to_first_step_seconds", "first_step_at",
    ]  # fmt: skip


def test_of_a_long_trail_the_newest_steps_are_kept() -> None:
    found = judge(Story(own=run(12, 500, 10.3)).evidence)
    assert (len(found.trail), found.trail[0][1:], found.trail[-1][1:]) == (400, (101, "own"), (500, "own"))
    assert found.to_dict()["trail"] == list(found.trail)
