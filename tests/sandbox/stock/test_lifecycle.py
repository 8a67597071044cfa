"""A process goes on in another pod, with everything between kubelet and runtime done by the agents that nodes run."""

from __future__ import annotations

import asyncio
import json
import stat
import time
from typing import Any

from tests.sandbox.stock.conftest import Stock, is_ready

from sandbox import kinds


def steps(lines: list[str]) -> list[tuple[str, int]]:
    """Nonce and step of each line."""
    parts = [dict(word.split("=") for word in line.split()[1:]) for line in lines]
    return [(part["nonce"], int(part["step"])) for part in parts]


async def test_a_process_goes_on_in_a_new_pod(stock: Stock) -> None:
    await stock.pod("w")
    action = await stock.ready(await stock.checkpoint("w"))
    (row,) = (await stock.ask("GET", "/v2/checkpoints"))[1]
    assert row["status"] == "ready" and row["info"]["node"] == "node-1" and row["info"]["consistent"]
    source = steps(stock.log("w"))
    await stock.delete("w")
    await stock.ready(await stock.restore(action))
    await stock.until(lambda: len(stock.log("w-restored")) > len(source) + 1)
    found = steps(stock.log("w-restored"))
    assert [step for _, step in found] == list(range(1, len(found) + 1))
    assert {nonce for nonce, _ in found} == {source[0][0]}


async def test_the_restored_pod_says_where_it_comes_from_and_is_never_restarted(stock: Stock) -> None:
    await stock.pod("w")
    action = await stock.ready(await stock.checkpoint("w"))
    restore = await stock.ready(await stock.restore(action))
    pod = stock.get("w-restored")
    labels, annotations = pod["metadata"]["labels"], pod["metadata"]["annotations"]
    assert labels["stock.cedana.ai/checkpoint-action"] == action and labels["stock.cedana.ai/restore-action"] == restore
    assert annotations["stock.cedana.ai/original-restart-policy"] == "Always"
    assert pod["spec"]["restartPolicy"] == "Never"
    assert pod["spec"]["containers"][0]["image"].startswith("127.0.0.1:5999/ck/")
    assert pod["status"]["containerStatuses"][0]["image"] == "docker.io/library/busybox:1.37"


async def test_a_pod_is_restored_on_the_other_node_from_the_agent_of_its_own(stock: Stock) -> None:
    await stock.pod("w", containers=2)
    action = await stock.ready(await stock.checkpoint("w"))
    rows = (await stock.ask("GET", "/v2/checkpoints"))[1]
    assert [row["info"]["consistent"] for row in rows] == [False, False]
    assert all(0 <= row["info"]["cut_distance_seconds"] < 5 for row in rows)
    stock.cluster.store.change(kinds.NODE, None, "node-1", lambda node: node["spec"].update(unschedulable=True))
    stock.cluster.store.change(
        kinds.NODE, None, "node-2", lambda node: node["metadata"]["labels"].update({"kubernetes.io/hostname": "node-1"})
    )
    before = {name: steps(stock.log("w", name))[0][0] for name in ("main", "side-2")}
    await stock.ready(await stock.restore(action))
    pod = stock.get("w-restored")
    assert pod["spec"]["nodeName"] == "node-2"
    for name, nonce in before.items():
        assert {each for each, _ in steps(stock.log("w-restored", name))} == {nonce}
    assert not list(stock.archives("node-2"))


async def test_archives_are_secret_and_go_when_they_are_deprecated(stock: Stock) -> None:
    await stock.pod("w")
    await stock.ready(await stock.checkpoint("w"))
    archives = stock.archives("node-1")
    assert {path.suffix for path in archives} == {".tar", ".json"}
    assert {stat.S_IMODE(path.stat().st_mode) for path in archives} == {0o600}
    (row,) = (await stock.ask("GET", "/v2/checkpoints"))[1]
    assert (await stock.ask("PATCH", f"/v2/checkpoints/deprecate/{row['id']}"))[0] == 200
    assert stock.archives("node-1") == []


async def test_fifty_checkpoints_at_once_are_fifty_archives(stock: Stock) -> None:
    for name in ("a", "b"):
        await stock.pod(name)
    actions = [await stock.checkpoint(name) for name in ("a", "b") * 25]
    for action in actions:
        await stock.ready(action)
    archives = [path for path in stock.archives("node-1") if path.suffix == ".tar"]
    assert len(archives) == 50
    records = [json.loads(path.with_suffix(".json").read_text()) for path in archives]
    assert len({record["digest"] for record in records}) == 50


async def test_a_restored_container_that_ends_is_not_restored_again(stock: Stock) -> None:
    command = ["sh", "-c", "echo begun; while [ ! -e /end ]; do sleep 0.05; done; echo ended"]
    await stock.pod("w")
    container = {"name": "main", "image": "busybox:1.37", "command": command}
    stock.create(kinds.POD, {"metadata": {"name": "short", "namespace": "test"}, "spec": {"containers": [container]}})
    await stock.until(lambda: is_ready(stock.get("short")))
    action = await stock.ready(await stock.checkpoint("short"))
    await stock.ready(await stock.restore(action))
    restored = stock.cluster.runtime.container(stock.get("short-restored")["metadata"]["uid"], "main")
    assert restored
    restored.files.write("/end", b"")
    await stock.until(lambda: stock.get("short-restored")["status"]["phase"] == "Succeeded")
    await asyncio.sleep(0.5)
    assert stock.log("short-restored") == ["begun", "ended"]
    assert stock.get("short-restored")["status"]["containerStatuses"][0]["restartCount"] == 0


async def test_a_line_that_is_printed_twice_has_the_sources_time_the_first_time(stock: Stock) -> None:
    """containerd copies the log after the process has resumed: the line is the source's, and then the process's own."""
    await stock.pod("w")
    stock.cluster.latencies.freeze = 0.0
    container = stock.cluster.runtime.container(stock.get("w")["metadata"]["uid"], "main")
    assert container
    snapshot_of = stock.cluster.runtime.snapshot_of

    def late(uid: str, name: str, freeze: float) -> Any:
        taken = snapshot_of(uid, name, freeze)
        deadline = time.monotonic() + 5
        count = len(container.log.lines)
        while len(container.log.lines) == count and time.monotonic() < deadline:
            container.advance(stock.cluster.runtime.now())
        return taken

    stock.cluster.runtime.snapshot_of = late  # type: ignore[method-assign]
    action = await stock.ready(await stock.checkpoint("w"))
    source = lines_of(stock, "w")
    await stock.ready(await stock.restore(action))
    await stock.until(lambda: len(set(lines_of(stock, "w-restored")) - set(source)) > 1)
    restored = lines_of(stock, "w-restored")
    copied = [line for line in restored if line in source]
    own = [text for at, text in restored if (at, text) not in source]
    twice = [text for _, text in copied if text in own]
    assert twice and own[: len(twice)] == twice
    assert copied == source[: len(copied)]


def lines_of(stock: Stock, name: str) -> list[tuple[int, bytes]]:
    """Time and text of what a pod printed."""
    found = stock.cluster.runtime.container(stock.get(name)["metadata"]["uid"], "main")
    assert found
    return [(line.at, line.text) for line in found.log.lines]
