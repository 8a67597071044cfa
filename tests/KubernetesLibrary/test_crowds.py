"""Many pods at once: all found, each by its own original, and waited for together."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from harness.failures import NotAsExpected, WaitTimedOut
from harness.kube import Cluster
from harness.ledger import LEDGER
from KubernetesLibrary import KubernetesLibrary

WITNESS = str(Path(__file__).parents[2] / "resources" / "workloads" / "witness.yaml")
SOON, LONG = timedelta(seconds=0.3), timedelta(seconds=60)
NAMES = [f"many-{number}" for number in range(1, 7)]


@pytest.fixture
def pods(kube: KubernetesLibrary, namespace: str) -> list[Any]:
    for name in NAMES:
        kube.apply_manifest(WITNESS, namespace, pod_name=name)
    return kube.wait_until_all_pods_are_ready(NAMES, namespace, timeout=LONG)


def names_of(found: list[Any]) -> list[str]:
    return [one.metadata.name for one in found]


def test_all_are_awaited_found_and_deleted(kube: KubernetesLibrary, namespace: str, pods: list[Any]) -> None:
    assert names_of(pods) == NAMES
    known = kube.expect_restored_pods(pods)
    assert {one.metadata.uid for one in known} >= {one.metadata.uid for one in pods}
    for name in reversed(NAMES):
        kube.apply_manifest(WITNESS, namespace, pod_name=f"{name}-restored")
    restored = kube.wait_until_restored_pods_are_ready(pods, known=known, timeout=LONG)
    assert names_of(restored) == [f"{name}-restored" for name in NAMES], "in the order of their originals"
    kube.delete_pods([*pods, *restored], timeout=LONG)
    assert kube.list_pods(namespace) == []
    gone = {one.metadata.uid for one in [*pods, *restored]}
    assert not [entry for entry in LEDGER.owed() if entry.find.get("uid") in gone]
    kube.delete_pods(pods, timeout=LONG)


def test_those_that_are_missing_are_named(kube: KubernetesLibrary, namespace: str, pods: list[Any]) -> None:
    known = kube.expect_restored_pods(pods)
    for name in NAMES[:4]:
        kube.apply_manifest(WITNESS, namespace, pod_name=f"{name}-restored")
    kube.wait_until_all_pods_are_ready([f"{name}-restored" for name in NAMES[:4]], namespace, timeout=LONG)
    with pytest.raises(WaitTimedOut) as raised:
        kube.wait_until_restored_pods_are_ready(pods, known=known, timeout=SOON)
    assert raised.value.cause.name == "restored-pod-missing"
    assert "4 of 6 are; of many-5: no such pod" in raised.value.seen
    with pytest.raises(WaitTimedOut) as absent:
        kube.wait_until_all_pods_are_ready([*NAMES, "nobody"], namespace, timeout=SOON)
    assert "6 of 7 are; there is no pod nobody" in absent.value.seen


def test_another_pod_of_a_name_is_left_alone(kube: KubernetesLibrary, main: Cluster, namespace: str) -> None:
    kube.apply_manifest(WITNESS, namespace, pod_name="one")
    (first,) = kube.wait_until_all_pods_are_ready(["one"], namespace, timeout=LONG)
    kube.delete_pods([first], timeout=LONG)
    kube.apply_manifest(WITNESS, namespace, pod_name="one")
    (second,) = kube.wait_until_all_pods_are_ready(["one"], namespace, timeout=LONG)
    kube.delete_pods([first], timeout=LONG)
    assert kube.get_pod("one", namespace).metadata.uid == second.metadata.uid


def test_two_pods_for_one_original_are_told(kube: KubernetesLibrary, namespace: str, pods: list[Any]) -> None:
    known = kube.expect_restored_pods(pods)
    for name in ("many-1-restored", "many-1-restored-2"):
        kube.apply_manifest(WITNESS, namespace, pod_name=name)
    with pytest.raises(NotAsExpected) as raised:
        kube.wait_until_restored_pods_are_ready(pods, known=known, timeout=LONG)
    assert raised.value.cause.name == "restored-twice"
