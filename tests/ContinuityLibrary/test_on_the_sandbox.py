"""The keywords and the control arm on the embedded cluster, with the manifests as they are."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
import yaml

from ContinuityLibrary import ContinuityLibrary
from harness.failures import BadInput, NotAsExpected
from harness.kube import CLUSTERS, Cluster, objects, pods
from harness.ledger import LEDGER

WORKLOADS = Path(__file__).parents[2] / "resources" / "workloads"
LONG = timedelta(seconds=60)


@pytest.fixture
def cluster(sandbox: dict[str, Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Cluster]:
    """The sandbox. The tests remove what they make, and nothing of it may be owed by the ledger afterwards."""
    monkeypatch.setenv("LEDGER_DIR", str(tmp_path / "ledgers"))
    connected = CLUSTERS.add(Cluster("continuity", Path(sandbox["kubeconfig"])))
    yield connected
    CLUSTERS.discard("continuity")
    assert [str(entry) for entry in LEDGER.owed() if entry.place == str(connected.kubeconfig)] == []


@pytest.fixture
def library(cluster: Cluster) -> Iterator[ContinuityLibrary]:
    library = ContinuityLibrary()
    yield library
    library.stop_control_arm()


def deploy(cluster: Cluster) -> str:
    """Creates the pod of the plain witness, Ready; its name."""
    pod = yaml.safe_load((WORKLOADS / "witness.yaml").read_text())
    objects.create(cluster, pod, "default")
    pods.wait_until_ready(cluster, "default", "test-witness", 60)
    return "test-witness"


def delete(cluster: Cluster) -> None:
    """Deletes it, and the ledger knows."""
    objects.delete(cluster, "v1", "Pod", "default", "test-witness", uid=None, timeout=60)
    while entry := objects.entry_of(cluster, "Pod", "default", "test-witness"):
        LEDGER.gone(entry)


@pytest.fixture
def pod(cluster: Cluster) -> Iterator[str]:
    yield deploy(cluster)
    delete(cluster)


def test_the_control_arm_comes_out_as_restarted(library: ContinuityLibrary) -> None:
    library.start_control_arm(WORKLOADS / "nginx.yaml", cluster="continuity")
    with pytest.raises(BadInput, match="joined or stopped"):
        library.start_control_arm(WORKLOADS / "nginx.yaml", cluster="continuity")
    verdict = library.control_arm_should_have_restarted(timeout=LONG)
    assert str(verdict).startswith("restarted: nonce ")
    (told,) = library.get_verdicts(new=True)
    assert (told["verdict"], told["control_arm"]) == ("restarted", True)
    assert library.get_verdicts(new=True) == []
    with pytest.raises(BadInput, match="control arm is empty"):
        library.control_arm_should_have_restarted()


def test_a_pod_that_is_created_again_has_restarted(library: ContinuityLibrary, cluster: Cluster, pod: str) -> None:
    before = library.observe_workload(pod, cluster="continuity")
    assert library.note_checkpoint_request() == before.step >= 5
    reached = library.note_checkpoint_done(before)
    assert reached is not None
    assert reached >= before.step
    library.note_deletion(before)
    delete(cluster)
    deploy(cluster)
    verdict = library.workload_should_have_restarted(before, timeout=LONG)
    assert (verdict.b, verdict.a) == (before.step, 1)
    assert verdict.downtime is not None
    with pytest.raises(NotAsExpected) as problem:
        library.workload_should_have_continued(before, pod, "default", timeout=LONG)
    assert problem.value.cause.name == "process-restarted"
    with pytest.raises(NotAsExpected, match="it is gone"):
        library.note_checkpoint_request(before)


def test_the_source_itself_is_the_original(library: ContinuityLibrary, pod: str) -> None:
    before = library.observe_workload(pod, cluster="continuity")
    assert str(library.get_verdict(before)).startswith("original: ")
    with pytest.raises(NotAsExpected) as problem:
        library.workload_should_have_continued(timeout=LONG)
    assert problem.value.cause.name == "not-restored"
    with pytest.raises(NotAsExpected) as problem:
        library.workload_should_have_restarted(timeout=LONG)
    assert problem.value.cause.name == "check-broken"


def test_nothing_was_observed() -> None:
    with pytest.raises(BadInput, match="Observe Workload"):
        ContinuityLibrary().get_verdict()
