"""The sandbox itself: how soon it is there, how much it answers, and what a pod costs it. Its cost must not be ours.

Asked by one client with several connections in this process, so that on few processors the client is a part of it.
Where `kmock` is installed, which is no requirement, its emulator is asked the same in turn: over HTTP without TLS.
"""

from __future__ import annotations

import argparse
import asyncio
import base64
import importlib.util
import json
import ssl
import subprocess
import sys
import time
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import aiohttp
import yaml

from .figures import Figure, table
from .places import Facts, resident, started

MOCK = Path(__file__).with_name("mocked.py")
CONNECTIONS = 8
REQUESTS, OF_THE_MOCK = 400, 40
WATCHERS = 50
CHANGES = 20
PODS = 300
LISTED = 100
APPLY = {"Content-Type": "application/apply-patch+yaml"}
MAPS = "/api/v1/namespaces/default/configmaps"
PATHS = "/api/v1/namespaces/default/pods"
Call = Callable[[int], Awaitable[None]]


def measure(options: argparse.Namespace, folder: Path) -> str:
    """Starts a sandbox for each run; gives the table."""
    values: dict[str, list[float]] = {}
    mocked = importlib.util.find_spec("kmock") is not None
    for _ in range(options.runs):
        begun = time.monotonic()
        with started() as facts:
            found = {"start (s)": time.monotonic() - begun} | asyncio.run(
                _ask(facts, yaml.safe_load(Path(facts["kubeconfig"]).read_text()))
            )
        for name, value in (found | (_beside(found, _of_the_mock()) if mocked else {})).items():
            values.setdefault(name, []).append(value)
    return table([Figure(name, each) for name, each in values.items()])


def _beside(found: dict[str, float], mock: dict[str, float]) -> dict[str, float]:
    """What the mock came to, and how many times that the sandbox did in the same run."""
    told = {f"kmock: {name}": value for name, value in mock.items()}
    return told | {f"sandbox / kmock: {name.split(' (')[0]}": found[name] / value for name, value in mock.items()}


def _of_the_mock() -> dict[str, float]:
    """The same figures of kmock's emulator: its watches did not tell of an apply, so that there is no fan-out."""
    begun = time.monotonic()
    with subprocess.Popen([sys.executable, str(MOCK)], stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout
        url = process.stdout.readline().strip()
        start = time.monotonic() - begun
        try:
            return {"start (s)": start} | asyncio.run(_ask_the_mock(url))
        finally:
            process.terminate()


async def _ask_the_mock(url: str) -> dict[str, float]:
    async with aiohttp.ClientSession(url, connector=aiohttp.TCPConnector(limit=0)) as session:
        client = _Client(session)
        await client.create_maps()
        return await client.rates(OF_THE_MOCK)


async def _ask(facts: Facts, config: dict[str, Any]) -> dict[str, float]:
    cluster, user = config["clusters"][0]["cluster"], config["users"][0]["user"]
    tls = ssl.create_default_context(cadata=base64.b64decode(cluster["certificate-authority-data"]).decode())
    headers = {"Authorization": f"Bearer {user['token']}"}
    connector = aiohttp.TCPConnector(ssl=tls, limit=0)
    async with aiohttp.ClientSession(cluster["server"], headers=headers, connector=connector) as session:
        client = _Client(session)
        found = await client.rates(REQUESTS)
        found[f"watch fan-out to {WATCHERS} (events/s)"] = await client.fan_out()
        before = resident(facts["pid"])
        await client.make_pods()
        return found | {"memory a pod (KB)": 1024 * (resident(facts["pid"]) - before) / PODS}


class _Client:
    """Requests to one sandbox."""

    def __init__(self, session: aiohttp.ClientSession) -> None:
        self._session = session

    async def rates(self, count: int) -> dict[str, float]:
        """How much is answered, in so many requests of each kind."""
        return {
            "apply (requests/s)": await self.rate(self.apply, count),
            "get (requests/s)": await self.rate(self.get, count),
            f"list of {LISTED} (requests/s)": await self.rate(self.list, count),
        }

    async def create_maps(self) -> None:
        """Creates the objects, where apply does not."""
        for number in range(LISTED):
            body = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": f"map-{number}"}}
            await self._send("POST", MAPS, json.dumps(body), {"Content-Type": "application/json"})

    async def rate(self, call: Call, count: int) -> float:
        """Calls a second, with a few connections."""
        begun = time.monotonic()
        await self._many(call, count)
        return count / (time.monotonic() - begun)

    async def apply(self, number: int) -> None:
        """Applies one of as many objects as a list then has."""
        name = f"map-{number % LISTED}"
        body = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": name}, "data": {"n": str(number)}}
        await self._send("PATCH", f"{MAPS}/{name}?fieldManager=bench&force=true", json.dumps(body), APPLY)

    async def get(self, number: int) -> None:
        """Reads one of them."""
        await self._send("GET", f"{MAPS}/map-{number % LISTED}")

    async def list(self, _number: int) -> None:
        """Lists them."""
        await self._send("GET", MAPS)

    async def fan_out(self) -> float:
        """Events a second that all watchers together get, while one object changes again and again."""
        version = json.loads(await self._send("GET", MAPS))["metadata"]["resourceVersion"]
        watchers = [asyncio.create_task(self._watch(version)) for _ in range(WATCHERS)]
        await asyncio.sleep(0)
        begun = time.monotonic()
        for number in range(CHANGES):
            await self.apply(number * LISTED + 1)
        await asyncio.gather(*watchers)
        return WATCHERS * CHANGES / (time.monotonic() - begun)

    async def make_pods(self) -> None:
        """Makes pods and waits until all are Running."""
        await self._many(self._pod, PODS)
        while True:
            there = json.loads(await self._send("GET", PATHS))["items"]
            if sum(one["status"].get("phase") == "Running" for one in there) >= PODS:
                return
            await asyncio.sleep(0.2)

    async def _pod(self, number: int) -> None:
        container = {"name": "main", "image": "docker.io/library/busybox:1.37", "command": ["sleep", "3600"]}
        meta = {"name": f"pod-{number}"}
        body = {"apiVersion": "v1", "kind": "Pod", "metadata": meta, "spec": {"containers": [container]}}
        await self._send("POST", PATHS, json.dumps(body), {"Content-Type": "application/json"})

    async def _many(self, call: Call, count: int) -> None:
        numbers = iter(range(count))

        async def work() -> None:
            for number in numbers:
                await call(number)

        await asyncio.gather(*(work() for _ in range(CONNECTIONS)))

    async def _watch(self, version: str) -> None:
        query = {"watch": "true", "resourceVersion": version}
        seen = 0
        async with self._session.get(MAPS, params=query) as answer:
            async for _ in answer.content:
                seen += 1
                if seen == CHANGES:
                    return

    async def _send(self, verb: str, path: str, body: str | None = None, headers: dict[str, str] | None = None) -> str:
        async with self._session.request(verb, path, data=body, headers=headers) as answer:
            answer.raise_for_status()
            return await answer.text()
