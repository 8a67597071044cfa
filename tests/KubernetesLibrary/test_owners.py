"""Whom a pod belongs to, and what goes with its owner."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from harness.failures import NotAsExpected, WaitTimedOut
from harness.kube import Cluster
from KubernetesLibrary import KubernetesLibrary, lookup

WORKLOADS = Path(__file__).parents[2] / "resources" / "workloads"
WITNESS = str(WORKLOADS / "witness.yaml")


@pytest.fixture
def owner(main: Cluster, kube: KubernetesLibrary, namespace: str) -> dict[str, Any]:
    """An object of a kind of the test's own."""
    group = f"{namespace}.e2e.cedana.ai"

    def text(name: str) -> str:
        return (WORKLOADS / f"{name}.yaml").read_text().replace("e2e.cedana.ai", group)

    kube.apply_manifest(text("custom-kind"), namespace)
    kube.wait_until_kind_is_served("Crew", api_version=f"{group}/v1")
    (made,) = kube.apply_manifest(text("custom-resource"), namespace)
    return dict(made)


def test_what_is_applied_for_an_owner_goes_with_it(
    kube: KubernetesLibrary, owner: dict[str, Any], namespace: str
) -> None:
    pod = kube.apply_manifest(WITNESS, namespace, owner=owner)
    name = pod.metadata.name
    assert kube.pod_should_belong_to_nobody_but(name, namespace, owner)
    group = owner["apiVersion"].partition("/")[0]
    kube.delete_manifest((WORKLOADS / "custom-resource.yaml").read_text().replace("e2e.cedana.ai", group), namespace)
    kube.wait_until_pod_is_gone(name, namespace)


def test_a_pod_of_nobody_can_be_taken(kube: KubernetesLibrary, owner: dict[str, Any], namespace: str) -> None:
    pod = kube.apply_manifest(WITNESS, namespace)
    name = pod.metadata.name
    assert not kube.pod_should_belong_to_nobody_but(name, namespace, owner)
    kube.give_pod_an_owner(name, namespace, owner)
    kube.give_pod_an_owner(name, namespace, owner)
    assert kube.pod_should_belong_to_nobody_but(name, namespace, owner)


@pytest.mark.parametrize(("restored", "cause"), [(True, "pod-changed"), (False, "unknown")])
def test_a_pod_of_somebody_else_is_told(
    kube: KubernetesLibrary, namespace: str, monkeypatch: pytest.MonkeyPatch, restored: bool, cause: str
) -> None:
    config = kube.find_object("ConfigMap", "kube-root-ca.crt", namespace)
    other = {**config, "metadata": {**config.metadata, "uid": "another"}}
    kube.apply_manifest(WITNESS, namespace, owner=config)
    monkeypatch.setattr(lookup, "is_known_as_restored", lambda *_: restored)
    with pytest.raises(NotAsExpected, match=r"it belongs to ConfigMap kube-root-ca.crt \(UID ") as failure:
        kube.pod_should_belong_to_nobody_but("test-witness", namespace, other)
    assert failure.value.cause.name == cause


def test_a_pod_of_somebody_else_is_not_taken(kube: KubernetesLibrary, owner: dict[str, Any], namespace: str) -> None:
    config = kube.find_object("ConfigMap", "kube-root-ca.crt", namespace)
    kube.apply_manifest(WITNESS, namespace, owner=config)
    with pytest.raises(NotAsExpected, match="it belongs to ConfigMap"):
        kube.give_pod_an_owner("test-witness", namespace, owner)


def test_a_pod_that_stays_is_told(kube: KubernetesLibrary, namespace: str) -> None:
    kube.apply_manifest(WITNESS, namespace)
    with pytest.raises(WaitTimedOut, match="test-witness") as failure:
        kube.wait_until_pod_is_gone("test-witness", namespace, timeout=timedelta(0))
    assert failure.value.cause.name == "stuck-terminating"


def test_a_kind_that_nobody_defines_is_told(kube: KubernetesLibrary) -> None:
    with pytest.raises(WaitTimedOut, match="it does not") as failure:
        kube.wait_until_kind_is_served("Crew", api_version="nobody.example/v1", timeout=timedelta(0))
    assert failure.value.cause.name == "bad-manifest"
