"""Which tests come by which line: one run of the tests, watched."""

from __future__ import annotations

import sys
import threading
from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from types import FrameType
from typing import Any

import pytest

AT_IMPORT = ""
"""Stands for the test in whose place a line ran outside of any."""


@dataclass
class Coverage:
    """What a watched run showed.

    Attributes:
        tests: by file and line, the tests that came by.
        seconds: what each test took.
        failed: tests that failed without any mutation.
    """

    tests: dict[str, dict[int, set[str]]] = field(default_factory=lambda: defaultdict(lambda: defaultdict(set)))
    seconds: dict[str, float] = field(default_factory=lambda: defaultdict(float))
    failed: list[str] = field(default_factory=list)

    def of(self, file: str, lines: Iterable[int]) -> list[str]:
        """The tests that come by any of these lines, the quickest first.

        For what runs at import (constants, the fields of dataclasses) all of the files in which a test comes by the
        module: what such lines make is used elsewhere, so that the tests that come by it are only the first.
        """
        by_line = self.tests.get(file, {})
        found = {test for line in lines for test in by_line.get(line, ())}
        near = {test for tests in by_line.values() for test in tests} if AT_IMPORT in found else found
        if AT_IMPORT in found:
            files = {test.partition("::")[0] for test in near if test}
            found |= {test for test in self.seconds if test.partition("::")[0] in files}
        return sorted(found - {AT_IMPORT}, key=lambda test: (test not in near, self.seconds[test], test))

    def at_import(self, file: str, lines: Iterable[int]) -> bool:
        """Whether any of these lines ran outside of all tests."""
        return any(AT_IMPORT in self.tests.get(file, {}).get(line, ()) for line in lines)


class Watcher:
    """Plugin that notes for each test which lines of the files it runs, in all threads."""

    def __init__(self, files: Iterable[Path], coverage: Coverage) -> None:
        self._files = {str(file) for file in files}
        self._coverage = coverage
        self._test = AT_IMPORT

    def begin(self) -> None:
        """Begins to watch; before pytest does anything, for its conftest files import the modules."""
        threading.settrace(self._enter)
        sys.settrace(self._enter)

    def pytest_unconfigure(self) -> None:
        sys.settrace(None)
        threading.settrace(None)  # type: ignore[arg-type]

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_protocol(self, item: pytest.Item) -> Iterator[None]:
        self._test = item.nodeid
        try:
            return (yield)
        finally:
            self._test = AT_IMPORT

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        self._coverage.seconds[report.nodeid] += report.duration
        if report.failed:
            self._coverage.failed.append(report.nodeid)

    def _enter(self, frame: FrameType, _event: str, _argument: Any) -> Any:
        return self._step if frame.f_code.co_filename in self._files else None

    def _step(self, frame: FrameType, event: str, _argument: Any) -> Any:
        if event == "line":
            self._coverage.tests[frame.f_code.co_filename][frame.f_lineno].add(self._test)
        return self._step


class Chosen:
    """Plugin that runs only the tests of these names, in their order."""

    def __init__(self, names: Iterable[str]) -> None:
        self._rank = {name: number for number, name in enumerate(names)}

    @pytest.hookimpl(trylast=True)
    def pytest_collection_modifyitems(self, items: list[pytest.Item]) -> None:
        chosen = [item for item in items if item.nodeid in self._rank]
        items[:] = sorted(chosen, key=lambda item: self._rank[item.nodeid])
