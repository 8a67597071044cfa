"""What the pages for people link to is there, and the version is said once."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

import pytest
from tests import screenshot
from tests.checks import ROOT

from harness import VERSION

PAGES = [ROOT / "README.md", ROOT / "CHANGELOG.md", *sorted((ROOT / "docs").rglob("*.md"))]
FENCED = re.compile(r"^```.*?^```", re.MULTILINE | re.DOTALL)


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_a_link_leads_to_a_file_of_this_repository(page: Path) -> None:
    links = re.findall(r"\]\(([^)#]+)", FENCED.sub("", page.read_text()))
    assert [link for link in links if "://" not in link and not (page.parent / link).exists()] == []


def test_every_page_is_linked_from_the_readme() -> None:
    readme = (ROOT / "README.md").read_text()
    assert [page.name for page in PAGES[1:] if str(page.relative_to(ROOT)) not in readme] == []


def test_the_readme_can_be_read_in_one_go() -> None:
    assert len((ROOT / "README.md").read_text().splitlines()) < 400


def test_the_picture_of_the_report_is_small() -> None:
    assert 0 < screenshot.PICTURE.stat().st_size <= screenshot.LARGEST


def test_the_version_is_said_once_and_the_changelog_has_it() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())
    assert project["project"]["dynamic"] == ["version"]
    assert project["tool"]["setuptools"]["dynamic"]["version"] == {"attr": "harness.VERSION"}
    newest = re.search(r"^## (\S+)", (ROOT / "CHANGELOG.md").read_text(), re.MULTILINE)
    assert newest
    assert newest[1] == VERSION
    said = [
        file for file in (ROOT / "libraries").glob("*Library/**/*.py") if f'version="{VERSION}"' in file.read_text()
    ]
    assert said == []
