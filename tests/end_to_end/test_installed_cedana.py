"""A Cedana that is there already is used: not installed again, not upgraded, not uninstalled."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from kubernetes.client import CoordinationV1Api

from harness.failures import E2EFailure
from harness.kube import Cluster
from HelmLibrary.charts import chart_of
from HelmLibrary.engines import EngineChoice, find_engine
from HelmLibrary.operations import Helm
from HelmLibrary.releases import Order, Values

from .cluster_state import standing
from .runner import QUICK, Folders, finish, run, start, sweep
from .shared_cedana import NAMESPACE


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


def test_one_that_has_another_address_for_the_propagator_is_used_with_a_warning(
    installed: dict[str, list[str]], folders: Folders, sandbox: dict[str, Any], existing: dict[str, str]
) -> None:
    elsewhere = {"data": {"url": "propagator.example.test/v1"}}
    core = Cluster("test", Path(sandbox["kubeconfig"])).core
    core.patch_namespaced_config_map("cedana-config", NAMESPACE, elsewhere)
    ended = run(folders, *QUICK, **existing)
    assert ended.status == 0, ended.console
    assert "The installed Cedana has another address for the propagator." in ended.console
    assert "the propagator of this run to be the one at https://propagator.example.test" in ended.console
    assert standing(sandbox) == installed
    assert folders.left() == []


def test_one_whose_pods_are_not_ready_is_not_used(
    installed: dict[str, list[str]], folders: Folders, sandbox: dict[str, Any], existing: dict[str, str]
) -> None:
    helm = Helm(find_engine(EngineChoice.WHEEL), Cluster("test", Path(sandbox["kubeconfig"])), NAMESPACE)
    values = helm.get_values("cedana", computed=False)
    image = {"manager": {"image": {"repository": "registry.example.test/nope"}}}
    order = Order(chart_of(sandbox["chart"], None, None), Values(None, {**values, "controllerManager": image}), True, 2)
    with pytest.raises(E2EFailure):
        helm.upgrade("cedana", order)
    ended = run(folders, *QUICK, "--variable", "INSTALL_TIMEOUT:3 s", **existing)
    assert ended.status != 0
    assert {test["cause"]["name"] for test in ended.evidence["tests"]} == {"image-pull"}, "which is why it is not"
    assert folders.left() == []


def test_without_one_skip_helm_says_so(folders: Folders, existing: dict[str, str]) -> None:
    ended = run(folders, *QUICK, SKIP_HELM="1", **existing)
    assert ended.status != 0
    assert "Seen: there is no ConfigMap cedana-config" in ended.console
    assert {test["cause"]["name"] for test in ended.evidence["tests"]} == {"bad-settings"}
    assert folders.left() == []


def test_of_two_runs_that_both_need_one_the_second_waits_for_its_turn(
    tmp_path: Path, sandbox: dict[str, Any], existing: dict[str, str]
) -> None:
    before = standing(sandbox)
    places = [Folders.below(tmp_path / name) for name in ("first", "second")]
    processes = [start(place, *QUICK, **existing) for place in places]
    for process, place in zip(processes, places, strict=True):
        ended = finish(process, place)
        assert ended.status == 0, ended.console
        assert "Deploying Cedana via Helm..." in ended.console
        assert place.left() == []
    assert standing(sandbox) == before


def test_a_run_whose_turn_does_not_come_says_who_has_it(
    folders: Folders, sandbox: dict[str, Any], existing: dict[str, str]
) -> None:
    before = standing(sandbox)
    api = CoordinationV1Api(Cluster("test", Path(sandbox["kubeconfig"])).api_client)
    name = f"cedana-e2e-{NAMESPACE}"
    spec = {"holderIdentity": "0badcafe on elsewhere", "leaseDurationSeconds": 3600}
    api.create_namespaced_lease("default", {"metadata": {"name": name}, "spec": spec})
    try:
        ended = run(folders, *QUICK, "--variable", "TURN_TIMEOUT:1 s", **existing)
    finally:
        api.delete_namespaced_lease(name, "default")
    assert "Seen: it is held by run 0badcafe on elsewhere" in ended.console
    assert "Cause: cluster-in-use (environment)" in ended.console
    assert standing(sandbox) == before
