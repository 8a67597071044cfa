"""Pods that are remembered and held against others, on the sandbox; and how differences are shown."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml
from robot.api import logger

from harness.failures import NotAsExpected
from harness.kube import Cluster, objects
from KubernetesLibrary import KubernetesLibrary
from KubernetesLibrary.comparison import Difference
from KubernetesLibrary.remembered import LONGEST, RememberedPod, as_html, as_text, changed

WITNESS = Path(__file__).parents[2] / "resources" / "workloads" / "witness.yaml"


def like_witness(name: str, **fields: Any) -> dict[str, Any]:
    pod = yaml.safe_load(WITNESS.read_text())
    pod["metadata"]["name"] = name
    pod["spec"]["containers"][0] |= fields
    return pod


@pytest.fixture
def remembered(kube: KubernetesLibrary, namespace: str) -> RememberedPod:
    kube.apply_manifest(str(WITNESS), namespace)
    kube.wait_until_pod_is_ready("test-witness", namespace)
    return kube.remember_pod("test-witness", namespace, inside=True, files=["/etc/hostname"])


def test_the_same_pod_again_matches_but_for_its_host_name(
    main: Cluster, kube: KubernetesLibrary, namespace: str, remembered: RememberedPod
) -> None:
    objects.create(main, like_witness("again"), namespace)
    again = kube.wait_until_pod_is_ready("again", namespace)
    with pytest.raises(NotAsExpected) as failure:
        kube.restored_pod_should_match(remembered, again)
    rows = [line.split()[0] for line in failure.value.seen.splitlines()[2:]]
    assert rows == [
        "inside[test-witness].env[HOSTNAME]",
        "inside[test-witness].file[/etc/hostname]",
        "inside[test-witness].hostname",
    ]
    outside = RememberedPod(remembered.pod)
    kube.restored_pod_should_match(outside, again)


def test_what_a_process_may_shows_inside(
    main: Cluster, kube: KubernetesLibrary, namespace: str, remembered: RememberedPod
) -> None:
    shown = remembered.inside["test-witness"]
    assert (shown["CapEff"], shown["Uid"], shown["Seccomp"]) == ("00000000a80425fb", "0 0 0 0", "0")
    confined = {
        "runAsUser": 10,
        "runAsGroup": 20,
        "allowPrivilegeEscalation": False,
        "capabilities": {"drop": ["ALL"], "add": ["CHOWN"]},
        "seccompProfile": {"type": "RuntimeDefault"},
    }
    objects.create(main, like_witness("confined", securityContext=confined), namespace)
    kube.wait_until_pod_is_ready("confined", namespace)
    shown = kube.remember_pod("confined", namespace, inside=True).inside["test-witness"]
    names = ("Uid", "Gid", "Groups", "CapEff", "CapBnd", "NoNewPrivs", "Seccomp")
    assert [shown[name] for name in names] == [
        "10 10 10 10",
        "20 20 20 20",
        "20",
        "0000000000000000",
        "0000000000000001",
        "1",
        "2",
    ]


def test_a_changed_pod_is_a_failure_of_the_product_with_a_table(
    main: Cluster,
    kube: KubernetesLibrary,
    namespace: str,
    remembered: RememberedPod,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    shown: list[str] = []
    monkeypatch.setattr(logger, "info", lambda text, html=False: shown.append(text) if html else None)
    objects.create(main, like_witness("bare", resources={}), namespace)
    bare = kube.wait_until_pod_is_ready("bare", namespace)
    with pytest.raises(NotAsExpected) as failure:
        kube.restored_pod_should_match(RememberedPod(remembered.pod), bare)
    assert str(failure.value.cause) == "pod-changed (product)"
    assert "5 fields differ" in failure.value.seen
    assert "resources.limits[cpu]       250m       (absent)" in failure.value.seen
    assert "<td>spec.containers[test-witness].resources.limits[cpu]</td><td>250m</td>" in shown[0]
    kube.restored_pod_should_match(
        RememberedPod(remembered.pod), bare, may_differ=["spec.containers[*].resources", "status.qosClass"]
    )


def test_a_pod_on_a_node_that_it_excludes_is_changed(main: Cluster, kube: KubernetesLibrary, namespace: str) -> None:
    node, other = (each["name"] for each in kube.get_node_facts())
    chosen = like_witness("chosen") | {}
    chosen["spec"]["nodeSelector"] = {"kubernetes.io/hostname": node}
    objects.create(main, chosen, namespace)
    kube.wait_until_pod_is_ready("chosen", namespace)
    before = kube.remember_pod("chosen", namespace)
    elsewhere = like_witness("elsewhere")
    elsewhere["spec"] |= {"nodeName": other, "nodeSelector": {"kubernetes.io/hostname": node}}
    objects.create(main, elsewhere, namespace)
    with pytest.raises(NotAsExpected, match=f"node {other} has {other}"):
        kube.restored_pod_should_match(before, kube.get_pod("elsewhere", namespace))


def test_no_pod_is_a_clear_failure(kube: KubernetesLibrary, namespace: str, remembered: RememberedPod) -> None:
    with pytest.raises(NotAsExpected, match="there is test-witness"):
        kube.restored_pod_should_match(remembered, {"metadata": {"name": "gone", "namespace": namespace}})


def test_a_long_value_is_shortened_in_the_message_only() -> None:
    found = [Difference("spec.x", "<a>\n" + "y" * 500, None)]
    lines = as_text(found).splitlines()
    assert max(len(line) for line in lines) < LONGEST + 30
    assert lines[1].split()[1:] == ["<a>", "y" * (LONGEST - 8), "...", "(absent)"]
    assert "y" * 500 in as_html(found)
    assert "&lt;a&gt;" in as_html(found)


def test_a_message_is_one_paragraph() -> None:
    pod = {"metadata": {"name": "web", "namespace": "n"}}
    failure = changed(RememberedPod(pod), "web-restored", [Difference("spec.x", "a\n\nb", "c")])
    assert "\n\n" not in str(failure)
    assert "1 field differs" in str(failure)
