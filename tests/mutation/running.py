"""Which mutants live on, each tried in a child of its own."""

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
from typing import Any, TextIO

import pytest

from . import children
from .coverage import Chosen, Coverage, Watcher
from .inplace import Imported, run
from .operators import Mutation, mutations, spoiled

ROOT = Path(__file__).resolve().parents[2]
LIBRARIES = ROOT / "libraries"
HEAVY = ("kubernetes.client", "kubernetes.dynamic", "kubernetes.watch", "hypothesis", "robot.api", "yaml", "requests")
HEAVY_TOO = ("robot.libraries.BuiltIn", "robot.running", "cryptography.x509", "aiohttp", "jsonschema", "pytest_asyncio")
LONGEST_BASELINE = 600.0
LEAST, FACTOR, SPARE = 10.0, 5.0, 60.0
"""Seconds that a mutant gets: some, and so many times what its tests took, or that and a minute: a few hang."""


@dataclass(frozen=True)
class Mutant:
    """A mutation of a file, and the tests that could notice.

    Attributes:
        seconds: what these tests take without a mutation.
        at_import: its spot also ran when the tests were collected.
    """

    file: Path
    number: int
    mutation: Mutation
    tests: tuple[str, ...]
    seconds: float
    at_import: bool

    @property
    def key(self) -> str:
        """Its name in the list of equivalent ones."""
        return f"{self.file.relative_to(LIBRARIES)}: {self.mutation.what}"

    @property
    def module(self) -> str:
        """The name that its file is imported by."""
        return module_of(self.file)


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
        status = int(_pytest([*tests], scratch / "baseline", [watcher, _AsItIs(files)]))
        plain = {file: {line: set(names) for line, names in lines.items()} for file, lines in coverage.tests.items()}
        result.write_bytes(pickle.dumps((plain, dict(coverage.seconds), coverage.failed)))
        return status

    child, coverage = children.fork(work), Coverage()
    end = time.monotonic() + LONGEST_BASELINE
    while (status := children.ended(child)) is None and time.monotonic() < end:
        time.sleep(children.POLL)
    if status is None:
        children.kill(child)
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
    """The mutants that no test notices; `told` hears of each how it went.

    Each is first put into the modules as they are imported; what lives on, and ran when they were imported, where a
    mutation may have come too late, is tried once more in modules that are imported with it.
    """
    lived, again = [], []
    tested = []
    for mutant in mutants:
        if mutant.tests:
            tested.append(mutant)
        else:
            lived.append(mutant)  # no test comes by: nothing can notice
            told(mutant, True)
    for mutant, survived in _in_place(tested, workers, scratch):
        if survived and mutant.at_import:
            again.append(mutant)
        else:
            lived += [mutant] if survived else []
            told(mutant, survived)
    for mutant, survived in _each(again, workers, scratch, _import_and_run):
        lived += [mutant] if survived else []
        told(mutant, survived)
    return lived


def longest(mutant: Mutant) -> float:
    """Seconds that a mutant gets; one whose tests are not through by then was noticed."""
    return LEAST + min(FACTOR * mutant.seconds, mutant.seconds + SPARE)


def _each(
    mutants: Sequence[Mutant], workers: int, scratch: Path, attempt: Callable[[Mutant, Path], int]
) -> Iterator[tuple[Mutant, bool]]:
    """Whether each mutant lives on."""
    for mutant, status in children.each(mutants, workers, scratch, attempt, longest):
        if status in (pytest.ExitCode.NO_TESTS_COLLECTED, pytest.ExitCode.INTERNAL_ERROR):
            # not a usage error, which is a conftest that cannot be imported now
            raise RuntimeError(f"the tests for {mutant.key} could not be run")
        yield mutant, status == 0


def _import_and_run(mutant: Mutant, folder: Path) -> int:
    sys.meta_path.insert(0, _Spoiler(mutant))
    files = sorted({name.partition("::")[0] for name in mutant.tests})
    return int(_pytest([*files, "-x"], folder / "tests", [Chosen(mutant.tests)]))


def _in_place(mutants: Sequence[Mutant], workers: int, scratch: Path) -> Iterator[tuple[Mutant, bool]]:
    """Whether each mutant lives on, put into what is collected once for all of them."""
    files = dict.fromkeys(name.partition("::")[0] for mutant in mutants for name in mutant.tests)
    reads, writes = os.pipe()

    def work() -> int:
        signal.signal(signal.SIGTERM, lambda *_: sys.exit())
        with os.fdopen(writes, "w") as pipe:
            return int(_pytest([*files, "-x"], scratch / "collected", [_Tries(mutants, workers, scratch, pipe)]))

    child = children.fork(work)
    os.close(writes)
    try:
        heard = 0
        with os.fdopen(reads) as pipe:
            for line in pipe:
                heard += 1
                number, survived = line.split()
                yield mutants[int(number)], survived == "True"
        if heard < len(mutants):
            raise RuntimeError(f"only {heard} of {len(mutants)} mutants could be tried")
    finally:
        with suppress(ProcessLookupError):
            os.kill(child, signal.SIGTERM)
        os.waitpid(child, 0)


class _Tries:
    """Plugin that tries mutants in place of running what was collected, and writes how each went."""

    def __init__(self, mutants: Sequence[Mutant], workers: int, scratch: Path, pipe: TextIO) -> None:
        self._numbers = {mutant: number for number, mutant in enumerate(mutants)}
        self._workers, self._scratch, self._pipe = workers, scratch, pipe

    def pytest_runtestloop(self, session: pytest.Session) -> bool:
        imported = Imported({mutant.file for mutant in self._numbers})
        items = {item.nodeid: item for item in session.items}

        def attempt(mutant: Mutant, _folder: Path) -> int:
            tree = spoiled(mutant.file.read_text(), mutant.number)
            if not imported.put(tree, mutant.file, mutant.module):
                return int(pytest.ExitCode.TESTS_FAILED)
            return run([items[name] for name in mutant.tests])

        for mutant, survived in _each([*self._numbers], self._workers, self._scratch, attempt):
            print(self._numbers[mutant], survived, file=self._pipe, flush=True)
        return True


class _AsItIs:
    """Plugin that puts the modules as they are into themselves: that must not be noticed."""

    def __init__(self, files: Sequence[Path]) -> None:
        self._files = files

    def pytest_collection_finish(self) -> None:
        imported = Imported(self._files)
        for file in self._files:
            if (module := module_of(file)) in sys.modules:
                assert imported.put(ast.parse(file.read_text()), file, module)


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
        self._name = mutant.module

    def find_spec(self, fullname: str, *_where: Any) -> ModuleSpec | None:
        return spec_from_file_location(fullname, self._mutant.file, loader=self) if fullname == self._name else None

    def exec_module(self, module: ModuleType) -> None:
        tree: ast.Module = spoiled(self._mutant.file.read_text(), self._mutant.number)
        exec(compile(tree, str(self._mutant.file), "exec"), module.__dict__)  # noqa: S102


def module_of(file: Path) -> str:
    """The name that a file is imported by."""
    parts = file.relative_to(LIBRARIES).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def mutants_of(files: Iterable[Path], coverage: Coverage) -> Iterator[Mutant]:
    """Every mutant of the files."""
    for file in files:
        for number, mutation in enumerate(mutations(ast.parse(file.read_text()))):
            tests = tuple(coverage.of(str(file), mutation.lines))
            seconds = sum(coverage.seconds[test] for test in tests)
            yield Mutant(file, number, mutation, tests, seconds, coverage.at_import(str(file), mutation.lines))
