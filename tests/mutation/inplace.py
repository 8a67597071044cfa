"""Mutants in modules that are imported already: a child that is forked after the tests are collected only runs them."""

from __future__ import annotations

import ast
import gc
import sys
from collections import defaultdict
from collections.abc import Iterable, Sequence
from contextlib import suppress
from pathlib import Path
from types import FunctionType, ModuleType
from typing import Any

import pytest


class Imported:
    """Modules as they were imported, wherever their functions and values are held by now.

    What is alive when this is made is frozen, so that a child's collector need not copy its pages, and what a child
    makes anew can be told from it.
    """

    def __init__(self, files: Iterable[Path]) -> None:
        self._functions = dict(_functions_of(map(str, files)))
        gc.freeze()

    def put(self, tree: ast.Module, file: Path, module: str) -> bool:
        """Lets a module behave as the tree says, and returns whether it can be imported at all.

        Takes over the code and defaults of its functions, the fields of its classes, and its values, also where they
        were imported by name; not what others made of them when they were imported.
        """
        fresh = ModuleType(module)
        fresh.__file__, fresh.__package__ = str(file), module if file.stem == "__init__" else module.rpartition(".")[0]
        try:
            exec(compile(tree, str(file), "exec"), fresh.__dict__)  # noqa: S102
        except Exception:
            return False
        for key, functions in _functions_of([str(file)]).items():
            for one, other in zip(self._functions.get(key, []), functions, strict=False):
                one.__code__ = other.__code__
                _take_defaults(one, other)
        old = vars(sys.modules[module])
        for name, value in vars(fresh).items():
            with suppress(AttributeError, TypeError):  # what cannot be replaced stays as it was, and is not noticed
                if isinstance(value, type) and value.__module__ == module:
                    _take_fields(old[name], value)
                else:
                    _take_value(name, old.get(name), value)
        return True


def _functions_of(files: Iterable[str]) -> dict[tuple[str, str, int], list[FunctionType]]:
    """The functions that are not frozen, by file, qualified name and line; not those that were made in functions."""
    known, found = set(files), defaultdict(list)
    for one in gc.get_objects():
        if type(one) is FunctionType and one.__code__.co_filename in known and "<locals>" not in one.__qualname__:
            code = one.__code__
            found[(code.co_filename, code.co_qualname, code.co_firstlineno)].append(one)
    return found


def _take_defaults(one: FunctionType, other: FunctionType) -> None:
    if repr(one.__defaults__) != repr(other.__defaults__):
        one.__defaults__ = other.__defaults__
    if repr(one.__kwdefaults__) != repr(other.__kwdefaults__):
        one.__kwdefaults__ = other.__kwdefaults__


def _take_fields(old: type, fresh: type) -> None:
    for name, value in vars(fresh).items():
        before = vars(old).get(name)
        if name == "__init__" and isinstance(value, FunctionType) and isinstance(before, FunctionType):
            _take_defaults(before, value)  # those of a dataclass are made, not in the file
        elif _is_plain(value) and repr(before) != repr(value):
            setattr(old, name, value)


def _take_value(name: str, before: Any, value: Any) -> None:
    if name.startswith("__") or not _is_plain(value) or repr(before) == repr(value):
        return
    for module in list(sys.modules.values()):
        if vars(module).get(name) is before:
            setattr(module, name, value)


def _is_plain(value: Any) -> bool:
    return not isinstance(value, type | ModuleType) and not callable(value) and " at 0x" not in repr(value)


def run(items: Sequence[pytest.Item]) -> int:
    """Runs collected tests in this order, to the first that fails, and returns the exit status."""
    session = items[0].session
    try:
        try:
            for item, following in zip(items, [*items[1:], None], strict=True):
                session.config.hook.pytest_runtest_protocol(item=item, nextitem=following)
                if session.shouldfail:
                    break
        finally:
            session.config.hook.pytest_sessionfinish(session=session, exitstatus=int(bool(session.testsfailed)))
    except BaseException:  # what brings pytest itself down is noticed, too
        return int(pytest.ExitCode.TESTS_FAILED)
    return int(bool(session.testsfailed))
