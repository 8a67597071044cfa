"""A Cedana that is there already is used: not installed again, not upgraded, not uninstalled."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from .cluster_state import standing
from .runner import QUICK, Folders, run, sweep


@pytest.fixture
def installed(tmp_path: Path, sandbox: dict[str, Any], existing: dict[str, str]) -> Iterator[dict[str, list[str]]]:
    """What stands in the cluster after a run that kept its environment, Cedana included."""
    before = standing(sandbox)
    folders = Folders.below(tmp_path / "kept")
    kept = run(folders, *QUICK, KEEP="always", **existing)
    assert kept.status == 0, kept.console
    yield standing(sandbox)
    sweep(folders, CEDANA_AUTH_TOKEN=sandbox["token"])
    assert standing(sandbox) == before


@pytest.mark.parametrize("skip_helm", ["0", "1"])
def test_it_is_used_and_stays(
    skip_helm: str,
    installed: dict[str, list[str]],
    folders: Folders,
    sandbox: dict[str, Any],
    existing: dict[str, str],
) -> None:
    ended = run(folders, *QUICK, SKIP_HELM=skip_helm, **existing)
    assert ended.status == 0, ended.console
    assert "Waiting for the Cedana that is installed..." in ended.console
    assert "Deploying Cedana" not in ended.console
    assert standing(sandbox) == installed
    assert folders.left() == []


def test_without_one_skip_helm_says_so(folders: Folders, existing: dict[str, str]) -> None:
    ended = run(folders, *QUICK, SKIP_HELM="1", **existing)
    assert ended.status != 0
    assert "Seen: there is no ConfigMap cedana-config" in ended.console
    assert {test["cause"]["name"] for test in ended.evidence["tests"]} == {"bad-settings"}
    assert folders.left() == []
