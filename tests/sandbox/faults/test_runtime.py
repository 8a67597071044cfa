"""A container runtime in trouble."""

from __future__ import annotations

from tests.sandbox.faults.stage import PODS, Stage, manifest


async def test_no_container_is_created_after_the_checkpoint(stage: Stage) -> None:
    on = await stage.fault("node-refuses-containers")
    await stage.checkpoint(await stage.workload())
    await stage.create(PODS, **manifest("late"))
    pod = await stage.until(
        lambda: stage.pod("late"), lambda pod: "CreateContainerError" in str(pod), "a container that is not created"
    )
    assert "no space left on device" in str(pod["status"]["containerStatuses"])
    await stage.admin("DELETE", f"/faults/{on['id']}")
