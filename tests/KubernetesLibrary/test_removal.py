"""What a run made is removed from its cluster by the ledger alone, and nothing that only looks like it."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from kubernetes.client.exceptions import ApiException

from harness.kube import Cluster
from harness.kube.objects import RUN_LABEL, delete, intend
from harness.ledger import LEDGER, Entry, Ledger
from harness.processes import LIBRARIES
from harness.removal import remove_all
from KubernetesLibrary import KubernetesLibrary, lookup
from KubernetesLibrary.removal import NamespaceRemover, ObjectRemover, RestoredPodRemover

WITNESS = Path(__file__).parents[2] / "resources" / "workloads" / "witness.yaml"
RUN = """
import sys
from pathlib import Path
from KubernetesLibrary import KubernetesLibrary
from harness.kube import CLUSTERS, Cluster
CLUSTERS.add(Cluster("main", Path(sys.argv[1])))
kube = KubernetesLibrary()
kube.create_namespace("of-a-killed-run")
kube.apply_manifest(sys.argv[2], "of-a-killed-run")
kube.apply_manifest(sys.argv[2], "default", pod_name="of-a-killed-run")
print("made", flush=True)
sys.stdin.read()
"""


def config_map(main: Cluster, namespace: str, name: str, labels: dict[str, str] | None = None) -> str:
    """Creates one past the library; its UID."""
    made = main.core.create_namespaced_config_map(namespace, {"metadata": {"name": name, "labels": labels or {}}})
    uid: str = made.metadata.uid
    return uid


def entry_for(main: Cluster, namespace: str, name: str) -> Entry:
    """What stands in the ledger before an object is made."""
    return intend(main, "v1", "ConfigMap", namespace, name)


def test_an_object_is_known_by_its_uid(main: Cluster, namespace: str) -> None:
    entry = entry_for(main, namespace, "settings")
    LEDGER.made(entry, uid="another")
    config_map(main, namespace, "settings", {RUN_LABEL: LEDGER.run_id})
    assert not ObjectRemover().exists(entry)
    ObjectRemover().remove(entry, 5)
    assert main.core.read_namespaced_config_map("settings", namespace)


def test_an_object_whose_uid_was_never_learnt_is_known_by_the_runs_label(main: Cluster, namespace: str) -> None:
    ours, theirs = entry_for(main, namespace, "ours"), entry_for(main, namespace, "theirs")
    config_map(main, namespace, "ours", {RUN_LABEL: LEDGER.run_id})
    config_map(main, namespace, "theirs", {RUN_LABEL: "another-run"})
    remover = ObjectRemover()
    assert (remover.exists(ours), remover.exists(theirs)) == (True, False)
    remover.remove(ours, 10)
    remover.remove(theirs, 10)
    assert not remover.exists(ours)
    assert main.core.read_namespaced_config_map("theirs", namespace)


def test_the_server_is_told_which_object_is_meant(main: Cluster, namespace: str) -> None:
    config_map(main, namespace, "settings")
    delete(main, "v1", "ConfigMap", namespace, "settings", uid="of-another-one", timeout=10)
    assert main.core.read_namespaced_config_map("settings", namespace)


def test_absence_is_no_trouble(main: Cluster) -> None:
    entries = [
        entry_for(main, "default", "never-made"),
        entry_for(main, "no-such-namespace", "never-made"),
        intend(main, "example.org/v1", "Gadget", "default", "never-made"),
    ]
    for entry in entries:
        assert not ObjectRemover().exists(entry)
        ObjectRemover().remove(entry, 5)
    namespace = intend(main, "v1", "Namespace", "", "never-made")
    assert not NamespaceRemover().exists(namespace)
    NamespaceRemover().remove(namespace, 5)


def test_a_namespace_of_somebody_else_is_left_alone(main: Cluster, namespace: str) -> None:
    stranger = intend(main, "v1", "Namespace", "", "default")
    assert not NamespaceRemover().exists(stranger)
    known = Entry(0, "namespace", namespace, str(main.kubeconfig), {"name": namespace, "uid": "another"})
    assert not NamespaceRemover().exists(known)
    NamespaceRemover().remove(known, 5)
    assert main.core.read_namespace(namespace).status.phase == "Active"


def test_a_killed_runs_ledger_is_swept(main: Cluster, sandbox: dict[str, Any], tmp_path: Path) -> None:
    temporary, ledgers = tmp_path / "tmp", tmp_path / "killed"
    temporary.mkdir()
    environment = os.environ | {
        "PYTHONPATH": str(LIBRARIES),
        "LEDGER_DIR": str(ledgers),
        "TMPDIR": str(temporary),
    }
    command = [sys.executable, "-c", RUN, sandbox["kubeconfig"], str(WITNESS)]
    with subprocess.Popen(
        command, env=environment, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "made\n"
        process.send_signal(signal.SIGKILL)
    assert main.core.read_namespace("of-a-killed-run").status.phase == "Active"
    swept = subprocess.run(
        [sys.executable, "-m", "harness.ledger", "sweep"], env=environment, capture_output=True, text=True, check=False
    )
    assert swept.returncode == 0, swept.stdout + swept.stderr
    assert "namespace of-a-killed-run: gone" in swept.stdout
    assert "Pod default/of-a-killed-run: gone" in swept.stdout
    for read in (
        lambda: main.core.read_namespace("of-a-killed-run"),
        lambda: main.core.read_namespaced_pod("of-a-killed-run", "default"),
    ):
        with pytest.raises(ApiException, match="404"):
            read()
    assert list(temporary.iterdir()) == []
    assert list(ledgers.iterdir()) == []


def test_what_was_deleted_by_hand_is_gone(kube: KubernetesLibrary, main: Cluster, namespace: str) -> None:
    kube.apply_manifest("apiVersion: v1\nkind: ConfigMap\nmetadata: {name: settings}\n", namespace)
    main.core.delete_namespaced_config_map("settings", namespace)
    [entry] = [one for one in LEDGER.owed() if one.find.get("name") == "settings"]
    assert not ObjectRemover().exists(entry)


def bare_pod(main: Cluster, namespace: str, name: str, **labels: str) -> None:
    """Creates one past the library, as a restore does."""
    container = {"name": "c", "image": "registry.k8s.io/pause:3.10"}
    metadata = {"name": name, "labels": labels}
    main.core.create_namespaced_pod(namespace, {"metadata": metadata, "spec": {"containers": [container]}})


def test_a_restored_pod_that_the_run_did_not_live_to_find_is_removed(main: Cluster, namespace: str) -> None:
    bare_pod(main, namespace, "web-restored-before")
    known = lookup.expect(main, {"metadata": {"name": "web", "namespace": namespace, "uid": "of-the-original"}}, None)
    assert [pod["metadata"]["name"] for pod in known] == ["web-restored-before"]
    entry = LEDGER.find("restored-pod", original_uid="of-the-original")
    assert entry
    assert not RestoredPodRemover().exists(entry)
    bare_pod(main, namespace, "web-restored")
    bare_pod(main, namespace, "web-restored-2", **{RUN_LABEL: LEDGER.run_id})
    bare_pod(main, namespace, "web-restored-3", **{RUN_LABEL: "another-run"})
    bare_pod(main, namespace, "other")
    assert RestoredPodRemover().exists(entry)
    RestoredPodRemover().remove(entry, 20)
    assert not RestoredPodRemover().exists(entry)
    left = sorted(pod.metadata.name for pod in main.core.list_namespaced_pod(namespace).items)
    assert left == ["other", "web-restored-3", "web-restored-before"]


def test_what_is_owed_in_a_cluster_stays_owed_while_another_one_is_in_its_place(
    main: Cluster, namespace: str, tmp_path: Path
) -> None:
    ledger = Ledger(tmp_path)
    facts = entry_for(main, namespace, "settings").find
    entry = ledger.intend("object", "ConfigMap settings", place=str(main.kubeconfig), **facts)
    ledger.made(entry, cluster_uid="of-the-cluster-before")
    (removal,) = remove_all(ledger, budget=10, each=10)
    assert removal.left
    assert "another one answers there" in removal.problem
    assert ledger.owed() == [entry]
    ledger.made(entry, cluster_uid=main.uid)
    assert [removal.left for removal in remove_all(ledger, budget=10, each=10)] == [False]
