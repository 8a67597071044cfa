"""Timestamped logs, with all that stands in real ones beside the witness's lines."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone

import pytest

from ContinuityLibrary import witness
from ContinuityLibrary.logs import LogLine, Printed, nanoseconds, parse, sharing, steps

SECOND = 1_000_000_000
BASE = int(datetime(2026, 11, 24, 22, 18, 40, tzinfo=UTC).timestamp()) * SECOND
STEP = f"witness/1 nonce={'a' * 16} step=1 chain={witness.chain('a' * 16, 1)}"


@pytest.mark.parametrize(
    ("text", "stamp", "rest"),
    [
        ("2026-11-24T22:18:40.022613692Z x", BASE + 22613692, "x"),
        ("2026-11-24T22:18:40Z x", BASE, "x"),
        ("2026-11-24T22:18:40.5Z x", BASE + 500_000_000, "x"),
        ("2026-11-24T23:18:40.000000001+01:00 x", BASE + 1, "x"),
        ("2026-11-24T17:48:40.1-04:30 x", BASE + 100_000_000, "x"),
        ("2026-11-24T22:18:40Z  x", BASE, " x"),
        ("2026-11-24T22:18:40Z ", BASE, ""),
        ("2026-11-24T22:18:40Z", BASE, ""),
        ("2026-11-24T22:18:40Z a\u2028b\x0bc", BASE, "a\u2028b\x0bc"),
    ],
)
def test_a_line_with_a_timestamp(text: str, stamp: int, rest: str) -> None:
    assert parse(text) == (LogLine(stamp, rest),)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "no stamp",
        '!400 {"kind":"Status"}',
        "2026-13-24T22:18:40Z x",
        "2026-11-24T22:18:40 x",
        "2026-11-24 22:18:40Z x",
        "2026-11-24T22:18:40Zx",
        "2026-11-24T22:18:40.0123456789Z x",
        " 2026-11-24T22:18:40Z x",
        "\u0662026-11-24T22:18:40Z x",
    ],
)
def test_a_line_without_one_is_left_out(text: str) -> None:
    assert parse(text) == ()
    assert parse(f"{text}\n2026-11-24T22:18:40Z x\n") == (LogLine(BASE, "x"),)


def test_text_and_lines_give_the_same() -> None:
    text = f"2026-11-24T22:18:40Z {STEP}\n2026-11-24T22:18:41Z b\n"
    assert parse(text) == parse(text.splitlines(keepends=True)) == parse(text.splitlines())


def test_a_timestamp_that_the_program_prints_is_text() -> None:
    (line,) = parse(f"2026-11-24T22:18:40Z 2026-11-24T22:18:50Z {STEP}")
    assert line.stamp == BASE
    assert steps([line]) == ()


def test_steps_are_sorted_and_each_stands_once() -> None:
    noise = LogLine(BASE, '10.0.0.1 - - "GET / HTTP/1.1" 200')
    early, late = LogLine(BASE, STEP), LogLine(BASE + 1, STEP)
    step = witness.parse(STEP)
    assert step is not None
    assert steps([late, noise, early, late, early]) == (Printed(BASE, step), Printed(BASE + 1, step))


def test_nanoseconds_keep_microseconds() -> None:
    moment = datetime(2026, 11, 24, 22, 18, 40, 123457, tzinfo=UTC)
    assert nanoseconds(moment) == BASE + 123457000
    assert nanoseconds(moment.astimezone(timezone(timedelta(hours=5)))) == BASE + 123457000


def test_a_line_that_holds_a_line_break_is_one_line() -> None:
    (line,) = parse(["2026-11-24T22:18:40Z one\ntwo"])
    assert line.text == "one\ntwo"


LINES = tuple(LogLine(BASE + number, f"line {number}") for number in range(6))


@pytest.mark.parametrize(
    ("begin", "end", "known"),
    [(0, 4, 4), (0, 6, 6), (0, 0, 0), (2, 6, 4), (4, 6, 2), (6, 6, 0)],
    ids=["longer now", "nothing new", "nothing before", "its head is rotated away", "two lines before", "both empty"],
)
def test_lines_that_an_earlier_look_has_seen_are_its_very_ones(begin: int, end: int, known: int) -> None:
    earlier = LINES[:end]
    now = tuple(LogLine(line.stamp, line.text) for line in LINES[begin:])
    shared = sharing(now, earlier)
    assert shared == now
    assert [any(line is old for old in earlier) for line in shared] == [n < known for n in range(len(now))]


def test_a_line_that_is_another_one_is_not_shared_nor_what_follows_it() -> None:
    other = LogLine(BASE + 1, "another line 1"), LogLine(BASE + 2, "line 2")
    shared = sharing((LINES[0], *other), LINES)
    assert shared[0] is LINES[0]
    assert shared[1:] == other
    assert shared[2] is not LINES[2]
