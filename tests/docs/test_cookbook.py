"""The files of the cookbook work as they stand."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest
from tests.end_to_end.runner import QUICK, ROOT, Folders, run

COOKBOOK = ROOT / "docs" / "cookbook"
RECIPES = sorted(COOKBOOK.glob("*.robot"))


def test_each_file_is_told_of() -> None:
    links = set(re.findall(r"\]\(([\w.]+)\)", (COOKBOOK / "README.md").read_text()))
    assert links == {file.name for file in COOKBOOK.iterdir() if file.is_file() and file.name != "README.md"}


def test_they_name_keywords_and_arguments_that_there_are() -> None:
    nowhere = ["--output", "NONE", "--log", "NONE", "--report", "NONE"]
    ran = [sys.executable, "-m", "robot", "--dryrun", *nowhere, *map(str, RECIPES)]
    assert subprocess.run(ran, cwd=ROOT, check=False).returncode == 0


@pytest.mark.slow
@pytest.mark.parametrize("recipe", RECIPES, ids=lambda file: file.stem)
def test_it_works(recipe: Path, tmp_path: Path) -> None:
    folders = Folders.below(tmp_path)
    ended = run(folders, *QUICK, what=str(recipe))
    assert ended.status == 0, ended.console
    assert folders.left() == []
