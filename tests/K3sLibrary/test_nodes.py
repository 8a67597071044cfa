"""Facts of a cluster, and nodes that are not Ready."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from harness.failures import WaitTimedOut
from harness.kube import Cluster
from K3sLibrary.nodes import facts, wait_until_nodes_ready


@pytest.fixture
def cluster(sandbox: dict[str, Any]) -> Cluster:
    """The cluster that the tests started."""
    return Cluster("tests", Path(sandbox["kubeconfig"]), provider="existing")


def test_the_cluster_says_what_it_is(cluster: Cluster) -> None:
    found = facts(cluster)
    assert found.emulated
    assert found.version.endswith("+emulated")
    assert len(found.nodes) == 2
    assert all(node["ready"] and node["runtime"] for node in found.nodes)
    assert str(found) == f"Kubernetes {found.version} with 2 node(s) (existing, emulated)"


def test_a_node_that_is_not_ready_is_named(cluster: Cluster, monkeypatch: pytest.MonkeyPatch) -> None:
    wait_until_nodes_ready(cluster, 10)
    broken = {"metadata": {"name": "node-9", "uid": "9"}, "status": {"conditions": [_not_ready()]}}
    monkeypatch.setattr("harness.kube.watching._listed", lambda *_: ([broken], "1"))
    with pytest.raises(WaitTimedOut) as failure:
        wait_until_nodes_ready(cluster, 0)
    assert "node node-9 is not Ready: the kubelet is gone" in str(failure.value)
    assert failure.value.cause.name == "node-not-ready"


def test_a_cluster_without_a_node_is_not_ready(cluster: Cluster, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("harness.kube.watching._listed", lambda *_: ([], "1"))
    with pytest.raises(WaitTimedOut, match="the cluster has no node"):
        wait_until_nodes_ready(cluster, 0)


def _not_ready() -> dict[str, str]:
    return {"type": "Ready", "status": "Unknown", "message": "the kubelet is gone"}
