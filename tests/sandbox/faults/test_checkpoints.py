"""Checkpoints that lie, fail or do harm show what they are said to show."""

from __future__ import annotations

from functools import partial
from itertools import pairwise
from typing import Any

import pytest
from tests.sandbox.faults.stage import PODS, RESTORED, Stage, manifest, own_steps


async def test_without_data(stage: Stage) -> None:
    await stage.fault("checkpoint-without-data")
    action = await stage.checkpoint(await stage.workload())
    status = await stage.restore(action)
    assert status["status"] == "error"
    assert "nothing is stored" in status["details"]


async def unscheduled(stage: Stage) -> dict[str, Any]:
    return await stage.create(PODS, **manifest("stuck", nodeSelector={"no": "such-node"}))


async def test_errors_hidden(stage: Stage) -> None:
    await stage.fault("checkpoint-errors-hidden")
    status = await stage.ended((await stage.begin_checkpoint(await unscheduled(stage))).id)
    assert status["status"] == "ready"
    assert (await stage.restore(await stage.checkpoint(await stage.workload())))["status"] == "ready"


async def test_claimed_while_cut_off(stage: Stage) -> None:
    await stage.fault("checkpoint-claimed-while-cut-off")
    pod = await stage.workload()
    for name in [each for each in stage.system if each.startswith("helper")]:
        await stage.api("DELETE", f"/api/v1/namespaces/cedana-system/pods/{name}")
        await stage.until(partial(stage.pod, name, "cedana-system"), lambda pod: not pod, f"{name} to be gone")
    status = await stage.restore(await stage.checkpoint(pod))
    assert "nothing is stored" in status["details"]


async def test_of_nothing_never_ends(stage: Stage) -> None:
    pod = await unscheduled(stage)
    refused = await stage.ended((await stage.begin_checkpoint(pod)).id)
    assert (refused["status"], "on no node" in refused["details"]) == ("error", True)
    await stage.fault("checkpoint-of-nothing-never-ends", pod="stuck")
    action = (await stage.begin_checkpoint(pod)).id
    await stage.outlasts()
    assert (await stage.status(action))["status"] == "processing"


async def test_never_ends(stage: Stage) -> None:
    await stage.fault("checkpoint-never-ends", pod="web")
    action = (await stage.begin_checkpoint(await stage.workload())).id
    await stage.outlasts()
    assert (await stage.status(action))["status"] == "processing"


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("checkpoint-fails-in-criu", "criu failed: type DUMP errno 0"),
        ("checkpoint-meets-open-connection", "Connected TCP socket, consider using --tcp-established"),
        ("checkpoint-fails-after-created", "failed to upload"),
    ],
)
async def test_fails(stage: Stage, name: str, words: str) -> None:
    await stage.fault(name)
    status = await stage.ended((await stage.begin_checkpoint(await stage.workload())).id)
    assert status["status"] == "error"
    assert words in status["details"]


async def test_fails_after_it_was_created(stage: Stage) -> None:
    await stage.fault("checkpoint-fails-after-created")
    action = (await stage.begin_checkpoint(await stage.workload())).id
    await stage.ended(action)
    journal = (await stage.admin("GET", "/journal?kind=action")).json
    assert [entry["status"] for entry in journal if entry["id"] == action][-2:] == ["checkpoint_created", "error"]


async def test_slow(stage: Stage) -> None:
    await stage.fault("checkpoint-slow", seconds=0.3)
    action = await stage.checkpoint(await stage.workload())
    assert await stage.took(action) >= 0.3


async def test_uploads_late(stage: Stage) -> None:
    await stage.fault("checkpoint-uploads-late", seconds=60)
    pod = await stage.workload()
    assert (await stage.begin_restore(await stage.checkpoint(pod))).status == 400

    async def statuses() -> set[str]:
        return {row["status"] for row in (await stage.propagator("GET", "/checkpoints")).json}

    assert await statuses() == {"possibly_uploaded"}
    await stage.again("checkpoint-uploads-late", seconds=0.05)
    action = await stage.checkpoint(pod)
    await stage.until(statuses, lambda seen: "ready" in seen, "the upload")
    assert (await stage.restore(action))["status"] == "ready"


async def test_unknown_id(stage: Stage) -> None:
    await stage.fault("checkpoint-answers-unknown-id")
    action = (await stage.begin_checkpoint(await stage.workload())).id
    assert (await stage.status(action))["status"] == "404"
    assert (await stage.propagator("GET", "/actions")).json == []


async def test_id_of_another(stage: Stage) -> None:
    await stage.fault("checkpoint-answers-id-of-another")
    pod = await stage.workload()
    action = (await stage.begin_checkpoint(pod)).id
    assert (await stage.propagator("GET", f"/actions/from_pod/{pod['metadata']['uid']}")).status == 404
    (row,) = (await stage.propagator("GET", "/actions")).json
    assert row["action_id"] == action
    assert row["details"]["pod_id"] != pod["metadata"]["uid"]


async def test_empty_id(stage: Stage) -> None:
    await stage.fault("checkpoint-answers-empty-id")
    pod = await stage.workload()
    answer = await stage.begin_checkpoint(pod)
    assert (answer.status, answer.text) == (200, "")
    assert (await stage.propagator("GET", f"/actions/from_pod/{pod['metadata']['uid']}")).status == 200


async def test_given_up(stage: Stage) -> None:
    await stage.fault("checkpoint-given-up")
    action = await stage.checkpoint(await stage.workload())
    refused = await stage.begin_restore(action)
    assert refused.status == 400
    assert "deprecated" in refused.json["message"]


async def test_kills_the_source(stage: Stage) -> None:
    await stage.fault("checkpoint-kills-source")
    pod = await stage.workload()
    await stage.checkpoint(pod)
    died = await stage.until(
        lambda: stage.pod("web"), lambda pod: pod["status"]["containerStatuses"][0]["restartCount"], "a restart"
    )
    assert died["status"]["containerStatuses"][0]["lastState"]["terminated"]["exitCode"] == 137


async def test_freezes_the_source(stage: Stage) -> None:
    await stage.fault("checkpoint-freezes-source")
    pod = await stage.workload()
    await stage.checkpoint(pod)
    runtime = stage.sandbox.cluster.runtime
    container = runtime.container(pod["metadata"]["uid"], "test-witness")
    assert container is not None
    before = len(await stage.steps("web"))
    container.advance(runtime.now() + 60_000_000_000)
    assert len(await stage.steps("web")) == before


async def test_long_freeze(stage: Stage) -> None:
    await stage.fault("checkpoint-long-freeze", seconds=0.5)
    pod = await stage.workload()
    await stage.checkpoint(pod)
    count = len(await stage.steps("web"))
    later = await stage.until(lambda: stage.steps("web"), lambda steps: len(steps) > count, "a further step")
    container = stage.sandbox.cluster.runtime.container(pod["metadata"]["uid"], "test-witness")
    stamps = [line.at for line in container.log.lines] if container else []
    assert later[-1][0] == later[0][0]
    assert max(b - a for a, b in pairwise(stamps)) >= 500_000_000


async def test_truncated(stage: Stage) -> None:
    await stage.fault("checkpoint-truncated")
    await stage.lifecycle()
    await stage.outlasts()
    pod = await stage.pod(RESTORED)
    assert pod["status"]["phase"] == "Pending"
    assert pod["status"]["containerStatuses"][0]["state"] == {"waiting": {"reason": "ContainerCreating"}}


async def test_several_lies_in_one_sandbox_end_with_their_faults(stage: Stage) -> None:
    on = await stage.fault("restore-starts-afresh")
    await stage.admin("DELETE", f"/faults/{on['id']}")
    _, source = await stage.lifecycle()
    assert (await own_steps(stage, source))[-1][0] == source[0][0]
