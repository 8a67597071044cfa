"""A propagator that refuses, fails, loses and garbles shows what it is said to show."""

from __future__ import annotations

import asyncio
import ssl
from datetime import UTC, datetime, timedelta

import aiohttp
import pytest
from tests.sandbox.faults.stage import Stage

UNKNOWN = "11111111-2222-4333-8444-555555555555"
CUT = (aiohttp.ClientError, ConnectionError)


@pytest.mark.parametrize(
    ("name", "status", "words"),
    [
        ("propagator-401", 401, "Invalid or missing API key"),
        ("propagator-403", 403, "no access"),
        ("propagator-404", 404, "404 page not found"),
        ("propagator-500", 500, "Internal server error"),
        ("propagator-down", 503, "upstream connect error"),
        ("propagator-html", 200, "<!DOCTYPE html>"),
        ("propagator-empty", 200, ""),
    ],
)
async def test_every_request_is_answered_so(bare: Stage, name: str, status: int, words: str) -> None:
    await bare.fault(name)
    for _ in range(2):
        for path in ("/user", "/cluster", "/actions"):
            answer = await bare.propagator("GET", path)
            assert answer.status == status
            assert words in answer.text
    assert await bare.hits() == 6


@pytest.mark.parametrize(
    ("name", "status"), [("propagator-502", 502), ("propagator-503", 503), ("propagator-429", 429)]
)
async def test_each_kind_is_answered_so_once(bare: Stage, name: str, status: int) -> None:
    await bare.fault(name)
    body = {"cluster_name": "here"}
    assert [(await bare.propagator("POST", "/cluster", body)).status for _ in range(2)] == [status, 200]
    clusters = await bare.propagator("GET", "/cluster")
    assert clusters.status == status
    assert len((await bare.propagator("GET", "/cluster")).json) == 1


async def test_too_many_requests_with_the_time_to_wait(bare: Stage) -> None:
    await bare.fault("propagator-429-retry-after", seconds=7)
    answer = await bare.propagator("GET", "/user")
    assert (answer.status, answer.headers["Retry-After"]) == (429, "7")
    assert (await bare.propagator("GET", "/user")).status == 200


async def test_a_gateway_gives_up_and_the_work_is_done(bare: Stage) -> None:
    await bare.fault("propagator-504")
    assert (await bare.propagator("POST", "/cluster", {"cluster_name": "here"})).status == 504
    await bare.propagator("GET", "/cluster")
    assert [row["name"] for row in (await bare.propagator("GET", "/cluster")).json] == ["here"]


@pytest.mark.parametrize(("name", "made"), [("propagator-reset", []), ("propagator-answer-lost", ["here"])])
async def test_the_connection_is_reset_once(bare: Stage, name: str, made: list[str]) -> None:
    await bare.fault(name)
    with pytest.raises(CUT):
        await bare.propagator("POST", "/cluster", {"cluster_name": "here"})
    assert [row["name"] for row in (await bare.propagator("GET", "/cluster")).json] == made
    assert await bare.hits() == 2, "the client of this test repeats a GET by itself"


async def test_every_connection_is_reset(bare: Stage) -> None:
    await bare.fault("propagator-cut-off")
    for _ in range(3):
        with pytest.raises(CUT):
            await bare.propagator("GET", "/user")


async def test_an_answer_breaks_off(bare: Stage) -> None:
    await bare.propagator("POST", "/cluster", {"cluster_name": "here"})
    await bare.fault("propagator-half-body")
    with pytest.raises(aiohttp.ClientPayloadError):
        await bare.propagator("GET", "/cluster")
    assert len((await bare.propagator("GET", "/cluster")).json) == 1


async def test_an_answer_stalls(bare: Stage) -> None:
    await bare.fault("propagator-stalled")
    with pytest.raises(TimeoutError):
        await bare.propagator("GET", "/cluster", timeout=aiohttp.ClientTimeout(0.2))


async def test_answers_are_slow(bare: Stage) -> None:
    await bare.fault("propagator-slow", seconds=0.3)
    with pytest.raises(TimeoutError):
        await bare.propagator("GET", "/user", timeout=aiohttp.ClientTimeout(0.1))
    assert (await bare.propagator("GET", "/user")).status == 200


async def test_no_json(bare: Stage) -> None:
    await bare.fault("propagator-no-json")
    for path in ("/cluster", "/actions", "/checkpoints", f"/checkpoint/status/{UNKNOWN}"):
        assert (await bare.propagator("GET", path)).text == "OK"
    assert (await bare.propagator("GET", "/user")).text != "OK"


async def test_a_restore_is_refused(stage: Stage) -> None:
    await stage.fault("propagator-409")
    assert (await stage.begin_restore(UNKNOWN)).status == 409


@pytest.mark.parametrize(("name", "status"), [("propagator-422", 422), ("propagator-pod-unknown", 404)])
async def test_a_checkpoint_is_refused(stage: Stage, name: str, status: int) -> None:
    pod = await stage.workload()
    await stage.fault(name)
    assert (await stage.begin_checkpoint(pod)).status == status
    assert (await stage.propagator("GET", "/actions")).json == []


async def test_a_deprecation_is_refused(stage: Stage) -> None:
    await stage.checkpoint(await stage.workload())
    await stage.fault("propagator-deprecate-409")
    (row,) = (await stage.propagator("GET", "/checkpoints")).json
    assert (await stage.propagator("PATCH", f"/checkpoints/deprecate/{row['id']}")).status == 409
    assert (await stage.propagator("GET", "/checkpoints")).json == [row]


async def test_a_pod_is_known_late(stage: Stage) -> None:
    pod = await stage.workload()
    await stage.fault("propagator-pod-known-late", seconds=60)
    assert [(await stage.begin_checkpoint(pod)).status for _ in range(2)] == [404, 404]
    await stage.again("propagator-pod-known-late", seconds=0.05)
    await stage.until(lambda: stage.begin_checkpoint(pod), lambda answer: answer.status == 200, "a checkpoint")


@pytest.mark.parametrize(
    ("name", "first", "then"),
    [
        ("propagator-garbled-status", (200, "<html>"), (200, "ready")),
        ("propagator-status-500", (500, "Internal server error"), (200, "ready")),
        ("propagator-status-unknown", (200, "compacting"), (200, "ready")),
        ("propagator-status-goes-back", (200, "initialized"), (200, "ready")),
        ("propagator-status-404", (404, "not found"), (404, "not found")),
    ],
)
async def test_the_status(stage: Stage, name: str, first: tuple[int, str], then: tuple[int, str]) -> None:
    action = await stage.checkpoint(await stage.workload())
    await stage.fault(name)
    answers = [await stage.propagator("GET", f"/checkpoint/status/{action}") for _ in range(6)]
    assert (answers[0].status, first[1] in answers[0].text) == (first[0], True)
    assert (answers[-1].status, then[1] in answers[-1].text) == (then[0], True)
    (row,) = (await stage.propagator("GET", "/actions")).json
    assert (row["action_id"], row["status"]) == (action, "ready")


async def test_an_action_is_forgotten(stage: Stage) -> None:
    await stage.fault("propagator-forgets")
    action = (await stage.begin_checkpoint(await stage.workload())).id
    assert (await stage.propagator("GET", f"/checkpoint/status/{action}")).status == 404
    assert (await stage.propagator("GET", "/actions")).json == []


async def test_ids_without_quotes(bare: Stage) -> None:
    await bare.fault("propagator-bare-ids")
    answer = await bare.propagator("POST", "/cluster", {"cluster_name": "here"})
    assert '"' not in answer.text
    (row,) = (await bare.propagator("GET", "/cluster")).json
    assert answer.text == row["id"]


async def test_ids_in_objects(bare: Stage) -> None:
    await bare.fault("propagator-ids-in-objects")
    answer = await bare.propagator("POST", "/cluster", {"cluster_name": "here"})
    (row,) = (await bare.propagator("GET", "/cluster")).json
    assert answer.json == {"id": row["id"]}


async def test_unknown_fields(bare: Stage) -> None:
    await bare.propagator("POST", "/cluster", {"cluster_name": "here"})
    await bare.fault("propagator-unknown-fields")
    (row,) = (await bare.propagator("GET", "/cluster")).json
    assert row["x_future"] == {"since": [2027]}
    assert row["name"] == "here"


async def test_rows_twice(bare: Stage) -> None:
    await bare.propagator("POST", "/cluster", {"cluster_name": "here"})
    await bare.fault("propagator-rows-twice")
    first, second = (await bare.propagator("GET", "/cluster")).json
    assert first == second


async def test_clock_skew(stage: Stage) -> None:
    await stage.checkpoint(await stage.workload())
    await stage.fault("propagator-clock-skew", seconds=7200)
    (row,) = (await stage.propagator("GET", "/actions")).json
    assert datetime.fromisoformat(row["action_timestamp"]) > datetime.now(UTC) + timedelta(hours=1)


async def test_lists_lag(stage: Stage) -> None:
    await stage.checkpoint(await stage.workload())
    await stage.fault("propagator-lists-lag", seconds=60)
    assert (await stage.propagator("GET", "/actions")).json == []
    await stage.again("propagator-lists-lag", seconds=0.05)
    await stage.until(lambda: stage.propagator("GET", "/actions"), lambda answer: answer.json, "the row")


@pytest.mark.parametrize("name", ["propagator-restores-twice", "propagator-checkpoints-twice"])
async def test_work_is_done_twice(stage: Stage, name: str) -> None:
    pod = await stage.workload()
    await stage.fault(name)
    action = await stage.checkpoint(pod)
    await stage.restore(action)
    rows = (await stage.propagator("GET", "/actions")).json
    kinds = sorted(row["type"] for row in rows)
    doubled = "restore_pod" if "restores" in name else "checkpoint_pod"
    assert kinds.count(doubled) == 2
    assert len(kinds) == 3


async def test_a_heartbeat_comes_between(stage: Stage) -> None:
    pod = await stage.workload()
    await stage.fault("propagator-heartbeat-between")
    with pytest.raises(CUT):
        await stage.begin_checkpoint(pod)
    rows = (await stage.propagator("GET", "/actions")).json
    assert [row["reason"] for row in rows] == [None, "heartbeat"]
    assert {row["details"]["pod_id"] for row in rows} == {pod["metadata"]["uid"]}


async def test_a_redirect_tells_whether_the_token_came_along(bare: Stage) -> None:
    on = await bare.fault("propagator-redirect")
    answer = await bare.propagator("GET", "/user")
    assert answer.status == 307
    target = answer.headers["Location"]
    assert target.startswith("http://localhost:")
    assert (await bare.ask("GET", target, headers={})).status == 200
    await bare.ask("GET", target)
    (shown,) = [each for each in (await bare.admin("GET", "/faults")).json if each["id"] == on["id"]]
    assert shown["tokens_received"] == 1


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("propagator-tls-wrong-name", "mismatch"),
        ("propagator-tls-expired", "expired"),
        ("propagator-tls-unknown-authority", "unable to get local issuer certificate"),
    ],
)
async def test_tls(bare: Stage, name: str, words: str) -> None:
    on = await bare.fault(name)
    trusting = ssl.create_default_context()
    if "authority" in on:
        trusting.load_verify_locations(cadata=on["authority"])
    with pytest.raises(aiohttp.ClientConnectorError, match=words):
        await bare.ask("GET", f"{on['url']}/v2/user", ssl=trusting)
    assert (await bare.ask("GET", f"{on['url']}/v2/user", ssl=False)).status == 200
    await bare.admin("DELETE", "/faults")
    with pytest.raises(aiohttp.ClientConnectorError):
        await asyncio.wait_for(bare.ask("GET", f"{on['url']}/v2/user", ssl=False), 60)
