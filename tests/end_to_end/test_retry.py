"""RetryFailed, used as its own documentation says: only when it is asked for, and never hiding the first failure."""

from __future__ import annotations

from pathlib import Path

import pytest

from .runner import QUICK, ROOT, Folders, run

NAME = "Fails Once In The Middle Of A Lifecycle"
SUITE = f"""
*** Settings ***
Resource          {ROOT}/resources/lifecycle.resource
Suite Setup       Acquire Environment
Suite Teardown    Release Environment
Test Teardown     Remove Workload
Test Tags         test:retry(1)


*** Variables ***
${{ATTEMPTS}}    ${{0}}


*** Test Cases ***
{NAME}
    Deploy Workload    nginx
    ${{before}}=    Observe Workload
    Checkpoint Workload
    VAR    ${{ATTEMPTS}}    ${{ATTEMPTS + 1}}    scope=SUITE
    IF    ${{ATTEMPTS}} == 1    Fail    the first attempt failed
    Delete Workload
    Restore Workload
    Workload Should Have Continued    ${{before}}
"""


@pytest.fixture
def suite(tmp_path: Path) -> str:
    """A suite whose only test fails at its first attempt."""
    file = tmp_path / "fails_once.robot"
    file.write_text(SUITE)
    return str(file)


@pytest.mark.slow  # on a suite of one step: tests/ReportLibrary/test_evidence.py
def test_a_plain_run_never_retries(suite: str, folders: Folders) -> None:
    ended = run(folders, *QUICK, what=suite)
    assert ended.status == 1
    assert ended.test(NAME).message == "the first attempt failed"
    assert folders.left() == []


def test_a_retried_test_shows_its_first_failure(suite: str, folders: Folders) -> None:
    ended = run(folders, *QUICK, "--listener", "RetryFailed", what=suite)
    assert ended.status == 0, ended.console
    assert "Test failed and is retried: the first attempt failed" in ended.console
    assert "the first attempt failed" in ended.test(NAME).message
    (test,) = ended.evidence["tests"]
    assert test["status"] == "PASS"
    assert test["retries"]["count"] == 1
    assert test["retries"]["first_failure"]["message"] == "the first attempt failed"
    assert folders.left() == []


def test_the_suites_tests_are_retried_when_it_is_asked_for(folders: Folders) -> None:
    ended = run(folders, "--dryrun", "--listener", "RetryFailed")
    assert ended.status == 0, ended.console
    tags = [set(test.tags) for test in ended.result.suite.all_tests]
    assert tags
    assert all(("test:retry(1)" in each) != ("control" in each) for each in tags), "the check itself has one try"
