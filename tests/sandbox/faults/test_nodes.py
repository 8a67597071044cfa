"""Nodes, kubelets and the pods on them in trouble show what they are said to show."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from tests.sandbox.faults.stage import PODS, RESTORED, Object, Stage, is_ready, manifest, own_steps, restarted

NODES = "/api/v1/nodes"
SYSTEM = "/api/v1/namespaces/cedana-system/pods"


async def nodes(stage: Stage) -> list[Object]:
    found: list[Object] = (await stage.api("GET", NODES)).json["items"]
    return found


async def test_nodes_not_ready(bare: Stage) -> None:
    on = await bare.fault("node-not-ready")
    assert not any(is_ready(node) for node in await nodes(bare))
    await bare.admin("DELETE", f"/faults/{on['id']}")
    assert all(is_ready(node) for node in await nodes(bare))


async def test_disk_pressure(bare: Stage) -> None:
    await bare.fault("node-disk-pressure")
    await bare.create(PODS, **manifest("web"))
    pod = await bare.until(lambda: bare.pod("web"), lambda pod: "Unschedulable" in str(pod), "no node for it")
    assert "node.kubernetes.io/disk-pressure" in str(pod["status"]["conditions"])
    await bare.admin("DELETE", "/faults")
    await bare.ready("web")


async def test_a_clock_jumps_when_the_restore_begins(stage: Stage) -> None:
    await stage.fault("node-clock-jumps", seconds=3600)
    _, source = await stage.lifecycle()
    steps = await own_steps(stage, source)
    assert steps[-1][0] == source[0][0]
    stamps = [datetime.fromisoformat(stamp) for _, stamp in sorted((await stage.stamps(RESTORED)).items())]
    assert stamps[0] < datetime.now(UTC) + timedelta(minutes=1)
    assert stamps[-1] > datetime.now(UTC) + timedelta(minutes=59)


async def test_logs_are_rotated_after_the_checkpoint(stage: Stage) -> None:
    await stage.fault("node-rotates-logs", bytes=300)
    pod = await stage.workload()
    await stage.checkpoint(pod)
    runtime = stage.sandbox.cluster.runtime
    container = runtime.container(pod["metadata"]["uid"], "test-witness")
    assert container is not None
    container.advance(runtime.now() + 3_000_000_000)
    numbers = [number for _, number, _ in await stage.until(lambda: stage.steps("web"), bool, "a step")]
    assert numbers[0] > 1
    assert len(numbers) < 6


async def test_a_node_is_lost_at_the_checkpoint(stage: Stage) -> None:
    pod = await stage.workload()
    await stage.fault("node-lost-at-checkpoint")
    action = (await stage.begin_checkpoint(pod)).id
    lost = await stage.until(lambda: nodes(stage), lambda found: not all(map(is_ready, found)), "a lost node")
    assert [node["metadata"]["name"] for node in lost if not is_ready(node)] == [pod["spec"]["nodeName"]]
    assert (await stage.status(action))["status"] == "processing"
    await stage.admin("DELETE", "/faults")
    assert all(is_ready(node) for node in await nodes(stage))


async def test_the_helpers_crash(stage: Stage) -> None:
    await stage.fault("helper-crashes")
    action = (await stage.begin_checkpoint(await stage.workload())).id
    await stage.until(lambda: stage.pod("helper-node-1", "cedana-system"), restarted, "a crashed helper")
    assert (await stage.status(action))["status"] == "processing"


async def test_the_manager_crashes(stage: Stage) -> None:
    action = await stage.checkpoint(await stage.workload())
    await stage.fault("manager-crashes")
    restore = (await stage.begin_restore(action)).id
    await stage.until(lambda: stage.pod("manager", "cedana-system"), restarted, "a crashed manager")
    assert (await stage.status(restore))["status"] == "processing"


async def test_no_helper_is_left(stage: Stage) -> None:
    await stage.fault("helper-missing")
    action = (await stage.begin_checkpoint(await stage.workload())).id
    names = [pod["metadata"]["name"] for pod in (await stage.api("GET", SYSTEM)).json["items"]]
    assert names == ["manager"]
    labels = {"app.kubernetes.io/component": "helper"}
    refused = await stage.api("POST", SYSTEM, {**manifest("again", metadata={"labels": labels})})
    assert refused.status == 403
    assert (await stage.status(action))["status"] == "processing"


async def test_the_kubelet_is_slow(bare: Stage) -> None:
    await bare.fault("kubelet-slow", seconds=60, pod="web")
    for name in ("web", "other"):
        await bare.create(PODS, **manifest(name))
    await bare.ready("other")
    assert (await bare.pod("web"))["status"]["containerStatuses"][0]["state"]["waiting"]
    await bare.gone("web")
    await bare.again("kubelet-slow", seconds=0.05, pod="web")
    await bare.create(PODS, **manifest("web"))
    await bare.ready("web")


async def test_a_log_line_comes_twice(stage: Stage) -> None:
    await stage.fault("log-line-twice")
    pod = await stage.workload()
    action = await stage.checkpoint(pod)
    held = len(await stage.steps("web"))
    source = await stage.until(lambda: stage.steps("web"), lambda steps: len(steps) > held, "a step after the cut")
    await stage.gone("web")
    await stage.restore(action)
    await own_steps(stage, source)

    async def doubled() -> list[int]:
        numbers = [number for _, number, _ in await stage.steps(RESTORED)]
        return [number for number in numbers if numbers.count(number) > 1]

    assert len(set(await stage.until(doubled, bool, "a doubled step"))) == 1


async def waiting(stage: Stage) -> str:
    state = (await stage.pod("web")).get("status", {}).get("containerStatuses") or [{}]
    return str(state[0])


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("image-pull-fails", "toomanyrequests"),
        ("dns-failure", "dial tcp: lookup docker.io on 10.96.0.10:53"),
        ("workload-crashes", "CrashLoopBackOff"),
        ("workload-out-of-memory", "OOMKilled"),
    ],
)
async def test_a_workload_does_not_come_up(bare: Stage, name: str, words: str) -> None:
    await bare.fault(name)
    await bare.create(PODS, **manifest("web"))
    await bare.until(lambda: waiting(bare), lambda state: words in state, words)


async def test_the_restored_pod_is_evicted(stage: Stage) -> None:
    await stage.fault("restored-pod-evicted")
    await stage.lifecycle()
    pod = await stage.until(
        lambda: stage.pod(RESTORED), lambda pod: pod.get("status", {}).get("phase") == "Failed", "an evicted pod"
    )
    assert pod["status"]["reason"] == "Evicted"


@pytest.mark.parametrize(("name", "late"), [("service-unreachable", False), ("service-late", True)])
async def test_a_service_is_not_reached(bare: Stage, name: str, late: bool) -> None:
    await bare.fault(name)
    await bare.create(PODS, **manifest("web", kind="nginx"))
    await bare.ready("web")
    ports = [{"port": 80}]
    spec = {"selector": {"app": "test-nginx"}, "ports": ports}
    await bare.create("/api/v1/namespaces/default/services", metadata={"name": "web"}, spec=spec)
    path = "/api/v1/namespaces/default/services/web/proxy/"
    answers = [await bare.api("GET", path) for _ in range(3)]
    assert {answer.status for answer in answers} == {503}
    assert "connection refused" in answers[0].text
    assert await bare.hits() == 3
    assert ("connection refused" in (await bare.api("GET", path)).text) != late


async def test_logs_are_refused_for_a_while(bare: Stage) -> None:
    await bare.create(PODS, **manifest("web"))
    await bare.ready("web")
    await bare.fault("logs-refused-for-a-while")
    assert [(await bare.api("GET", f"{PODS}/web/log")).status for _ in range(4)] == [500, 500, 500, 200]


async def test_logs_are_refused_after_the_checkpoint(stage: Stage) -> None:
    await stage.fault("logs-refused")
    pod = await stage.workload()
    await stage.checkpoint(pod)
    assert (await stage.api("GET", f"{PODS}/web/log")).status == 500


async def test_a_pod_does_not_go(bare: Stage) -> None:
    await bare.fault("pod-stuck-terminating")
    await bare.create(PODS, **manifest("web"))
    await bare.ready("web")
    await bare.api("DELETE", f"{PODS}/web")
    pod = await bare.until(
        lambda: bare.pod("web"), lambda pod: "deletionTimestamp" in pod["metadata"] and not is_ready(pod), "its end"
    )
    assert pod["metadata"]["finalizers"] == ["storage.example.com/detach"]
    await bare.admin("DELETE", "/faults")
    await bare.until(lambda: bare.pod("web"), lambda pod: not pod, "it to be gone")
