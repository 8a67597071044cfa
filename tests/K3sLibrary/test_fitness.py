"""What a cluster has and lacks, told from what it says of itself."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from harness.failures import NotAsExpected
from K3sLibrary.preflight import Finding, Importance, as_html, as_text, fitness, judge
from K3sLibrary.preflight.fitness import Seen

Obj = dict[str, Any]


def node(name: str = "n1", *, cpu: str = "2", memory: str = "4Gi", ready: str = "True", **spec: Any) -> Obj:
    allocatable = {"cpu": cpu, "memory": memory, "nvidia.com/gpu": "1"}
    conditions = [{"type": "Ready", "status": ready}]
    return {"metadata": {"name": name}, "spec": spec, "status": {"allocatable": allocatable, "conditions": conditions}}


def pod(where: str, cpu: str, phase: str = "Running") -> Obj:
    requests = {"cpu": cpu, "memory": "1Gi"}
    containers = [{"name": "c", "resources": {"requests": requests}}, {"name": "without"}]
    return {
        "metadata": {"name": "p"},
        "spec": {"nodeName": where, "containers": containers},
        "status": {"phase": phase},
    }


def storage_class(default: str) -> Obj:
    return {"metadata": {"name": "local-path", "annotations": {fitness.DEFAULT_CLASS: default}}}


FIT = Seen("v1.33.4+k3s1", [node("n1"), node("n2")], [], [storage_class("true")], has_metrics=True)
CORDONED = node("n2", unschedulable=True)
TAINTED = node("n2", taints=[{"key": "dedicated", "effect": "NoSchedule"}])
PREFERRED = node("n2", taints=[{"key": "soft", "effect": "PreferNoSchedule"}])


def findings(seen: Seen) -> dict[str, Finding]:
    looks = (
        fitness._version,
        fitness._skew,
        fitness._nodes,
        fitness._room,
        fitness._two_nodes,
        fitness._storage,
        fitness._metrics,
        fitness._gpu,
    )
    return {finding.what: finding for look in looks for finding in look(seen)}


def lacking(seen: Seen) -> list[tuple[str, str]]:
    return [(one.mark, one.what) for one in findings(seen).values() if not one.good]


def test_a_cluster_that_has_everything() -> None:
    assert lacking(FIT) == []


@pytest.mark.parametrize("version", ["v1.26.9", "v1.38.0", "v2.0.1", "nonsense"])
def test_a_version_that_nothing_was_made_for_is_told_and_no_obstacle(version: str) -> None:
    assert lacking(replace(FIT, version=version)) == [("none", "Kubernetes 1.27 to 1.37")]


@pytest.mark.parametrize(("kubelet", "good"), [("v1.33.0", True), ("v1.30.9+k3s1", True), ("", True),
                                               ("v1.29.9", False), ("v1.34.0", False)])  # fmt: skip
def test_a_kubelet_far_from_the_server_is_named(kubelet: str, good: bool) -> None:
    other = node("n2")
    other["status"]["nodeInfo"] = {"kubeletVersion": kubelet}
    (found,) = fitness._skew(replace(FIT, nodes=[node("n1"), other]))
    assert (found.good, f"n2 has {kubelet}" in found.seen, found.mark in ("ok", "none")) == (good, not good, True)


@pytest.mark.parametrize("away", [CORDONED, TAINTED, node("n2", ready="False"), node("n2", ready="Unknown")])
def test_a_node_that_takes_no_pods_does_not_count(away: Obj) -> None:
    assert lacking(replace(FIT, nodes=[node("n1"), away])) == [("none", "two nodes that take pods")]
    needed = [(mark, what) for mark, what in lacking(replace(FIT, nodes=[away])) if mark == "MISSING"]
    assert needed == [
        ("MISSING", "a node that is Ready and takes pods"),
        ("MISSING", "a node with 0.25 CPU and 256 MiB free"),
    ]


def test_kubelets_of_a_server_without_a_version_are_not_judged() -> None:
    one = node("n1")
    one["status"]["nodeInfo"] = {"kubeletVersion": "v1.33.0"}
    (found,) = fitness._skew(replace(FIT, version="nonsense", nodes=[one]))
    assert found.good


def test_a_node_that_is_only_avoided_counts() -> None:
    assert lacking(replace(FIT, nodes=[node("n1"), PREFERRED])) == []


@pytest.mark.parametrize(
    ("away", "words"),
    [
        (CORDONED, "1 of 2; n2 is cordoned"),
        (TAINTED, "1 of 2; n2 has the taint dedicated"),
        (node("n2", ready="False"), "1 of 2; n2 is not Ready"),
    ],
)
def test_why_a_node_does_not_count(away: Obj, words: str) -> None:
    assert findings(replace(FIT, nodes=[node("n1"), away]))["a node that is Ready and takes pods"].seen == words


def test_a_cluster_without_room() -> None:
    full = replace(FIT, nodes=[node("n1"), node("n2", memory="1100Mi")], pods=[pod("n1", "1800m"), pod("n2", "1")])
    assert lacking(full) == [("MISSING", "a node with 0.25 CPU and 256 MiB free")]
    words = findings(full)["a node with 0.25 CPU and 256 MiB free"].seen
    assert words == "0.20 CPU and 3072 MiB are not requested yet on the emptiest node"


@pytest.mark.parametrize("phase", ["Succeeded", "Failed"])
def test_pods_that_have_ended_take_no_room(phase: str) -> None:
    assert lacking(replace(FIT, pods=[pod("n1", "2", phase), pod("n2", "2", phase)])) == []


@pytest.mark.parametrize("classes", [[], [storage_class("false")], [{"metadata": {"name": "plain"}}]])
def test_a_cluster_without_a_default_storage_class(classes: list[Obj]) -> None:
    assert lacking(replace(FIT, storage_classes=classes)) == [("none", "a default StorageClass")]


def test_a_cluster_without_metrics() -> None:
    assert lacking(replace(FIT, has_metrics=False)) == [("none", "the metrics API")]


def test_all_that_is_needed_is_said_at_once_and_what_is_wanted_is_not() -> None:
    told = [
        Finding("a", False, "no a", "every run"),
        Finding("b", True, "b is there"),
        Finding("c", False, "no c", "tests of c", Importance.WANTED),
        Finding("d", False, "no d", "installing"),
    ]
    with pytest.raises(NotAsExpected) as problem:
        judge(told)
    assert problem.value.seen == "a: no a (for every run); d: no d (for installing)"
    assert problem.value.cause.name == "cluster-unfit"
    judge([one for one in told if one.mark != "MISSING"])


def test_tables() -> None:
    told = [Finding("a", True, "it is <b>"), Finding("longer", False, "none", "tests", Importance.WANTED)]
    assert as_text(told) == "ok    a       it is <b>  every run\nnone  longer  none       tests"
    assert "<td>it is &lt;b&gt;</td>" in as_html(told)
    assert as_text([]) == ""
