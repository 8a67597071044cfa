"""How quick a witness can be, and how much quicker than that its steps seem to have come."""

from __future__ import annotations

import pytest
from tests.ContinuityLibrary.make import at, line, run

from ContinuityLibrary.logs import LogLine, Printed, nanoseconds, steps
from ContinuityLibrary.pace import keeps_pace, least_gap, printed_by, too_quick_by

GAP = 100_000_000


@pytest.mark.parametrize(
    ("source", "gap"),
    [
        ((), GAP),
        (run(1, 1, 0.2), GAP),
        (run(1, 14, 0.2, period=0.2), GAP),
        (run(1, 14, 0.2, period=0.1), GAP),
        (run(1, 14, 0.2, period=0.05), 40_000_000),
        (run(1, 2, 0.2, period=0.05), 40_000_000),
        (run(1, 9, 0.2, period=0.2) + run(10, 19, 2.0, period=0.05), 40_000_000),
        (run(1, 8, 0.2, period=0.2) + run(9, 15, 1.6, period=0), 20_000_000),
        (run(1, 30, 0.2, period=0), GAP),
        (run(1, 8, 0.2) + run(1, 8, 2.0), GAP),
        (run(1, 5, 50.0) + run(6, 14, 1.0), GAP),
        (run(9, 12, 0.2, period=0.05) + run(1, 4, 0.4, period=0.05), GAP),
        (run(1, 9, 0.2, period=0.000000125), 100),
    ],
    ids=[
        "nothing is known", "one step", "slower", "as the script", "quicker", "two steps", "quicker for eight steps",
        "a node that was late", "all at once", "each step twice", "a clock that went back",
        "another process of before", "in no time",
    ],
)  # fmt: skip
def test_the_least_time_between_two_steps(source: tuple[LogLine, ...], gap: int) -> None:
    assert least_gap(steps(source)) == gap


def own(*parts: tuple[LogLine, ...]) -> tuple[Printed, ...]:
    return steps(one for part in parts for one in part)


@pytest.mark.parametrize(
    ("seen", "seconds"),
    [
        ((), 0),
        (own(run(12, 30, 10.3, period=0.1)), 0),
        (own(run(12, 30, 10.3, period=0.5)), 0),
        (own(run(12, 32, 10.3, period=0)), 2.0),
        (own(run(12, 32, 10.3, period=0), run(33, 60, 20.0)), 2.0),
        (own(run(12, 20, 10.3), run(21, 31, 14.0, period=0.05)), 0.5),
        (own(run(12, 22, 10.3, period=0), run(23, 33, 12.3, period=0)), 1.0),
        (own(run(12, 22, 10.3, period=0), run(23, 33, 10.8, period=0)), 1.6),
    ],
    ids=["nothing", "in time", "slow", "at once", "at once, then slow", "quick later", "twice", "twice in a row"],
)
def test_how_much_too_quick(seen: tuple[Printed, ...], seconds: float) -> None:
    assert too_quick_by(seen, GAP) == int(seconds * 1e9)


@pytest.mark.parametrize(
    ("seen", "keeps"),
    [
        (own(run(12, 19, 10.3, period=0.1)), True),
        (own(run(12, 19, 10.3, period=0.08)), True),
        (own(run(12, 19, 10.3, period=0.079)), False),
        (own(run(12, 18, 10.3, period=0.1)), False),
        (own(run(12, 22, 10.3, period=0), run(23, 30, 10.4, period=0.1)), False),
        (own(run(12, 22, 10.3, period=0), run(23, 33, 10.4, period=0.1)), True),
        (own(run(12, 20, 10.3, period=0.1), run(21, 40, 11.2, period=0.001)), False),
        (own(run(12, 18, 10.3, period=0.08), run(19, 19, 10.78)), False),
        (own(run(12, 22, 10.3, period=0), run(23, 32, 10.4, period=0.1)), True),
    ],
    ids=[
        "in time",
        "hardly",
        "not quite",
        "too few",
        "not long enough",
        "long enough",
        "not at its end",
        "but the last",
        "just long enough",
    ],
)
def test_whether_it_keeps_its_pace(seen: tuple[Printed, ...], keeps: bool) -> None:
    assert keeps_pace(seen, GAP, 8) is keeps


def test_when_a_step_was_printed_at_the_latest() -> None:
    assert printed_by(own(run(12, 30, 10.3, period=0.1)), GAP) == nanoseconds(at(10.3))
    assert printed_by(own(run(12, 31, 12.0, period=0), run(32, 40, 12.1)), GAP) == line(1, 12.0).stamp - 19 * GAP
