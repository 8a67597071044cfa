"""When the processes of restored pods were started, as the kernel says, and their containers, as the kubelet does."""

from __future__ import annotations

from datetime import datetime

import pytest
from tests.sandbox.faults.stage import RESTORED, Stage

from sandbox.runtime import SECOND


async def start_of(stage: Stage) -> tuple[float, float, float]:
    """The seconds since the epoch at which the restored process, its container, and the source's were started."""
    original, _ = await stage.lifecycle()
    pod = await stage.ready(RESTORED)
    [status] = pod["status"]["containerStatuses"]
    container = stage.sandbox.cluster.runtime.container(pod["metadata"]["uid"], status["name"])
    assert container is not None
    host = container.setup.surroundings.host
    ticks = int(container.files.read("/proc/1/stat").split()[21])
    noted, before = (
        datetime.fromisoformat(one["status"]["containerStatuses"][0]["state"]["running"]["startedAt"]).timestamp()
        for one in (pod, original)
    )
    return host.booted / SECOND + ticks / 100, noted, before


async def test_a_restored_process_was_started_when_it_was_restored(stage: Stage) -> None:
    process, noted, _ = await start_of(stage)
    assert noted - 0.01 <= process < noted + 1


@pytest.mark.parametrize(
    ("fault", "least", "most"), [("restore-over-old-process", -3600, -3599), ("restore-keeps-old-start", 7, 8)]
)
async def test_the_two_do_not_belong_together(stage: Stage, fault: str, least: float, most: float) -> None:
    await stage.fault(fault)
    process, noted, _ = await start_of(stage)
    assert least - 0.01 <= process - noted <= most + 0.01
