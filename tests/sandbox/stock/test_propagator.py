"""The propagator's own end: what it knew is there again, and what belongs to nothing is removed."""

from __future__ import annotations

import base64
import json
import os
import ssl
import subprocess
import sys
from pathlib import Path

import pytest
from aiohttp import ClientSession
from tests.sandbox.stock.conftest import CHART, TOKEN, Stock, rendered

from propagator_server.clock import now
from propagator_server.persistence import INTERRUPTED
from propagator_server.records import Policy, Resource
from propagator_server.stock.cluster import StockCluster
from propagator_server.stock.preflight import findings
from sandbox import kinds


async def test_after_its_end_it_goes_on_with_what_it_knew(stock: Stock) -> None:
    await stock.pod("w")
    action = await stock.ready(await stock.checkpoint("w"))
    await stock.stop_serving()
    await stock.serve()
    assert stock.archives("node-1") != []
    await stock.ready(await stock.restore(action))


async def test_what_went_on_ends_in_an_error_and_its_archives_go(stock: Stock) -> None:
    await stock.pod("w")
    kept = await stock.ready(await stock.checkpoint("w"))
    stock.cluster.latencies.checkpoint = 0.5
    action = await stock.checkpoint("w")
    await stock.until(lambda: [path for path in stock.archives("node-1") if path.suffix == ".intent"])
    await stock.stop_serving()
    await stock.until(lambda: len([path for path in stock.archives("node-1") if path.suffix == ".tar"]) == 2)
    await stock.until(lambda: not [path for path in stock.archives("node-1") if path.suffix == ".intent"])
    await stock.serve()
    assert await stock.ended(action) == ("error", INTERRUPTED)
    await stock.until(lambda: len([path for path in stock.archives("node-1") if path.suffix == ".tar"]) == 1)
    await stock.ready(await stock.restore(kept))


async def test_archives_of_another_propagator_are_left_alone(stock: Stock) -> None:
    await stock.pod("w")
    await stock.ready(await stock.checkpoint("w"))
    (file,) = [path for path in stock.archives("node-1") if path.suffix == ".json"]
    record = json.loads(file.read_text())
    file.write_text(json.dumps(record | {"owner": "another"}))
    assert stock.server
    stock.server.backend._saved.clear()
    assert await stock.server.backend.sweep() == []
    file.write_text(json.dumps(record))
    assert await stock.server.backend.sweep() == [record["id"]]
    assert stock.archives("node-1") == []


async def test_a_propagator_without_a_state_takes_its_archives_along(stock: Stock) -> None:
    await stock.pod("w")
    assert stock.server
    object.__setattr__(stock.server._options, "state", None)
    await stock.ready(await stock.checkpoint("w"))
    await stock.stop_serving()
    assert stock.archives("node-1") == []


async def test_agents_answer_nobody_without_their_token(stock: Stock) -> None:
    await stock.pod("w")
    await stock.ready(await stock.checkpoint("w"))
    real = stock.nodes.ports.at(stock.cluster.node_address("node-1"), 5998)
    async with ClientSession(f"https://127.0.0.1:{real}") as session:
        for token, status in (("", 401), ("wrong", 401), (stock.agent_token(), 200)):
            async with session.get("/v1/checkpoints", headers={"X-Agent-Token": token}, ssl=False) as answer:
                assert answer.status == status
        async with session.get("/healthz", ssl=False) as answer:
            assert answer.status == 200
    with pytest.raises(ssl.SSLError):
        ssl.get_server_certificate(("127.0.0.1", real or 0), ca_certs=ssl.get_default_verify_paths().cafile)


async def test_the_registry_shows_nothing_to_whoever_knows_no_digest(stock: Stock) -> None:
    await stock.pod("w")
    await stock.ready(await stock.checkpoint("w"))
    (file,) = [path for path in stock.archives("node-1") if path.suffix == ".json"]
    record = json.loads(file.read_text())
    name, _, digest = record["image"].partition("/")[2].partition("@")
    real = stock.nodes.ports.at("node-1/127.0.0.1", 5999)
    foreign = stock.nodes.kubelets.disk("node-1") / "content" / "blobs" / "sha256" / ("0" * 64)
    foreign.write_bytes(b"the memory of somebody else")
    async with ClientSession(f"http://127.0.0.1:{real}") as session:
        for path, status in (
            ("/v2/", 200),
            (f"/v2/{name}/manifests/{digest}", 200),
            (f"/v2/{name}/manifests/latest", 404),
            (f"/v2/{name}/tags/list", 404),
            ("/v2/_catalog", 404),
            (f"/v2/base/any/blobs/sha256:{'0' * 64}", 404),
            (f"/v2/{name}/blobs/sha256:{'0' * 64}", 404),
            ("/v2/ck/../../etc/passwd", 404),
        ):
            async with session.get(path) as answer:
                assert answer.status == status, path


async def test_the_preflight_tells_what_each_node_can_do(stock: Stock) -> None:
    cluster = StockCluster(stock.options().kubeconfig, None, "cedana-system")
    found = {one.what: one for one in await findings(cluster, "cedana-system")}
    assert {one.mark for one in found.values()} == {"ok", "unknown"}
    assert found["node-1: CRIU 3.16 or later"].good is None
    stock.cluster.kubelet.trouble["node-2"].no_checkpoints = True
    info = {"containerRuntimeVersion": "containerd://1.7.27"}
    for name in ("node-1", "node-2"):
        stock.cluster.store.change(kinds.NODE, None, name, lambda node: node["status"]["nodeInfo"].update(info))
    label = {"pod-security.kubernetes.io/enforce": "baseline"}
    stock.cluster.store.change(
        kinds.NAMESPACE, None, "cedana-system", lambda one: one["metadata"].setdefault("labels", {}).update(label)
    )
    found = {one.what: one for one in await findings(cluster, "cedana-system")}
    await cluster.close()
    assert found["node-2: feature gate ContainerCheckpoint"].good is False
    assert [one.what for one in found.values() if one.mark == "MISSING"] == [
        "a Ready node whose runtime restores",
        "namespace cedana-system: Pod Security level privileged, for hostNetwork and hostPath",
    ]


@pytest.mark.parametrize("era", ["seed", "jan26", "next"])
async def test_it_serves_over_tls_in_every_era(era: str, stock: Stock, tmp_path: Path) -> None:
    (secret,) = [one for one in rendered(stock.cluster_id) if one["kind"] == "Secret"]
    for name in ("tls.crt", "tls.key"):
        (tmp_path / name).write_bytes(base64.b64decode(secret["data"][name]))
    await stock.stop_serving()
    certificate = ("--tls-cert", str(tmp_path / "tls.crt"), "--tls-key", str(tmp_path / "tls.key"))
    await stock.serve("--era", era, *certificate)
    assert stock.url.startswith("https://localhost:")
    trusted = ssl.create_default_context(cafile=str(tmp_path / "tls.crt"))
    trusted.check_hostname = False
    trusted.verify_flags &= ~ssl.VERIFY_X509_STRICT
    headers = {"Authorization": f"Bearer {TOKEN}"}
    async with ClientSession(stock.url, headers=headers) as session, session.get("/v2/cluster", ssl=trusted) as answer:
        assert [row["id"] for row in await answer.json()] == [stock.cluster_id]


async def test_agents_that_are_there_already_make_their_cluster_known(stock: Stock, tmp_path: Path) -> None:
    await stock.stop_serving()
    stock.state = tmp_path / "another.db"
    await stock.serve()
    assert [row["id"] for row in (await stock.ask("GET", "/v2/cluster"))[1]] == [stock.cluster_id]
    await stock.pod("w")
    await stock.ready(await stock.checkpoint("w"))


@pytest.mark.parametrize("options", [(), ("--preflight",)])
def test_a_kubeconfig_that_leads_nowhere_is_said_in_a_sentence(options: tuple[str, ...], tmp_path: Path) -> None:
    file = tmp_path / "kubeconfig"
    cluster = {"name": "c", "cluster": {"server": "http://127.0.0.1:1"}}
    context = {"name": "c", "context": {"cluster": "c", "user": "u"}}
    config = {"clusters": [cluster], "contexts": [context], "users": [{"name": "u", "user": {}}]}
    for content, words in ((config | {"current-context": "c"}, "127.0.0.1:1"), ({}, "kube")):
        file.write_text(json.dumps(content))
        done = subprocess.run(
            [sys.executable, "-m", "propagator_server", "--kubeconfig", str(file), *options],
            env={**os.environ, "PYTHONPATH": str(CHART.parents[2])},
            capture_output=True,
            text=True,
            check=False,
            timeout=60,
        )
        assert done.returncode == 1
        (line,) = done.stderr.strip().splitlines()
        assert line.startswith("propagator_server: ") and words in line


async def test_a_heartbeat_goes_on_after_its_end(stock: Stock) -> None:
    pod = await stock.pod("w")
    assert stock.server
    made = Policy("p", stock.cluster_id, 1, Resource.PODS, (pod["metadata"]["uid"],), "", now())
    stock.server._store.put_policy(made)
    await stock.stop_serving()
    await stock.serve()
    await stock.until(lambda: [path for path in stock.archives("node-1") if path.suffix == ".tar"])
