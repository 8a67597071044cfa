"""The README's commands are the ones that CI runs."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

import pytest

from tests import causes_table, readme, settings_table

ROOT = Path(__file__).resolve().parents[1]


def test_the_first_two_bash_blocks_are_one_command_line_each() -> None:
    blocks = re.findall(r"^```bash\n(.*?)^```", readme.README.read_text(), re.MULTILINE | re.DOTALL)
    assert blocks[0].strip() == readme.command("Run it")
    assert blocks[1].strip() == readme.command("Test it")
    for block in blocks[:2]:
        assert len(block.strip().splitlines()) == 1


def test_running_installs_the_requirements_and_runs_the_suites() -> None:
    command = readme.command("Run it")
    assert "-r requirements.txt" in command
    assert command.endswith("robot suites/")


def test_testing_installs_what_it_needs_and_runs_the_checks() -> None:
    command = readme.command("Test it")
    assert "-r requirements-dev.txt" in command
    assert command.endswith("python -m tests")


def test_ci_runs_the_test_command_as_it_stands_in_the_readme(tmp_path: Path) -> None:
    script = (ROOT / ".ci" / "run").read_text()
    assert 'python3 tests/readme.py "Test it"' in script
    printed = subprocess.run(
        ["python3", "tests/readme.py", "Test it"], cwd=ROOT, capture_output=True, text=True, check=True
    ).stdout
    assert printed.strip() == readme.command("Test it")


def test_a_missing_heading_is_an_error() -> None:
    with pytest.raises(LookupError, match="No such heading"):
        readme.command("No such heading")


def test_the_table_of_settings_is_the_codes() -> None:
    assert settings_table.in_readme() == settings_table.table()


def test_every_cause_has_its_line_in_the_page_of_troubles() -> None:
    assert causes_table.in_page() == causes_table.table()
