"""What leads to a restored pod, and what still leads to the one before it when it is said to."""

from __future__ import annotations

import pytest
from tests.sandbox.faults.stage import PODS, Object, Stage, is_ready, manifest

from sandbox.runtime.surroundings import UnknownHost

GATE = {"readinessGates": [{"conditionType": "example.com/admitted"}]}
SLICES = "/apis/discovery.k8s.io/v1/namespaces/default/endpointslices"


async def restored(stage: Stage, **changes: object) -> tuple[Object, Object]:
    """A pod with label `app: web` behind two Services, taken through checkpoint and restore: before and after."""
    for name, more in (("web", {}), ("pods", {"clusterIP": "None"})):
        spec = {"selector": {"app": "web"}, "ports": [{"port": 80}], **more}
        await stage.create("/api/v1/namespaces/default/services", metadata={"name": name}, spec=spec)
    pod = await stage.workload("web", metadata={"labels": {"app": "web"}}, **changes)
    own = [pod["status"]["podIP"]]
    await stage.until(lambda: addresses(stage), lambda found: found == own, "the pod's address")
    await names(stage, own)
    action = await stage.checkpoint(pod)
    await stage.gone("web")
    assert (await stage.restore(action))["status"] == "ready"
    return pod, await stage.ready("web-restored")


async def addresses(stage: Stage) -> list[str]:
    """Where the Service's slices lead to now."""
    found = (await stage.api("GET", f"{SLICES}?labelSelector=kubernetes.io/service-name=web")).json["items"]
    told = [one for each in found for one in each["endpoints"] or [] if one["conditions"]["ready"]]
    return [address for one in told for address in one["addresses"]]


def name_of(stage: Stage) -> list[str]:
    """The addresses of the headless Service's name; none as long as it has no pod."""
    try:
        return stage.sandbox.clusters[0].network.of_pod("", "default").lookup("pods.default")[1]
    except UnknownHost:
        return []


async def names(stage: Stage, addresses: list[str]) -> None:
    """Waits until that is what the headless Service's name leads to."""

    async def look() -> list[str]:
        return name_of(stage)

    await stage.until(look, lambda found: found == addresses, f"a name for {addresses}")


def runs(pod: Object) -> bool:
    """Whether the pod's containers are ready, whatever its gates say."""
    conditions = pod.get("status", {}).get("conditions") or []
    return any(one["type"] == "ContainersReady" and one["status"] == "True" for one in conditions)


async def test_without_a_fault_all_follows(stage: Stage) -> None:
    before, after = await restored(stage)
    new = [after["status"]["podIP"]]
    assert before["status"]["podIP"] not in new
    await stage.until(lambda: addresses(stage), lambda found: found == new, "the new address")
    await names(stage, new)


async def test_endpoints_stay(stage: Stage) -> None:
    await stage.fault("endpoints-keep-old-address")
    before, after = await restored(stage)
    both = {before["status"]["podIP"], after["status"]["podIP"]}
    await stage.until(lambda: addresses(stage), lambda found: set(found) == both, "both addresses")
    assert await stage.hits()


async def test_names_stay(stage: Stage) -> None:
    fault = await stage.fault("dns-keeps-old-address")
    before, after = await restored(stage)
    await names(stage, [before["status"]["podIP"]])
    await stage.admin("DELETE", f"/faults/{fault['id']}")
    await names(stage, [after["status"]["podIP"]])


@pytest.mark.parametrize("fault", ["", "restore-loses-readiness-gates"])
async def test_readiness_gates(stage: Stage, fault: str) -> None:
    if fault:
        await stage.fault(fault)
    await stage.create(PODS, **manifest("web", **GATE))
    await stage.until(lambda: stage.pod("web"), runs, "containers that are ready")
    action = await stage.checkpoint(await stage.pod("web"))
    await stage.gone("web")
    assert (await stage.restore(action))["status"] == "ready"
    pod = await stage.until(lambda: stage.pod("web-restored"), runs, "restored containers that are ready")
    assert (is_ready(pod), "readinessGates" in pod["spec"]) == (bool(fault), not fault)


@pytest.mark.parametrize("fault", ["", "checkpoint-cuts-connections"])
async def test_connections(stage: Stage, fault: str) -> None:
    if fault:
        await stage.fault(fault)
    await stage.create(PODS, **manifest("db", "redis"))
    await stage.ready("db")
    runtime = stage.sandbox.clusters[0].runtime
    connection = runtime.connect((await stage.pod("db"))["metadata"]["uid"], 6379, "10.0.0.1")
    assert connection.feed(b"PING\r\n") == b"+PONG\r\n"
    await stage.checkpoint(await stage.pod("db"))
    assert connection.feed(b"PING\r\n") == (b"" if fault else b"+PONG\r\n")
    assert connection.ended == bool(fault)
