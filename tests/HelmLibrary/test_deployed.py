"""What `Release Should Be Deployed` takes for good."""

from __future__ import annotations

from pathlib import Path

import pytest

from harness.failures import NotAsExpected
from harness.kube import CLUSTERS, Cluster
from HelmLibrary import HelmLibrary
from HelmLibrary.releases import Release


class Engine:
    """Knows one release."""

    def __init__(self, status: str) -> None:
        self.known = Release("cedana", "cedana-system", 1, status, "cedana-1.0", "1.0", "now", "what Helm says")

    def status(self, _target: object, release: str) -> Release | None:
        """It, by its name."""
        return self.known if release == self.known.name else None

    def list(self, _target: object, _namespaces: object) -> list[Release]:
        """It alone."""
        return [self.known]


@pytest.fixture
def library(tmp_path: Path, request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> HelmLibrary:
    """With that engine, and a cluster that is not asked."""
    CLUSTERS.add(Cluster("helm-test", tmp_path))
    request.addfinalizer(lambda: CLUSTERS.discard("helm-test"))
    helm = HelmLibrary()
    engine = Engine(getattr(request, "param", "deployed"))
    monkeypatch.setattr(helm, "_engine", lambda: engine)
    return helm


@pytest.mark.parametrize("missing", [False, True])
def test_a_deployed_release_is_told(library: HelmLibrary, missing: bool) -> None:
    found = library.release_should_be_deployed("cedana", may_be_missing=missing, cluster="helm-test")
    assert found
    assert found.chart == "cedana-1.0"


@pytest.mark.parametrize("missing", [False, True])
@pytest.mark.parametrize("library", ["failed", "pending-install"], indirect=True)
def test_another_status_is_told_whether_or_not_it_may_be_missing(library: HelmLibrary, missing: bool) -> None:
    with pytest.raises(NotAsExpected, match="what Helm says"):
        library.release_should_be_deployed("cedana", may_be_missing=missing, cluster="helm-test")


def test_a_release_that_is_missing_is_fine_only_where_it_may_be(library: HelmLibrary) -> None:
    assert library.release_should_be_deployed("other", may_be_missing=True, cluster="helm-test") is None
    with pytest.raises(NotAsExpected, match="there is no such release; releases there: cedana"):
        library.release_should_be_deployed("other", cluster="helm-test")
