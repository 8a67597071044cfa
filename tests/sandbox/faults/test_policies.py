"""Heartbeat policies that do nothing, or do not end."""

from __future__ import annotations

from typing import Any

from tests.sandbox.faults.stage import Stage


async def begin(stage: Stage, pod: dict[str, Any]) -> str:
    """A policy for the pod."""
    body = {
        "cluster_id": stage.cluster_id,
        "heartbeat_time": 1,
        "resource_ids": [pod["metadata"]["uid"]],
        "resource": "pods",
    }
    return (await stage.propagator("POST", "/policy/create", body)).id


async def beats(stage: Stage) -> int:
    actions = (await stage.propagator("GET", "/actions")).json
    return len([action for action in actions if action["reason"] == "heartbeat"])


async def test_never_beats(stage: Stage) -> None:
    pod, other = await stage.workload(), await stage.workload("other")
    await stage.fault("heartbeat-never-beats", count=1)
    await begin(stage, pod)
    await begin(stage, other)
    await stage.until(lambda: beats(stage), bool, "a heartbeat of the other pod")
    uids = {action["details"]["pod_id"] for action in (await stage.propagator("GET", "/actions")).json}
    assert uids == {other["metadata"]["uid"]}


async def test_goes_on(stage: Stage) -> None:
    await stage.fault("heartbeat-goes-on")
    policy = await begin(stage, await stage.workload())
    assert [row["id"] for row in (await stage.propagator("GET", "/policy/list")).json] == [policy]
    assert (await stage.propagator("DELETE", "/policy/delete", {"id": policy})).id == policy
    assert (await stage.propagator("GET", "/policy/list")).json == []
    before = await beats(stage)
    await stage.until(lambda: beats(stage), lambda seen: seen > before, "a further heartbeat")
