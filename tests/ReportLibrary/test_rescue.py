"""The report of a run that was killed: made of whatever it had written."""

import json

import pytest
from robot.api import ExecutionResult

from ReportLibrary import rescue


@pytest.fixture(scope="module")
def killed(robot):
    """A run that a SIGKILL ended amid a step, and what its rescue came to."""
    run = robot("killed.robot")
    assert not (run.out / "report.html").exists()
    before = run.bytes()
    return run, rescue.main([str(run.out)]), before


def test_a_killed_run_has_a_report(killed):
    run, status, before = killed
    assert status == 0
    assert {file.name for file in run.out.glob("*.html")} == {"log.html", "report.html"}
    assert {name: run.bytes()[name] for name in before} == before, "what the run wrote stays as it is"


def test_all_that_was_written_is_in_it(killed):
    text, names = rescue.read(killed[0].out / "output.xml")
    assert names[:3] == ["Killed", "Killed", "Being killed"]
    result = ExecutionResult(text)
    (test,) = result.suite.tests
    assert (test.status, test.message) == ("FAIL", rescue.MESSAGE)
    assert [(step.name, step.status) for step in test.body] == [
        ("Done before the end", "PASS"),
        ("Being killed", "FAIL"),
    ]
    assert result.suite.elapsed_time >= test.elapsed_time


def test_wherever_it_is_cut_off_a_report_can_be_made(robot, tmp_path):
    whole = (robot("told.robot").out / "output.xml").read_bytes()
    begun, file = whole.index(b'source="'), tmp_path / "output.xml"
    tests = set()
    for end in range(begun + 200, len(whole), max(1, len(whole) // 40)):
        file.write_bytes(whole[:end])
        result = ExecutionResult(rescue.read(file)[0])
        tests.add(tuple(test.status for test in result.suite.tests))
    assert {("FAIL",), ("PASS", "FAIL")} <= tests


def test_a_run_that_came_to_its_end_is_told_so(robot, capsys):
    out = robot("told.robot").out
    assert rescue.main([str(out)]) == 0
    assert "The run had come to its end.\n" in capsys.readouterr().out


@pytest.mark.parametrize("content", [None, "", "no xml", '<?xml version="1.0"?><robot>', "<testsuites><suite/>"])
def test_what_is_no_output(content, tmp_path, capsys):
    if content is not None:
        (tmp_path / "output.xml").write_text(content)
    assert rescue.main([str(tmp_path)]) == rescue.UNREADABLE
    assert "no readable output of a run" in capsys.readouterr().out


@pytest.mark.parametrize("found", [{}, {"summary": {"passed": 2, "failed": 1}, "environment": {"emulated": True}}])
def test_evidence_that_is_not_whole_is_made_do_with(found, tmp_path):
    (tmp_path / "evidence.json").write_text(json.dumps(found))
    head = rescue.head(["A|b"], rescue._evidence(tmp_path), "Own words.")
    assert head.startswith(f"KILLED: the run did not come to its end. {2 * bool(found)} tests had passed")
    assert "A¦b" in head
    assert head.endswith("\n\nOwn words.")
