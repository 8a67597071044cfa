"""Which modules are spoiled, and which tests must notice. New modules of a room are taken in by the pattern."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]

TARGETS: Mapping[str, tuple[str, ...]] = {
    "libraries/ContinuityLibrary/*.py": ("tests/ContinuityLibrary",),
    "libraries/harness/waiting.py": ("tests/harness/test_waiting.py", "tests/harness/test_watching.py"),
    "libraries/harness/kube/watching.py": ("tests/harness/test_watching.py", "tests/harness/test_pods.py"),
}
"""By pattern of the modules: verdicts, and waiting."""

VERDICT: Mapping[str, tuple[str, ...]] = {
    "libraries/ContinuityLibrary/verdict.py": tuple(
        f"tests/ContinuityLibrary/test_{name}.py"
        for name in ("verdicts", "verdicts_of_the_copy", "verdicts_of_the_source", "history", "wording")
    ),
}
"""The rules of the verdict alone, with the tests that are theirs: what the usual checks have time for."""


def files_of(targets: Iterable[str]) -> list[Path]:
    """The modules, by path."""
    return sorted({file for pattern in targets for file in ROOT.glob(pattern) if file.read_text().strip()})


def tests_of(files: Iterable[Path], targets: Mapping[str, tuple[str, ...]] = TARGETS) -> list[str]:
    """The tests that must notice when any of these modules is spoiled."""
    patterns = [pattern for pattern in targets if any(file.match(pattern) for file in files)]
    return list(dict.fromkeys(test for pattern in patterns for test in targets[pattern]))
