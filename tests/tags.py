"""The tags of the suites: what each means, and which tests carry it. The README's table of them is made from here.

`python -m tests.proof_table` writes it. A test holds all suites to it, so that `--include network`, `--include smoke`
and `--exclude slow` do what they say.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path

from robot.api import TestSuite, TestSuiteBuilder

ROOT = Path(__file__).resolve().parents[1]
SUITES = ROOT / "suites"

GENERAL = {
    "e2e": "every test",
    "k3s": "every test; it needs a cluster of Kubernetes, whoever brings it",
    "propagator": "every test; it needs a propagator",
    "checkpoint": "checkpoints a pod, or tries to",
    "restore": "restores a pod, or tries to",
    "control": "checks the checks: a fresh start must not pass for a restore",
    "smoke": "the shortest proof that all works together",
    "changes-nodes": "labels, taints or cordons a node, or lets it offer something, until the test is over",
    "slow": "takes over 15 s in the sandbox",
}
"""Tags that say nothing of a suite's topic."""

EVERYWHERE = ("e2e", "k3s", "propagator")
"""Tags that every test carries."""

NEEDS = {
    "needs-gpu": "a node with an allocatable nvidia.com/gpu",
    "needs-two-nodes": "two nodes that take workloads",
    "needs-storage": "a StorageClass that provisions volumes",
    "needs-native-sidecars": "Kubernetes 1.29, from which on init containers may keep running",
    "needs-two-clusters": "a second cluster, registered with the same propagator",
    "needs-own-cedana": "no Cedana in the cluster before the run, so that the run may upgrade it",
    "needs-slow-checkpoints": "checkpoints that take longer than it takes to ask for their restore",
    "needs-open-connections": "a propagator that checkpoints processes with an open connection",
    "needs-policies": "a propagator with heartbeat policies",
}
"""What a cluster or a propagator may not have. A test that needs it skips where it is missing, and says so."""

TOPICS: dict[str, str] = {
    "open-connection": "holds a connection open during a checkpoint; `--exclude` it where the runtime dumps none",
}
"""Capability tags beside those that a suite's file gives: `network.robot` has the tag `network`."""

WITHOUT_MEANING = ("robot:", "test:")
"""Tags of Robot Framework itself and of RetryFailed."""


@dataclass(frozen=True)
class Suite:
    """A suite's file as Robot Framework reads it."""

    file: Path
    model: TestSuite = field(repr=False)

    @property
    def topic(self) -> str:
        """Its capability tag."""
        return self.file.stem.replace("_", "-")

    @property
    def title(self) -> str:
        """Its name, as reports show it."""
        return str(self.model.name)

    @property
    def proves(self) -> str:
        """What it proves: the first sentence of its documentation."""
        return first_sentence(self.model.doc)

    @cached_property
    def tags(self) -> list[str]:
        """The tags of all its tests, with a meaning, in the order of the tables."""
        used = {tag for test in self.model.tests for tag in test.tags}
        return [tag for tag in [self.topic, *TOPICS, *GENERAL, *NEEDS] if tag in used]


def suites(folder: Path = SUITES) -> list[Suite]:
    """All suites that have tests, each as it is when it is run alone, by file name; the one for a smoke test first."""
    files = sorted(file for file in folder.rglob("*.robot") if file.name != "__init__.robot")
    found = [Suite(file, TestSuiteBuilder().build(file)) for file in files]
    return sorted(found, key=lambda suite: "smoke" not in suite.tags)


def meanings(of: list[Suite]) -> dict[str, str]:
    """Every tag that has a meaning, and its meaning."""
    return {suite.topic: suite.proves for suite in of} | TOPICS | GENERAL | NEEDS


def first_sentence(text: str) -> str:
    """The first sentence of a documentation, on one line."""
    words = " ".join(text.split())
    end = words.find(". ")
    return words if end < 0 else words[: end + 1]
