"""The checks as commands. Each prints its own output; failing ones are named at the end."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
LIBRARIES = ROOT / "libraries"
BIN = Path(sys.executable).parent

SCRATCH = "{scratch}"
"""Stands in commands for a folder that is there for the time of a run."""

LONGEST_FIRST = ("tests/K3sLibrary/test_docker_provider.py", "tests/docs/test_examples.py", "tests/end_to_end")

Check = tuple[str, list[str]]
Lane = Sequence[Check]


def keyword_libraries() -> list[str]:
    """The names of the keyword libraries."""
    return sorted(folder.name for folder in LIBRARIES.glob("*Library"))


def static_checks() -> list[Check]:
    """Lint, format, types, doors, dry run, libdoc: nothing is started."""
    python, robot_files = sys.executable, ["suites", "resources", "docs"]
    nowhere = ["--output", "NONE", "--log", "NONE", "--report", "NONE"]
    return [
        ("ruff check", [python, "-m", "ruff", "check", "."]),
        ("ruff format", [python, "-m", "ruff", "format", "--check", "."]),
        ("mypy", [python, "-m", "mypy"]),
        ("doors", [str(BIN / "lint-imports")]),
        ("robocop check", [str(BIN / "robocop"), "check", *robot_files]),
        ("robocop format", [str(BIN / "robocop"), "format", "--check", "--diff", *robot_files]),
        ("dry run", [python, "-m", "robot", "--dryrun", *nowhere, "suites"]),
        ("keyword pages", [python, "-m", "tests.docs_build", f"{SCRATCH}/keywords"]),
    ]


def pytest_check(*options: str) -> Check:
    """The tests of libraries, sandbox and suites, side by side.

    Most of their time is waiting, so that there are more of them than processors. Those that wait the longest come
    first, so that none of them is left alone at the end; two that need this host for themselves are not neighbours.
    """
    side_by_side = ["-n", str(2 * (os.cpu_count() or 1)), "--dist", "loadfile", "--no-loadscope-reorder"]
    return ("pytest", [sys.executable, "-m", "pytest", *side_by_side, *options, *LONGEST_FIRST, "tests"])


def suites_check() -> Check:
    """The suites themselves, on the sandbox."""
    return ("robot suites/", [sys.executable, "-m", "robot", "--outputdir", f"{SCRATCH}/results", "suites"])


def size_check() -> Check:
    """What they left is not too large; after `suites_check`."""
    return ("output size", [sys.executable, "-m", "tests.output_size", f"{SCRATCH}/results"])


def faults_check(*options: str) -> Check:
    """The suites against a cluster that misbehaves: each lie must be caught, each passing failure survived."""
    return ("faults", [sys.executable, "-m", "tests.faults", *options])


def mutation_check(*options: str) -> Check:
    """The code that judges and waits, spoiled a little at a time: some test must notice."""
    return ("mutation", [sys.executable, "-m", "tests.mutation", *options])


def chaos_check() -> Check:
    """Many lifecycles in which every twentieth call goes wrong."""
    return ("chaos", [sys.executable, "-m", "tests.chaos"])


def run(*stages: Sequence[Lane]) -> int:
    """Runs all checks, goes on past a failing one, and returns the exit status.

    The lanes of a stage run side by side, for much of what they do is waiting; the checks of a lane one after the
    other. Where there are several lanes, what a check prints comes when it is done.
    """
    count, failed, begun = 0, list[str](), time.monotonic()
    with tempfile.TemporaryDirectory(prefix="cedana-e2e-checks-") as scratch:
        for lanes in stages:
            count += sum(len(lane) for lane in lanes)
            checked = partial(_failed, scratch=scratch, alone=len(lanes) == 1)
            with ThreadPoolExecutor(len(lanes)) as side_by_side:
                failed += [name for names in side_by_side.map(checked, lanes) for name in names]
    result = f"checks failed: {', '.join(failed)}" if failed else f"all {count} checks passed"
    print(f"\n{result} ({time.monotonic() - begun:.0f} s)", flush=True)
    return 1 if failed else 0


def _failed(lane: Lane, *, scratch: str, alone: bool) -> list[str]:
    """The names of the lane's checks that fail."""
    return [name for name, command in lane if _status(name, command, scratch, alone=alone)]


def _status(name: str, command: list[str], scratch: str, *, alone: bool) -> int:
    filled, start = [part.replace(SCRATCH, scratch) for part in command], time.monotonic()
    if alone:
        print(f"\n== {name}", flush=True)
    with tempfile.TemporaryFile("w+", errors="replace") as output:
        out = {} if alone else {"stdout": output, "stderr": subprocess.STDOUT}
        status = subprocess.run(filled, cwd=ROOT, env=_environment(scratch), check=False, **out).returncode
        result = "ok" if status == 0 else f"FAILED, exit status {status}"
        output.seek(0)
        told = "" if alone else f"\n== {name}\n{output.read()}"
        print(f"{told}== {name}: {result} ({time.monotonic() - start:.1f} s)", flush=True)
    return status


def _environment(scratch: str) -> dict[str, str]:
    """Where Python is to leave no compiled code beside its source, hundreds of processes find it in `scratch`."""
    paths = os.pathsep.join([str(LIBRARIES), str(ROOT / "variables")])
    found = os.environ | {"PYTHONPATH": paths, "MYPYPATH": paths, "PATH": f"{BIN}{os.pathsep}{os.environ['PATH']}"}
    if found.pop("PYTHONDONTWRITEBYTECODE", ""):
        found["PYTHONPYCACHEPREFIX"] = f"{scratch}/bytecode"
    return found
