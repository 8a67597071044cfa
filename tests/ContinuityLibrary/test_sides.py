"""What a container told in its surviving history: which lines are the source's, and which are its copy's own."""

from __future__ import annotations

from dataclasses import replace

from tests.ContinuityLibrary.exchanges import NONCES
from tests.ContinuityLibrary.make import at

from ContinuityLibrary import witness
from ContinuityLibrary.cut import side
from ContinuityLibrary.evidence import ContainerLog, Evidence, Look, Source
from ContinuityLibrary.logs import LogLine, parse
from ContinuityLibrary.verdict import judge


def _two_lines(step: int, seconds: float, sent: int, nonce: str = NONCES["left"]) -> list[LogLine]:
    stamp = f"2026-11-24T22:19:{seconds:06.3f}Z"
    exchange = f"messages/1 nonce={nonce} step={step} sent={sent}/{sent:08x} got=-/0/-"
    text = f"witness/1 nonce={nonce} step={step} chain={witness.chain(nonce, step)}"
    return list(parse([f"{stamp} {text}", f"{stamp} {exchange}"]))


def _restored_after_five() -> Evidence:
    """A source that was cut after its step 5 and went on to step 8; its copy began with its lines up to step 6."""
    source = [one for step in range(1, 9) for one in _two_lines(step, step / 5, step)]
    own = [one for step in range(6, 14) for one in _two_lines(step, 10 + step / 5, 99)]
    looks = (
        Look(at(20), ContainerLog(tuple(source[:12] + own[:-2]))),
        Look(at(21), ContainerLog(tuple(source[:12] + own))),
    )
    early, late = Look(at(1), ContainerLog(tuple(source[:8]))), Look(at(2), ContainerLog(tuple(source)))
    return Evidence(Source("one", early, (late,)), "two", looks, ready_at=at(1.5))


def test_copied_lines_belong_to_the_source() -> None:
    """A line that the source printed after the cut and that a restore copied is no line of the copy's own."""
    evidence = _restored_after_five()
    found = side("left", evidence, judge(evidence))
    assert found is not None
    assert (found.first_own, [one.step for one in found.before]) == (6, [1, 2, 3, 4, 5])
    assert [one.step for one in found.own] == list(range(6, 14))
    assert {one.exchange.sent.number for one in found.own if one.exchange.sent} == {99}


def test_what_another_process_told_is_no_part_of_a_side() -> None:
    evidence = _restored_after_five()
    verdict = judge(evidence)
    other = tuple(_two_lines(2, 0.1, 7, "e" * 16))
    later = tuple(_two_lines(9, 19, 7, "e" * 16))
    source = replace(evidence.source, before=_with(evidence.source.before, other))
    crowded = replace(evidence, source=source, restored=tuple(_with(one, later) for one in evidence.restored))
    assert side("left", crowded, verdict) == side("left", evidence, verdict)


def _with(look: Look, lines: tuple[LogLine, ...]) -> Look:
    return replace(look, log=replace(look.log, lines=(*lines, *look.log.lines)))


def test_there_is_no_side_of_a_process_that_did_not_go_on() -> None:
    evidence = _restored_after_five()
    verdict = judge(evidence)
    assert side("left", evidence, replace(verdict, a=None)) is None
    assert side("left", evidence, replace(verdict, own_nonce="e" * 16)) is None
