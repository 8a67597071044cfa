"""Mutants in children of their own: each is forked when all that is heavy is imported, and nothing that is spoiled."""

from __future__ import annotations

import ast
import gc
import importlib
import os
import pickle
import signal
import sys
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from importlib.abc import Loader, MetaPathFinder
from importlib.machinery import ModuleSpec
from importlib.util import spec_from_file_location
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from .coverage import Chosen, Coverage, Watcher
from .operators import Mutation, mutations, spoiled

ROOT = Path(__file__).resolve().parents[2]
LIBRARIES = ROOT / "libraries"
HEAVY = ("kubernetes.client", "kubernetes.dynamic", "kubernetes.watch", "hypothesis", "robot.api", "yaml", "requests")
HEAVY_TOO = ("robot.libraries.BuiltIn", "robot.running", "cryptography.x509", "aiohttp", "jsonschema", "pytest_asyncio")
LONGEST_BASELINE = 600.0
LEAST, FACTOR = 15.0, 5.0
"""Seconds that a mutant gets: so many times what its tests took, and some."""
POLL = 0.02


@dataclass(frozen=True)
class Mutant:
    """A mutation of a file, and the tests that could notice."""

    file: Path
    number: int
    mutation: Mutation
    tests: tuple[str, ...]
    seconds: float

    @property
    def key(self) -> str:
        """Its name in the list of equivalent ones."""
        return f"{self.file.relative_to(LIBRARIES)}: {self.mutation.what}"


def import_what_is_heavy() -> None:
    """Imports what the project's modules import from elsewhere, so that children need not."""
    for name in (*HEAVY, *HEAVY_TOO):
        importlib.import_module(name)
    gc.freeze()  # a child's collector would else copy every page


def watch(files: Sequence[Path], tests: Sequence[str], scratch: Path) -> Coverage:
    """Runs the tests as they are.

    Raises:
        RuntimeError: they do not pass.
    """
    result = scratch / "coverage"

    def work() -> int:
        coverage = Coverage()
        watcher = Watcher(files, coverage)
        watcher.begin()
        status = int(_pytest([*tests], scratch / "baseline", [watcher]))
        plain = {file: {line: set(names) for line, names in lines.items()} for file, lines in coverage.tests.items()}
        result.write_bytes(pickle.dumps((plain, dict(coverage.seconds), coverage.failed)))
        return status

    child, coverage = _fork(work), Coverage()
    end = time.monotonic() + LONGEST_BASELINE
    while (status := _ended(child)) is None and time.monotonic() < end:
        time.sleep(POLL)
    if status is None:
        _kill(child)
        raise RuntimeError(f"the tests took over {LONGEST_BASELINE:g} s without a mutation")
    tests_of, seconds, failed = pickle.loads(result.read_bytes()) if result.exists() else ({}, {}, [])  # noqa: S301
    if status:
        raise RuntimeError(f"the tests do not pass without a mutation (status {status}): {', '.join(failed)}")
    coverage.tests.update(tests_of)
    coverage.seconds.update(seconds)
    return coverage


def survivors(
    mutants: Iterable[Mutant], workers: int, scratch: Path, told: Callable[[Mutant, bool], None]
) -> list[Mutant]:
    """The mutants that no test notices; `told` hears of each how it went."""
    waiting, going, lived = list(reversed(list(mutants))), {}, []
    while waiting or going:
        while waiting and len(going) < workers:
            mutant = waiting.pop()
            child = _fork(lambda mutant=mutant: _try(mutant, scratch))
            going[child] = (mutant, time.monotonic() + LEAST + FACTOR * mutant.seconds)
        for child, (mutant, end) in list(going.items()):
            status = _ended(child)
            if status is None and time.monotonic() < end:
                continue
            if status is None:
                _kill(child)
            del going[child]
            if status == pytest.ExitCode.NO_TESTS_COLLECTED:  # a usage error is a conftest that cannot be imported now
                raise RuntimeError(f"the tests for {mutant.key} could not be run")
            if status == 0:
                lived.append(mutant)
            told(mutant, status == 0)
        time.sleep(POLL)
    return lived


def _try(mutant: Mutant, scratch: Path) -> int:
    if not mutant.tests:
        return 0  # no test comes by: nothing can notice
    sys.meta_path.insert(0, _Spoiler(mutant))
    files = sorted({name.partition("::")[0] for name in mutant.tests})
    return int(_pytest([*files, "-x"], scratch / f"tmp{os.getpid()}", [Chosen(mutant.tests)]))


def _pytest(arguments: list[str], folder: Path, plugins: list[Any]) -> int | pytest.ExitCode:
    os.environ["HYPOTHESIS_STORAGE_DIRECTORY"] = str(folder.with_name("hypothesis"))
    from hypothesis import Phase, settings

    settings.register_profile("mutation", phases=(Phase.explicit, Phase.generate), derandomize=True, database=None)
    settings.load_profile("mutation")
    quiet = ["-q", "--no-header", "--no-summary", "--tb=no", "-p", "no:cacheprovider", "-p", "no:xdist"]
    return pytest.main([*arguments, *quiet, f"--basetemp={folder}"], plugins)


class _Spoiler(MetaPathFinder, Loader):
    """Imports one module with its mutation, and leaves all others alone."""

    def __init__(self, mutant: Mutant) -> None:
        self._mutant = mutant
        parts = mutant.file.relative_to(LIBRARIES).with_suffix("").parts
        self._name = ".".join(parts[:-1] if parts[-1] == "__init__" else parts)

    def find_spec(self, fullname: str, *_where: Any) -> ModuleSpec | None:
        return spec_from_file_location(fullname, self._mutant.file, loader=self) if fullname == self._name else None

    def exec_module(self, module: ModuleType) -> None:
        tree: ast.Module = spoiled(self._mutant.file.read_text(), self._mutant.number)
        exec(compile(tree, str(self._mutant.file), "exec"), module.__dict__)  # noqa: S102


def _fork(work: Callable[[], int]) -> int:
    """A child in a group of its own that does `work`, without a word."""
    sys.stdout.flush()
    child = os.fork()
    if child:
        return child
    os.setsid()
    nowhere = os.open(os.devnull, os.O_RDWR)
    for stream in (0, 1, 2):
        os.dup2(nowhere, stream)
    status = int(pytest.ExitCode.INTERNAL_ERROR)
    try:
        status = work()
    finally:
        os._exit(status)


def _ended(child: int) -> int | None:
    """A child's exit status; None while it runs."""
    pid, status = os.waitpid(child, os.WNOHANG)
    return os.waitstatus_to_exitcode(status) if pid else None


def _kill(child: int) -> None:
    """Ends a child that takes too long, and what it started."""
    with suppress(ProcessLookupError):
        os.killpg(child, signal.SIGKILL)
    os.waitpid(child, 0)


def mutants_of(files: Iterable[Path], coverage: Coverage) -> Iterator[Mutant]:
    """Every mutant of the files."""
    for file in files:
        for number, mutation in enumerate(mutations(ast.parse(file.read_text()))):
            tests = tuple(coverage.of(str(file), mutation.lines))
            yield Mutant(file, number, mutation, tests, sum(coverage.seconds[test] for test in tests))
