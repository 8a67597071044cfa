"""What goes wrong on nodes ends in an error that says what it was, and leaves neither a pod nor an archive behind."""

from __future__ import annotations

import os
import signal
from typing import Any

import pytest
from tests.sandbox.stock.conftest import Stock

from sandbox import kinds
from sandbox.api import objects

Object = dict[str, Any]


def set_info(stock: Stock, *nodes: str, **info: str) -> None:
    """Changes what nodes say of themselves."""
    for name in nodes:
        stock.cluster.store.change(kinds.NODE, None, name, lambda node: node["status"]["nodeInfo"].update(info))


async def fails(stock: Stock, action: str, *words: str) -> str:
    """An action ends in an error with these words."""
    status, details = await stock.ended(action)
    assert status == "error", details
    for word in words:
        assert word in details
    return details


async def checkpoint_fails(stock: Stock, *words: str) -> None:
    """A checkpoint of the pod fails, nothing is left of it, and the pod goes on."""
    await fails(stock, await stock.checkpoint("w"), *words)
    assert stock.archives("node-1") == []
    count = len(stock.log("w"))
    await stock.until(lambda: len(stock.log("w")) > count)
    rows = (await stock.ask("GET", "/v2/checkpoints"))[1]
    assert "ready" not in [row["status"] for row in rows]


async def restore_fails(stock: Stock, action: str, *words: str) -> None:
    """A restore fails, and no pod is left of it."""
    await fails(stock, await stock.restore(action), *words)
    await stock.until(lambda: not stock.get("w-restored"))


async def test_a_full_disk(stock: Stock) -> None:
    await stock.pod("w")
    stock.cluster.kubelet.trouble["node-1"].disk_left = 4000
    await checkpoint_fails(stock, "no space left on device", "the node's disk is full")


async def test_an_archive_that_is_cut_off(stock: Stock) -> None:
    await stock.pod("w")
    stock.cluster.kubelet.trouble["node-1"].cuts_archives = True
    await checkpoint_fails(stock, "cut off", "main")


async def test_a_node_without_criu(stock: Stock) -> None:
    await stock.pod("w")
    stock.cluster.kubelet.trouble["node-1"].no_criu = True
    await checkpoint_fails(stock, 'exec: "criu": executable file not found', "CRIU is not installed")


async def test_a_kubelet_whose_gate_is_off(stock: Stock) -> None:
    await stock.pod("w")
    stock.cluster.kubelet.trouble["node-1"].no_checkpoints = True
    await checkpoint_fails(stock, "feature gate ContainerCheckpoint is off")


async def test_a_connection_that_is_open(stock: Stock) -> None:
    container = {"name": "main", "image": "nginx:1"}
    stock.create(kinds.POD, {"metadata": {"name": "w", "namespace": "test"}, "spec": {"containers": [container]}})
    await stock.until(lambda: stock.get("w").get("status", {}).get("phase") == "Running")
    connection = stock.cluster.runtime.connect(stock.get("w")["metadata"]["uid"], 80, "10.9.9.9")
    await fails(stock, await stock.checkpoint("w"), "criu failed: type DUMP", "established TCP connection")
    connection.close()
    await stock.ready(await stock.checkpoint("w"))


async def test_an_agent_without_its_right(stock: Stock) -> None:
    await stock.pod("w")
    objects.delete(stock.cluster, kinds.CLUSTER_ROLE_BINDING, None, "cedana-system-node-agent")
    await checkpoint_fails(stock, "Forbidden (user=system:serviceaccount:cedana-system:node-agent", "nodes/checkpoint")


async def test_an_agent_that_dies_is_there_again_with_its_archives(stock: Stock) -> None:
    await stock.pod("w")
    action = await stock.ready(await stock.checkpoint("w"))
    pid = stock.nodes.agents.process_of("node-1")
    assert pid
    stock.cluster.kubelet.trouble["node-1"].refusal = "not yet"
    os.kill(pid, signal.SIGKILL)
    await stock.until(lambda: len(stock.ready_agents()) == 1)
    await fails(stock, await stock.checkpoint("w"), "no node agent is Ready on node node-1")
    await restore_fails(stock, action, "refused", "node-1")
    stock.cluster.kubelet.trouble["node-1"].refusal = ""
    await stock.until(lambda: len(stock.ready_agents()) == 2)
    await stock.ready(await stock.restore(action))


async def test_an_agent_that_dies_at_work_leaves_nothing(stock: Stock) -> None:
    await stock.pod("w")
    stock.cluster.latencies.checkpoint = 600.0
    action = await stock.checkpoint("w")
    await stock.until(lambda: [path for path in stock.archives("node-1") if path.suffix == ".intent"])
    pid = stock.nodes.agents.process_of("node-1")
    assert pid
    os.kill(pid, signal.SIGKILL)
    await fails(stock, action, "node agent on node-1")
    await stock.until(lambda: len(stock.ready_agents()) == 2)
    await stock.until(lambda: not [path for path in stock.archives("node-1") if path.suffix == ".tar"])


async def test_a_node_that_dies(stock: Stock) -> None:
    await stock.pod("w")
    action = await stock.ready(await stock.checkpoint("w"))
    stock.cluster.kubelet.cut_off("node-1")
    await stock.until(lambda: len(stock.ready_agents()) == 1)
    await restore_fails(stock, action, "refused", "the archive is on node-1")
    status, said = await stock.ask("PATCH", f"/v2/checkpoints/deprecate/{await checkpoint_of(stock)}")
    assert status >= 500 and "node-1" in said["message"]
    stock.cluster.kubelet.reconnect("node-1")
    await stock.until(lambda: len(stock.ready_agents()) == 2)
    await stock.ready(await stock.restore(action))
    assert (await stock.ask("PATCH", f"/v2/checkpoints/deprecate/{await checkpoint_of(stock)}"))[0] == 200


async def checkpoint_of(stock: Stock) -> str:
    """The id of the only checkpoint."""
    (row,) = (await stock.ask("GET", "/v2/checkpoints"))[1]
    return str(row["id"])


@pytest.mark.parametrize("version", ["containerd://2.0.5", "containerd://2.4.0", "docker://27.0.0"])
async def test_runtimes_that_do_not_restore(version: str, stock: Stock) -> None:
    await stock.pod("w")
    action = await stock.ready(await stock.checkpoint("w"))
    set_info(stock, "node-1", "node-2", containerRuntimeVersion=version)
    await restore_fails(stock, action, "refused", "no node can restore it", version)


async def test_a_runtime_in_which_restore_is_off(stock: Stock) -> None:
    await stock.pod("w")
    action = await stock.ready(await stock.checkpoint("w"))
    set_info(stock, "node-1", "node-2", containerRuntimeVersion="containerd://2.2.7")
    await restore_fails(stock, action, "disabled by configuration", "enable_experimental_restore_via_create = true")


async def test_a_foreign_architecture(stock: Stock) -> None:
    await stock.pod("w")
    action = await stock.ready(await stock.checkpoint("w"))
    set_info(stock, "node-1", "node-2", architecture="arm64")
    await restore_fails(stock, action, "refused", "arm64")


async def test_a_pod_is_kept_off_the_node_that_cannot_restore_it(stock: Stock) -> None:
    await stock.pod("w")
    action = await stock.ready(await stock.checkpoint("w"))
    set_info(stock, "node-2", containerRuntimeVersion="containerd://1.7.27")
    await stock.ready(await stock.restore(action))
    assert stock.get("w-restored")["spec"]["nodeName"] == "node-1"
    assert "affinity" in stock.get("w-restored")["spec"]


async def test_a_node_without_criu_cannot_restore(stock: Stock) -> None:
    await stock.pod("w")
    action = await stock.ready(await stock.checkpoint("w"))
    for node in ("node-1", "node-2"):
        stock.cluster.kubelet.trouble[node].no_criu = True
    await restore_fails(stock, action, "CRIU version check failed", "node-1")


async def test_a_pod_of_that_name_that_is_another_one(stock: Stock) -> None:
    """The agent is asked for a pod by its name, and looks at the UID in what it got."""
    pod = await stock.pod("w")
    assert stock.server
    cluster = stock.server.backend._clusters[0]
    agent = await cluster.agents.on_node("node-1")
    asked = {"id": "6f1c0000-0000-4000-8000-000000000000", "owner": "x", "namespace": "test", "pod": "w"}
    other = asked | {"container": "main", "uid": "another"}
    with pytest.raises(Exception, match="another pod has that name"):
        await cluster.agents.take(agent, other)
    assert stock.archives("node-1") == []
    record = await cluster.agents.take(agent, other | {"uid": pod["metadata"]["uid"]})
    assert record == await cluster.agents.take(agent, other | {"uid": pod["metadata"]["uid"]}), "it was taken twice"
