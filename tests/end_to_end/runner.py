"""Runs the suites as a user does, in a process of their own with folders of their own, and reads what came of it."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from robot.api import ExecutionResult
from robot.result import Result, TestCase

ROOT = Path(__file__).resolve().parents[2]
QUICK = ("--variable", "STABLE_TIME:0.3 s")
"""For tests in which the time that a pod must stay Ready does not matter."""

LIFECYCLE = ("--suite", "Lifecycle", "suites")
"""The folder of all suites, of which the one runs that has everything which a run is made of."""

SETTINGS = (
    "PROVIDER",
    "PROPAGATOR",
    "KUBECONFIG",
    "CEDANA_",
    "CLUSTER_",
    "NAMESPACE",
    "HELM_",
    "SKIP_HELM",
    "KEEP",
    "LEDGER_DIR",
)


@dataclass(frozen=True)
class Folders:
    """Where a run may write: its output, its ledger, its temporary directory."""

    output: Path
    ledger: Path
    temporary: Path

    @staticmethod
    def below(folder: Path) -> Folders:
        """Makes them."""
        made = Folders(folder / "output", folder / "ledger", folder / "tmp")
        for one in (made.output, made.ledger, made.temporary):
            one.mkdir(parents=True)
        return made

    def environment(self, **settings: str) -> dict[str, str]:
        """The environment of a run: ours without any setting of the suites', with these."""
        kept = {name: value for name, value in os.environ.items() if not name.startswith(SETTINGS)}
        return kept | {"LEDGER_DIR": str(self.ledger), "TMPDIR": str(self.temporary)} | settings

    def left(self) -> list[str]:
        """What is left in ledger and temporary directory."""
        return sorted(str(path) for folder in (self.ledger, self.temporary) for path in folder.rglob("*"))


@dataclass(frozen=True)
class Run:
    """A run that has ended."""

    status: int
    console: str
    folders: Folders

    @property
    def result(self) -> Result:
        """Robot's result model."""
        return ExecutionResult(str(self.folders.output / "output.xml"))

    def test(self, name: str) -> TestCase:
        """The test of that name."""
        return next(test for test in self.result.suite.all_tests if test.name == name)

    @property
    def evidence(self) -> dict[str, Any]:
        """evidence.json."""
        read: dict[str, Any] = json.loads((self.folders.output / "evidence.json").read_text())
        return read


def command(folders: Folders, *options: str, what: str = "") -> list[str]:
    """The command line of a run of `what`; of the lifecycle as a part of all suites when it is not given."""
    return [
        sys.executable,
        "-m",
        "robot",
        "--outputdir",
        str(folders.output),
        *options,
        *([what] if what else LIFECYCLE),
    ]


def start(folders: Folders, *options: str, what: str = "", **settings: str) -> subprocess.Popen[str]:
    """Starts a run without waiting for its end."""
    return subprocess.Popen(
        command(folders, *options, what=what),
        cwd=ROOT,
        env=folders.environment(**settings),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,
    )


def read_until(process: subprocess.Popen[str], text: str) -> str:
    """What the console says until `text` stands in it; the step of that name is then going on."""
    assert process.stdout
    said = ""
    while text not in said:
        chunk = os.read(process.stdout.fileno(), 4096).decode()
        assert chunk, f"the run ended before {text!r}:\n{said}"
        said += chunk
    return said


def finish(process: subprocess.Popen[str], folders: Folders, timeout: float = 300) -> Run:
    """Waits for the end of a run; one that takes longer than `timeout` seconds is killed and fails the test."""
    try:
        console, _ = process.communicate(timeout=timeout)
    except subprocess.TimeoutExpired:
        os.killpg(process.pid, signal.SIGKILL)
        raise
    return Run(process.returncode, console, folders)


def run(folders: Folders, *options: str, what: str = "", **settings: str) -> Run:
    """Runs suites to their end."""
    return finish(start(folders, *options, what=what, **settings), folders)


def blame(ended: Run, folders: Folders) -> tuple[int, str]:
    """What the command of the README says of a run."""
    said = subprocess.run(
        [sys.executable, "-m", "ReportLibrary.blame", str(folders.output / "evidence.json")],
        env=folders.environment(PYTHONPATH=str(ROOT / "libraries")),
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert ended.status != 0
    return said.returncode, said.stdout


def ledger(what: str, folders: Folders, **settings: str) -> str:
    """What `python -m harness.ledger list` or `sweep` says."""
    return subprocess.run(
        [sys.executable, "-m", "harness.ledger", what],
        env=folders.environment(PYTHONPATH=str(ROOT / "libraries"), **settings),
        cwd=Path("/"),
        capture_output=True,
        text=True,
        check=True,
        timeout=300,
    ).stdout


def sweep(folders: Folders, **settings: str) -> None:
    """Removes what the runs in these folders owe; all of it."""
    assert ledger("sweep", folders, **settings).endswith("nothing is left\n")
