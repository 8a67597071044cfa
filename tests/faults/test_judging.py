"""The runner of the faults judges runs by what their evidence says."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from tests.faults.__main__ import main
from tests.faults.catalogue import SAMPLE, Fault, faults
from tests.faults.clean import circumstances, suites
from tests.faults.judging import Judged, closing_line, table
from tests.faults.running import Failure, Ran, failures_of

FATAL = Fault("it-lies", "restore", "It lies.", "fails", "process-restarted")
HARMLESS = Fault("it-lags", "propagator", "It lags.", "tolerated", None)


def ran(*causes: str, hits: int = 1, passed: int = 1) -> Ran:
    return Ran(len(causes), tuple(Failure("test", cause, "") for cause in causes), hits, 1.0, passed=passed)


@pytest.mark.parametrize(
    ("judged", "caught", "right", "good"),
    [
        (Judged(FATAL, ran("process-restarted", "leftovers")), True, True, True),
        (Judged(FATAL, ran("leftovers", "process-restarted")), True, False, False),
        (Judged(FATAL, ran()), False, False, False),
        (Judged(FATAL, ran("process-restarted", hits=0)), False, False, False),
        (Judged(FATAL, None, "no run"), False, False, False),
        (Judged(HARMLESS, ran()), False, False, True),
        (Judged(HARMLESS, ran(hits=0)), False, False, False),
        (Judged(HARMLESS, ran(passed=0)), False, False, False),
        (Judged(None, ran(hits=0, passed=0)), False, False, True),
        (Judged(HARMLESS, ran("auth")), True, False, False),
        (Judged(None, ran(hits=0)), False, False, True),
        (Judged(None, ran("unknown", hits=0)), True, False, False),
    ],
)
def test_a_run_is_held_against_its_declaration(judged: Judged, caught: bool, right: bool, good: bool) -> None:
    assert (judged.caught, judged.right_cause, judged.good) == (caught, right, good)


@pytest.mark.parametrize(
    ("where", "verdicts", "words"),
    [
        ("Lifecycle", ("restarted",), "process-restarted"),
        ("Lifecycle", ("continued", "restarted"), "process-restarted"),
        ("Control", ("restarted",), "in Control"),
        ("Lifecycle", ("silent",), "verdict silent"),
        ("Control", (), "in Control, verdict none"),
    ],
)
def test_the_declared_test_and_verdict_are_asked_for(where: str, verdicts: tuple[str, ...], words: str) -> None:
    declared = replace(FATAL, test="Lifecycle", verdict="restarted")
    failure = Failure(where, "process-restarted", "", verdicts)
    judged = Judged(declared, Ran(1, (failure,), 1, 1.0))
    assert judged.words == words
    assert judged.caught
    assert judged.right_cause == (words == "process-restarted")


def test_a_fault_names_a_suite_below_suites() -> None:
    assert FATAL.path == "suites/lifecycle.robot"
    assert replace(FATAL, suite="network").path == "suites/network.robot"


def test_the_closing_line_counts() -> None:
    judged = [
        Judged(FATAL, ran("process-restarted")),
        Judged(FATAL, ran("unknown")),
        Judged(FATAL, ran()),
        Judged(HARMLESS, ran()),
        Judged(HARMLESS, ran("auth")),
        Judged(None, ran(hits=0)),
        Judged(None, ran("auth", hits=0)),
    ]
    assert closing_line(judged) == (
        "faults: 3, caught: 2, right cause: 1, tolerated: 1 of 2; clean runs: 2, false alarms: 1"
    )


def test_the_table_has_a_line_for_each() -> None:
    lines = table([Judged(FATAL, ran("process-restarted")), Judged(HARMLESS, ran(hits=0)), Judged(None, None, "gone")])
    assert [line.split()[0] for line in lines.splitlines()] == ["group", "ok", "--", "--"]
    assert "not met: the suites never come to it" in lines


def row(start: int, cause: str | None, message: str = "") -> dict[str, Any]:
    return {"name": str(start), "start": f"2026-01-01T00:00:0{start}", "message": message} | {
        "cause": {"name": cause} if cause else None,
        "verdicts": [{"verdict": "restarted"}],
    }


def test_the_first_failure_is_the_one_that_began_first() -> None:
    evidence = {
        "suites": [row(1, "leftovers", "Suite teardown failed:\n..."), row(1, None)],
        "tests": [
            row(4, "leftovers", "Parent suite teardown failed:\n..."),
            row(3, "check-broken"),
            row(2, "process-restarted", "Seen ...\n\nAlso parent suite teardown failed:\n..."),
        ],
    }
    assert [one.cause for one in failures_of(evidence)] == [
        "process-restarted",
        "check-broken",
        "leftovers",
        "leftovers",
    ]


def test_a_set_up_fails_before_its_tests() -> None:
    evidence = {"suites": [row(1, "auth", "Suite setup failed:\n...")], "tests": [row(2, "auth")]}
    assert [one.where for one in failures_of(evidence)] == ["1", "2"]
    assert failures_of(evidence)[0].verdicts == ("restarted",)


def test_the_sample_has_each_group_and_both_expectations() -> None:
    known = {fault.name: fault for fault in faults()}
    sample = [known[name] for name in SAMPLE]
    assert {fault.group for fault in sample} == {fault.group for fault in known.values()}
    assert {fault.expect for fault in sample} == {"fails", "tolerated"}


def test_clean_runs_differ_and_are_repeatable() -> None:
    names = ["lifecycle", "failures", "network", "security"]
    drawn = [circumstances(1, number, names) for number in range(24)]
    assert drawn == [circumstances(1, number, names) for number in range(24)]
    assert drawn != [circumstances(2, number, names) for number in range(24)]
    assert {one.era for one in drawn} == {"seed", "jan26", "next"}
    assert {len(one.suites) for one in drawn} == {1, 2}
    assert {one.nodes for one in drawn} == {1, 2, 3, 4}
    assert all(len(set(one.suites)) == len(one.suites) for one in drawn)
    first = [one.suites[0] for one in drawn]
    assert first.count("lifecycle") == 12
    assert {name: first.count(name) for name in names[1:]} == dict.fromkeys(names[1:], 4)


def test_every_suite_is_there_and_named_by_a_fault_only_where_it_is() -> None:
    assert suites()[0] == "lifecycle"
    assert {"failures", "heartbeat"} < set(suites())
    assert {fault.suite for fault in faults()} <= set(suites())


def test_a_single_suite_is_run_alone() -> None:
    assert {circumstances(1, number, ["lifecycle"]).suites for number in range(5)} == {("lifecycle",)}


def test_an_unknown_name_is_refused(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--only", "nonsense"]) == 2
    assert "no fault nonsense; there are restore-starts-afresh" in capsys.readouterr().err
