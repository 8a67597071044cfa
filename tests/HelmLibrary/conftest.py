"""The ledger and the run's directory of these tests are their own."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from harness import rundir
from harness.kube import objects
from harness.ledger import LEDGER, Ledger
from HelmLibrary import operations


@pytest.fixture(autouse=True)
def ledger(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Ledger]:
    """A ledger of the test's own, in the place of the run's."""
    own = Ledger(tmp_path / "ledger", LEDGER.run_id)
    for module in (operations, objects):
        monkeypatch.setattr(module, "LEDGER", own)
    yield own


@pytest.fixture(autouse=True)
def run_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The run's directory, in the test's own folder."""
    folder = tmp_path / "run"
    folder.mkdir()
    monkeypatch.setattr(rundir, "_made", [folder])
    return folder
