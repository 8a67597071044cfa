"""A Cedana that is there already is used: not installed again, not upgraded, not uninstalled."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from harness.failures import E2EFailure
from harness.kube import Cluster
from HelmLibrary.charts import chart_of
from HelmLibrary.engines import EngineChoice, find_engine
from HelmLibrary.operations import Helm
from HelmLibrary.releases import Order, Values

from .cluster_state import difference, standing
from .rights import user_of
from .runner import QUICK, Folders, Run, run, sweep
from .sandboxes import Facts, settings_of
from .shared_cedana import NAMESPACE


@pytest.fixture(scope="module")
def kept(tmp_path_factory: pytest.TempPathFactory, sandbox: Facts) -> Iterator[None]:
    """What a run leaves that keeps its environment, Cedana included."""
    before = standing(sandbox)
    folders = Folders.below(tmp_path_factory.mktemp("kept"))
    ended = run(folders, *QUICK, KEEP="always", **settings_of(sandbox))
    assert ended.status == 0, ended.console
    yield
    sweep(folders, CEDANA_AUTH_TOKEN=sandbox["token"])
    assert standing(sandbox) == before


@pytest.fixture
def installed(kept: None, sandbox: Facts) -> dict[str, list[str]]:
    """What stands in the cluster before a test, Cedana included."""
    return standing(sandbox)


def _is_used_and_stays(ended: Run, installed: dict[str, list[str]], sandbox: Facts) -> None:
    assert ended.status == 0, ended.console
    assert "Waiting for the Cedana that is installed..." in ended.console
    assert "Deploying Cedana" not in ended.console
    assert difference(installed, standing(sandbox)) == []
    assert ended.folders.left() == []


def test_one_is_used_with_fewer_rights_and_stays(
    installed: dict[str, list[str]], folders: Folders, sandbox: Facts, tmp_path: Path
) -> None:
    with user_of(sandbox, tmp_path, "cedana-e2e-run") as settings:
        standing_with_user = standing(sandbox)
        ended = run(folders, *QUICK, SKIP_HELM="1", **settings)
        _is_used_and_stays(ended, standing_with_user, sandbox)
    assert "another address" not in ended.console


def test_one_that_has_another_address_for_the_propagator_is_used_with_a_warning_and_stays(
    installed: dict[str, list[str]], folders: Folders, sandbox: Facts, existing: dict[str, str]
) -> None:
    core, config = Cluster("test", Path(sandbox["kubeconfig"])).core, ("cedana-config", NAMESPACE)
    url = core.read_namespaced_config_map(*config).data["url"]
    core.patch_namespaced_config_map(*config, {"data": {"url": "propagator.example.test/v1"}})
    try:
        ended = run(folders, *QUICK, SKIP_HELM="0", **existing)
    finally:
        core.patch_namespaced_config_map(*config, {"data": {"url": url}})
    _is_used_and_stays(ended, installed, sandbox)
    assert "The installed Cedana has another address for the propagator." in ended.console
    assert "the propagator of this run to be the one at https://propagator.example.test" in ended.console


def test_one_whose_pods_are_not_ready_is_not_used(
    installed: dict[str, list[str]], folders: Folders, sandbox: Facts, existing: dict[str, str]
) -> None:
    helm = Helm(find_engine(EngineChoice.WHEEL), Cluster("test", Path(sandbox["kubeconfig"])), NAMESPACE)
    values = helm.get_values("cedana", computed=False)
    image = {"manager": {"image": {"repository": "registry.example.test/nope"}}}
    order = Order(chart_of(sandbox["chart"], None, None), Values(None, {**values, "controllerManager": image}), True, 2)
    with pytest.raises(E2EFailure):
        helm.upgrade("cedana", order)
    try:
        ended = run(folders, *QUICK, "--variable", "INSTALL_TIMEOUT:3 s", **existing)
    finally:
        helm.rollback("cedana", 1, wait=True, timeout=60)
    assert ended.status != 0
    assert {test["cause"]["name"] for test in ended.evidence["tests"]} == {"image-pull"}, "which is why it is not"
    assert folders.left() == []
