"""Installs that go wrong show what they are said to show, by the objects of a chart's shape."""

from __future__ import annotations

import pytest
from tests.sandbox.faults.stage import PODS, Object, Stage, is_ready, manifest

PLACE = "/api/v1/namespaces/cedana-system"
APPS = "/apis/apps/v1/namespaces/cedana-system"


def workload(component: str, name: str = "") -> Object:
    labels = {"app.kubernetes.io/name": "cedana", "app.kubernetes.io/component": component}
    container = {"name": component, "image": "registry.example.com/cedana:1", "command": ["sleep", "9999"]}
    template = {"metadata": {"labels": labels}, "spec": {"containers": [container]}}
    spec = {"selector": {"matchLabels": labels}, "template": template}
    return {"metadata": {"name": name or component, "labels": labels}, "spec": spec}


async def pods(stage: Stage) -> list[Object]:
    found: list[Object] = (await stage.api("GET", f"{PLACE}/pods")).json["items"]
    return found


async def install(stage: Stage, component: str = "manager", kind: str = "deployments") -> None:
    await stage.create("/api/v1/namespaces", metadata={"name": "cedana-system"})
    await stage.create(f"{APPS}/{kind}", **workload(component))


async def test_an_object_is_invalid(bare: Stage) -> None:
    await bare.fault("chart-invalid")
    await bare.create("/api/v1/namespaces", metadata={"name": "cedana-system"})
    answer = await bare.api("POST", f"{APPS}/daemonsets", workload("helper"))
    assert answer.status == 422
    assert "Required value" in answer.json["message"]
    await bare.create(f"{APPS}/deployments", **workload("manager"))


async def test_a_kind_is_not_served(bare: Stage) -> None:
    await bare.fault("chart-needs-unknown-kind")
    aggregated = {"Accept": "application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList"}
    token = {"Authorization": f"Bearer {bare.facts['token']}"}
    for headers in (token, {**token, **aggregated}):
        answer = await bare.api("GET", "/apis", headers=headers)
        assert "node.k8s.io" not in answer.text
        assert "apps" in answer.text
    assert "g=apidiscovery" in answer.headers["Content-Type"]
    assert (await bare.api("GET", "/apis/node.k8s.io/v1")).status == 404
    assert (await bare.api("POST", "/apis/node.k8s.io/v1/runtimeclasses", {})).status == 404


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("install-image-pull", "pull access denied"),
        ("install-crash-loop", "CrashLoopBackOff"),
        ("install-never-ready", "example.com/load-balancer-attached"),
        ("install-stuck", "ContainerCreating"),
    ],
)
async def test_the_manager_does_not_come_up(bare: Stage, name: str, words: str) -> None:
    await bare.fault(name)
    await install(bare)
    await other_is_ready(bare)
    found = await bare.until(lambda: pods(bare), lambda found: words in str(found), words)
    assert not any(map(is_ready, found))
    assert await bare.hits() >= 1


async def other_is_ready(stage: Stage) -> None:
    """Waits as long as a pod takes that nothing befalls."""
    await stage.create(PODS, **manifest("other"))
    await stage.ready("other")


async def test_the_helpers_never_become_ready(bare: Stage) -> None:
    await bare.fault("install-helper-never-ready")
    await install(bare, "helper", "daemonsets")
    found = await bare.until(lambda: pods(bare), lambda found: "attached" in str(found), "waiting helpers")
    assert not any(map(is_ready, found))


@pytest.mark.parametrize(
    ("name", "words"), [("install-pods-refused", "admission webhook"), ("install-quota", "exceeded quota")]
)
async def test_the_pods_are_refused(bare: Stage, name: str, words: str) -> None:
    await bare.fault(name)
    await install(bare)
    events = await bare.until(
        lambda: bare.api("GET", f"{PLACE}/events"), lambda answer: "FailedCreate" in answer.text, "an event"
    )
    assert words in events.text
    assert await pods(bare) == []


async def test_roles_are_forbidden(bare: Stage) -> None:
    await bare.fault("install-forbidden")
    role = {"metadata": {"name": "cedana-manager-role"}, "rules": []}
    answer = await bare.api("POST", "/apis/rbac.authorization.k8s.io/v1/clusterroles", role)
    assert answer.status == 403
    assert "attempting to grant RBAC permissions" in answer.json["message"]


async def test_the_namespace_is_stuck_already(bare: Stage) -> None:
    await bare.fault("install-namespace-stuck")
    answer = await bare.api("POST", f"{PLACE}/configmaps", {"metadata": {"name": "any"}})
    assert answer.status == 403
    assert "because it is being terminated" in answer.json["message"]
    await bare.admin("DELETE", "/faults")
    assert await gone(bare, "cedana-system")


async def gone(stage: Stage, namespace: str) -> bool:
    path = f"/api/v1/namespaces/{namespace}"
    await stage.until(lambda: stage.api("GET", path), lambda answer: answer.status == 404, "the namespace to be gone")
    return True


async def test_a_namespace_does_not_go(bare: Stage) -> None:
    await bare.fault("namespace-stuck-terminating")
    await bare.create("/api/v1/namespaces", metadata={"name": "mine"})
    await bare.api("DELETE", "/api/v1/namespaces/mine")
    await bare.until(lambda: phase(bare, "mine"), lambda seen: seen == "Terminating", "its end")
    assert (await bare.api("GET", "/api/v1/namespaces/mine")).status == 200
    await bare.admin("DELETE", "/faults")
    assert await gone(bare, "mine")


async def phase(stage: Stage, namespace: str) -> str:
    return str((await stage.api("GET", f"/api/v1/namespaces/{namespace}")).json["status"]["phase"])


async def test_the_uninstallers_hook_is_refused(bare: Stage) -> None:
    await bare.fault("uninstall-hook-fails")
    await bare.create("/api/v1/namespaces", metadata={"name": "cedana-system"})
    answer = await bare.api("POST", f"{APPS}/daemonsets", workload("uninstaller"))
    assert "admission webhook" in answer.json["message"]


async def test_the_uninstaller_never_starts(bare: Stage) -> None:
    await bare.fault("uninstall-never-ends")
    await install(bare, "uninstaller", "daemonsets")
    await other_is_ready(bare)
    found = await bare.until(lambda: pods(bare), lambda found: "ContainerCreating" in str(found), "waiting pods")
    assert not any(map(is_ready, found))
