"""Values by the names that a chart knows."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import pytest
import yaml

from harness.failures import BadInput, OperationFailed
from HelmLibrary.cedana_chart import OPTIONS, cedana_values
from HelmLibrary.charts import chart_of
from HelmLibrary.embedded_engine import EmbeddedEngine
from HelmLibrary.operations import values_of_chart
from HelmLibrary.releases import Chart

STAND_IN = Path(__file__).parents[2] / "libraries" / "sandbox" / "chart" / "cedana"
OLDEST = {"cedanaConfig": {"cedanaUrl": "", "cedanaAuthToken": "", "cedanaClusterName": ""}}
BY_NAME = {"config": {"url": "", "authToken": "", "clusterName": "", "pluginsRuntimeShimVersion": "", "metricsOtel": 1}}
GIVEN: dict[str, Any] = {"url": "u", "token": "t", "cluster_id": "id", "cluster_name": "name", "options": {}}


def newest() -> dict[str, Any]:
    found: dict[str, Any] = yaml.safe_load((STAND_IN / "values.yaml").read_text())
    return found


def test_the_oldest_charts_have_other_names() -> None:
    expected = {"cedanaConfig": {"cedanaUrl": "u", "cedanaAuthToken": "t", "cedanaClusterName": "name"}}
    assert cedana_values(OLDEST, **GIVEN) == expected


def test_a_chart_that_knows_clusters_by_name() -> None:
    assert cedana_values(BY_NAME, **GIVEN) == {"config": {"url": "u", "authToken": "t", "clusterName": "name"}}


def test_a_chart_that_wants_the_clusters_id() -> None:
    assert cedana_values(newest(), **GIVEN) == {"config": {"url": "u", "authToken": "t", "clusterId": "id"}}


def test_an_option_goes_by_the_name_that_the_chart_has_for_it() -> None:
    options = {"CEDANA_PLUGINS_CONTAINERD_RUNTIME_VERSION": "v1", "CEDANA_METRICS_ENABLED": False}
    older = cedana_values(BY_NAME, **GIVEN | {"options": options})["config"]
    newer = cedana_values(newest(), **GIVEN | {"options": options})["config"]
    assert (older["pluginsRuntimeShimVersion"], older["metricsOtel"]) == ("v1", False)
    assert (newer["pluginsContainerdRuntimeVersion"], newer["metrics"]) == ("v1", False)


def test_what_is_not_set_is_left_to_the_chart() -> None:
    assert "logLevel" not in cedana_values(newest(), **GIVEN | {"options": {"CEDANA_LOG_LEVEL": None}})["config"]


def test_images_and_resources_of_the_components() -> None:
    options = {"CONTROLLER_REPO": "r/c", "HELPER_DIGEST": "sha256:1"}
    small = {"limits": {"cpu": "200m"}}
    values = cedana_values(newest(), **GIVEN | {"options": options}, resources=small)
    assert values["controllerManager"] == {"manager": {"image": {"repository": "r/c"}, "resources": small}}
    assert values["daemonHelper"] == {"image": {"digest": "sha256:1"}, "resources": small}


def test_components_without_such_a_value_get_no_resources() -> None:
    known = newest()
    del known["daemonHelper"]["resources"]
    assert "daemonHelper" not in cedana_values(known, **GIVEN, resources={"limits": {}, "requests": {}})


def test_everything_that_the_chart_does_not_know_is_named_at_once() -> None:
    options = {"CEDANA_PLUGINS_NATIVE_VERSION": "v1", "CEDANA_GPU_SHM_SIZE": "1", "CEDANA_METRICS_ENABLED": True}
    with pytest.raises(BadInput) as problem:
        cedana_values(BY_NAME, **GIVEN | {"options": options})
    assert problem.value.cause.name == "bad-chart"
    assert "CEDANA_PLUGINS_NATIVE_VERSION (config.pluginsNativeVersion)" in str(problem.value)
    assert "CEDANA_GPU_SHM_SIZE (config.gpuShmSize)" in str(problem.value)
    assert "CEDANA_METRICS_ENABLED" not in str(problem.value)


@pytest.mark.parametrize("known", [{}, {"replicaCount": 1}, {"config": "text"}])
def test_a_chart_that_is_not_cedanas(known: dict[str, Any]) -> None:
    with pytest.raises(BadInput, match=r"the propagator's URL \(config\.url or cedanaConfig\.cedanaUrl\)"):
        cedana_values(known, **GIVEN)


def test_an_option_that_no_chart_knows() -> None:
    with pytest.raises(BadInput, match="CEDANA_LOG_LEVEL"):
        cedana_values(newest(), **GIVEN | {"options": {"LOUDNESS": "11"}})


def test_the_published_chart_knows_all_options_but_those_that_it_dropped() -> None:
    known = set(OPTIONS) - {"CEDANA_PLUGINS_NATIVE_VERSION"}
    assert cedana_values(newest(), **GIVEN | {"options": dict.fromkeys(known, "x")})


def test_the_values_of_a_chart_are_read_by_helm(tmp_path: Path) -> None:
    assert values_of_chart(EmbeddedEngine(), Chart(str(STAND_IN)))["config"]["logLevel"] == "info"
    bare = tmp_path / "bare"
    shutil.copytree(STAND_IN, bare)
    (bare / "values.yaml").unlink()
    assert values_of_chart(EmbeddedEngine(), Chart(str(bare))) == {}


def test_the_values_of_what_is_no_chart(tmp_path: Path) -> None:
    (tmp_path / "Chart.yaml").write_text("name: [")
    with pytest.raises(OperationFailed) as problem:
        values_of_chart(EmbeddedEngine(), Chart(str(tmp_path)))
    assert problem.value.cause.name == "bad-chart"


@pytest.mark.parametrize(
    ("reference", "version", "repo", "expected"),
    [
        ("oci://host:5000/charts/cedana:0.7.6", None, None, Chart("oci://host:5000/charts/cedana", "0.7.6")),
        ("oci://host/charts/cedana", "0.7.6", None, Chart("oci://host/charts/cedana", "0.7.6")),
        ("oci://host/charts/cedana@sha256:ab", None, None, Chart("oci://host/charts/cedana@sha256:ab")),
        ("cedana:0.7.6", None, "https://host/charts", Chart("cedana", "0.7.6", "https://host/charts")),
        ("cedana:0.7.6", "0.7.6", "https://host/charts", Chart("cedana", "0.7.6", "https://host/charts")),
    ],
)
def test_a_version_may_stand_behind_the_reference(
    reference: str, version: str | None, repo: str | None, expected: Chart
) -> None:
    assert chart_of(reference, version, repo) == expected


def test_two_versions_are_one_too_many() -> None:
    with pytest.raises(BadInput, match=r"0\.7\.6"):
        chart_of("oci://host/cedana:0.7.6", "0.7.5", None)
