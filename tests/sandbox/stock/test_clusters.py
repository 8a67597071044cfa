"""A checkpoint of one cluster is restored in another, to whose agents its archive goes through the propagator."""

from __future__ import annotations

import os
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from tests.sandbox.stock.conftest import QUICK, TOKEN, Stock, is_ready, rendered

from propagator_server.commandline import parse
from propagator_server.server import Server
from sandbox import kinds
from sandbox.api import objects
from sandbox.server import Options, Sandbox


@pytest.fixture
async def two(tmp_path: Path) -> AsyncIterator[tuple[Stock, str]]:
    """Two clusters with agents, and the id of the second."""
    sandbox = Sandbox(Options(nodes=1, clusters=2, state_dir=tmp_path / "sandbox", latencies=QUICK))
    facts = await sandbox.start()
    files = [cluster["kubeconfig"] for cluster in facts["clusters"]]
    made = Stock(sandbox, os.pathsep.join(files), tmp_path / "state.db")
    names = [option for cluster in facts["clusters"] for option in ("--context", cluster["name"])]
    try:
        made.server = Server(parse(["--kubeconfig", made.kubeconfig, *names], {"PROPAGATOR_TOKEN": TOKEN}))
        made.url = (await made.server.start())["propagator_url"]
        await made.install()
        other = sandbox.clusters[1]
        second = (await made.ask("POST", "/v2/cluster", {"cluster_name": "second"}))[1]
        known = {kind.kind: kind for kind in other.store.registry.all() if kind.stored_as is None}
        for name in ("cedana-system", "test"):
            body = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name}}
            objects.create(other, kinds.NAMESPACE, body)
        for one in rendered(second):
            objects.create(other, known[one["kind"]], one)
        await made.until(lambda: [pod for pod in other.store.list(kinds.POD, "cedana-system") if is_ready(pod)])
        yield made, second
    finally:
        await made.stop_serving()
        await sandbox.stop()


async def test_a_process_goes_on_in_another_cluster(two: tuple[Stock, str]) -> None:
    stock, second = two
    await stock.pod("w")
    action = await stock.ready(await stock.checkpoint("w"))
    nonce = stock.log("w")[0].split()[1]
    body = {"action_id": action, "reason": "manual", "cluster_id": second}
    await stock.ready((await stock.ask("POST", "/v2/restore/pod", body))[1])
    other = stock.sandbox.clusters[1]
    pod = other.store.get(kinds.POD, "test", "w-restored")
    assert pod and not stock.get("w-restored")
    container = other.runtime.container(pod["metadata"]["uid"], "main")
    assert container and {line.text.decode().split()[1] for line in container.log.lines} == {nonce}
    away = stock.sandbox.stock[1].kubelets.checkpoints("node-1")
    assert list(away.rglob("*.tar")) != []
    (row,) = (await stock.ask("GET", "/v2/checkpoints"))[1]
    assert (await stock.ask("PATCH", f"/v2/checkpoints/deprecate/{row['id']}"))[0] == 200
    assert list(away.rglob("*.tar")) == []
    assert stock.archives("node-1") == []


async def test_a_cluster_that_cannot_restore_it_says_so(two: tuple[Stock, str]) -> None:
    stock, second = two
    await stock.pod("w")
    action = await stock.ready(await stock.checkpoint("w"))
    other = stock.sandbox.clusters[1]
    other.store.change(kinds.NODE, None, "node-1", lambda node: node["status"]["nodeInfo"].update(architecture="arm64"))
    body = {"action_id": action, "reason": "manual", "cluster_id": second}
    status, details = await stock.ended((await stock.ask("POST", "/v2/restore/pod", body))[1])
    assert status == "error" and "no node of the other cluster" in details and "arm64" in details
