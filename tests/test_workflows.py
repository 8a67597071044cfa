"""The workflow files are ones that GitHub takes, and the matrix is of the versions that this project is made for."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

from K3sLibrary.preflight.fitness import TRIED
from settings import TABLE, TOKEN

ROOT = Path(__file__).resolve().parents[1]
FILES = sorted((ROOT / ".github" / "workflows").glob("*.y*ml"))
MATRIX = ROOT / ".github" / "workflows" / "matrix.yml"
MINORS = 4
SCHEMAS = ("vendor.github-workflows", "custom.github-workflows-require-timeout")
"""GitHub's schema and one that wants a time limit, as check-jsonschema brings them along (Apache-2.0)."""
OURS = re.compile(r"(PROVIDER|PROPAGATOR|K3S_|CEDANA_|HELM_|KUBE)")


def jobs(file: Path) -> dict[str, Any]:
    """Its jobs."""
    read: dict[str, Any] = yaml.safe_load(file.read_text())["jobs"]
    return read


def steps(file: Path) -> list[dict[str, Any]]:
    """The steps of all jobs."""
    return [step for job in jobs(file).values() for step in job.get("steps", [])]


@pytest.mark.parametrize("schema", SCHEMAS)
def test_they_follow_the_schema(schema: str) -> None:
    command = [sys.executable, "-m", "check_jsonschema", "--builtin-schema", schema, *map(str, FILES)]
    ended = subprocess.run(command, capture_output=True, text=True, check=False, timeout=60)
    assert ended.returncode == 0, ended.stdout + ended.stderr


def test_what_does_not_follow_it_is_found(tmp_path: Path) -> None:
    broken = tmp_path / "broken.yml"
    broken.write_text("on: push\njobs: {one: {runs-on: ubuntu-24.04, steps: [{use: actions/checkout@v5}]}}\n")
    command = [sys.executable, "-m", "check_jsonschema", "--builtin-schema", SCHEMAS[0], str(broken)]
    assert subprocess.run(command, capture_output=True, check=False, timeout=60).returncode == 1


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.name)
def test_they_may_only_read_and_pass_nothing_foreign_to_a_shell(file: Path) -> None:
    """`${{ }}` in a script is filled in before the shell reads it, so that a value could be code, or a secret shown."""
    assert yaml.safe_load(file.read_text())["permissions"] == {"contents": "read"}
    assert [step["run"] for step in steps(file) if "${{" in step.get("run", "")] == []
    assert [step["uses"] for step in steps(file) if "uses" in step and "@" not in step["uses"]] == []


def test_the_matrix_is_of_the_last_four_minors() -> None:
    newest = TRIED[1][1]
    expected = [f"v1.{minor}" for minor in range(newest - MINORS + 1, newest + 1)]
    assert {name: job["strategy"]["matrix"]["minor"] for name, job in jobs(MATRIX).items()} == {
        "containerd": expected,
        "crio": expected,
    }


def test_it_sets_what_is_a_setting() -> None:
    given = {name for job in jobs(MATRIX).values() for name in job.get("env", {})}
    given |= {name for step in steps(MATRIX) for name in step.get("env", {})}
    given |= {name for step in steps(MATRIX) for name in re.findall(r'echo "(\w+)=', step.get("run", ""))}
    known = {setting.name for setting in TABLE} | {TOKEN}
    assert {name for name in given if OURS.match(name)} <= known
