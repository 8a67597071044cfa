"""A fake API for what a healthy cluster does not do, and a ledger of the test's own."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.harness.fake_api import FakeApi, serving

from harness.kube import Cluster


@pytest.fixture(autouse=True)
def _own_ledger(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing of a test reaches the user's state directory."""
    monkeypatch.setenv("LEDGER_DIR", str(tmp_path / "ledgers"))


@pytest.fixture
def api(tmp_path: Path) -> Iterator[FakeApi]:
    """A fake Kubernetes API."""
    with serving(tmp_path) as fake:
        yield fake


@pytest.fixture
def cluster(api: FakeApi) -> Cluster:
    """The connection to it."""
    return Cluster("fake", api.kubeconfig)
