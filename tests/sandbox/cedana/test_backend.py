"""What checkpoints and restores do in the emulated cluster."""

import asyncio

import pytest
from aiohttp.test_utils import TestClient, TestServer
from tests.sandbox.cedana.conftest import CLUSTER_ID, INSTALL, QUICK, Emulated, back, dump, until

from propagator_server.app import create_app
from propagator_server.backend import BackendError, NotAnsweredError
from sandbox import kinds
from sandbox.api import objects
from sandbox.cedana.backend import EmulatedBackend
from sandbox.cluster import Cluster

OTHER_ID = "0b54a3f6-0000-4000-8000-00000000000b"


def nonces(lines: list[tuple[int, str]]) -> set[str]:
    return {text.split()[1] for _, text in lines}


def steps(lines: list[tuple[int, str]]) -> list[int]:
    return [int(text.split()[2].removeprefix("step=")) for _, text in lines]


async def test_a_restored_pod_goes_on_where_the_checkpoint_was_taken(emulated: Emulated):
    emulated.cluster.runtime.repeated_line_every = 1000
    pod = await emulated.witness(metadata={"labels": {"app": "web"}})
    (saved,) = await emulated.backend.checkpoint(dump(pod))
    assert saved.size > 0
    cut = len(emulated.backend.saved("action-1").containers["test-witness"].log)
    before = emulated.lines(pod.uid)
    await until(lambda: len(emulated.lines(pod.uid)) > len(before))
    emulated.delete_pod("web")
    await until(lambda: emulated.pod("web") is None)

    restored = await emulated.backend.restore(back())
    assert restored.name == "web-restored"
    assert restored.uid != pod.uid
    await emulated.ready()
    await until(lambda: len(emulated.lines(restored.uid)) > cut + 1)
    lines = emulated.lines(restored.uid)
    assert lines[:cut] == before[:cut]
    assert nonces(lines) == nonces(before)
    assert steps(lines) == list(range(1, len(lines) + 1))


async def test_the_restored_pod_is_a_new_pod_under_cedanas_runtime(emulated: Emulated):
    owner = {"apiVersion": "v1", "kind": "ConfigMap", "name": "cedana-config", "uid": "1234"}
    pod = await emulated.witness(metadata={"labels": {"app": "web"}, "annotations": {"team": "shop"}})
    source = emulated.pod("web")
    emulated.cluster.store.change(
        kinds.POD, "default", "web", lambda obj: obj["metadata"].update(ownerReferences=[owner])
    )
    await emulated.backend.checkpoint(dump(pod))
    await emulated.backend.restore(back(pod_name="again"))
    restored = emulated.pod("again")
    assert restored["spec"]["runtimeClassName"] == "cedana"
    assert restored["metadata"]["labels"] == {"app": "web"}
    assert restored["metadata"]["annotations"]["team"] == "shop"
    assert "ownerReferences" not in restored["metadata"]
    assert restored["metadata"]["uid"] != source["metadata"]["uid"]
    assert restored["spec"]["containers"] == source["spec"]["containers"]
    assert emulated.pod("web") is not None
    await emulated.ready()


async def test_no_helper_no_answer(emulated: Emulated):
    pod = await emulated.witness()
    emulated.delete_pod(f"cedana-helper-{pod.node}", INSTALL)
    with pytest.raises(NotAnsweredError, match="no Ready Cedana helper"):
        await emulated.backend.checkpoint(dump(pod))


async def test_a_helper_of_another_node_does_not_do(emulated: Emulated):
    pod = await emulated.witness()
    other = next(node.name for node in await emulated.backend.nodes() if node.name != pod.node)
    emulated.delete_pod(f"cedana-helper-{other}", INSTALL)
    await emulated.backend.checkpoint(dump(pod))


async def test_no_manager_no_restore(emulated: Emulated):
    await emulated.backend.checkpoint(dump(await emulated.witness()))
    emulated.delete_pod("cedana-manager-1", INSTALL)
    with pytest.raises(NotAnsweredError, match="manager"):
        await emulated.backend.restore(back())


async def test_without_cedana_nothing_is_known(bare: Emulated):
    await bare.witness()
    assert await bare.backend.pods() == []
    assert await bare.backend.nodes() == []
    assert await bare.backend.find_pod(namespace="default", name="web", cluster_id=None) is None


@pytest.mark.parametrize("written", [CLUSTER_ID, f'"{CLUSTER_ID}"'])
async def test_a_cluster_has_the_id_that_its_configuration_says(bare: Emulated, written: str):
    bare.install(written)
    pod = await bare.witness()
    assert pod.cluster_id == CLUSTER_ID
    assert await bare.backend.find_pod(uid=pod.uid, cluster_id=CLUSTER_ID) == pod
    assert await bare.backend.find_pod(uid=pod.uid, cluster_id=OTHER_ID) is None
    assert {node.cluster_id for node in await bare.backend.nodes()} == {CLUSTER_ID}


async def test_a_name_that_is_taken_is_an_error(emulated: Emulated):
    await emulated.backend.checkpoint(dump(await emulated.witness()))
    await emulated.backend.restore(back())
    with pytest.raises(BackendError, match='pods "web-restored" already exists'):
        await emulated.backend.restore(back())


async def test_a_namespace_that_is_gone_is_an_error(emulated: Emulated):
    emulated.create(kinds.NAMESPACE, metadata={"name": "shop"})
    container = {"name": "one", "image": "busybox", "command": ["sleep", "1000000"]}
    emulated.create(kinds.POD, metadata={"name": "p", "namespace": "shop"}, spec={"containers": [container]})
    await emulated.ready()
    pod = await emulated.backend.find_pod(namespace="shop", name="p", cluster_id=None)
    await emulated.backend.checkpoint(dump(pod))
    objects.delete(emulated.cluster, kinds.NAMESPACE, None, "shop")
    await until(lambda: emulated.cluster.store.get(kinds.NAMESPACE, None, "shop") is None)
    with pytest.raises(BackendError, match='namespaces "shop" not found'):
        await emulated.backend.restore(back())


async def test_what_is_forgotten_cannot_be_restored(emulated: Emulated):
    pod = await emulated.witness()
    await emulated.backend.checkpoint(dump(pod))
    await emulated.backend.forget("action-1-test-witness")
    await emulated.backend.forget("never-there")
    with pytest.raises(BackendError, match="nothing is stored"):
        await emulated.backend.restore(back())


@pytest.mark.parametrize("kind", ["rootfs", "rootfsonly"])
async def test_what_is_not_emulated_is_said_to_be_so(emulated: Emulated, kind: str):
    pod = await emulated.witness()
    with pytest.raises(BackendError, match=f"{kind}.* not emulated"):
        await emulated.backend.checkpoint(dump(pod, kind=kind))


async def test_a_checkpoint_is_restored_in_another_cluster(emulated: Emulated):
    target = Cluster("other", nodes=1, latencies=QUICK)
    await target.start()
    both = EmulatedBackend([emulated.cluster, target])
    there = Emulated(target, both)
    there.install(OTHER_ID)
    await there.ready()
    pod = await emulated.witness()
    await both.checkpoint(dump(pod))
    source = emulated.lines(pod.uid)
    restored = await both.restore(back(cluster_id=OTHER_ID))
    assert restored.cluster_id == OTHER_ID
    await until(lambda: len(there.lines(restored.uid)) > len(source))
    assert nonces(there.lines(restored.uid)) == nonces(source)
    assert emulated.pod("web-restored") is None
    await target.stop()


async def test_the_name_in_the_environment_names_the_checkpoint(emulated: Emulated):
    container = {"name": "one", "image": "busybox", "command": ["sleep", "1000000"]}
    named = container | {"env": [{"name": "CEDANA_CHECKPOINT", "value": "nightly"}]}
    metadata = {"name": "named", "namespace": "default"}
    emulated.create(kinds.POD, metadata=metadata, spec={"containers": [named, container | {"name": "two"}]})
    await emulated.ready()
    pod = await emulated.backend.find_pod(namespace="default", name="named", cluster_id=None)
    saved = await emulated.backend.checkpoint(dump(pod))
    assert [(each.container, each.name) for each in saved] == [("one", "nightly"), ("two", None)]


async def test_the_whole_way_through_the_api(bare: Emulated):
    app = create_app(bare.backend, era="jan26", token="t0ken")
    async with TestClient(TestServer(app), headers={"Authorization": "Bearer t0ken"}) as http:

        async def post(path: str, **body: object) -> str:
            async with http.post(path, json=body) as answer:
                assert answer.status == 200, await answer.text()
                return (await answer.text()).strip('"')

        async def status(action: str) -> str:
            async with http.get(f"/v2/checkpoint/status/{action}") as answer:
                return (await answer.json())["status"]

        async def ready(action: str) -> None:
            async with asyncio.timeout(60):
                while (state := await status(action)) != "ready":
                    assert state != "error"

        bare.install(await post("/v2/cluster", cluster_name="e2e"))
        pod = await bare.witness()
        checkpoint = await post("/v2/checkpoint/pod", pod_id=pod.uid)
        await ready(checkpoint)
        await ready(await post("/v2/restore/pod", action_id=checkpoint, reason="manual"))
        restored = bare.pod("web-restored")
        await until(lambda: len(bare.lines(restored["metadata"]["uid"])) > len(bare.lines(pod.uid)) // 2)
        assert nonces(bare.lines(restored["metadata"]["uid"])) == nonces(bare.lines(pod.uid))


async def test_the_helper_takes_more_while_it_dumps(emulated: Emulated):
    def cores() -> float:
        return sum(
            container.cores()
            for pod in emulated.cluster.store.list(kinds.POD, INSTALL)
            for container in emulated.cluster.runtime.pods[pod["metadata"]["uid"]].containers.values()
        )

    pod = await emulated.witness()
    idle, seen = cores(), list[float]()
    await emulated.backend.checkpoint(dump(pod, created=lambda **_: seen.append(cores())))
    assert seen == [pytest.approx(idle + 1.0)]
    assert cores() == pytest.approx(idle)
