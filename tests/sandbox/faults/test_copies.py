"""Faults of copies, chains and pods with several containers show what they are said to show."""

from __future__ import annotations

import re

import yaml
from tests.sandbox.faults.stage import PODS, RESOURCES, RESTORED, Stage


async def test_a_second_checkpoint_saves_what_the_first_did(stage: Stage) -> None:
    await stage.fault("checkpoint-of-restored-pod-is-its-first")
    _, source = await stage.lifecycle()
    there = await stage.ready(RESTORED)
    first = await stage.until(lambda: stage.stamps(RESTORED), lambda steps: len(steps) > len(source) + 3, "new steps")
    action = await stage.checkpoint(there)
    await stage.gone(RESTORED)
    await stage.restore(action)
    again = f"{RESTORED}-restored"
    await stage.ready(again)
    second = await stage.until(lambda: stage.stamps(again), lambda steps: len(steps) > len(source) + 3, "new steps")
    late = max(first)
    assert second[late] > first[late], "a step that was taken before, once more"
    assert await stage.hits() == 1, "the checkpoint of the original was left alone"


async def test_a_restore_ends_its_source(stage: Stage) -> None:
    await stage.fault("restore-ends-source")
    action = await stage.checkpoint(await stage.workload())
    assert (await stage.restore(action))["status"] == "ready"
    await stage.ready(RESTORED)
    await stage.until(
        lambda: stage.pod("web"),
        lambda pod: pod["status"]["containerStatuses"][0]["restartCount"] == 1,
        "a restart of the source",
    )


GOT = re.compile(r"messages/1 .* got=\w+/(\d+)/\w+")
SENT = re.compile(r"messages/1 .* sent=(\d+)/\w+")
PAIR = "test-two-containers"


async def checkpointed_pair(stage: Stage) -> str:
    """A pod of two containers that have exchanged some messages, checkpointed; the action."""
    pod = yaml.safe_load((RESOURCES / "two_containers.yaml").read_text())
    await stage.create(PODS, **pod)
    there = await stage.ready(PAIR)
    await stage.until(lambda: numbers(stage, GOT, PAIR, "right"), lambda got: max(got, default=0) > 3, "messages")
    return await stage.checkpoint(there)


async def numbers(stage: Stage, pattern: re.Pattern[str], pod: str, container: str) -> list[int]:
    """The numbers of messages in a container's log."""
    return [int(match[1]) for line in await stage.lines(pod, container) if (match := pattern.search(line))]


async def restored_pair(stage: Stage, action: str) -> None:
    """Restores it in place of the original."""
    await stage.gone(PAIR)
    assert (await stage.restore(action))["status"] == "ready"
    await stage.ready(f"{PAIR}-restored")


async def test_without_a_fault_messages_go_on(stage: Stage) -> None:
    await restored_pair(stage, await checkpointed_pair(stage))
    got = await stage.until(
        lambda: numbers(stage, GOT, f"{PAIR}-restored", "right"), lambda got: max(got, default=0) > 8, "messages"
    )
    assert got == sorted(got)
    assert set(got) >= set(range(1, 9)), "none is lost"


async def test_one_container_is_dumped_after_the_other(stage: Stage) -> None:
    await stage.fault("checkpoint-of-one-container-after-the-other", seconds=1.0)
    await restored_pair(stage, await checkpointed_pair(stage))
    restored = f"{PAIR}-restored"
    await stage.until(
        lambda: numbers(stage, SENT, restored, "left"), lambda sent: max(sent, default=0) > 12, "messages"
    )
    got = {match[1] for line in await stage.lines(restored, "right") if (match := re.search(r"got=\w+/(\S+)", line))}
    sent = {match[1] for line in await stage.lines(restored, "left") if (match := re.search(r"sent=(\S+)", line))}
    assert got - sent, "right has got what left, as it was restored, never sent"


async def test_shared_files_are_older(stage: Stage) -> None:
    await stage.fault("restore-with-older-files", seconds=0.6)
    await restored_pair(stage, await checkpointed_pair(stage))
    seen = {}
    for name in ("left", "right"):
        seen[name] = await stage.until(
            lambda name=name: numbers(stage, GOT, f"{PAIR}-restored", name),
            lambda got: max(got, default=0) > 8,
            "messages",
        )
    assert any(got != sorted(got) for got in seen.values()), "one of them took an older message again"


async def test_pods_that_are_restored_after_one_another_are_mixed_up(stage: Stage) -> None:
    await stage.fault("restore-mixes-up-pods")
    actions, sources = [], {}
    for name in ("one", "two"):
        actions.append(await stage.checkpoint(await stage.workload(name)))
        sources[name] = (await stage.steps(name))[0][0]
        await stage.gone(name)
    for action in actions:
        await stage.restore(action)
    for name in ("one", "two"):
        await stage.ready(f"{name}-restored")
    restored = {name: {nonce for nonce, _, _ in await stage.steps(f"{name}-restored")} for name in ("one", "two")}
    assert restored == {"one": {sources["one"]}, "two": {sources["one"]}}


async def test_a_pod_is_restored_in_its_own_cluster(stage: Stage) -> None:
    await stage.fault("restore-in-own-cluster")
    action = await stage.checkpoint(await stage.workload())
    await stage.gone("web")
    elsewhere = (await stage.propagator("POST", "/cluster", {"cluster_name": "elsewhere"})).id
    request = {"action_id": action, "reason": "manual", "cluster_id": elsewhere}
    answer = await stage.propagator("POST", "/restore/pod", request)
    assert (await stage.ended(answer.id))["status"] == "ready"
    await stage.ready(RESTORED)
