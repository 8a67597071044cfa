"""Volumes that were made for claims of a run go with them, and those of others stay."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from kubernetes import client

from harness.failures import NotAsExpected
from harness.kube import Cluster
from harness.kube.objects import delete, entry_of, find
from harness.kube.pods import raw
from harness.ledger import LEDGER, Entry, ReadLedger
from harness.removal import remove_all
from KubernetesLibrary import KubernetesLibrary
from KubernetesLibrary.removal import ObjectRemover
from KubernetesLibrary.volumes import KIND

CLAIM = """
apiVersion: v1
kind: PersistentVolumeClaim
metadata: {{name: data}}
spec:
  accessModes: [ReadWriteOnce]
  storageClassName: {storage}
  resources: {{requests: {{storage: 1Mi}}}}
---
apiVersion: v1
kind: Pod
metadata: {{name: user}}
spec:
  containers:
  - name: user
    image: busybox:1.36
    command: [sleep, "1000"]
    volumeMounts: [{{name: data, mountPath: /data}}]
  volumes: [{{name: data, persistentVolumeClaim: {{claimName: data}}}}]
"""


@pytest.fixture(params=["Delete", "Retain"])
def storage(request: pytest.FixtureRequest, main: Cluster) -> str:
    """A storage class with that reclaim policy."""
    api = client.StorageV1Api(main.api_client)
    (first,) = raw(api.list_storage_class)["items"]
    name = f"volumes-{request.param.lower()}"
    api.create_storage_class(first | {"metadata": {"name": name}, "reclaimPolicy": request.param})
    request.addfinalizer(lambda: api.delete_storage_class(name, _preload_content=False))
    return name


@pytest.fixture
def manifest(storage: str, tmp_path: Path) -> str:
    """A claim of that class, and a pod that uses it."""
    file = tmp_path / "claim.yaml"
    file.write_text(CLAIM.format(storage=storage))
    return str(file)


def volume_of(main: Cluster, kube: KubernetesLibrary, manifest: str, namespace: str) -> str:
    """Applies the manifest and gives the name of the volume that is made for its claim."""
    kube.apply_manifest(manifest, namespace)
    kube.wait_until_pod_is_ready("user", namespace)
    name: str = main.core.read_namespaced_persistent_volume_claim("data", namespace).spec.volume_name
    assert name
    return name


def is_there(main: Cluster, volume: str) -> bool:
    return find(main, *KIND, volume) is not None


def test_a_volume_goes_with_the_manifest(main: Cluster, kube: KubernetesLibrary, manifest: str, namespace: str) -> None:
    volume = volume_of(main, kube, manifest, namespace)
    kube.delete_manifest(manifest, namespace)
    assert not is_there(main, volume)


def test_a_volume_goes_with_the_namespace(
    main: Cluster, kube: KubernetesLibrary, manifest: str, namespace: str
) -> None:
    volume = volume_of(main, kube, manifest, namespace)
    kube.delete_namespace(namespace)
    assert not is_there(main, volume)


def test_a_volume_goes_by_the_ledger_alone(main: Cluster, kube: KubernetesLibrary, manifest: str) -> None:
    volume = volume_of(main, kube, manifest, "default")
    assert [removal for removal in remove_all(LEDGER, budget=60, each=30) if removal.left] == []
    assert not is_there(main, volume)


def test_a_volume_that_was_there_before_stays(main: Cluster, kube: KubernetesLibrary, namespace: str) -> None:
    theirs: dict[str, Any] = {
        "metadata": {"name": "of-somebody-else"},
        "spec": {
            "capacity": {"storage": "1Mi"},
            "accessModes": ["ReadWriteOnce"],
            "persistentVolumeReclaimPolicy": "Retain",
            "storageClassName": "manual",
            "hostPath": {"path": "/data"},
        },
    }
    main.core.create_persistent_volume(theirs)
    try:
        text = CLAIM.format(storage="manual")
        assert volume_of(main, kube, text, namespace) == "of-somebody-else"
        kube.delete_manifest(text, namespace)
        assert is_there(main, "of-somebody-else")
    finally:
        main.core.delete_persistent_volume("of-somebody-else")


def test_what_is_learnt_of_an_entry_of_a_dead_run_is_noted_in_its_ledger(tmp_path: Path) -> None:
    file = tmp_path / "dead.jsonl"
    file.write_text(
        '{"run": "dead", "pid": 0, "started": 0, "at": ""}\n'
        '{"op": "intend", "id": 1, "kind": "namespace", "name": "x", "place": "", "find": {}}\n'
    )
    (entry,) = ReadLedger(file).owed()
    LEDGER.made(entry, volumes=[])
    (read,) = ReadLedger(file).owed()
    assert (read.state, read.find) == ("made", {"volumes": []})
    assert entry == Entry(1, "namespace", "x", "", {"volumes": []}, "made")
    LEDGER.gone(entry)
    assert ReadLedger(file).owed() == []


SET = """
apiVersion: apps/v1
kind: StatefulSet
metadata: {name: numbered}
spec:
  serviceName: numbered
  replicas: 2
  selector: {matchLabels: {app: numbered}}
  template:
    metadata: {labels: {app: numbered}}
    spec:
      terminationGracePeriodSeconds: 0
      containers:
      - name: user
        image: busybox:1.37
        command: [sleep, "1000"]
        volumeMounts: [{name: data, mountPath: /data}]
  volumeClaimTemplates:
  - metadata: {name: data}
    spec:
      accessModes: [ReadWriteOnce]
      storageClassName: local-path
      resources: {requests: {storage: 1Mi}}
"""
OTHERS = """
apiVersion: v1
kind: PersistentVolumeClaim
metadata: {name: data-numbered-7, namespace: default}
spec:
  accessModes: [ReadWriteOnce]
  storageClassName: local-path
  resources: {requests: {storage: 1Mi}}
"""


def claims(main: Cluster) -> set[str]:
    """The names of the claims in the namespace of somebody else."""
    return {
        one["metadata"]["name"] for one in raw(main.core.list_namespaced_persistent_volume_claim, "default")["items"]
    }


@pytest.fixture
def numbered(main: Cluster, kube: KubernetesLibrary) -> Iterator[list[str]]:
    """The volumes of a StatefulSet in a namespace that the run did not make, where somebody else has a claim too."""
    main.core.create_namespaced_persistent_volume_claim("default", yaml.safe_load(OTHERS))
    kube.apply_manifest(SET, "default")
    for number in range(2):
        kube.wait_until_pod_is_ready(f"numbered-{number}", "default")
    used = [claim for number in range(2) for claim in kube.get_claims_of_pod(f"numbered-{number}", "default")]
    assert claims(main) == {"data-numbered-0", "data-numbered-1", "data-numbered-7"}
    yield [claim["spec"]["volumeName"] for claim in used]
    main.core.delete_namespaced_persistent_volume_claim("data-numbered-7", "default")


def test_the_claims_of_a_set_go_with_the_manifest(main: Cluster, kube: KubernetesLibrary, numbered: list[str]) -> None:
    kube.delete_manifest(SET, "default")
    assert claims(main) == {"data-numbered-7"}
    assert not any(is_there(main, volume) for volume in numbered)


@pytest.mark.parametrize("gone", [False, True], ids=["there", "gone already"])
def test_the_claims_of_a_set_go_with_its_entry(
    main: Cluster, kube: KubernetesLibrary, numbered: list[str], gone: bool
) -> None:
    entry, remover = entry_of(main, "StatefulSet", "default", "numbered"), ObjectRemover()
    assert entry is not None
    kube.scale_stateful_set("numbered", "default", 1)
    if gone:
        delete(main, "apps/v1", "StatefulSet", "default", "numbered", uid=None, timeout=20)
    assert remover.exists(entry)
    remover.remove(entry, 20)
    assert not remover.exists(entry)
    assert claims(main) == {"data-numbered-7"}
    assert not any(is_there(main, volume) for volume in numbered)


def test_a_claim_that_was_made_anew_is_another_one(main: Cluster, kube: KubernetesLibrary, numbered: list[str]) -> None:
    before = kube.get_claims_of_pod("numbered-0", "default")
    kube.pod_should_have_claims("numbered-0", "default", before)
    anew = [{**before[0], "metadata": {**before[0]["metadata"], "uid": "another"}}]
    with pytest.raises(NotAsExpected, match=f"it uses claim data-numbered-0 .*volume {numbered[0]}") as failure:
        kube.pod_should_have_claims("numbered-0", "default", anew)
    assert "UID another" in failure.value.expected
    with pytest.raises(NotAsExpected, match="it uses claim data-numbered-1"):
        kube.pod_should_have_claims("numbered-1", "default", before)
