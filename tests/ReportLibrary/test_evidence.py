"""evidence.json: what is in it, whichever way a run goes."""

import json
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from enum import Enum
from pathlib import Path

import jsonschema
import pytest

from harness.causes import CAUSES
from harness.diagnosis import SO_FAR
from harness.secrets import MASK, Secrets
from ReportLibrary import evidence
from ReportLibrary.evidence import (
    SCHEMA,
    Evidence,
    Failure,
    Notes,
    Outcome,
    SuiteOutcome,
    plain,
    without_credentials,
    write,
)

WHEN = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)


@pytest.fixture(scope="module")
def validator():
    schema = json.loads(SCHEMA.read_text())
    kind = jsonschema.validators.validator_for(schema)
    kind.check_schema(schema)
    return kind(schema, format_checker=jsonschema.FormatChecker())


@pytest.fixture
def evidence_of(validator):
    def read(out):
        content = json.loads((out / "evidence.json").read_text())
        validator.validate(content)
        return content

    return read


@pytest.fixture(scope="module")
def recorded(robot):
    return robot("recorded.robot")


def test_of(content, name):
    return next(test for test in content["tests"] if test["name"] == name)


test_of.__test__ = False


def test_what_keywords_hand_in(recorded, evidence_of):
    content = evidence_of(recorded.out)
    assert content["complete"] is True
    assert content["environment"] == {
        "provider": "sandbox",
        "emulated": True,
        "kubernetes": "v1.33.13+emulated",
        "nodes": [{"name": "node-1", "cpu": 2}],
        "chart": "cedana-0.1.0",
        "propagator": {"era": "jan26", "url": "https://ci.cedana.ai/v1"},
        "other": {"runc": "1.3"},
    }
    checkpoint = test_of(content, "Checkpoint")
    assert checkpoint["measurements"] == [
        {"name": "time to checkpoint", "value": 1.5, "unit": "s"},
        {"name": "restarts", "value": 0.0, "unit": ""},
    ]
    assert checkpoint["verdicts"] == [
        {"verdict": "continued", "b": 12, "r": 14, "a": 13, "said": "<secret>"},
        {"verdict": "restarted", "at": "2026-01-02T00:00:00+00:00"},
    ]
    suite = content["suites"][0]
    assert suite["measurements"] == [{"name": "time to bring up", "value": 3.0, "unit": "s"}]
    assert suite["leftovers"] == content["summary"]["leftovers"] == ["namespace e2e", "pod e2e/test-nginx"]


def test_causes(recorded, evidence_of):
    content = evidence_of(recorded.out)
    refused = test_of(content, "Refused")
    assert (refused["status"], refused["cause"]["name"], refused["cause"]["blame"]) == ("FAIL", "auth", "service")
    assert refused["cause"]["meaning"]
    assert test_of(content, "Checkpoint")["cause"] is None
    assert content["suites"][0]["cause"] is None
    assert content["summary"]["worst_blame"] == "harness"


def test_bad_values_are_refused(recorded):
    messages = {test.name: test.message.partition("\n")[0] for test in recorded.result.suite.tests}
    assert messages["Wrong Verdict"] == "verdict is 'nothing'; it must be a dictionary or a dataclass."
    assert messages["Wrong Number"] == "value is 'nan'; it must be a finite number."
    assert messages["Wrong Truth"] == "emulated is 'perhaps'; it must be true or false."


def test_the_console_says_causes_and_where_the_file_is(recorded):
    at = recorded.lines.index("cause: auth (service) - Refused")
    assert recorded.lines[at - 1] == "=" * 78
    assert recorded.lines[at + 4 : at + 8] == [
        "Whose fault: harness",
        "Measured: time to checkpoint 1.5 s, restarts 0, time to bring up 3 s",
        "Evidence: OUT/evidence.json",
        "Output:  OUT/output.xml",
    ]


@pytest.mark.parametrize(("console", "tells"), [("dotted", True), ("quiet", False), ("none", False)])
def test_on_other_consoles(robot, evidence_of, console, tells):
    run = robot("recorded.robot", "--console", console, "--output", "NONE", "--log", "NONE", "--report", "NONE")
    assert ("Evidence: OUT/evidence.json" in run.lines) is tells
    assert evidence_of(run.out)["complete"]


def test_suites_that_do_not_import_the_library_are_in_it(robot, evidence_of):
    content = evidence_of(robot("partial/").out)
    assert [(test["name"], test["status"]) for test in content["tests"]] == [
        ("Does Not Import It", "FAIL"),
        ("Imports It By Itself", "PASS"),
        ("Imports It", "PASS"),
        ("Does Not Import It Either", "FAIL"),
    ]
    assert test_of(content, "Does Not Import It")["cause"]["name"] == "quota"
    assert test_of(content, "Does Not Import It Either")["cause"]["name"] == "auth"
    assert test_of(content, "Imports It By Itself")["measurements"] == [{"name": "b", "value": 2.0, "unit": ""}]
    assert test_of(content, "Imports It")["measurements"] == [{"name": "a", "value": 1.0, "unit": ""}]
    failed = [suite["name"] for suite in content["suites"] if suite["cause"]]
    assert failed == ["Later"]


def test_a_killed_run_has_one_that_names_the_test(robot, evidence_of):
    content = evidence_of(robot("killed.robot").out)
    assert content["complete"] is False
    assert [(test["name"], test["status"]) for test in content["tests"]] == [("Killed", "RUNNING")]


def test_no_file_from_a_dry_run(robot):
    run = robot("recorded.robot", "--dryrun")
    assert not (run.out / "evidence.json").exists()
    assert "Evidence" not in run.console


@pytest.fixture(scope="module")
def retried(robot):
    return robot("retried.robot", "--listener", "RetryFailed")


def test_a_retried_test_shows_its_first_failure(retried, evidence_of):
    content = evidence_of(retried.out)
    assert [(test["name"], test["status"]) for test in content["tests"]] == [
        ("Fails Once", "PASS"),
        ("Fails Always", "FAIL"),
        ("Passes At Once", "PASS"),
    ]
    once, always, at_once = content["tests"]
    assert once["retries"]["count"] == 1
    assert once["retries"]["first_failure"] == {
        "message": "Expected: b\nSeen: <secret>\nCause: restore-timeout (product)",
        "cause": {
            "name": "restore-timeout",
            "blame": "product",
            "meaning": "The restore did not end in time.",
        },
    }
    assert once["cause"] is None
    assert always["cause"]["name"] == "restore-failed"
    assert at_once["retries"] is None


def test_the_report_shows_the_first_failure_too(retried):
    merged = retried.result.suite.tests
    assert [test.name for test in merged] == ["Fails Once", "Fails Always", "Passes At Once"]
    assert merged[0].passed
    assert merged[0].message == (
        "[RETRY] PASS on 1. retry.\n\nIt failed first with:\n"
        "  Expected: b\n  Seen: <secret>\n  Cause: restore-timeout (product)"
    )


def test_the_console_of_a_retried_test(retried, golden):
    golden("retried.txt", retried.lines)


def test_killed_amid_the_second_attempt(robot, evidence_of):
    content = evidence_of(robot("killed_on_retry.robot", "--listener", "RetryFailed").out)
    assert [(test["name"], test["status"], test["retries"]["count"]) for test in content["tests"]] == [
        ("Killed On Retry", "RUNNING", 1)
    ]


def test_without_the_listener_nothing_is_retried(robot, evidence_of):
    content = evidence_of(robot("retried.robot").out)
    assert [test["status"] for test in content["tests"]] == ["FAIL", "FAIL", "PASS"]
    assert all(test["retries"] is None for test in content["tests"])


def outcome(name, status, message="", kind=Outcome):
    return kind("suite", name, status, message, WHEN, 1.5, Notes())


def of(*tests, suites=()):
    return Evidence("1a2b", WHEN, WHEN + timedelta(seconds=3), True, "7.5", {}, list(tests), list(suites))


@pytest.mark.parametrize(
    ("causes", "worst"),
    [
        ([], None),
        (["quota"], "environment"),
        (["quota", "auth"], "service"),
        (["auth", "no such cause"], "unknown"),
        (["no such cause", "leftovers"], "harness"),
        (["leftovers", "restore-failed", "quota"], "product"),
    ],
)
def test_worst_blame(causes, worst):
    tests = [outcome(cause, "FAIL", f"Seen: it\nCause: {cause} (somebody)") for cause in causes]
    assert of(*tests).to_dict()["summary"]["worst_blame"] == worst


def test_a_failure_without_a_known_cause_is_unknown():
    assert outcome("a", "FAIL", "1 != 2").to_dict()["cause"]["name"] == "unknown"
    assert Failure("").cause.name == "unknown"


def test_a_failure_of_our_own_code_says_so():
    assert outcome("a", "FAIL", "KeyError: 'x'").to_dict()["cause"]["name"] == "harness-error"


def test_a_run_that_was_stopped_has_a_cause(robot, evidence_of):
    run = robot("stopped.robot")
    assert test_of(evidence_of(run.out), "Stopped")["cause"]["name"] == "interrupted"
    assert [line for line in run.squeezed if line.startswith("  ")] == [
        "  ├── Being stopped...",
        "  ├── Being stopped... FAIL 0.0 s",
        "  ├── Cleaning up... 0.0 s",
        "  └── Test failed: Execution terminated by signal | FAIL |",
    ]


def test_a_suite_fails_by_itself_only_in_its_set_up_or_teardown():
    assert outcome("a", "FAIL", kind=SuiteOutcome).to_dict()["cause"] is None
    assert outcome("a", "FAIL", "Suite setup failed:\nCause: quota (environment)", SuiteOutcome).to_dict()["cause"]


def test_the_file_is_whole_or_not_there(tmp_path, validator):
    file = write(of(outcome("a", "PASS")), tmp_path / "new")
    validator.validate(json.loads(file.read_text()))
    assert [one.name for one in file.parent.iterdir()] == ["evidence.json"]


def test_what_is_told_of_a_test_is_made_anew_when_something_changed(monkeypatch):
    monkeypatch.setattr(evidence, "SECRETS", secrets := Secrets())
    test = outcome("a", "RUNNING", "hush-hush is in it")
    first = test.to_dict()
    assert test.to_dict() is first
    test.notes.verdicts.append({"verdict": "continued"})
    assert test.to_dict()["verdicts"] == [{"verdict": "continued"}]
    test.notes.leftovers.append("pod hush-hush")
    assert test.to_dict()["leftovers"] == ["pod hush-hush"]
    secrets.add("hush-hush")
    assert (test.to_dict()["message"], test.to_dict()["leftovers"]) == (f"{MASK} is in it", [f"pod {MASK}"])
    assert replace(test, status="PASS").to_dict()["status"] == "PASS"
    assert replace(test, status="FAIL", stopped_by=CAUSES["quota"]).to_dict()["cause"]["name"] == "quota"
    assert test.to_dict()["status"] == "RUNNING"


@pytest.mark.parametrize("missing", ["cause", "duration", "verdicts"])
def test_the_schema_misses_what_is_missing(validator, missing):
    content = of(outcome("a", "PASS")).to_dict()
    del content["tests"][0][missing]
    with pytest.raises(jsonschema.ValidationError):
        validator.validate(content)


class Colour(Enum):
    RED = "red"


@dataclass
class Fact:
    where: Path
    colour: Colour


class Convertible:
    def to_dict(self):
        return {"a": (1, 2)}


@pytest.mark.parametrize(
    ("value", "json_value"),
    [
        (None, None),
        (float("inf"), "inf"),
        (1.5, 1.5),
        (timedelta(minutes=1), 60.0),
        (WHEN, "2026-01-02T03:04:05+00:00"),
        (Fact(Path("/x"), Colour.RED), {"where": "/x", "colour": "red"}),
        (Convertible(), {"a": [1, 2]}),
        ({1: {"b": b"c"}}, {"1": {"b": "c"}}),
    ],
)
def test_plain(value, json_value):
    assert plain(value) == json_value


@pytest.mark.parametrize(
    ("url", "clean"),
    [
        ("https://ci.cedana.ai/v1", "https://ci.cedana.ai/v1"),
        ("https://me:pass@ci.cedana.ai/v1?token=x#y", "https://ci.cedana.ai/v1"),
        ("https://me:p/a@ss@ci.cedana.ai", "https://ci.cedana.ai"),
        ("ci.cedana.ai/v1", "ci.cedana.ai/v1"),
    ],
)
def test_urls_lose_their_credentials(url, clean):
    assert without_credentials(url) == clean


def test_what_is_found_out_about_a_set_up_holds_for_everything_in_it(robot, evidence_of):
    run = robot("unmade/")
    content = evidence_of(run.out)
    assert [one["cause"]["name"] for one in [*content["tests"], *content["suites"]]] == ["quota", "quota", "quota"]
    (test,) = content["tests"]
    assert test["message"].splitlines() == [
        "Parent suite setup failed:",
        "Expected: a",
        "Seen: pods are forbidden: exceeded quota: small",
        "Cause: quota (environment)",
    ]
    assert test["diagnosis"]["raised"] == "install-timeout"
    assert f"Cause: install-timeout (environment){SO_FAR}" in (run.out / "output.xml").read_text()
    assert run.lines.count("cause: quota (environment) - Never Begun") == 1
