"""What restored servers remember, and what they forget when they are said to."""

from __future__ import annotations

import re

import pytest
from tests.sandbox.faults.stage import PODS, STEP, Stage, manifest

COUNTED = re.compile(r"handled requests\s+\d+ \d+ (\d+)")


async def restored(stage: Stage, kind: str) -> str:
    """The workload of that kind, asked five times and then taken through checkpoint and restore; its name."""
    await stage.create(PODS, **manifest("web", kind))
    await stage.ready("web")
    for _ in range(5):
        await ask(stage, "web", kind)
    action = await stage.checkpoint(await stage.pod("web"))
    await stage.gone("web")
    assert (await stage.restore(action))["status"] == "ready"
    await stage.ready("web-restored")
    return "web-restored"


async def ask(stage: Stage, name: str, kind: str) -> str:
    """What its server answers once."""
    where = {"http-witness": ":8080/proxy/", "nginx-status": ":80/proxy/stub_status"}[kind]
    answer = await stage.api("GET", f"{PODS}/{name}{where}")
    assert answer.status == 200, answer.text
    return answer.text


async def step(stage: Stage, name: str) -> tuple[str, int]:
    """Nonce and number that an HTTP witness answers."""
    match = STEP.search(await ask(stage, name, "http-witness"))
    assert match
    return match[1], int(match[2])


async def counted(stage: Stage, name: str) -> int:
    """The requests that nginx has counted."""
    match = COUNTED.search(await ask(stage, name, "nginx-status"))
    assert match
    return int(match[1])


async def numbers(stage: Stage, fault: str = "", **parameters: int) -> tuple[int, int]:
    """What a key of redis is before a checkpoint and after the restore."""
    if fault:
        await stage.fault(fault, **parameters)
    await stage.create(PODS, **manifest("db", "redis"))
    await stage.ready("db")
    uid = (await stage.pod("db"))["metadata"]["uid"]
    runtime = stage.sandbox.clusters[0].runtime
    before = [_incremented(runtime, uid) for _ in range(5)][-1]
    action = await stage.checkpoint(await stage.pod("db"))
    await stage.gone("db")
    assert (await stage.restore(action))["status"] == "ready"
    again = await stage.ready("db-restored")
    return before, _incremented(runtime, again["metadata"]["uid"])


def _incremented(runtime, uid: str) -> int:
    connection = runtime.connect(uid, 6379, "10.0.0.1")
    answer = connection.feed(b"INCR steps\r\n")
    connection.close()
    return int(answer[1:])


async def test_without_a_fault_servers_remember(stage: Stage) -> None:
    nonce, number = await step(stage, await restored(stage, "http-witness"))
    assert number > 5
    following = await step(stage, "web-restored")
    assert (following[0], following[1] > number) == (nonce, True)
    assert await numbers(stage) == (5, 6)


async def test_requests_are_remembered(stage: Stage) -> None:
    assert await counted(stage, await restored(stage, "nginx-status")) > 5


async def test_requests_are_forgotten(stage: Stage) -> None:
    await stage.fault("restore-forgets-requests")
    assert await counted(stage, await restored(stage, "nginx-status")) < 5


@pytest.mark.parametrize(("fault", "after"), [("restore-of-older-data", 3), ("restore-of-later-data", 9)])
async def test_data_of_another_moment(stage: Stage, fault: str, after: int) -> None:
    assert await numbers(stage, fault, by=3) == (5, after)


async def test_a_server_that_repeats_itself(stage: Stage) -> None:
    await stage.fault("restored-server-repeats-itself")
    nonce, number = await step(stage, await restored(stage, "http-witness"))
    assert number > 5, "it goes on once, and then no more"
    assert [await step(stage, "web-restored") for _ in range(3)] == [(nonce, number)] * 3


@pytest.mark.parametrize("fault", ["restore-of-older-state", "restore-of-later-state"])
async def test_a_witness_that_is_asked_has_a_state_like_others(stage: Stage, fault: str) -> None:
    await stage.fault(fault, steps=50)
    _, number = await step(stage, await restored(stage, "http-witness"))
    assert number < 5 if "older" in fault else number > 50
