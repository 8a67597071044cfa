"""What is put into a module that others have imported already is what they meet, as if it had been imported so."""

from __future__ import annotations

import ast
import gc
import importlib
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.mutation.inplace import Imported

SOURCE = """
from dataclasses import dataclass

LIMIT = 3.5


@dataclass(frozen=True)
class Pace:
    least: float = 0.25

    @property
    def double(self):
        return self.least * 2


def twice(value, by=2):
    return [value * by for _ in range(1)][0]
"""
USER = "from victim_of_put.code import LIMIT, Pace, twice\n"


@pytest.fixture(autouse=True)
def afterwards() -> Iterator[None]:
    """Nothing stays frozen, and the next module of that name is imported anew."""
    yield
    gc.unfreeze()
    for name in [name for name in sys.modules if name.startswith("victim_of_put")]:
        del sys.modules[name]


@pytest.mark.parametrize(
    ("before", "after", "seen"),
    [
        ("3.5", "4.5", (4.5, 0.25, 0.5, 6)),
        ("0.25", "1.25", (3.5, 1.25, 2.5, 6)),
        ("self.least * 2", "self.least / 2", (3.5, 0.25, 0.125, 6)),
        ("by=2", "by=5", (3.5, 0.25, 0.5, 15)),
        ("value * by", "value + by", (3.5, 0.25, 0.5, 5)),
        ("LIMIT", "LIMIT", (3.5, 0.25, 0.5, 6)),
    ],
)
def test_a_module_behaves_as_it_is_put(before, after, seen, tmp_path: Path, monkeypatch) -> None:
    folder = tmp_path / "victim_of_put"
    folder.mkdir()
    file = folder / "code.py"
    for name, text in {"__init__.py": "", "code.py": SOURCE, "user.py": USER}.items():
        (folder / name).write_text(text)
    monkeypatch.syspath_prepend(str(tmp_path))
    user = importlib.import_module("victim_of_put.user")
    assert Imported([file]).put(ast.parse(SOURCE.replace(before, after)), file, "victim_of_put.code")
    assert (user.LIMIT, user.Pace().least, user.Pace().double, user.twice(3)) == seen


def test_what_cannot_be_imported_any_more_is_told(tmp_path: Path) -> None:
    file = tmp_path / "code.py"
    assert not Imported([file]).put(ast.parse("1 / 0"), file, "code")
