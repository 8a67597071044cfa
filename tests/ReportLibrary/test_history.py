"""The history: lines that are never torn, and what they tell."""

import json
import subprocess
import sys

import pytest

from harness.processes import LIBRARIES
from ReportLibrary import history

CAUSE = {"name": "restore-failed", "blame": "product"}


def test_of(name, status="PASS", cause=None, retried=None):
    return {
        "suite": "S", "name": name, "status": status, "cause": cause, "retries": retried, "duration": 1.0,
        "verdicts": [{"verdict": "continued"}],
    }  # fmt: skip


test_of.__test__ = False


def evidence(tests, start="2026-01-02T03:04:05+00:00", kubernetes="v1.34.2+k3s1"):
    count = {status: sum(test["status"] == status for test in tests) for status in ("PASS", "FAIL", "SKIP")}
    return {
        "run": {"id": "1a2b", "start": start, "end": start, "duration": 9.0, "robot": "7.5", "python": "3.12.0"},
        "complete": True,
        "environment": {
            "provider": "k3s", "emulated": False, "kubernetes": kubernetes, "nodes": [{"runtime": "containerd://2.1.5"}],
            "chart": "oci://registry/cedana", "propagator": {"era": None, "url": None},
            "other": {"chart_version": "cedana-0.4.0"},
        },
        "summary": {
            "passed": count["PASS"], "failed": count["FAIL"], "skipped": count["SKIP"],
            "worst_blame": "product" if count["FAIL"] else None,
            "measurements": [{"name": "restore", "unit": "s", "count": 1, "least": 1, "median": 1.25, "most": 2}],
        },
        "tests": tests,
        "suites": [],
    }  # fmt: skip


@pytest.fixture
def kept(tmp_path):
    """A history of three runs: red, green, and green after a test was run again."""
    file = tmp_path / "history.jsonl"
    history.append(file, evidence([test_of("A", "FAIL", CAUSE), test_of("B")]))
    history.append(file, evidence([test_of("A"), test_of("B")], "2026-01-03T03:04:05+00:00"))
    retried = {"count": 1, "first_failure": {"message": "", "cause": {"name": "auth", "blame": "service"}}}
    history.append(file, evidence([test_of("B", retried=retried)], "2026-01-04T03:04:05+00:00", "v1.35.0"))
    return file


def test_failures_and_flakes_by_cause(kept):
    assert history.flakes(history.read(kept)[0]).splitlines()[2:] == [
        "| auth | service | 1 | 20.00% | 1 | 20.00% |",
        "| restore-failed | product | 1 | 20.00% | 1 | 20.00% |",
    ]


def test_a_failure_that_never_passed_is_no_flake(tmp_path):
    file = tmp_path / "history.jsonl"
    history.append(file, evidence([test_of("A", "FAIL", CAUSE)]))
    history.append(file, evidence([test_of("A")], kubernetes="v1.35.0"))
    assert history.flakes(history.read(file)[0]).splitlines()[2:] == [
        "| restore-failed | product | 1 | 50.00% | 0 | 0.00% |"
    ]


def test_the_trend_and_the_matrix(kept, capsys):
    assert history.main([str(kept)]) == 0
    told = capsys.readouterr().out
    assert "| 2026-01-02 03:04 | k3s | v1.34.2+k3s1 | 1 | 1 | 0 | 9 |  | 1.25 |  |  |" in told
    assert history.main(["--matrix", str(kept)]) == 0
    assert capsys.readouterr().out.splitlines()[2:] == [
        "| k3s | v1.34.2+k3s1 | containerd://2.1.5 | cedana-0.4.0 |  | 2 passed | 1 of 2 | 2026-01-03 |",
        "| k3s | v1.35.0 | containerd://2.1.5 | cedana-0.4.0 |  | 1 passed | 1 of 1 | 2026-01-04 |",
    ]


def test_half_a_line_spoils_no_other(kept, capsys):
    whole = kept.read_bytes()
    kept.write_bytes(whole + whole[:70])
    history.append(kept, evidence([test_of("C")], "2026-01-05T03:04:05+00:00"))
    runs, broken = history.read(kept)
    assert (len(runs), broken) == (4, 1)
    history.main([str(kept)])
    assert "killed while it writes: 1" in capsys.readouterr().out


def test_lines_that_are_something_else(tmp_path):
    file = tmp_path / "history.jsonl"
    file.write_bytes(b'\xff\xfe\n[]\n1\n{"history": "2.0", "tests": []}\n\n')
    assert history.read(file) == ([], 4)


def test_without_a_history(tmp_path, capsys):
    assert history.main([str(tmp_path / "none")]) == 2
    (tmp_path / "empty").touch()
    assert history.main([str(tmp_path / "empty")]) == 2
    assert "no run is in it" in capsys.readouterr().err


def test_runs_that_end_at_the_same_time_tear_nothing(tmp_path):
    run = tmp_path / "run.json"
    run.write_text(json.dumps(evidence([test_of(f"{number} {'x' * 500}") for number in range(50)])))
    code = (
        "import json, sys; from ReportLibrary import history; run = json.load(open(sys.argv[1]))\n"
        "sys.stdin.read()\nfor _ in range(20): history.append(sys.argv[2], run)"
    )
    file = tmp_path / "history.jsonl"
    command = [sys.executable, "-c", code, str(run), str(file)]
    processes = [subprocess.Popen(command, stdin=subprocess.PIPE, env={"PYTHONPATH": str(LIBRARIES)}) for _ in range(3)]
    for process in processes:
        process.stdin.close()
    assert [process.wait(300) for process in processes] == [0, 0, 0]
    runs, broken = history.read(file)
    assert (len(runs), broken) == (60, 0)
