"""Faults of copies, chains and pods with several containers show what they are said to show."""

from __future__ import annotations

from tests.sandbox.faults.stage import Stage

RESTORED = "web-restored"


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
