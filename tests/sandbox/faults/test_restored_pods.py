"""Restored pods that are not as they were: in place, spec, volumes, name and owner."""

from __future__ import annotations

import pytest
from tests.sandbox.faults.stage import PODS, RESTORED, Object, Stage, manifest, own_steps


async def test_in_another_namespace(stage: Stage) -> None:
    await stage.fault("restore-in-wrong-namespace", into="kube-public")
    await stage.lifecycle()
    assert await stage.pod(RESTORED) == {}
    assert await stage.pod(RESTORED, "kube-public")


ENV = {"container": {"env": [{"name": "A", "value": "b"}]}}


def spec_of(pod: Object) -> Object:
    container: Object = pod["spec"]["containers"][0]
    return container


@pytest.mark.parametrize(
    ("name", "lost", "changes"),
    [
        ("restore-with-other-image", lambda pod: spec_of(pod)["image"], {}),
        ("restore-loses-limits", lambda pod: spec_of(pod).get("resources"), {}),
        ("restore-loses-environment", lambda pod: spec_of(pod).get("env"), ENV),
        ("restore-loses-mounts", lambda pod: pod["spec"].get("volumes"), {}),
        ("restore-loses-labels", lambda pod: pod["metadata"].get("labels"), {}),
        (
            "restore-loses-security-context",
            lambda pod: pod["spec"].get("securityContext"),
            {"securityContext": {"fsGroup": 2000}},
        ),
    ],
)  # fmt: skip
async def test_something_of_the_pod_is_lost(stage: Stage, name: str, lost: object, changes: Object) -> None:
    assert callable(lost)
    await stage.fault(name)
    original, source = await stage.lifecycle(**changes)
    restored = await stage.ready(RESTORED)
    assert lost(original) != lost(restored)
    steps = await own_steps(stage, source)
    assert steps[-1][0] == source[0][0], "all else is as it should be"


async def test_on_the_wrong_node(stage: Stage) -> None:
    await stage.fault("restore-on-wrong-node")
    selector = {"kubernetes.io/hostname": "node-2"}
    await stage.lifecycle(nodeSelector=selector)
    assert (await stage.ready(RESTORED))["spec"]["nodeName"] == "node-1"


async def test_two_pods(stage: Stage) -> None:
    await stage.fault("restore-makes-two-pods")
    _, source = await stage.lifecycle()
    for name in (RESTORED, f"{RESTORED}-2"):
        assert (await own_steps(stage, source, name))[-1][0] == source[0][0]


async def test_original_anew(stage: Stage) -> None:
    await stage.fault("restore-creates-original-anew")
    original, source = await stage.lifecycle()
    again = await stage.ready("web")
    assert again["metadata"]["uid"] != original["metadata"]["uid"]
    assert (await own_steps(stage, source, "web"))[0][0] != source[0][0]
    assert await stage.pod(RESTORED) == {}


async def test_original_back(stage: Stage) -> None:
    await stage.fault("restore-brings-original-back")
    original, source = await stage.lifecycle()
    again = await stage.ready("web")
    assert again["metadata"]["uid"] == original["metadata"]["uid"]
    assert (await own_steps(stage, source, "web"))[-1][0] == source[0][0]


async def test_nothing_made(stage: Stage) -> None:
    await stage.fault("restore-makes-nothing")
    await stage.lifecycle()
    assert await stage.pod(RESTORED) == {}


CLAIM = {
    "metadata": {"name": "data"},
    "spec": {
        "accessModes": ["ReadWriteOnce"],
        "storageClassName": "local-path",
        "resources": {"requests": {"storage": "1Mi"}},
    },
}


@pytest.mark.parametrize(
    ("fault", "claim"), [("restore-makes-claims-anew", "data-restored"), ("restore-empties-volumes", "data")]
)
async def test_what_a_claim_held_is_lost(stage: Stage, fault: str, claim: str) -> None:
    await stage.fault(fault)
    await stage.create("/api/v1/namespaces/default/persistentvolumeclaims", **CLAIM)
    script = "echo kept > /data/mark; while :; do cat /data/mark; sleep 0.1; done"
    container = {"command": ["sh", "-c", script], "volumeMounts": [{"name": "data", "mountPath": "/data"}]}
    volumes = [{"name": "data", "persistentVolumeClaim": {"claimName": "data"}}]
    await stage.create(PODS, **manifest("web", container=container, volumes=volumes))
    there = await stage.ready("web")
    await stage.until(lambda: stage.lines("web"), bool, "a line")
    action = await stage.checkpoint(there)
    await stage.gone("web")
    await stage.restore(action)
    restored = await stage.ready(RESTORED)
    assert restored["spec"]["volumes"][0]["persistentVolumeClaim"]["claimName"] == claim
    seen = await stage.until(lambda: stage.lines(RESTORED), lambda lines: lines[-1] != "kept", "another line")
    assert "No such file" in seen[-1]


async def test_the_stable_name_is_lost(stage: Stage) -> None:
    await stage.fault("restore-loses-stable-name")
    await stage.lifecycle(hostname="web-0", subdomain="web")
    spec = (await stage.pod(RESTORED))["spec"]
    assert not {"hostname", "subdomain"} & set(spec)


@pytest.mark.parametrize(
    ("fault", "owner"), [("restore-keeps-owner", "mine"), ("restore-gives-another-owner", "kube-root-ca.crt")]
)
async def test_who_owns_the_restored_pod(stage: Stage, fault: str, owner: str) -> None:
    await stage.fault(fault)
    await stage.lifecycle(metadata={"ownerReferences": [await config_map(stage)]})
    (reference,) = (await stage.ready(RESTORED))["metadata"]["ownerReferences"]
    assert reference["name"] == owner


async def test_a_pod_whose_owner_is_gone_is_removed(stage: Stage) -> None:
    await stage.fault("restore-gives-owner-that-is-gone")
    await stage.lifecycle(metadata={"ownerReferences": [await config_map(stage)]})
    await stage.until(lambda: stage.pod(RESTORED), lambda pod: not pod, "the restored pod to be removed")
    assert await stage.hits() == 1


async def config_map(stage: Stage) -> Object:
    """A reference to one that a pod can belong to."""
    made = await stage.create("/api/v1/namespaces/default/configmaps", metadata={"name": "mine"})
    return {"apiVersion": "v1", "kind": "ConfigMap", "name": "mine", "uid": made["metadata"]["uid"]}
