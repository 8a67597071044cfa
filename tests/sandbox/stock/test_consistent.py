"""The containers of a pod are cut at one moment, and nothing stays frozen, whatever dies."""

from __future__ import annotations

import os
import signal
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from tests.sandbox.stock.conftest import QUICK, Stock

from sandbox import kinds
from sandbox.runtime import Container
from sandbox.server import Options, Sandbox

TWO = Path(__file__).parents[3] / "resources" / "workloads" / "two_containers.yaml"


@pytest.fixture
async def still(tmp_path: Path) -> AsyncIterator[Stock]:
    """A node whose agent may freeze containers."""
    sandbox = Sandbox(Options(nodes=1, state_dir=tmp_path / "sandbox", latencies=QUICK))
    facts = await sandbox.start()
    made = Stock(sandbox, facts["kubeconfig"], tmp_path / "state.db")
    try:
        await made.serve()
        await made.install(consistent=True)
        yield made
    finally:
        await made.stop_serving()
        await sandbox.stop()


def containers(stock: Stock, name: str = "w") -> list[Container]:
    """Of a pod."""
    return list(stock.cluster.runtime.pods[stock.get(name)["metadata"]["uid"]].containers.values())


def frozen(stock: Stock) -> list[str]:
    """The names of those of the pod that stand."""
    return [each.name for each in containers(stock) if each.frozen_at is not None]


async def test_while_one_is_dumped_the_others_stand(still: Stock) -> None:
    await still.pod("w", "node-1", containers=3)
    turns: dict[str, list[str]] = {}
    snapshot_of = still.cluster.runtime.snapshot_of

    def looking(uid: str, name: str, freeze: float) -> Any:
        turns[name] = frozen(still)
        return snapshot_of(uid, name, freeze)

    still.cluster.runtime.snapshot_of = looking  # type: ignore[method-assign]
    await still.ready(await still.checkpoint("w"))
    assert turns == {"main": ["side-2", "side-3"], "side-2": ["main", "side-3"], "side-3": ["main", "side-2"]}
    assert frozen(still) == []
    rows = (await still.ask("GET", "/v2/checkpoints"))[1]
    assert [row["info"]["consistent"] for row in rows] == [True] * 3
    before = {each.name: len(still.log("w", each.name)) for each in containers(still)}
    await still.until(lambda: all(len(still.log("w", name)) > count for name, count in before.items()))


async def test_containers_that_share_files_are_cut_too(still: Stock) -> None:
    body = yaml.safe_load(TWO.read_text())
    body["metadata"]["namespace"] = "test"
    still.create(kinds.POD, body)
    name = body["metadata"]["name"]
    await still.until(lambda: len(still.log(name, "left")) > 6)
    still.cluster.latencies.checkpoint = 0.3
    action = await still.ready(await still.checkpoint(name))
    await still.delete(name)
    await still.ready(await still.restore(action))


async def test_a_dump_that_fails_leaves_nothing_frozen(still: Stock) -> None:
    await still.pod("w", "node-1", containers=2)
    still.cluster.kubelet.trouble["node-1"].cuts_archives = True
    status, details = await still.ended(await still.checkpoint("w"))
    assert status == "error" and "cut off" in details
    await still.until(lambda: frozen(still) == [])
    assert [path.suffix for path in still.archives("node-1")] == []


@pytest.mark.parametrize("both", [False, True], ids=["the agent", "the agent and its watchdog"])
async def test_who_dies_at_work_leaves_nothing_frozen(both: bool, still: Stock) -> None:
    await still.pod("w", "node-1", containers=2)
    still.cluster.latencies.checkpoint = 600.0
    action = await still.checkpoint("w")
    await still.until(lambda: frozen(still) == ["side-2"])
    running = [one.process.pid for one in still.nodes.agents._running.values() if both or one.listens]
    for pid in running:
        os.kill(pid, signal.SIGKILL)
    await still.until(lambda: frozen(still) == [])
    assert (await still.ended(action))[0] == "error"
    count = len(still.log("w", "side-2"))
    await still.until(lambda: len(still.log("w", "side-2")) > count)
