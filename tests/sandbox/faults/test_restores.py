"""Restores that lie show what they are said to show."""

from __future__ import annotations

import hashlib
import re
from datetime import datetime, timedelta

import pytest
from tests.sandbox.faults.stage import (
    PODS,
    RESTORED,
    Object,
    Stage,
    Step,
    is_ready,
    lifecycle_of_several,
    manifest,
    own_steps,
    restarted,
)

from sandbox.faults.working import CRIU


async def test_without_a_fault_the_process_goes_on(stage: Stage) -> None:
    _, source = await stage.lifecycle()
    steps = await own_steps(stage, source)
    assert {nonce for nonce, _, _ in steps} == {source[0][0]}
    assert [number for _, number, _ in steps] == list(range(1, len(steps) + 1))


async def test_afresh(stage: Stage) -> None:
    await stage.fault("restore-starts-afresh")
    _, source = await stage.lifecycle()
    (nonce, number, _), *_ = await own_steps(stage, source)
    assert (nonce != source[0][0], number) == (True, 1)


async def test_afresh_under_the_copied_log(stage: Stage) -> None:
    await stage.fault("restore-starts-afresh-under-copied-log")
    _, source = await stage.lifecycle()
    steps = await own_steps(stage, source)
    assert steps[0] == source[0]
    assert steps[-1][0] != source[0][0]


async def test_older(stage: Stage) -> None:
    await stage.fault("restore-of-older-state", steps=50)
    pod = await stage.workload()
    before = await stage.until(lambda: stage.stamps("web"), lambda steps: len(steps) > 3, "four steps")
    action = await stage.checkpoint(pod)
    await stage.gone("web")
    await stage.restore(action)
    await stage.ready(RESTORED)
    after = await stage.until(lambda: stage.stamps(RESTORED), lambda steps: len(steps) > len(before), "new steps")
    assert after[1] == before[1], "the log of then"
    assert after[len(before)] > before[len(before)], "a step that was printed before, once more"


async def test_later(stage: Stage) -> None:
    await stage.fault("restore-of-later-state", steps=50)
    _, source = await stage.lifecycle()
    steps = await own_steps(stage, source)
    assert next(number for step in steps if (number := step[1]) > source[-1][1] + 1) > 50


async def test_damaged(stage: Stage) -> None:
    await stage.fault("restore-of-damaged-memory")
    _, source = await stage.lifecycle()
    own = [step for step in await own_steps(stage, source) if step not in source]
    assert own[0][0] == source[0][0]
    healthy = chain(own[0][0], own[0][1])
    assert own[0][2] != healthy


async def test_hurried(stage: Stage) -> None:
    await stage.fault("restore-of-hurried-process")
    _, source = await stage.lifecycle()
    cut = source[-1][1]
    stamps = await stage.until(lambda: stage.stamps(RESTORED), lambda steps: len(steps) > cut + 20, "new steps")
    times = [datetime.fromisoformat(stamps[number]) for number in range(cut + 5, cut + 16)]
    assert times[-1] - times[0] < timedelta(seconds=0.5), "ten steps, which take a second at the least"


def chain(nonce: str, number: int) -> str:
    """The right chain value of a step."""
    value = "0" * 16
    for step in range(1, number + 1):
        value = hashlib.sha256(f"{value} {nonce} {step}".encode()).hexdigest()[:16]
    return value


def two_containers(pod: Object) -> list[Object]:
    first = pod["spec"]["containers"][0]
    return [{**first, "name": "one"}, {**first, "name": "two"}]


async def lifecycle_of_two(stage: Stage) -> dict[str, list[Step]]:
    """A pod with two witnesses, restored; the steps of each before."""
    pod = manifest("web")
    pod["spec"]["containers"] = two_containers(pod)
    return await lifecycle_of_several(stage, pod, "one", "two")


async def test_one_container_only(stage: Stage) -> None:
    await stage.fault("restore-of-one-container")
    before = await lifecycle_of_two(stage)
    one = await own_steps(stage, before["one"], container="one")
    two = await own_steps(stage, before["two"], container="two")
    assert one[-1][0] == before["one"][0][0]
    assert two[-1][0] != before["two"][0][0]


async def test_mixed_moments(stage: Stage) -> None:
    await stage.fault("restore-of-mixed-moments", steps=2)
    before = await lifecycle_of_two(stage)
    await stage.ready(RESTORED)
    two, one = await stage.steps(RESTORED, "two"), await stage.steps(RESTORED, "one")
    assert one[0][0] == before["one"][0][0]
    assert two[0][0] == before["two"][0][0]
    assert len(two) < len(one)


async def test_files_lost(stage: Stage) -> None:
    await stage.fault("restore-loses-files")
    script = "echo kept > /tmp/mark; while :; do cat /tmp/mark; sleep 0.1; done"
    pod = {"command": ["sh", "-c", script]}
    await stage.create(PODS, **manifest("web", container=pod))
    there = await stage.ready("web")
    await stage.until(lambda: stage.lines("web"), bool, "a line")
    action = await stage.checkpoint(there)
    await stage.gone("web")
    await stage.restore(action)
    await stage.ready(RESTORED)
    seen = await stage.until(lambda: stage.lines(RESTORED), lambda lines: lines[-1] != "kept", "another line")
    assert "No such file" in seen[-1]


KEEPER = """
rm /etc/motd; seq 1000 > /srv/numbers; chmod 600 /srv/numbers; exec 3< /srv/numbers
while :; do
  read -r number <&3; motd=gone; if [ -e /etc/motd ]; then motd=here; fi
  echo "$motd $(stat -c %a /srv/numbers) $number"; sleep 0.1
done
"""


@pytest.mark.parametrize(
    ("fault", "before", "after"),
    [
        ("restore-brings-deleted-files-back", r"gone 600 \d+", r"here 600 \d+"),
        ("restore-loses-file-modes", r"gone 600 \d+", r"gone 644 \d+"),
        ("restore-loses-file-offsets", r"gone 600 1", r"gone 600 1"),
    ],
)
async def test_files_changed(stage: Stage, fault: str, before: str, after: str) -> None:
    await stage.fault(fault)
    pod = {"image": "alpine", "command": ["sh", "-c", KEEPER]}
    await stage.create(PODS, **manifest("web", container=pod))
    there = await stage.ready("web")
    source = await stage.until(lambda: stage.lines("web"), bool, "a line")
    assert re.fullmatch(before, source[0])
    action = await stage.checkpoint(there)
    source = await stage.lines("web")
    await stage.gone("web")
    await stage.restore(action)
    await stage.ready(RESTORED)
    await stage.until(
        lambda: stage.lines(RESTORED), lambda lines: any(re.fullmatch(after, line) for line in lines[1:]), after
    )


async def test_log_not_copied(stage: Stage) -> None:
    await stage.fault("restore-without-copied-log")
    _, source = await stage.lifecycle()
    steps = await own_steps(stage, source)
    assert steps[0][0] == source[0][0]
    assert steps[0][1] > 1


async def test_of_another_pod(stage: Stage) -> None:
    await stage.fault("restore-of-another-pod")
    await stage.workload("other")
    await stage.lifecycle()
    other = await stage.steps("other")
    await stage.ready(RESTORED)
    seen = await stage.until(lambda: stage.steps(RESTORED), bool, "a step")
    assert seen[-1][0] == other[0][0]


async def test_frozen(stage: Stage) -> None:
    await stage.fault("restore-frozen")
    _, source = await stage.lifecycle()
    await stage.ready(RESTORED)
    cluster, pod = stage.sandbox.cluster, await stage.pod(RESTORED)
    container = cluster.runtime.container(pod["metadata"]["uid"], "test-witness")
    assert container is not None
    container.advance(cluster.runtime.now() + 60_000_000_000)
    assert len(await stage.steps(RESTORED)) <= len(source)


async def test_dies_when_ready(stage: Stage) -> None:
    await stage.fault("restore-dies-when-ready", seconds=0.02)
    await stage.lifecycle()
    died = await stage.until(lambda: stage.pod(RESTORED), restarted, "a restart")
    assert died["status"]["containerStatuses"][0]["lastState"]["terminated"]["exitCode"] == 139


async def test_crash_loop(stage: Stage) -> None:
    await stage.fault("restore-crash-loops")
    await stage.lifecycle()
    pod = await stage.until(lambda: stage.pod(RESTORED), lambda pod: CRIU in str(pod.get("status")), "CRIU's words")
    assert not is_ready(pod)


async def test_never_ready(stage: Stage) -> None:
    await stage.fault("restore-never-ready")
    await stage.lifecycle()
    pod = await stage.until(
        lambda: stage.pod(RESTORED), lambda pod: pod.get("status", {}).get("phase") == "Running", "a running pod"
    )
    assert not is_ready(pod)


async def checkpointed(stage: Stage) -> str:
    return await stage.checkpoint(await stage.workload())


async def test_never_ends(stage: Stage) -> None:
    action = await checkpointed(stage)
    await stage.fault("restore-never-ends")
    restore = (await stage.begin_restore(action)).id
    await stage.outlasts()
    assert (await stage.status(restore))["status"] == "processing"


async def test_fails(stage: Stage) -> None:
    action = await checkpointed(stage)
    await stage.fault("restore-fails-in-criu")
    status = await stage.restore(action)
    assert (status["status"], CRIU in status["details"]) == ("error", True)


async def test_unknown_id(stage: Stage) -> None:
    action = await checkpointed(stage)
    await stage.fault("restore-answers-unknown-id")
    restore = (await stage.begin_restore(action)).id
    assert (await stage.status(restore))["status"] == "404"


async def test_slow(stage: Stage) -> None:
    action = await checkpointed(stage)
    await stage.fault("restore-slow", seconds=0.3)
    restore = (await stage.begin_restore(action)).id
    assert (await stage.ended(restore))["status"] == "ready"
    assert await stage.took(restore) >= 0.3


async def test_done_early(stage: Stage) -> None:
    action = await checkpointed(stage)
    await stage.fault("restore-done-early", seconds=60)
    assert (await stage.restore(action))["status"] == "ready"
    assert await stage.pod(RESTORED) == {}
    await stage.again("restore-done-early", seconds=0.05)
    assert (await stage.restore(action))["status"] == "ready"
    await stage.ready(RESTORED)


async def test_of_deprecated(stage: Stage) -> None:
    await stage.fault("restore-of-deprecated")
    action = await stage.checkpoint(await stage.workload())
    for row in (await stage.propagator("GET", "/checkpoints")).json:
        await stage.propagator("PATCH", f"/checkpoints/deprecate/{row['id']}")
    await stage.gone("web")
    assert (await stage.restore(action))["status"] == "ready"
    await stage.ready(RESTORED)


async def test_of_unfinished(stage: Stage) -> None:
    await stage.fault("restore-of-unfinished")
    stage.hold("checkpoint")
    action = (await stage.begin_checkpoint(await stage.workload())).id
    restore = (await stage.begin_restore(action)).id
    assert (await stage.ended(restore))["status"] == "ready"
    assert await stage.pod(RESTORED) == {}
