"""Runs of users who have the least rights that the project says are needed, and of users who have less."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from .cluster_state import difference, standing
from .rights import user_of
from .runner import QUICK, Folders, run


def test_the_rights_in_the_manifest_are_enough(folders: Folders, sandbox: dict[str, Any], tmp_path: Path) -> None:
    with user_of(sandbox, tmp_path, "cedana-e2e-run", "cedana-e2e-install") as settings:
        before = standing(sandbox)
        ended = run(folders, *QUICK, **settings)
        assert ended.status == 0, ended.console
        assert difference(before, standing(sandbox)) == []


@pytest.mark.parametrize("roles", [(), ("cedana-e2e-run",)], ids=["none", "only those of a run"])
def test_whoever_has_less_is_told_before_anything_is_created(
    roles: tuple[str, ...], folders: Folders, sandbox: dict[str, Any], tmp_path: Path
) -> None:
    with user_of(sandbox, tmp_path, *roles) as settings:
        before = standing(sandbox)
        ended = run(folders, *QUICK, **settings)
        assert ended.status != 0
        assert "Cause: cluster-" in ended.console
        assert difference(before, standing(sandbox)) == []
    assert folders.left() == []
