"""The fake API of the harness's tests for what a healthy cluster does not do, and the sandbox for what one does."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from tests.harness.conftest import _own_ledger, api, cluster

from harness.kube import CLUSTERS, Cluster
from harness.ledger import LEDGER
from harness.removal import remove_all
from KubernetesLibrary import KubernetesLibrary

__all__ = ["_own_ledger", "api", "cluster"]


@pytest.fixture
def main(sandbox: dict[str, Any], _own_ledger: None) -> Iterator[Cluster]:
    """The sandbox as the run's cluster. What the test made is removed by the ledger, and nothing may be left."""
    connected = CLUSTERS.add(Cluster("main", Path(sandbox["kubeconfig"]), provider="sandbox"))
    yield connected
    left = [str(removal) for removal in remove_all(LEDGER, budget=60, each=30) if removal.left]
    CLUSTERS.discard("main")
    assert left == []


@pytest.fixture
def kube(main: Cluster) -> KubernetesLibrary:
    """The keywords, on the sandbox."""
    return KubernetesLibrary()


@pytest.fixture
def namespace(kube: KubernetesLibrary, request: pytest.FixtureRequest) -> str:
    """A namespace of the test's own."""
    name = "t-" + request.node.name.partition("[")[0].removeprefix("test_").replace("_", "-")[:40].strip("-")
    return kube.create_namespace(name)
