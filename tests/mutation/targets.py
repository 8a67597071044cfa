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


def files_of(targets: Iterable[str]) -> list[Path]:
    """The modules, by path."""
    return sorted({file for pattern in targets for file in ROOT.glob(pattern) if file.read_text().strip()})


def tests_of(files: Iterable[Path]) -> list[str]:
    """The tests that must notice when any of these modules is spoiled."""
    patterns = [pattern for pattern in TARGETS if any(file.match(pattern) for file in files)]
    return list(dict.fromkeys(test for pattern in patterns for test in TARGETS[pattern]))
