"""Folders for each run, and a cluster that a run finds there already."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from .runner import Folders
from .sandboxes import settings_of


@pytest.fixture
def folders(tmp_path: Path) -> Folders:
    """Folders of one run."""
    return Folders.below(tmp_path)


@pytest.fixture
def existing(sandbox: dict[str, Any]) -> dict[str, str]:
    """The settings with which a run uses the sandbox that the tests started, as it would use any cluster."""
    return settings_of(sandbox)
