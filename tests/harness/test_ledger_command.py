"""`python -m harness.ledger` as a user runs it, after a run that was killed."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from harness.ledger import Ledger, ReadLedger
from harness.processes import LIBRARIES

RUN = """
import os, sys, time
from harness.ledger import LEDGER
from harness.rundir import private_directory
folder = private_directory()
(folder / "kubeconfig").write_text("x")
print(LEDGER.run_id, folder, flush=True)
time.sleep(60)
"""


class Shell:
    """A shell with a ledger directory and a temporary directory of its own."""

    def __init__(self, folder: Path) -> None:
        self.ledgers, self.temporary = folder / "ledgers", folder / "tmp"
        self.temporary.mkdir()
        self.environment = os.environ | {
            "PYTHONPATH": str(LIBRARIES),
            "LEDGER_DIR": str(self.ledgers),
            "TMPDIR": str(self.temporary),
        }

    def run(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, "-m", "harness.ledger", *arguments],
            env=self.environment,
            capture_output=True,
            text=True,
            check=False,
        )

    def start_run(self) -> tuple[subprocess.Popen[str], str, Path]:
        """A process with a ledger: the process, its run's id, and the directory that it made."""
        process = subprocess.Popen([sys.executable, "-c", RUN], env=self.environment, stdout=subprocess.PIPE, text=True)
        assert process.stdout is not None
        run, folder = process.stdout.readline().split()
        return process, run, Path(folder)


@pytest.fixture
def shell(tmp_path: Path) -> Shell:
    return Shell(tmp_path)


def test_nothing_is_owed(shell: Shell) -> None:
    listed = shell.run("list")
    assert listed.returncode == 0
    assert listed.stdout == f"nothing is owed ({shell.ledgers})\n"
    swept = shell.run("sweep")
    assert (swept.returncode, swept.stdout) == (0, "nothing is left\n")


def test_a_killed_run_is_listed_and_swept(shell: Shell) -> None:
    process, run, folder = shell.start_run()
    with process:
        process.send_signal(signal.SIGKILL)
    assert folder.exists()
    listed = shell.run("list").stdout
    assert f"run {run} (dead)" in listed
    assert f"directory {folder.name}" in listed
    swept = shell.run("sweep")
    assert swept.returncode == 0, swept.stderr
    assert swept.stdout.endswith("nothing is left\n")
    assert f"directory {folder.name}: gone" in swept.stdout
    assert list(shell.temporary.iterdir()) == []
    assert list(shell.ledgers.iterdir()) == []


def test_one_run_alone_is_swept(shell: Shell) -> None:
    (first, run, folder), (second, other, others) = shell.start_run(), shell.start_run()
    for process in (first, second):
        with process:
            process.kill()
    assert other not in shell.run("list", run).stdout
    assert shell.run("sweep", run).stdout.startswith(f"run {run}\n")
    assert (folder.exists(), others.exists()) == (False, True)
    assert f"run {other} (dead)" in shell.run("list").stdout


def test_a_live_run_is_not_swept_by_its_name(shell: Shell) -> None:
    process, run, folder = shell.start_run()
    with process:
        swept = shell.run("sweep", run)
        process.kill()
    assert (swept.returncode, swept.stdout) == (1, f"run {run} is still going; it removes what it made itself\n")
    assert folder.exists()


def test_a_live_run_is_left_alone(shell: Shell) -> None:
    process, run, folder = shell.start_run()
    with process:
        assert f"run {run} (still going)" in shell.run("list").stdout
        assert shell.run("sweep").stdout == "nothing is left\n"
        assert folder.exists()
        process.kill()


def test_what_cannot_be_removed_is_told_by_name_and_by_the_exit_status(shell: Shell) -> None:
    process, run, folder = shell.start_run()
    with process:
        process.kill()
    file = shell.ledgers / f"{run}.jsonl"
    file.write_text(file.read_text().replace('"kind": "directory"', '"kind": "spaceship"'))
    swept = shell.run("sweep")
    assert swept.returncode == 1
    assert f"spaceship {folder.name}: KeyError: 'spaceship'" in swept.stdout
    assert swept.stdout.endswith("1 left\n")
    assert file.exists()


def test_an_unknown_command_is_refused(shell: Shell) -> None:
    refused = shell.run("explode")
    assert refused.returncode == 2
    assert "choose from" in refused.stderr


def test_what_was_made_behind_a_place_that_is_gone_is_gone_too(shell: Shell) -> None:
    process, run, folder = shell.start_run()
    with process:
        process.kill()
    kept = Ledger(shell.ledgers, "1a2b3c4d")
    sandbox = kept.intend("sandbox", "the sandbox's process")
    kept.made(sandbox, pid=0, started=0, places=["/gone/kubeconfig"])
    user = ReadLedger(shell.ledgers / f"{run}.jsonl")
    user.intend("namespace", "shop", place="/gone/kubeconfig")
    assert kept.file
    header, rest = kept.file.read_text().split("\n", 1)
    kept.file.write_text(json.dumps(json.loads(header) | {"pid": 0}) + "\n" + rest)
    assert shell.run("sweep", "1a2b3c4d").stdout.endswith("nothing is left\n")
    listed = shell.run("list").stdout
    assert "namespace" not in listed
    assert f"directory {folder.name}" in listed
