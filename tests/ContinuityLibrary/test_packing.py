"""A log at rest is the same log, whatever stands in it, and takes little room."""

import tracemalloc

from hypothesis import given
from hypothesis import strategies as st
from tests.ContinuityLibrary.make import ANOTHER, NONCE, at, log, run

from ContinuityLibrary import witness
from ContinuityLibrary.evidence import ContainerLog, Look
from ContinuityLibrary.logs import LogLine
from ContinuityLibrary.observation import Observation, Workload
from ContinuityLibrary.packing import Packed

STEPS = st.builds(
    lambda nonce, number, end: f"witness/1 nonce={nonce} step={number} chain={witness.chain(nonce, number)}"[:-1] + end,
    st.sampled_from([NONCE, ANOTHER]),
    st.integers(1, 50),
    st.sampled_from(["0", "1", "f", "f\r", "", "g"]),
)
STAMPS = st.integers(-(10**12), 10**12) | st.integers(-(10**20), 10**20)
LINES = st.lists(st.builds(LogLine, STAMPS, STEPS | st.text(max_size=5)), max_size=8).map(tuple)


@given(LINES)
def test_the_lines_are_as_they_were(lines: tuple[LogLine, ...]):
    packed = Packed(lines)
    assert (packed, tuple(packed), len(packed)) == (lines, lines, len(lines))
    assert hash(packed) == hash(lines)
    assert [one.printed for one in packed] == [one.printed for one in lines]
    assert [one.printed and witness.follows(one.printed.step) for one in packed] == [
        one.printed and witness.follows(one.printed.step) for one in lines
    ]


def test_other_lines_are_others():
    lines = run(1, 3, 0.2)
    assert Packed(lines) == lines
    assert Packed(lines) != lines[:2]
    assert Packed(lines) != (*lines[:2], LogLine(lines[2].stamp + 1, lines[2].text))
    assert Packed(lines) != 3


@given(LINES, st.integers(-9, 9), st.integers(-9, 9))
def test_parts_of_it_are_those_of_the_lines(lines: tuple[LogLine, ...], start: int, end: int):
    assert Packed(lines)[start:end] == lines[start:end]
    assert all(Packed(lines)[at] == one for at, one in enumerate(lines))


def test_a_hash_that_was_found_right_is_not_computed_again(monkeypatch):
    packed = Packed(run(1, 20, 0.2))
    monkeypatch.setattr(witness, "chain", None)
    assert all(one.printed and witness.follows(one.printed.step) for one in packed)


def test_an_observation_takes_little_room_once_it_was_judged():
    count = 2000
    tracemalloc.start()
    try:
        seen = Observation(Workload("c", "ns", "pod"), "uid", Look(at(0), log(run(1, count, 0.2), started=0)))
        seen.ready_at = at(1)
        for moment in (2, 3, 4):
            seen.add(Look(at(moment), log(run(1, count, 0.2), started=0)))
        evidence = seen.evidence("uid-2", [])
        steps = [len(look.log.steps) for look in evidence.source.looks if look.log]
        del evidence
        seen.rest()
        taken = tracemalloc.get_traced_memory()[0]
    finally:
        tracemalloc.stop()
    assert steps == [count] * 3
    assert taken < 3 * count * 40


def test_what_is_judged_again_and_again_is_unpacked_once():
    seen = Observation(Workload("c", "ns", "pod"), "uid", Look(at(0), log(run(1, 3, 0.2), started=0)))
    first, second = (seen.evidence("uid-2", []).source for _ in range(2))
    assert first is second
    seen.add(Look(at(2), ContainerLog(run(1, 5, 0.2))))
    after = seen.evidence("uid-2", []).source
    assert [len(look.log.steps) for look in after.looks if look.log] == [3, 5]
    assert all(new is old for new, old in zip(after.after[0].log.lines, after.before.log.lines, strict=False))


def test_who_is_asked_for_another_checkpoint_is_judged_by_its_newest_look():
    seen = Observation(Workload("c", "ns", "pod"), "uid", Look(at(0), ContainerLog(run(1, 3, 0.2))))
    assert len(seen.evidence("uid-2", []).source.before.steps()) == 3
    seen.asked(Look(at(5), ContainerLog(run(1, 9, 0.2))))
    assert len(seen.evidence("uid-2", []).source.before.steps()) == 9
