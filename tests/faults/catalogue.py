"""The faults that there are, as the sandbox itself lists them."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from dataclasses import dataclass

from tests.end_to_end.runner import ROOT

SAMPLE = (
    "restore-starts-afresh",
    "restore-of-older-state",
    "restore-of-deprecated",
    "checkpoint-never-ends",
    "checkpoint-without-data",
    "propagator-401",
    "propagator-answer-lost",
    "heartbeat-goes-on",
    "api-webhook-refuses",
    "api-watch-dropped",
    "service-unreachable",
    "install-image-pull",
)
"""Some of each group, for the usual checks."""


@dataclass(frozen=True)
class Fault:
    """A fault as its declaration has it.

    Attributes:
        cause: what a good suite fails with; None: it tolerates the fault.
        suite: the file below `suites/` that shows it, without its ending.
        test: the test that fails; None: it may be any, or the suite's set-up or teardown.
        verdict: the kind of verdict that this test reaches; None: it reaches none.
    """

    name: str
    group: str
    what: str
    expect: str
    cause: str | None
    suite: str = "lifecycle"
    test: str | None = None
    verdict: str | None = None

    @property
    def path(self) -> str:
        """Of the suite, from the root."""
        return f"suites/{self.suite}.robot"


def faults() -> list[Fault]:
    """All of them, in the order of their declaration."""
    listed = subprocess.run(
        [sys.executable, "-m", "sandbox", "--list-faults"],
        env=os.environ | {"PYTHONPATH": str(ROOT / "libraries")},
        capture_output=True,
        text=True,
        check=True,
    )
    return [Fault(**json.loads(line)) for line in listed.stdout.splitlines()]
