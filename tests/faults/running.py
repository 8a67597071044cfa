"""One run of the suites against a sandbox of its own, with or without a fault."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.end_to_end.runner import ROOT, Folders, finish, start

BRIEF = {"STABLE_TIME": "0.5 s"}
"""What takes as long as it says, whatever the machine."""
IMPATIENT = BRIEF | {
    "CLUSTER_TIMEOUT": "8 s",
    "INSTALL_TIMEOUT": "25 s",
    "POD_TIMEOUT": "15 s",
    "CHECKPOINT_TIMEOUT": "12 s",
    "RESTORE_TIMEOUT": "12 s",
    "WITNESS_TIMEOUT": "12 s",
    "DELETE_TIMEOUT": "10 s",
    "SERVICE_TIMEOUT": "8 s",
    "CLEANUP_TIMEOUT": "40 s",
}
"""Shorter waits than a user's, for runs that must fail: what goes well does so within a second or two."""
LONGEST = 420.0
"""Seconds that a run may take; one that hangs is killed, and proves nothing."""


@dataclass(frozen=True)
class Failure:
    """A test, or a suite's set-up or teardown, that failed; `verdicts` are the kinds that it had reached by then."""

    where: str
    cause: str
    message: str
    verdicts: tuple[str, ...] = ()


@dataclass(frozen=True)
class Ran:
    """What came of a run.

    Attributes:
        failures: in the order in which they began; empty when all passed.
        hits: how often the fault struck.
        passed: how many tests passed.
        kept: the folder with the run's output, where it was kept.
    """

    status: int
    failures: tuple[Failure, ...]
    hits: int
    seconds: float
    kept: Path | None = None
    passed: int = 0

    @property
    def first(self) -> Failure:
        """The first failure; an empty one when there is none."""
        return self.failures[0] if self.failures else Failure("", "", "")

    @property
    def cause(self) -> str:
        """The cause of the first failure."""
        return self.first.cause


def run(
    fault: str | None,
    *options: str,
    suites: Sequence[str],
    waits: Mapping[str, str] = IMPATIENT,
    keep: Path | None = None,
) -> Ran:
    """Runs suites on a new sandbox.

    Args:
        fault: switched on from the sandbox's start.
        options: further options of the sandbox.
        suites: their paths from the root.
        waits: settings for how long is waited; the others are as a user has them.
        keep: where the output of the run is kept.
    """
    folder = keep or Path(tempfile.mkdtemp(prefix="cedana-e2e-faults-"))
    begun = time.monotonic()
    try:
        given = ["--fault", fault] if fault else []
        given += ["--clusters", "2"] if "cross_cluster" in str(suites) else []
        with sandbox(*given, *options) as facts:
            folders = Folders.below(folder)
            *others, last = suites
            process = start(folders, *_variables(waits), *others, what=last, **environment_of(facts))
            ended = finish(process, folders, timeout=LONGEST)
            (folder / "console.txt").write_text(ended.console)
            hits = sum(one["hits"] for one in _ask(facts, "/faults"))
            evidence, seconds = ended.evidence, time.monotonic() - begun
            return Ran(ended.status, failures_of(evidence), hits, seconds, keep, evidence["summary"]["passed"])
    finally:
        if not keep:
            shutil.rmtree(folder, ignore_errors=True)


def _variables(waits: Mapping[str, str]) -> Sequence[str]:
    return [part for name, value in waits.items() for part in ("--variable", f"{name}:{value}")]


def environment_of(facts: dict[str, Any]) -> dict[str, str]:
    """The settings of a run on that sandbox."""
    second = [one["kubeconfig"] for one in facts["clusters"][1:2]]
    return {
        "PROVIDER": "existing",
        "KUBECONFIG": facts["kubeconfig"],
        "CEDANA_URL": facts["propagator_url"],
        "CEDANA_AUTH_TOKEN": facts["token"],
        "HELM_CHART": facts["chart"],
        **({"SECOND_KUBECONFIG": second[0]} if second else {}),
    }


@contextmanager
def sandbox(*options: str) -> Iterator[dict[str, Any]]:
    """A sandbox, and what it told of itself."""
    process = subprocess.Popen(
        [sys.executable, "-m", "sandbox", "--default-storage", *options],
        env=os.environ | {"PYTHONPATH": str(ROOT / "libraries")},
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    )
    assert process.stdout
    try:
        line = process.stdout.readline()
        if not line:
            raise RuntimeError(f"the sandbox ended with status {process.wait()}: {' '.join(options)}")
        yield json.loads(line)
    finally:
        process.terminate()
        process.wait(60)


def _ask(facts: dict[str, Any], path: str) -> Any:
    with urllib.request.urlopen(facts["admin_url"] + path) as answer:
        return json.load(answer)


def failures_of(evidence: dict[str, Any]) -> tuple[Failure, ...]:
    """Those of tests and suites; suites have a failure only of their own set-up or teardown."""
    rows = [*evidence["suites"], *evidence["tests"]]
    failed = sorted((row for row in rows if row["cause"]), key=lambda row: (_is_of_teardown(row), row["start"]))
    return tuple(
        Failure(row["name"], row["cause"]["name"], row["message"], tuple(one["verdict"] for one in row["verdicts"]))
        for row in failed
    )


def _is_of_teardown(row: dict[str, Any]) -> bool:
    """What failed when a suite was over is younger than its row, which has the suite's or the test's beginning."""
    return bool(row["message"].lower().startswith(("suite teardown failed", "parent suite teardown failed")))
