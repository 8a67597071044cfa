"""An install that made nothing because the API server failed by itself is tried again, and no other one.

An uninstall under which the chart's own uninstaller takes away what Helm keeps has ended all the same.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from harness.failures import OperationFailed
from harness.kube import Cluster
from harness.ledger import Ledger
from HelmLibrary import operations
from HelmLibrary.operations import Helm
from HelmLibrary.releases import Chart, Deployed, HelmError, Order, Release

PASSING = "Internal error occurred: etcdserver: request timed out"
ORDER = Order(Chart("chart"), (), True, 60.0)


class Engine:
    """Fails as often as it is told to, and then installs."""

    def __init__(self, *words: str) -> None:
        self.words, self.orders = list(words), []

    def install(self, _target: Any, release: str, order: Order) -> Deployed:
        self.orders.append(order)
        if self.words:
            raise HelmError(self.words.pop(0))
        return Deployed(Release(release, "ns", 1, "deployed", "cedana-1.0.0", ""), "")


@pytest.fixture
def stored(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> list[str]:
    """What Helm keeps of the release."""
    kept: list[str] = []
    monkeypatch.setattr(operations, "LEDGER", Ledger(tmp_path))
    monkeypatch.setattr(operations, "PAUSE", 0.01)
    monkeypatch.setattr(Helm, "stored", lambda *_: kept)
    monkeypatch.setattr(Helm, "find", lambda *_: None)
    monkeypatch.setattr(Cluster, "where", {})
    return kept


def helm(engine: Any, tmp_path: Path) -> Helm:
    return Helm(engine, Cluster("x", tmp_path / "kubeconfig"), "ns")


def test_it_is_tried_again_and_the_pods_are_waited_for_by_us(stored: list[str], tmp_path: Path) -> None:
    engine = Engine(PASSING, PASSING)
    assert helm(engine, tmp_path).install("cedana", ORDER, create_namespace=False).status == "deployed"
    assert [order.wait for order in engine.orders] == [False] * 3
    assert stored == []


def test_no_other_failure_is_tried_again(stored: list[str], tmp_path: Path) -> None:
    engine = Engine("execution error at (cedana/templates/x.yaml)")
    with pytest.raises(Exception, match="execution error"):
        helm(engine, tmp_path).install("cedana", ORDER, create_namespace=False)
    assert len(engine.orders) == 1
    assert stored == []


def test_nothing_is_tried_again_when_something_was_made(stored: list[str], tmp_path: Path) -> None:
    engine = Engine(PASSING)
    half = engine.install

    def install(*arguments: Any) -> Deployed:
        stored.append("uid")
        return half(*arguments)

    engine.install = install  # type: ignore[method-assign]
    with pytest.raises(Exception, match="etcdserver"):
        helm(engine, tmp_path).install("cedana", ORDER, create_namespace=False)
    assert len(engine.orders) == 1


def test_the_patience_has_an_end(stored: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(operations, "PATIENCE", 0.05)
    engine = Engine(*[PASSING] * 10_000)
    with pytest.raises(Exception, match="etcdserver"):
        helm(engine, tmp_path).install("cedana", ORDER, create_namespace=False)
    assert 1 < len(engine.orders) < 1000
    assert stored == []


class Purging:
    """Reads the release, and fails when it is about to remove what Helm keeps of it."""

    def manifest(self, *_: Any) -> str:
        return ""

    def uninstall(self, *_: Any, **__: Any) -> None:
        raise HelmError("uninstall: Failed to purge the release: release: not found")


@pytest.mark.parametrize("stored", [False, True])
def test_what_helm_keeps_may_go_amid_an_uninstall(
    stored: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Helm, "is_stored", lambda *_: stored)
    ours = helm(Purging(), tmp_path)
    if not stored:
        assert not ours.remove("cedana", None, wait=True, timeout=60).removed
        return
    with pytest.raises(OperationFailed, match="Failed to purge"):
        ours.remove("cedana", None, wait=True, timeout=60)
