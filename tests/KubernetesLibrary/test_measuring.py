"""Resource use as the sandbox and a made-up API tell it, and the phases that it is measured in."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import yaml
from tests.end_to_end.runner import ROOT

from harness.failures import BadInput
from harness.kube import Cluster, objects, pods
from harness.waiting import Done, Pending, wait_until
from KubernetesLibrary import KubernetesLibrary, phases, usage
from KubernetesLibrary.phases import Phase
from KubernetesLibrary.usage import NotServed, Sample, Subject, Wanted, reader

POD, HELPER, NODE = (
    Subject("workload", "web", "node-1"),
    Subject("helper", "helper-x", "node-1"),
    Subject("node", "node-1", "node-1"),
)


def sample(
    of: Subject = POD, *, ago: float = 0.0, window: float = 0.0, cores: float = 0.5, memory: int = 100
) -> Sample:
    return Sample(of, datetime.now(UTC) - timedelta(seconds=ago), window, cores, memory)


def eventually(look: Callable[[], bool]) -> None:
    wait_until(lambda: Done(None) if look() else Pending("not so"), timeout=10, expected="it to become so")


@pytest.fixture
def deployed(main: Cluster, namespace: str) -> dict[str, Any]:
    """A pod with the witness, and one that stands for Cedana's helper."""
    pod = yaml.safe_load((ROOT / "resources" / "workloads" / "witness.yaml").read_text())
    for name, labels in (("web", {"app": "web"}), ("helper-x", {"role": "helper"})):
        pod["metadata"].update(name=name, labels=labels)
        pod["spec"]["nodeName"] = "node-1"
        objects.create(main, pod, namespace)
        made = pods.wait_until_ready(main, namespace, name, 30)
    return made


def wanted(namespace: str, **changes: str) -> Wanted:
    values = {"pod": "web", "namespace": namespace, "node": "node-1", "helper_namespace": namespace}
    return Wanted(**values | {"helper_selector": "role=helper"} | changes)


def test_the_metrics_api_tells_of_workload_helper_and_node(main: Cluster, namespace: str, deployed) -> None:
    name, read = reader(main, wanted(namespace))
    assert name == "metrics.k8s.io"
    found = {one.of: one for one in read()}
    assert list(found) == [POD, HELPER, NODE]
    for one in found.values():
        assert one.cores > 0
        assert one.memory > 1_000_000
        assert one.window == 10
        assert abs((datetime.now(UTC) - one.at).total_seconds()) < 60
    assert found[NODE].memory > found[POD].memory + found[HELPER].memory


def test_the_kubelets_tell_where_there_is_no_metrics_api(main, namespace, deployed, monkeypatch) -> None:
    monkeypatch.setattr(usage, "VERSION", "v0")
    name, read = reader(main, wanted(namespace))
    assert name == "kubelet summary"
    found = {one.of: one for one in read()}
    assert list(found) == [POD, HELPER, NODE]
    assert all(one.cores > 0 and one.memory > 1_000_000 for one in found.values())


def test_where_nobody_tells_the_reasons_are_told(main, namespace, deployed, monkeypatch) -> None:
    monkeypatch.setattr(usage, "VERSION", "v0")
    with pytest.raises(NotServed, match=r"metrics\.k8s\.io: 404 .*; kubelet summary: 404 "):
        reader(main, wanted(namespace, node="no-such-node"))


def test_a_pod_that_is_gone_is_left_out(main: Cluster, namespace: str, deployed) -> None:
    _, read = reader(main, wanted(namespace, pod="gone"))
    assert [one.of for one in read()] == [HELPER, NODE]


def test_without_a_workload_and_its_node_all_helpers_count(main: Cluster, namespace: str, deployed) -> None:
    _, read = reader(main, wanted(namespace, pod="", node=""))
    assert [one.of for one in read()] == [HELPER, NODE]


def test_in_a_large_cluster_only_the_workloads_node_is_asked(main, namespace, deployed, monkeypatch) -> None:
    monkeypatch.setattr(usage, "NODES_AT_MOST", 0)
    _, read = reader(main, wanted(namespace, node="node-2"))
    assert [one.of.name for one in read()] == ["web", "node-2"]


@pytest.mark.parametrize(
    ("text", "seconds"), [("15.5s", 15.5), ("1m0s", 60), ("250ms", 0.25), ("1h1m1s", 3661), ("", 0)]
)
def test_windows(text: str, seconds: float) -> None:
    assert usage._seconds(text) == pytest.approx(seconds)


def measured(*samples: Sample, node: str = "") -> dict[str, Any]:
    """What is told of a phase that is over, in which these samples came."""
    came = threading.Event()

    def read() -> list[Sample]:
        came.set()
        return list(samples)

    phase = Phase("checkpoint", lambda: ("metrics", read))
    phase.start()
    assert came.wait(10)
    phase.stop(node)
    eventually(lambda: phase.to_dict()["use"] or not samples)
    phase.drop(10)
    return phase.to_dict()


def test_a_phases_use_is_summed_up_by_subject() -> None:
    told = measured(sample(NODE), sample(cores=0.2, memory=5), sample(cores=0.4, memory=9), sample(HELPER, window=10))
    assert [one["of"] for one in told["use"]] == ["workload", "helper", "node"]
    assert told["use"][0] == {
        "of": "workload",
        "name": "web",
        "samples": 2,
        "window_seconds": 0,
        "cpu_cores_mean": 0.3,
        "cpu_cores_most": 0.4,
        "memory_bytes_mean": 7,
        "memory_bytes_most": 9,
    }
    assert told["use"][1]["window_seconds"] == 10
    assert (told["phase"], told["complete"], told["source"], told["unmeasured"]) == (
        "checkpoint",
        True,
        "metrics",
        None,
    )


def test_the_same_measurement_told_twice_counts_once() -> None:
    one = sample()
    assert measured(one, one)["use"][0]["samples"] == 1


def test_what_was_measured_before_the_phase_is_not_of_it() -> None:
    told = measured(sample(HELPER), sample(ago=20, cores=9.0), sample(ago=-20, window=15, cores=9.0))
    assert [one["of"] for one in told["use"]] == ["helper"]


def test_what_is_averaged_over_the_phase_is_of_it() -> None:
    assert measured(sample(ago=-10, window=15))["use"][0]["samples"] == 1


def test_only_the_node_where_it_took_place_counts() -> None:
    other = Subject("node", "node-2", "node-2")
    told = measured(sample(NODE), sample(other), sample(Subject("workload", "web", "node-3")), node="node-2")
    assert [one["name"] for one in told["use"]] == ["web", "node-2"]


def failing(problem: Exception) -> Callable[[], Any]:
    def fail() -> Any:
        raise problem

    return fail


@pytest.mark.parametrize(
    ("opened", "why"),
    [
        (failing(NotServed("404")), "the cluster does not tell: 404"),
        (failing(OSError("cut")), "it could not be asked for: OSError: cut"),
        (lambda: ("metrics", failing(KeyError("usage"))), "it could not be asked for: KeyError: 'usage'"),
        (lambda: ("metrics", list), phases.NOTHING_YET),
    ],
)
def test_a_phase_without_measurements_says_why(opened, why: str) -> None:
    phase = Phase("restore", opened)
    phase.start()
    phase.stop()
    eventually(lambda: phase.to_dict()["unmeasured"] == why)
    phase.drop(10)
    told = phase.to_dict()
    assert (told["use"], told["unmeasured"]) == ([], why)
    assert told["seconds"] >= 0


def test_a_late_measurement_counts_and_ends_the_measuring() -> None:
    late: list[Sample] = []
    phase = Phase("checkpoint", lambda: ("metrics", lambda: list(late)))
    phase.start()
    phase.stop()
    assert phase.to_dict()["use"] == []
    late.append(sample(window=15))
    phase._thread.join(10)
    assert not phase._thread.is_alive()
    assert phase.to_dict()["use"][0]["samples"] == 1


def test_measuring_ends_by_itself_when_nothing_comes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(phases, "PATIENCE", 0.0)
    phase = Phase("checkpoint", lambda: ("metrics", list))
    phase.start()
    phase.stop()
    phase._thread.join(10)
    assert not phase._thread.is_alive()


def test_stopping_twice_changes_nothing() -> None:
    phase = Phase("checkpoint", lambda: ("metrics", list))
    first = phase.stop()
    time.sleep(0.01)
    assert phase.stop() == first
    phase._thread = threading.Thread()


def test_keywords_tell_of_each_phase_once(kube: KubernetesLibrary, namespace: str, deployed) -> None:
    options = {"node": "node-1", "helper_namespace": namespace, "helper_selector": "role=helper"}
    kube.start_measuring_resource_use("checkpoint", "web", namespace, **options)
    eventually(lambda: kube._phases._phases[0].to_dict()["use"])
    seconds = kube.stop_measuring_resource_use()
    (told,) = kube.get_resource_use(new=True)
    assert (told["phase"], told["seconds"]) == ("checkpoint", round(seconds, 3))
    assert [one["of"] for one in told["use"]] == ["workload", "helper", "node"]
    kube.start_measuring_resource_use("restore", **options)
    (second,) = kube.get_resource_use(new=True)
    assert (second["phase"], second["complete"]) == ("restore", False)
    assert [one["phase"] for one in kube.get_resource_use()] == ["checkpoint", "restore"]


def test_a_phase_ends_where_the_next_one_begins(kube: KubernetesLibrary) -> None:
    kube.start_measuring_resource_use("restore")
    kube.start_measuring_resource_use("become Ready")
    kube.stop_measuring_resource_use()
    assert [(one["phase"], one["complete"]) for one in kube.get_resource_use(new=True)] == [
        ("restore", True),
        ("become Ready", True),
    ]
    kube.start_measuring_resource_use("checkpoint")
    assert kube.get_resource_use(new=True)[0]["complete"] is False
    eventually(lambda: not any(phase._thread.is_alive() for phase in kube._phases._phases))
    with pytest.raises(BadInput, match="begun before"):
        kube.stop_measuring_resource_use()


def test_bad_input_is_refused_before_anything_begins(kube: KubernetesLibrary) -> None:
    with pytest.raises(BadInput, match="phase"):
        kube.start_measuring_resource_use(" ")
    with pytest.raises(BadInput, match="namespace"):
        kube.start_measuring_resource_use("checkpoint", "web")
    with pytest.raises(BadInput, match="begun before"):
        kube.stop_measuring_resource_use()
    assert kube.get_resource_use() == []
