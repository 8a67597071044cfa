"""What is read from a release's manifest; the stand-in chart's is used, and small ones."""

from __future__ import annotations

from pathlib import Path

import helm_python
import pytest

from HelmLibrary.manifests import Thing, deletes_namespaces, kept, workloads

CHART = Path(__file__).parents[2] / "libraries" / "sandbox" / "chart" / "cedana"


@pytest.fixture(scope="module")
def stream() -> str:
    needed = {"authToken": "t", "url": "u", "clusterId": "c"}
    with helm_python.Chart.load(str(CHART)) as chart:
        files = chart.render({"config": needed}, name="cedana", namespace="cedana-system")
    return "\n---\n".join(text for name, text in files.items() if not name.endswith("NOTES.txt"))


def test_workloads_are_those_that_are_no_hooks(stream: str) -> None:
    assert {(one.kind, one.name) for one in workloads(stream, "x")} == {
        ("Deployment", "cedana-manager"),
        ("DaemonSet", "cedana-helper"),
        ("DaemonSet", "cedana-health-check"),
    }


def test_kept_objects_with_the_workload_first(stream: str) -> None:
    found = kept(stream, "cedana-system")
    assert found[0] == Thing("apps/v1", "DaemonSet", "cedana-system", "cedana-uninstaller")
    assert {one.kind for one in found[1:]} == {
        "ServiceAccount",
        "Role",
        "RoleBinding",
        "ClusterRole",
        "ClusterRoleBinding",
    }
    assert len(found) == 6


def test_an_uninstaller_that_deletes_its_namespace(stream: str) -> None:
    assert deletes_namespaces(stream)
    assert not deletes_namespaces(stream.replace("resources: [namespaces]", "resources: [pods]"))
    assert not deletes_namespaces(stream.replace("helm.sh/resource-policy: keep", "a: b"))


def test_a_namespace_is_taken_from_the_release_where_none_is_told() -> None:
    text = "apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: a}\n---\n# empty\n---\n"
    assert workloads(text, "here") == [Thing("apps/v1", "Deployment", "here", "a")]
