"""Real logs of real restores must be judged right: as read, cut off, in any order of arrival, a second too early."""

from __future__ import annotations

import random
from dataclasses import replace

import pytest
from tests.ContinuityLibrary import recordings
from tests.ContinuityLibrary.recordings import Case

from ContinuityLibrary.evidence import ContainerLog, Look
from ContinuityLibrary.verdict import Kind, judge

CASES = recordings.cases()
pytestmark = pytest.mark.skipif(not CASES, reason=f"the recordings of real restores are not at {recordings.FOLDER}")
each = pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)


def cut(look: Look, keep: slice) -> Look:
    assert look.log is not None
    return replace(look, log=ContainerLog(look.log.lines[keep], look.log.started_at))


def shuffled(look: Look, seed: int) -> Look:
    def mixed(log: ContainerLog | None) -> ContainerLog | None:
        return log and replace(log, lines=tuple(random.Random(seed).sample(log.lines, len(log.lines))))  # noqa: S311

    return replace(look, log=mixed(look.log), previous=mixed(look.previous))


@each
def test_is_judged_right(case: Case) -> None:
    verdict = judge(case.evidence)
    assert verdict.kind == case.verdict, str(verdict)


def test_every_file_of_the_folder_is_judged() -> None:
    assert len(CASES) == len(list(recordings.FOLDER.glob("*.json"))) + 3 + 1, "four generations, two containers"


@each
@pytest.mark.parametrize("seed", range(3))
def test_order_of_arrival_does_not_matter(case: Case, seed: int) -> None:
    evidence = case.evidence
    source = replace(
        evidence.source,
        before=shuffled(evidence.source.before, seed),
        after=tuple(shuffled(look, seed + 1) for look in evidence.source.after),
    )
    mixed = replace(evidence, source=source, restored=tuple(shuffled(look, seed + 2) for look in evidence.restored))
    assert judge(mixed) == judge(replace(mixed, restored=mixed.restored[::-1])) == judge(evidence)


@each
def test_cut_off_at_its_end_a_log_gives_the_same_verdict_or_asks_for_more(case: Case) -> None:
    log = case.evidence.restored[-1].log
    for keep in range(len(log.lines) if log else 0):
        looks = tuple(cut(look, slice(keep)) for look in case.evidence.restored)
        verdict = judge(replace(case.evidence, restored=looks))
        assert verdict.kind == case.verdict or not verdict.settled, f"{keep} lines: {verdict}"


@each
def test_cut_off_at_its_beginning_no_log_is_continued_that_was_not(case: Case) -> None:
    log = case.evidence.restored[-1].log
    for skip in range(len(log.lines) if log else 0):
        looks = tuple(cut(look, slice(skip, None)) for look in case.evidence.restored)
        verdict = judge(replace(case.evidence, restored=looks))
        assert verdict.kind in (case.verdict, Kind.INCONCLUSIVE, Kind.SILENT), f"without the first {skip}: {verdict}"


@each
def test_too_early_a_reading_asks_for_more_or_tells_the_same(case: Case) -> None:
    _, last = case.evidence.restored
    for seconds in (0.3, 0.7, 1, 2, 3, 5):
        verdict = judge(replace(case.evidence, restored=recordings.split(last, before_the_end=seconds)[:1]))
        assert verdict.kind == case.verdict or (verdict.kind == Kind.INCONCLUSIVE and verdict.pending), str(verdict)


@each
def test_too_early_a_reading_of_the_source_gives_no_false_alarm(case: Case) -> None:
    evidence = case.evidence
    early = replace(evidence.source, after=(evidence.source.before,))
    verdict = judge(replace(evidence, source=early))
    assert verdict.kind in (case.verdict, Kind.INCONCLUSIVE), str(verdict)


@each
@pytest.mark.parametrize("percent", [0, 10, 35])
def test_played_faster_than_it_was_nothing_has_continued(case: Case, percent: int) -> None:
    """35 percent of the recorded 0.2 s are less than the script's sleep, also with what is borne."""
    known = {line for look in case.evidence.source.looks if look.log for line in look.log.lines}

    def hurried(look: Look) -> Look:
        lines = look.log.lines if look.log else ()
        begin = min((line.stamp for line in lines if line not in known), default=0)
        quick = (
            line if line in known else replace(line, stamp=begin + (line.stamp - begin) * percent // 100)
            for line in lines
        )
        return replace(look, log=look.log and replace(look.log, lines=tuple(quick)))

    verdict = judge(replace(case.evidence, restored=tuple(hurried(look) for look in case.evidence.restored)))
    assert verdict.kind is not Kind.CONTINUED, str(verdict)


def test_the_kubelets_rewind_had_continued_before() -> None:
    case = next(case for case in CASES if case.name == "rewound-by-the-kubelet")
    assert case.early is not None
    evidence = replace(case.evidence, restored=recordings.split(case.early))
    assert str(judge(evidence)).startswith("continued: step 15 -> 16 of nonce 999c..")


def test_the_kubelets_rewind_is_seen_from_the_early_look_where_the_previous_log_is_lost() -> None:
    case = next(case for case in CASES if case.name == "rewound-by-the-kubelet")
    assert case.early is not None
    late = replace(case.evidence.restored[-1], previous=None)
    assert judge(replace(case.evidence, restored=(case.early, late))).kind is Kind.REWOUND
    assert judge(replace(case.evidence, restored=(late,))).kind is Kind.INCONCLUSIVE


def test_figures_of_a_real_restore() -> None:
    verdict = judge(next(case for case in CASES if case.name == "continued-1").evidence)
    assert (verdict.b, verdict.r, verdict.a, verdict.last, verdict.steps) == (17, 21, 18, 32, 15)
    assert verdict.nonce == verdict.own_nonce == "f53723a689748002"
    assert verdict.checked == 21 + 15
    assert verdict.freeze_gap == pytest.approx(0.8068, abs=0.0001)
    assert str(verdict) == "continued: step 17 -> 18 of nonce f537.."
