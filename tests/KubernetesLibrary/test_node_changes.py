"""What a run changes of a node is undone, and what was there before stays."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from tests.KubernetesLibrary.test_remembered import like_witness

from harness.failures import BadInput, NotAsExpected, WaitTimedOut
from harness.kube import Cluster, objects
from harness.kube.pods import raw
from harness.ledger import LEDGER, left_behind
from harness.processes import LIBRARIES
from harness.removal import remove_all
from KubernetesLibrary import KubernetesLibrary

RUN = """
import sys
from pathlib import Path
from KubernetesLibrary import KubernetesLibrary
from harness.kube import CLUSTERS, Cluster
CLUSTERS.add(Cluster("main", Path(sys.argv[1])))
kube = KubernetesLibrary()
kube.cordon_node(sys.argv[2])
kube.taint_node(sys.argv[2], "e2e.cedana.ai/reserved", "yes")
kube.label_node(sys.argv[2], "e2e.cedana.ai/disk", "fast")
kube.offer_resource_on_node(sys.argv[2], "e2e.cedana.ai/slots", 2)
print("made", flush=True)
sys.stdin.read()
"""
Node = dict[str, Any]


@pytest.fixture
def node(kube: KubernetesLibrary) -> str:
    return kube.list_nodes_for_workloads()[0]


def shown(main: Cluster, name: str) -> Node:
    """Of a node what can be changed."""
    found = raw(main.core.read_node, name)
    status = found["status"]
    return {
        "labels": found["metadata"]["labels"],
        "annotations": found["metadata"].get("annotations"),
        "taints": [one for one in found["spec"].get("taints") or [] if "unschedulable" not in one["key"]],
        "cordoned": bool(found["spec"].get("unschedulable")),
        "slots": [status[room].get("e2e.cedana.ai/slots") for room in ("capacity", "allocatable")],
    }


@pytest.fixture
def before(main: Cluster, node: str) -> Iterator[Node]:
    """The node as it was, and as it must be again."""
    was = shown(main, node)
    yield was
    assert shown(main, node) == was


def change_all(kube: KubernetesLibrary, node: str) -> None:
    kube.cordon_node(node)
    kube.taint_node(node, "e2e.cedana.ai/reserved", "yes")
    kube.label_node(node, "e2e.cedana.ai/disk", "fast")
    kube.offer_resource_on_node(node, "e2e.cedana.ai/slots", 2)


def test_all_changes_are_made_and_undone(main: Cluster, kube: KubernetesLibrary, node: str, before: Node) -> None:
    change_all(kube, node)
    now = shown(main, node)
    assert now["cordoned"]
    assert now["labels"]["e2e.cedana.ai/disk"] == "fast"
    assert now["taints"] == [{"key": "e2e.cedana.ai/reserved", "value": "yes", "effect": "NoSchedule"}]
    assert now["slots"] == ["2", "2"]
    assert node not in kube.list_nodes_for_workloads()
    kube.undo_node_changes(node)
    assert shown(main, node) == before
    assert node in kube.list_nodes_for_workloads()
    kube.undo_node_changes(node)


def test_a_change_is_owed_before_it_is_made(
    main: Cluster, kube: KubernetesLibrary, node: str, before: Node, monkeypatch: pytest.MonkeyPatch
) -> None:
    owed: list[str] = []
    monkeypatch.setattr("KubernetesLibrary.node_changes._patch", lambda *_, **__: owed.extend(map(str, LEDGER.owed())))
    kube.label_node(node, "e2e.cedana.ai/disk", "fast")
    assert owed[-1:] == [f"node-change label e2e.cedana.ai/disk=fast of node {node}"]


def test_the_ledger_undoes_what_a_killed_run_left(main: Cluster, node: str, before: Node) -> None:
    arguments = [sys.executable, "-c", RUN, str(main.kubeconfig), node]
    environment = os.environ | {"PYTHONPATH": str(LIBRARIES)}
    run: subprocess.Popen[Any]
    with subprocess.Popen(arguments, env=environment, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as run:
        assert run.stdout is not None
        assert run.stdout.readline() == b"made\n"
        run.send_signal(signal.SIGKILL)
    assert shown(main, node) != before
    for ledger in left_behind():
        assert [str(one) for one in remove_all(ledger, budget=20, each=10) if one.left] == []
    assert shown(main, node) == before


@pytest.mark.parametrize("what", ["label", "taint", "cordon", "resource"])
def test_what_is_there_already_is_refused_and_stays(
    main: Cluster, kube: KubernetesLibrary, node: str, before: Node, what: str
) -> None:
    changes = {
        "label": lambda value: kube.label_node(node, "e2e.cedana.ai/disk", value),
        "taint": lambda value: kube.taint_node(node, "e2e.cedana.ai/reserved", value),
        "cordon": lambda _value: kube.cordon_node(node),
        "resource": lambda value: kube.offer_resource_on_node(node, "e2e.cedana.ai/slots", int(value)),
    }
    changes[what]("1")
    made = shown(main, node)
    with pytest.raises(NotAsExpected, match="Cause: environment-missing"):
        changes[what]("2")
    assert shown(main, node) == made
    kube.undo_node_changes(node)


def test_what_somebody_else_has_put_in_its_place_stays(
    main: Cluster, kube: KubernetesLibrary, node: str, before: Node
) -> None:
    kube.label_node(node, "e2e.cedana.ai/disk", "fast")
    main.core.patch_node(node, {"metadata": {"labels": {"e2e.cedana.ai/disk": "slow"}}})
    kube.undo_node_changes(node)
    assert shown(main, node)["labels"]["e2e.cedana.ai/disk"] == "slow"
    main.core.patch_node(node, {"metadata": {"labels": {"e2e.cedana.ai/disk": None}}})


def test_bad_input_changes_nothing(kube: KubernetesLibrary, node: str, before: Node) -> None:
    with pytest.raises(BadInput, match="NoExecute would drive away"):
        kube.taint_node(node, "a/b", "c", effect="NoExecute")
    with pytest.raises(BadInput, match=r"example\.com/slots"):
        kube.offer_resource_on_node(node, "slots")
    with pytest.raises(NotAsExpected, match="there is none"):
        kube.cordon_node("nowhere")


def test_an_evicted_pod_is_gone_and_a_budget_is_waited_for(
    main: Cluster, kube: KubernetesLibrary, namespace: str
) -> None:
    objects.create(main, like_witness("web"), namespace)
    kube.wait_until_pod_is_ready("web", namespace)
    budget = {"minAvailable": 1, "selector": {"matchLabels": {"app": "test-witness"}}}
    keeps = {"apiVersion": "policy/v1", "kind": "PodDisruptionBudget", "metadata": {"name": "all"}, "spec": budget}
    objects.create(main, keeps, namespace)
    with pytest.raises(WaitTimedOut, match="a disruption budget does not let it go"):
        kube.evict_pod("web", namespace, timeout=timedelta(seconds=0.1))
    objects.delete(main, "policy/v1", "PodDisruptionBudget", namespace, "all", uid=None, timeout=10)
    kube.evict_pod("web", namespace)
    kube.pod_should_not_exist("web", namespace)


def test_a_restored_pod_that_no_node_can_take_says_so(main: Cluster, kube: KubernetesLibrary, namespace: str) -> None:
    objects.create(main, like_witness("web"), namespace)
    original = kube.wait_until_pod_is_ready("web", namespace)
    known = kube.expect_restored_pod(original)
    asks = {"limits": {"e2e.cedana.ai/slots": "1"}}
    objects.create(main, like_witness("web-restored", resources=asks), namespace)
    why = kube.wait_until_restored_pod_is_unschedulable(original, known=known)
    assert "Insufficient e2e.cedana.ai/slots" in why


def test_a_restored_pod_that_was_put_on_a_node_does_not_wait_for_one(
    main: Cluster, kube: KubernetesLibrary, namespace: str
) -> None:
    objects.create(main, like_witness("web"), namespace)
    original = kube.wait_until_pod_is_ready("web", namespace)
    known = kube.expect_restored_pod(original)
    with pytest.raises(WaitTimedOut, match="Cause: restored-pod-missing"):
        kube.wait_until_restored_pod_is_unschedulable(original, known=known, timeout=timedelta(seconds=0.1))
    objects.create(main, like_witness("web-restored"), namespace)
    with pytest.raises(NotAsExpected, match="Cause: pod-changed"):
        kube.wait_until_restored_pod_is_unschedulable(original, known=known)


def test_a_line_of_a_log_is_waited_for(main: Cluster, kube: KubernetesLibrary, namespace: str) -> None:
    objects.create(main, like_witness("web"), namespace)
    kube.wait_until_pod_is_ready("web", namespace)
    found = kube.wait_until_pod_log_matches("web", namespace, r"nonce=([0-9a-f]+) step=(\d+)")
    assert found[0] == f"nonce={found[1]} step={found[2]}"
    with pytest.raises(WaitTimedOut, match=r"(?s)none of which does.*Cause: evidence-missing") as failure:
        kube.wait_until_pod_log_matches("web", namespace, "nothing like it", timeout=timedelta(seconds=0.1))
    assert "witness/1" in failure.value.seen
    with pytest.raises(BadInput, match="regular expression"):
        kube.wait_until_pod_log_matches("web", namespace, "(")
