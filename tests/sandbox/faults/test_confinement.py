"""Restored pods that look as they did, and whose processes are otherwise than their spec says."""

from __future__ import annotations

from tests.sandbox.faults.stage import PODS, RESTORED, Object, Stage, manifest

from sandbox import kinds
from sandbox.cluster import Cluster
from sandbox.faults.confinement import LARGE
from sandbox.runtime import Container

EATING = "until [ -e /tmp/eat ]; do sleep 0.05; done; exec tail /dev/zero"
HOLDING = (
    "d=$(od -An -v -N65536 -tx1 /dev/urandom | tr -d ' \\n'); m=0; "
    'while :; do m=$((m+1)); h=$(printf \'%s\' "$d" | sha256sum | cut -c1-64); echo "count=$m $h"; sleep 0.05; done'
)


def _cluster(stage: Stage) -> Cluster:
    return stage.sandbox.cluster


def _container(stage: Stage, pod: Object) -> Container:
    found = _cluster(stage).runtime.container(pod["metadata"]["uid"], pod["spec"]["containers"][0]["name"])
    assert found is not None
    return found


async def restored(stage: Stage, script: str, **changes: Object) -> tuple[Object, list[str]]:
    """A workload that runs a script, restored; and the lines that the source had printed."""
    await stage.create(PODS, **manifest("web", container={"command": ["sh", "-c", script], **changes}))
    pod = await stage.ready("web")
    action = await stage.checkpoint(pod)
    lines = await stage.lines("web")
    await stage.gone("web")
    await stage.restore(action)
    return await stage.ready(RESTORED), lines


async def hashes(stage: Stage, source: list[str]) -> set[str]:
    """What the restored process itself finds in its memory."""
    count = len(source) + 2
    lines = await stage.until(
        lambda: stage.lines(RESTORED), lambda found: any(f"count={count} " in line for line in found), "its own lines"
    )
    return {line.split()[-1] for line in lines if f"count={count} " in line}


async def test_a_wrong_page(stage: Stage) -> None:
    await stage.fault("restore-of-wrong-page")
    _, source = await restored(stage, HOLDING)
    assert await hashes(stage, source) != {source[0].split()[-1]}
    assert await stage.hits() == 1


async def test_without_a_fault_memory_has_its_content(stage: Stage) -> None:
    _, source = await restored(stage, HOLDING)
    assert await hashes(stage, source) == {source[0].split()[-1]}


async def test_a_process_that_holds_little_is_left_alone(stage: Stage) -> None:
    assert LARGE > 10_000
    await stage.fault("restore-of-wrong-page")
    await stage.lifecycle()
    assert await stage.hits() == 0


async def eats(stage: Stage) -> str:
    """Whether the restored container ends when it takes all memory that it can get: the reason, or nothing."""
    pod, _ = await restored(stage, EATING, resources={"limits": {"memory": "20Mi"}})
    container = _container(stage, pod)
    assert container.running
    container.files.write("/tmp/eat", b"")  # noqa: S108 - a path in the emulated container

    async def grown() -> bool:
        now = _cluster(stage).runtime.now()
        container.advance(now)
        return not container.running or container.memory_bytes(now) > 2**26

    await stage.until(grown, bool, "its end, or 64 MiB")
    return "OOMKilled" if container.out_of_memory else ""


async def test_limits_are_in_force(stage: Stage) -> None:
    assert await eats(stage) == "OOMKilled"


async def test_limits_are_not_in_force(stage: Stage) -> None:
    await stage.fault("restore-without-limits-in-force")
    assert await eats(stage) == ""
    pod = await stage.pod(RESTORED)
    assert pod["spec"]["containers"][0]["resources"]["limits"]["memory"] == "20Mi"


async def status_of(stage: Stage) -> dict[str, str]:
    """What /proc/1/status says in the restored container."""
    confined = {"runAsUser": 10, "capabilities": {"drop": ["ALL"]}}
    await stage.lifecycle(container={"securityContext": confined})
    pod = await stage.ready(RESTORED)
    container = _container(stage, pod)
    text = container.files.read("/proc/1/status").decode()
    return {name: value.strip() for name, _, value in (line.partition(":") for line in text.splitlines())}


async def test_a_restored_process_is_confined_as_before(stage: Stage) -> None:
    shown = await status_of(stage)
    assert (shown["Uid"].split()[0], shown["CapBnd"]) == ("10", "0" * 16)


async def test_a_process_that_may_do_everything(stage: Stage) -> None:
    await stage.fault("restore-of-unconfined-process")
    shown = await status_of(stage)
    assert (shown["Uid"].split()[0], shown["CapEff"]) == ("0", "000001ffffffffff")
    pod = await stage.pod(RESTORED)
    assert pod["spec"]["containers"][0]["securityContext"]["runAsUser"] == 10


async def test_on_the_cordoned_node(stage: Stage) -> None:
    await stage.fault("restore-on-cordoned-node")
    pod = await stage.workload()
    action = await stage.checkpoint(pod)
    node = pod["spec"]["nodeName"]
    _cluster(stage).store.change(kinds.NODE, None, node, lambda one: one["spec"].update(unschedulable=True))
    await stage.gone("web")
    await stage.restore(action)
    assert (await stage.ready(RESTORED))["spec"]["nodeName"] == node
