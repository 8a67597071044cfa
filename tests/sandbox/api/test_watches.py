"""Watches over HTTP: many of them, with initial events, as tables."""

from __future__ import annotations

import asyncio
import json
import ssl
from typing import Any

import aiohttp
import yaml
from tests.sandbox.conftest import start_sandbox, stop_sandbox

from sandbox import kinds
from sandbox.server import Options, Sandbox
from sandbox.store import Store

WATCHES = 1000


def _server(kubeconfig: str) -> tuple[str, ssl.SSLContext, dict[str, str]]:
    import base64
    from pathlib import Path

    config = yaml.safe_load(Path(kubeconfig).read_text())
    cluster, user = config["clusters"][0]["cluster"], config["users"][0]["user"]
    context = ssl.create_default_context(cadata=base64.b64decode(cluster["certificate-authority-data"]).decode())
    return cluster["server"], context, {"Authorization": f"Bearer {user['token']}"}


async def _events(session: aiohttp.ClientSession, url: str, count: int, **headers: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = []
    async with session.get(url, headers=headers) as response:
        assert response.status == 200, await response.text()
        while len(found) < count:
            line = await response.content.readline()
            if not line:
                break
            found.append(json.loads(line))
    return found


async def test_a_thousand_watches_see_one_change(sandbox, namespace) -> None:
    server, context, headers = _server(sandbox["kubeconfig"])
    maps = f"{server}/api/v1/namespaces/{namespace}/configmaps"
    connector = aiohttp.TCPConnector(ssl=context, limit=0)
    patient = aiohttp.ClientTimeout(total=None)
    async with aiohttp.ClientSession(connector=connector, headers=headers, timeout=patient) as session:
        async with session.get(maps) as response:
            version = (await response.json())["metadata"]["resourceVersion"]
        url = f"{maps}?watch=1&resourceVersion={version}&timeoutSeconds=300"
        watches = [asyncio.create_task(_events(session, url, 1)) for _ in range(WATCHES)]
        async with session.post(maps, json={"metadata": {"name": "seen"}}) as response:
            assert response.status == 201
        results = await asyncio.wait_for(asyncio.gather(*watches), 300)
    assert {events[0]["object"]["metadata"]["name"] for events in results} == {"seen"}


async def test_tables_are_watched(sandbox, namespace) -> None:
    server, context, headers = _server(sandbox["kubeconfig"])
    url = f"{server}/api/v1/namespaces/{namespace}/configmaps?watch=1&timeoutSeconds=60"
    connector = aiohttp.TCPConnector(ssl=context)
    async with aiohttp.ClientSession(connector=connector, headers=headers) as session:
        events = await _events(session, url, 1, Accept="application/json;as=Table;v=v1;g=meta.k8s.io")
    assert events[0]["object"]["kind"] == "Table"
    assert events[0]["object"]["rows"][0]["cells"][0] == "kube-root-ca.crt"


async def test_initial_events_end_with_a_bookmark_when_the_gate_is_on() -> None:
    running = start_sandbox("--feature-gates", "WatchList=true")
    try:
        server, context, headers = _server(str(running.kubeconfig))
        query = "watch=1&sendInitialEvents=true&resourceVersionMatch=NotOlderThan&allowWatchBookmarks=true"
        connector = aiohttp.TCPConnector(ssl=context)
        async with aiohttp.ClientSession(connector=connector, headers=headers) as session:
            events = await _events(session, f"{server}/api/v1/nodes?{query}", 3)
    finally:
        await asyncio.to_thread(stop_sandbox, running)
    assert [event["type"] for event in events] == ["ADDED", "ADDED", "BOOKMARK"]
    assert events[2]["object"]["metadata"]["annotations"] == {"k8s.io/initial-events-end": "true"}


async def test_clusters_of_one_process_do_not_show_each_others_events_of_one_revision(tmp_path) -> None:
    two = Sandbox(Options(nodes=1, clusters=2, state_dir=tmp_path))
    facts = await two.start()
    try:
        stores = [cluster.store for cluster in two.clusters]
        before = max(store.revision for store in stores)
        for number, store in enumerate(stores):
            _age(store, before)
            store.create(kinds.CONFIG_MAP, {"metadata": {"name": f"of-{number}", "namespace": "default"}})
        seen = [await _first_name(cluster["kubeconfig"], before) for cluster in facts["clusters"]]
    finally:
        await two.stop()
    assert seen == ["of-0", "of-1"]


def _age(store: Store, revision: int) -> None:
    while store.revision < revision:
        store.create(kinds.CONFIG_MAP, {"metadata": {"name": f"aged-{store.revision}", "namespace": "default"}})


async def _first_name(kubeconfig: str, version: int) -> str:
    server, context, headers = _server(kubeconfig)
    url = f"{server}/api/v1/namespaces/default/configmaps?watch=1&resourceVersion={version}&timeoutSeconds=60"
    async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(ssl=context), headers=headers) as session:
        events = await _events(session, url, 1)
    return str(events[0]["object"]["metadata"]["name"])
