"""Witnesses asked through the embedded cluster: by port-forward and through a Service, and what is no answer there."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
import yaml

from ContinuityLibrary import ContinuityLibrary, samplers
from ContinuityLibrary.observation import Workload
from ContinuityLibrary.sampled_keywords import way_to
from ContinuityLibrary.samplers import Unanswered, Way, opened
from harness.kube import CLUSTERS, Cluster, objects, pods

WORKLOADS = Path(__file__).parents[2] / "resources" / "workloads"
NAMES = {"http-witness": "test-http-witness", "nginx-status": "test-nginx-status", "redis": "test-redis"}


@pytest.fixture(scope="module")
def cluster(sandbox: dict[str, Any]) -> Iterator[Cluster]:
    connected = CLUSTERS.add(Cluster("routes", Path(sandbox["kubeconfig"])))
    yield connected
    CLUSTERS.discard("routes")


@pytest.fixture(scope="module")
def namespace(cluster: Cluster) -> Iterator[str]:
    """A namespace with the workloads that are asked, Ready."""
    name = f"routes-{uuid.uuid4().hex[:8]}"
    cluster.core.create_namespace({"metadata": {"name": name}})
    for kind in NAMES:
        for document in yaml.safe_load_all((WORKLOADS / f"{kind}.yaml").read_text()):
            objects.resource(cluster, "v1", document["kind"]).create(body=document, namespace=name)
    for pod in NAMES.values():
        pods.wait_until_ready(cluster, name, pod, 30)
    yield name
    cluster.core.delete_namespace(name)


def ask(cluster: Cluster, namespace: str, pod: str, way: Way, *, times: int = 3, uid: str = "") -> list[int]:
    """What the witness counts, so many times over one way."""
    workload = Workload("routes", namespace, pod)
    uid = uid or pods.get(cluster, namespace, pod)["metadata"]["uid"]
    with opened(cluster, workload, uid, way) as asker:
        return [asker.ask().count for _ in range(times)]


@pytest.mark.parametrize(
    ("pod", "way"),
    [
        ("test-http-witness", way_to("http")),
        ("test-http-witness", way_to("http", "service", service="test-http-witness")),
        ("test-http-witness", way_to("http", "service", service="test-http-witness", port="http")),
        ("test-nginx-status", way_to("stub_status")),
        ("test-redis", way_to("redis")),
    ],
    ids=["http forwarded", "http service", "http named port", "stub_status", "redis"],
)
def test_each_answer_counts_on(cluster: Cluster, namespace: str, pod: str, way: Way, monkeypatch) -> None:
    monkeypatch.setattr(samplers, "CONNECTION_REQUESTS", 2)
    first = ask(cluster, namespace, pod, way)
    assert first == sorted(set(first))
    assert ask(cluster, namespace, pod, way, times=1)[0] > first[-1]


@pytest.mark.parametrize(
    ("pod", "way", "told"),
    [
        ("test-redis", way_to("http", port="9"), ("connection refused", False)),
        ("test-redis", way_to("redis", port="9"), ("connection refused", False)),
        ("test-nginx-status", way_to("stub_status", path="/"), ("no stub_status, but 'ok", False)),
        ("test-nginx-status", way_to("redis", port="80"), ("not as redis does", False)),
        ("test-http-witness", way_to("http", "service", service="none"), ('services "none" not found', True)),
        ("no-such-pod", way_to("http"), ('pods "no-such-pod" not found', True)),
    ],
    ids=["nobody listens", "no redis listens", "another page", "another server", "no service", "no pod"],
)
def test_what_is_no_answer(cluster: Cluster, namespace: str, pod: str, way: Way, told: tuple[str, bool]) -> None:
    words, unreached = told
    with pytest.raises(Unanswered) as problem:
        ask(cluster, namespace, pod, way, uid="any")
    assert words in str(problem.value)
    assert problem.value.unreached == unreached


def test_a_service_that_leads_to_another_pod_tells_nothing_of_this_one(cluster: Cluster, namespace: str) -> None:
    way = way_to("http", "service", service="test-http-witness")
    with pytest.raises(Unanswered, match="Service test-http-witness leads to another pod: 10") as problem:
        ask(cluster, namespace, "test-http-witness", way, uid="another")
    assert problem.value.unreached


def test_a_service_that_leads_nowhere_was_not_reached(cluster: Cluster, namespace: str) -> None:
    body = {"metadata": {"name": "empty"}, "spec": {"selector": {"app": "none"}, "ports": [{"port": 80}]}}
    cluster.core.create_namespaced_service(namespace, body)
    with pytest.raises(Unanswered, match="no endpoints available") as problem:
        ask(cluster, namespace, "test-http-witness", way_to("http", "service", service="empty"))
    assert problem.value.unreached


def test_what_was_observed_is_known_to_the_run(cluster: Cluster, namespace: str) -> None:
    library = ContinuityLibrary()
    seen = library.observe_sampled_workload("test-redis", namespace, "redis", cluster="routes")
    assert library._nonces == {seen.nonce: f"{namespace}/test-redis"}
    assert seen.others is library._nonces
    assert (len(seen.nonce), seen.step) == (40, 3)
    assert str(library.get_verdict(timeout=timedelta(seconds=5))).startswith("original: ")
