"""The keywords as Robot Framework runs them: results, messages, and no byte of the token in any output."""

import base64
import os
import subprocess
import sys
from pathlib import Path

import pytest
from robot.api import ExecutionResult
from tests.propagator_server.fake import TOKEN, FakeBackend, propagator
from tests.PropagatorLibrary.conftest import connect

from PropagatorLibrary import PropagatorLibrary

ROBOT = Path(__file__).parent / "robot"
WRONG = "wrong-token-0123456789abcdef"


def run(output: Path, *arguments: str) -> tuple[dict[str, str], str]:
    """Runs Robot at TRACE; gives each test's message (PASS: empty) and all that was written."""
    environment = os.environ | {"CEDANA_AUTH_TOKEN": TOKEN, "WRONG_TOKEN": WRONG, "LEDGER_DIR": str(output / "ledger")}
    command = [sys.executable, "-m", "robot", "--loglevel", "TRACE", "--outputdir", str(output), *arguments]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=120, check=False)
    tests = ExecutionResult(output / "output.xml").suite.all_tests
    messages = {test.name: "" if test.passed else test.message for test in tests}
    files = [file.read_text(errors="replace") for file in output.rglob("*") if file.is_file()]
    return messages, "".join([done.stdout, done.stderr, *files])


@pytest.fixture
def prepared(backend: FakeBackend):
    """URL of a propagator that knows a cluster with one pod, and the pod's UID."""
    with propagator(backend) as url:
        pod = backend.add_pod(connect(url).register_cluster("e2e-0"))
        yield url, pod.uid


def test_the_keywords_work_and_no_output_has_the_token(prepared: tuple[str, str], tmp_path: Path):
    url, pod = prepared
    variables = ["--variable", f"URL:{url}", "--variable", f"POD:{pod}"]
    messages, written = run(tmp_path, *variables, str(ROBOT / "keywords.robot"))
    assert messages == dict.fromkeys(messages, "")
    assert len(messages) == 10
    for secret in (TOKEN, WRONG):
        assert secret not in written
        assert base64.b64encode(secret.encode()).decode().rstrip("=")[:-1] not in written
    assert "GET Request" in written


def test_requests_library_may_come_later(prepared: tuple[str, str], tmp_path: Path):
    messages, written = run(tmp_path, "--variable", f"URL:{prepared[0]}", str(ROBOT / "later.robot"))
    assert list(messages.values()) == [""]
    assert TOKEN not in written


def test_two_suites_share_the_session_in_either_order(prepared: tuple[str, str], tmp_path: Path):
    url, pod = prepared
    variables = ["--variable", f"URL:{url}", "--variable", f"POD:{pod}"]
    messages, _ = run(tmp_path, *variables, str(ROBOT / "later.robot"), str(ROBOT / "keywords.robot"))
    assert messages.pop("Nothing Works Before The Connection")
    assert messages == dict.fromkeys(messages, "")


def test_what_a_run_registered_is_owed_and_what_was_there_is_not(prepared: tuple[str, str], tmp_path: Path):
    suite = tmp_path / "owed.robot"
    library = Path(__file__).parents[2] / "libraries" / "PropagatorLibrary"
    suite.write_text(
        f"*** Settings ***\nLibrary    {library}/\n*** Variables ***\n${{TOKEN: Secret}}    %{{CEDANA_AUTH_TOKEN}}\n"
        f"*** Test Cases ***\nOwed\n    Connect To Propagator    {prepared[0]}    ${{TOKEN}}\n"
        f"    Register Cluster    e2e-0\n    Register Cluster    e2e-1\n    Checkpoint Pod    {prepared[1]}\n"
        "    Run Keyword And Ignore Error    Checkpoint Pod    0b54a3f6-0000-4000-8000-000000000000\n"
        "    ...    known_within=0 s\n"
    )
    messages, _ = run(tmp_path / "out", str(suite))
    assert messages == {"Owed": ""}
    (file,) = (tmp_path / "out" / "ledger").glob("*.jsonl")
    written = file.read_text()
    assert '"e2e-1"' in written
    assert '"e2e-0"' not in written
    assert written.count('"op": "made"') == 2
    assert written.count('"op": "gone"') == 1


def test_making_the_library_touches_nothing():
    assert PropagatorLibrary().client is None
