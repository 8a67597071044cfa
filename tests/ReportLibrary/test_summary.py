"""What a run comes to in a few figures, in evidence.json, on the console and in the report's metadata."""

from __future__ import annotations

import json
from datetime import UTC, datetime

import jsonschema
import pytest

from ReportLibrary import blame, summary
from ReportLibrary.evidence import SCHEMA, Notes, Outcome


@pytest.fixture(scope="module")
def measured(robot):
    return robot("measured.robot")


def content_of(run):
    content = json.loads((run.out / "evidence.json").read_text())
    jsonschema.validate(content, json.loads(SCHEMA.read_text()), format_checker=jsonschema.FormatChecker())
    return content


def test_measurements_and_times_of_phases_are_summed_up_by_name(measured):
    content = content_of(measured)
    assert content["schema"] == "1.2"
    assert content["summary"]["measurements"] == [
        {"name": "checkpoint", "unit": "s", "count": 2, "least": 0.7, "median": 0.8, "most": 0.9},
        {"name": "freeze gap", "unit": "s", "count": 1, "least": 0.25, "median": 0.25, "most": 0.25},
    ]
    test = content["tests"][0]
    assert test["measurements"] == [{"name": "freeze gap", "value": 0.25, "unit": "s"}]
    assert [one["phase"] for one in test["phases"]] == ["checkpoint", "restore"]


def test_the_most_that_was_used_is_told_by_phase(measured):
    assert content_of(measured)["summary"]["resource_use"] == [
        {"phase": "checkpoint", "of": "workload", "cpu_cores_most": 0.2, "memory_bytes_most": 2_000_000},
        {"phase": "checkpoint", "of": "node", "cpu_cores_most": 1.5, "memory_bytes_most": 9_000_000},
    ]


def test_stored_checkpoints_are_counted_and_those_that_are_left(measured):
    assert content_of(measured)["summary"]["checkpoints"] == {"made": 3, "bytes": 5_200_000, "left": 1}


def test_a_skip_is_counted_with_its_reason(measured):
    content = content_of(measured)
    assert (content["summary"]["passed"], content["summary"]["failed"], content["summary"]["skipped"]) == (2, 1, 1)
    assert content["summary"]["skips"] == [
        {
            "suite": "Measured",
            "test": "Cannot Be",
            "reason": "needs a node with an allocatable nvidia.com/gpu; there is none",
        }
    ]


def told(run):
    """What the console tells at the end, by title."""
    return dict(line.partition(": ")[::2] for line in run.lines if ": " in line)


def test_the_console_tells_it_at_the_end(measured):
    lines = told(measured)
    assert lines["Skipped"] == (
        "1 of 4 tests, which proves nothing of them: needs a node with an allocatable nvidia.com/gpu; there is none (1)"
    )
    assert lines["Measured"] == "checkpoint 0.8 s (median of 2, 0.7 to 0.9), freeze gap 0.25 s"
    assert lines["Used at most"] == "workload 0.2 cores and 2.0 MB, node 1.5 cores and 9.0 MB"
    assert lines["Stored checkpoints"] == "3 made, of 5.2 MB, 1 left"
    assert "Proved" not in lines


def test_the_reports_metadata_tells_the_same(measured):
    lines = told(measured)
    for title in ("Skipped", "Measured", "Used at most", "Stored checkpoints"):
        assert measured.result.suite.metadata[title] == lines[title]


def test_a_run_in_which_all_was_skipped_proves_nothing_and_says_so(robot):
    run = robot("skipped.robot")
    content = content_of(run)
    assert [one["reason"] for one in content["summary"]["skips"]] == ["needs two clusters; there is one"] * 2
    assert told(run)["Proved"] == "nothing, for all tests were skipped"
    assert run.result.suite.metadata["Proved"] == "nothing, for all tests were skipped"
    assert told(run)["Skipped"].endswith("needs two clusters; there is one (2)")
    assert blame.judged(content)[1] == 4


def test_what_was_not_recorded_is_not_told(robot, recorded_nothing):
    assert content_of(recorded_nothing)["summary"]["checkpoints"] is None
    assert not {"Skipped", "Stored checkpoints", "Used at most"} & told(recorded_nothing).keys()


@pytest.fixture(scope="module")
def recorded_nothing(robot):
    return robot("partial/")


def test_a_phase_needs_a_name_and_its_seconds(measured):
    wrong = next(test for test in measured.result.suite.tests if test.name == "Wrong Phase")
    assert "it must be a dictionary with phase and seconds" in wrong.message


@pytest.mark.parametrize(
    ("storage", "left"),
    [
        ({"made": 2, "size": None, "kept": 2, "removed": False}, 2),
        ({"made": 2, "size": 1, "kept": 2, "removed": True}, 0),
    ],
)
def test_what_is_kept_is_left_unless_the_run_removes_it(storage, left) -> None:
    assert summary.checkpoints(storage, ["namespace a"]) == {"made": 2, "bytes": storage["size"], "left": left}


def test_a_size_that_nobody_knows_is_told_as_such() -> None:
    figures = {"passed": 1, "failed": 0, "skipped": 0, "skips": [], "measurements": [], "resource_use": []}
    lines = dict(summary.lines(figures | {"checkpoints": {"made": 1, "bytes": None, "left": 0}}))
    assert lines == {"Stored checkpoints": "1 made, of a size that the propagator does not tell, 0 left"}


def test_a_skip_without_a_reason_says_that() -> None:
    test = Outcome("S", "t", "SKIP", "", datetime.now(UTC), 0.0, Notes())
    assert summary.skips([test]) == [{"suite": "S", "test": "t", "reason": "no reason given"}]
