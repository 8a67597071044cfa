"""A fake API for what a healthy cluster does not do, and a ledger of the test's own."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.harness.fake_api import FakeApi, serving

from harness.kube import Cluster
from harness.ledger import LEDGER
from harness.removal import remove_all


@pytest.fixture(autouse=True)
def _own_ledger(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Nothing of a test reaches the user's state directory, and nothing of it stays in the temporary one."""
    monkeypatch.setenv("LEDGER_DIR", str(tmp_path / "ledgers"))
    yield
    assert [str(removal) for removal in remove_all(LEDGER, budget=20, each=10) if removal.left] == []


@pytest.fixture
def api(tmp_path: Path) -> Iterator[FakeApi]:
    """A fake Kubernetes API."""
    with serving(tmp_path) as fake:
        yield fake


@pytest.fixture
def cluster(api: FakeApi) -> Cluster:
    """The connection to it."""
    return Cluster("fake", api.kubeconfig)
