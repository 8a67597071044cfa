"""A Kubernetes API that refuses, fails and lags shows what it is said to show."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import aiohttp
import pytest
from tests.sandbox.faults.stage import PODS, Object, Stage, manifest

CUT = (aiohttp.ClientError, ConnectionError)
MAPS = "/api/v1/namespaces/default/configmaps"


@asynccontextmanager
async def watching(stage: Stage, path: str, **query: str) -> AsyncIterator[aiohttp.ClientResponse]:
    headers = {"Authorization": f"Bearer {stage.facts['token']}"}
    params = {"watch": "true", "timeoutSeconds": "60", **query}
    url = stage.server + path
    async with stage.session.get(url, ssl=stage.trust, headers=headers, params=params) as response:
        yield response


@pytest.mark.parametrize(
    ("name", "status", "words"),
    [
        ("api-webhook-refuses", 400, 'admission webhook "validate.kyverno.svc-fail" denied the request'),
        ("api-quota", 403, "exceeded quota"),
        ("api-forbidden", 403, 'cannot create resource "pods"'),
    ],
)
async def test_pods_are_refused(bare: Stage, name: str, status: int, words: str) -> None:
    await bare.fault(name)
    answer = await bare.api("POST", PODS, manifest("web"))
    assert answer.status == status
    assert words in answer.json["message"]
    assert (await bare.api("GET", PODS)).json["items"] == []


async def test_admission_also_refuses_those_who_create_inside(stage: Stage) -> None:
    action = await stage.checkpoint(await stage.workload())
    await stage.fault("api-webhook-refuses", pod="web-restored")
    status = await stage.restore(action)
    assert status["status"] == "error"
    assert "admission webhook" in status["details"]


async def test_unauthorized(bare: Stage) -> None:
    await bare.fault("api-unauthorized")
    assert (await bare.api("GET", PODS)).status == 401


async def test_cut_off(bare: Stage) -> None:
    await bare.fault("api-cut-off")
    with pytest.raises(CUT):
        await bare.api("GET", PODS)


async def test_deletions_are_forgotten(bare: Stage) -> None:
    await bare.create(PODS, **manifest("web"))
    pod = await bare.ready("web")
    await bare.fault("api-forgets-deletions")
    assert (await bare.api("DELETE", f"{PODS}/web")).status == 200
    after = await bare.pod("web")
    assert after["metadata"]["uid"] == pod["metadata"]["uid"]
    assert "deletionTimestamp" not in after["metadata"]


@pytest.mark.parametrize(("name", "status"), [("api-500", 500), ("api-503", 503), ("api-429", 429)])
async def test_each_kind_of_read_fails_once(bare: Stage, name: str, status: int) -> None:
    await bare.fault(name)
    first = await bare.api("GET", PODS)
    assert (first.status, first.json["kind"]) == (status, "Status")
    assert ("Retry-After" in first.headers) == (status != 500)
    assert (await bare.api("GET", PODS)).status == 200
    assert (await bare.api("GET", MAPS)).status == status


async def test_each_kind_of_connection_is_reset_once(bare: Stage) -> None:
    await bare.fault("api-reset")
    assert (await bare.api("GET", PODS)).status == 200
    assert (await bare.api("GET", MAPS)).status == 200
    assert await bare.hits() == 2, "the client of this test repeats a GET by itself"


async def test_a_list_breaks_off(bare: Stage) -> None:
    await bare.fault("api-half-body")
    with pytest.raises(aiohttp.ClientPayloadError):
        await bare.api("GET", MAPS)
    assert (await bare.api("GET", MAPS)).json["kind"] == "ConfigMapList"


async def test_slow(bare: Stage) -> None:
    await bare.fault("api-slow", seconds=0.3)
    with pytest.raises(TimeoutError):
        await bare.api("GET", PODS, timeout=aiohttp.ClientTimeout(0.1))
    assert (await bare.api("GET", PODS)).status == 200


async def test_refused_for_a_while(bare: Stage) -> None:
    await bare.fault("api-refuses-for-a-while", seconds=60)
    assert (await bare.api("GET", MAPS)).status == 200
    with pytest.raises(CUT):
        await bare.api("GET", f"{PODS}/web")
    with pytest.raises(CUT):
        await bare.api("GET", MAPS)
    await bare.again("api-refuses-for-a-while", seconds=0.05)

    async def asked(path: str) -> int:
        try:
            return (await bare.api("GET", path)).status
        except CUT:
            return 0

    await asked(f"{PODS}/web")
    await bare.until(lambda: asked(MAPS), lambda status: status == 200, "an answer")


async def test_watches_are_dropped(bare: Stage) -> None:
    await bare.fault("api-watch-dropped", seconds=0.5)
    async with watching(bare, MAPS) as response:
        assert json.loads(await response.content.readline())["type"] == "ADDED"
        with pytest.raises(CUT):
            await asyncio.wait_for(response.content.read(), 60)


async def test_watches_are_silent(bare: Stage) -> None:
    await bare.fault("api-watch-silent", seconds=0.2)
    async with watching(bare, MAPS) as response:
        await bare.create(MAPS, metadata={"name": "unseen"})
        assert await response.content.read() == b""


async def test_watches_expire_in_their_stream(bare: Stage) -> None:
    await bare.fault("api-watch-expired")
    for _ in range(2):
        async with watching(bare, MAPS) as response:
            event = json.loads(await response.content.read())
        assert (event["type"], event["object"]["code"]) == ("ERROR", 410)
    async with watching(bare, MAPS) as response:
        assert json.loads(await response.content.readline())["type"] == "ADDED"


async def test_watches_are_gone(bare: Stage) -> None:
    await bare.fault("api-410")
    async with watching(bare, MAPS) as response:
        assert response.status == 410


async def test_lists_of_pods_are_stale_and_their_revision_with_them(bare: Stage) -> None:
    await bare.fault("api-stale-lists", seconds=60)
    made = await bare.create(PODS, **manifest("new"))
    stale = (await bare.api("GET", PODS)).json
    assert names(stale) == []
    assert int(stale["metadata"]["resourceVersion"]) < int(made["metadata"]["resourceVersion"])
    newest = {"resourceVersion": made["metadata"]["resourceVersion"], "resourceVersionMatch": "NotOlderThan"}
    assert names((await bare.api("GET", PODS, params=newest)).json) == ["new"]
    async with watching(bare, PODS, resourceVersion=stale["metadata"]["resourceVersion"]) as response:
        assert json.loads(await response.content.readline())["object"]["metadata"]["name"] == "new"
    await bare.again("api-stale-lists", seconds=0.05)
    await bare.create(PODS, **manifest("newer"))
    await bare.until(lambda: listed(bare), lambda found: "newer" in found, "the newer one")


def names(body: Object) -> list[str]:
    return [item["metadata"]["name"] for item in body["items"]]


async def listed(stage: Stage) -> list[str]:
    return names((await stage.api("GET", PODS)).json)
