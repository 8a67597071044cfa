"""What must hold for every history: any honest one continues, no changed one does, order and early reading are safe."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from tests.ContinuityLibrary.make import ANOTHER, NONCE, Story, at, line, log, run

from ContinuityLibrary.evidence import ContainerLog, Evidence, Look, Source
from ContinuityLibrary.history import HEAD_SLACK
from ContinuityLibrary.logs import NANOSECONDS, LogLine, nanoseconds
from ContinuityLibrary.verdict import Kind, judge

FEW = settings(max_examples=60, deadline=None)


@st.composite
def honest(draw: st.DrawFn, *, most: int = 200) -> Evidence:
    """A restore that went right: any cut, any place where the log was copied, any clock of the restored node."""
    b = draw(st.integers(1, most))
    cut = b + draw(st.integers(0, 6))
    r = cut + draw(st.integers(0, 9))
    copied = draw(st.one_of(st.just(0), st.integers(cut, r)))
    last = r + draw(st.integers(1, 5)) + 8
    skew = draw(st.floats(-3000, 3000))
    first = draw(st.floats(0.01, 1.2)) if copied else draw(st.floats(0.01, 2.1))
    begin = 0.2 * r + 2 + skew
    source = run(1, r, 0.2)
    own = run(cut + 1, last, float(int(begin)) + first)
    looks = tuple(
        Look(at(begin + 60 + seconds), log(source[:copied], own[: len(own) - drop], started=begin))
        for seconds, drop in ((0, draw(st.integers(1, 5))), (1, 0))
    )
    before = Look(at(0.2 * r), log(source[:b], started=0))
    after = Look(at(0.2 * r + 1), log(source, started=0))
    return Evidence(Source("one", before, (after,)), "two", looks, ready_at=at(0.2 * r + 0.5))


@FEW
@given(honest())
def test_every_honest_restore_continues(evidence: Evidence) -> None:
    verdict = judge(evidence)
    assert verdict.kind is Kind.CONTINUED, str(verdict)
    assert verdict.b is not None
    assert verdict.a is not None
    assert verdict.r is not None
    assert verdict.b < verdict.a <= verdict.r + 1


@FEW
@given(honest(), st.randoms(use_true_random=False))
def test_the_order_of_arrival_does_not_change_the_verdict(evidence: Evidence, random: Any) -> None:
    def mixed(look: Look) -> Look:
        lines = look.log.lines if look.log else ()
        return replace(look, log=replace(look.log, lines=tuple(random.sample(lines, len(lines)))))

    source = replace(evidence.source, before=mixed(evidence.source.before), after=(mixed(evidence.source.after[0]),))
    looks = [mixed(look) for look in evidence.restored]
    random.shuffle(looks)
    assert judge(replace(evidence, source=source, restored=tuple(looks))) == judge(evidence)


@FEW
@given(honest(), st.data())
def test_too_early_a_look_asks_for_more(evidence: Evidence, data: st.DataObject) -> None:
    """Whatever was seen earlier of an honest restore, it is never called anything but continued or not yet told."""
    first, last = evidence.restored
    assert first.log is not None
    assert last.log is not None
    keep = data.draw(st.integers(0, len(last.log.lines)))
    early = replace(last, log=replace(last.log, lines=last.log.lines[:keep]))
    fewer = replace(first, log=replace(first.log, lines=first.log.lines[: min(keep, len(first.log.lines))]))
    verdict = judge(replace(evidence, restored=(fewer, early)))
    assert verdict.kind is Kind.CONTINUED or (verdict.kind is Kind.INCONCLUSIVE and verdict.pending), str(verdict)


def changed(one: LogLine, what: str, by: int) -> LogLine:
    """The line with another step, nonce or hash: a hexadecimal digit, or the step, moved on by `by`."""
    head, nonce, step, chain = one.text.split()
    if what == "step":
        step = f"step={int(step.removeprefix('step=')) + by}"
    elif what == "nonce":
        nonce = nonce[:-1] + format((int(nonce[-1], 16) + by) % 16, "x")
    else:
        chain = chain[:-1] + format((int(chain[-1], 16) + by) % 16, "x")
    return LogLine(one.stamp, f"{head} {nonce} {step} {chain}")


@FEW
@given(honest(most=40), st.sampled_from(["step", "nonce", "chain"]), st.integers(1, 15), st.data())
def test_a_changed_line_of_the_restored_log_never_passes(
    evidence: Evidence, what: str, by: int, data: st.DataObject
) -> None:
    log_ = evidence.restored[-1].log
    assert log_ is not None
    at_line = data.draw(st.integers(0, len(log_.lines) - 1))
    original = log_.lines[at_line]

    def lie(look: Look) -> Look:
        assert look.log is not None
        lines = tuple(changed(one, what, by) if one == original else one for one in look.log.lines)
        return replace(look, log=replace(look.log, lines=lines))

    verdict = judge(replace(evidence, restored=tuple(lie(look) for look in evidence.restored)))
    assert verdict.kind is not Kind.CONTINUED, str(verdict)
    assert verdict.settled


@FEW
@given(honest(most=40), st.sampled_from(["step", "nonce", "chain"]), st.integers(1, 15), st.data())
def test_a_changed_line_of_the_sources_log_never_passes(
    evidence: Evidence, what: str, by: int, data: st.DataObject
) -> None:
    look = evidence.source.after[0]
    assert look.log is not None
    at_line = data.draw(st.integers(0, len(look.log.lines) - 1))
    lines = tuple(changed(one, what, by) if n == at_line else one for n, one in enumerate(look.log.lines))
    source = replace(evidence.source, after=(replace(look, log=replace(look.log, lines=lines)),))
    assert judge(replace(evidence, source=source)).kind is Kind.INCONCLUSIVE


@st.composite
def dishonest(draw: st.DrawFn) -> tuple[Kind, Evidence]:
    """A restored container that is not the checkpoint's process, from its first step on."""
    kind = draw(st.sampled_from([Kind.RESTARTED, Kind.REWOUND, Kind.AHEAD, Kind.FOREIGN]))
    b, window = draw(st.integers(10, 40)), draw(st.integers(0, 8))
    r = b + window
    first, nonce = {
        Kind.RESTARTED: (1, ANOTHER),
        Kind.REWOUND: (draw(st.integers(1, b)), NONCE),
        Kind.AHEAD: (r + 2 + draw(st.integers(0, 50)), NONCE),
        Kind.FOREIGN: (draw(st.integers(1, 60)), ANOTHER),
    }[kind]
    copied = draw(st.integers(min(first, r), r)) if kind is Kind.REWOUND else r
    story = Story(b=b, r=r, copied=copied, own=run(first, first + 20, 30.3, nonce))
    if kind is Kind.FOREIGN:
        story = replace(story, others={ANOTHER: "ns/other"})
    looks = tuple(
        Look(at(seconds), log(story.source_lines[:copied], story.own[:until], started=30))
        for seconds, until in ((40, 15), (41, 21))
    )
    return kind, replace(story.evidence, restored=looks)


@FEW
@given(dishonest())
def test_every_dishonest_restore_is_named(case: tuple[Kind, Evidence]) -> None:
    kind, evidence = case
    verdict = judge(evidence)
    assert verdict.kind is kind, str(verdict)
    assert verdict.settled


@FEW
@given(dishonest(), st.data())
def test_cutting_a_log_makes_no_lie_pass(case: tuple[Kind, Evidence], data: st.DataObject) -> None:
    """Cut at either end, as an early reading and a rotation do. What a log cannot tell is left out: its own first lines
    lost, all copied ones with them, so soon after the start that the process may just have been slow to begin."""
    _, evidence = case
    log_ = evidence.restored[-1].log
    assert log_ is not None
    skip, keep = (data.draw(st.integers(0, len(log_.lines))) for _ in range(2))
    kept = {(one.stamp, one.text) for one in log_.lines[skip:keep]}
    began = nanoseconds(at(30))
    own = [one.stamp for one in log_.lines[skip:keep] if one.stamp >= began]
    copied_are_lost = skip > sum(one.stamp < began for one in log_.lines)
    assume(not (copied_are_lost and own and own[0] - began <= HEAD_SLACK + 0.2 * NANOSECONDS))

    def cut(look: Look) -> Look:
        assert look.log is not None
        return replace(
            look, log=replace(look.log, lines=tuple(one for one in look.log.lines if (one.stamp, one.text) in kept))
        )

    verdict = judge(replace(evidence, restored=tuple(cut(look) for look in evidence.restored)))
    assert verdict.kind is not Kind.CONTINUED, str(verdict)


@FEW
@given(st.lists(st.tuples(st.integers(-5, 40), st.sampled_from([NONCE, ANOTHER]), st.floats(0, 60)), max_size=30))
def test_no_log_makes_the_judge_stumble_and_a_jumble_never_passes(jumble: list[tuple[int, str, float]]) -> None:
    lines = [line(max(1, number), seconds, nonce) for number, nonce, seconds in jumble]
    numbers = sorted(number for number, nonce, _ in jumble if nonce == NONCE)
    looks = (Look(at(60), log(lines[:-1], started=0)), Look(at(61), log(lines, started=0)))
    verdict = judge(replace(Story().evidence, restored=looks))
    if verdict.kind is Kind.CONTINUED:
        assert numbers == list(range(numbers[0], numbers[-1] + 1))
        assert 11 <= numbers[0] <= 15


@pytest.mark.parametrize("count", [0, 1])
def test_an_empty_log_is_no_verdict(count: int) -> None:
    looks = tuple(Look(at(20), ContainerLog(started_at=at(10))) for _ in range(count))
    assert judge(replace(Story().evidence, restored=looks)).kind is Kind.INCONCLUSIVE


def test_stamps_of_the_makers_are_those_of_the_parser() -> None:
    assert line(1, 1.5).stamp == nanoseconds(at(1.5))
