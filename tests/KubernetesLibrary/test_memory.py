"""Whether a container is killed for its use of memory."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest
from tests.KubernetesLibrary.test_remembered import like_witness

from harness.failures import NotAsExpected, WaitTimedOut
from harness.kube import Cluster, objects
from KubernetesLibrary import KubernetesLibrary

MEMORY = Path(__file__).parents[2] / "resources" / "workloads" / "memory.yaml"
SOON = timedelta(seconds=0.2)


def test_a_container_that_takes_more_than_its_limit(kube: KubernetesLibrary, namespace: str) -> None:
    kube.apply_manifest(str(MEMORY), namespace)
    kube.wait_until_pod_is_ready("test-memory", namespace)
    with pytest.raises(WaitTimedOut, match="all its containers run on"):
        kube.pod_should_run_out_of_memory("test-memory", namespace, timeout=SOON)
    kube.execute_in_pod("test-memory", namespace, "touch", "/tmp/eat")  # noqa: S108 - a path in the container
    assert kube.pod_should_run_out_of_memory("test-memory", namespace) == "test-memory"


@pytest.mark.parametrize(("code", "killed"), [("3", False), ("0", False), ("137", True)])
def test_a_container_that_ends_for_another_reason(
    main: Cluster, kube: KubernetesLibrary, namespace: str, code: str, killed: bool
) -> None:
    pod = like_witness("ends", command=["sh", "-c", f"sleep 0.3; exit {code}"])
    pod["spec"]["restartPolicy"] = "Never"
    objects.create(main, pod, namespace)
    if killed:
        assert kube.pod_should_run_out_of_memory("ends", namespace) == "test-witness"
    else:
        with pytest.raises(NotAsExpected, match=f"exit code {code}"):
            kube.pod_should_run_out_of_memory("ends", namespace)
