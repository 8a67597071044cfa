"""What a checkpoint does to its pod, what stands in its way, and where it can be restored."""

from __future__ import annotations

import socket
from itertools import pairwise

import pytest
from tests.sandbox.cedana.conftest import CLUSTER_ID, INSTALL, QUICK, Emulated, back, dump, until

from propagator_server.backend import BackendError, NotAnsweredError, Pod
from sandbox import kinds
from sandbox.cedana.backend import EmulatedBackend
from sandbox.cedana.dump import FREEZE_PER_BYTE
from sandbox.cedana.helper import Helper
from sandbox.cluster import Cluster
from sandbox.runtime import KEEP_ALIVE

OTHER_ID = "0b54a3f6-0000-4000-8000-00000000000b"
COUNTER = "i=0; while :; do i=$((i+1)); echo $i; sleep 0.05; done"
EATER = {
    "name": "eater",
    "image": "polinux/stress",
    "command": ["stress", "--vm", "1", "--vm-bytes", "200M", "--vm-hang", "0"],
}
NGINX = {"name": "web", "image": "nginx", "ports": [{"containerPort": 80}]}


async def run(emulated: Emulated, name: str, *containers: dict, **spec: object) -> Pod:
    emulated.create(
        kinds.POD, metadata={"name": name, "namespace": "default"}, spec={"containers": [*containers], **spec}
    )
    await emulated.ready()
    found = await emulated.backend.find_pod(namespace="default", name=name, cluster_id=None)
    assert found is not None
    return found


def shell(name: str, script: str) -> dict:
    return {"name": name, "image": "busybox", "command": ["sh", "-c", script]}


async def test_a_freeze_grows_with_memory_and_shows_as_a_gap(emulated: Emulated):
    emulated.cluster.latencies.freeze = 0.1
    small = await run(emulated, "small", shell("one", COUNTER))
    await emulated.backend.checkpoint(dump(small))
    saved = emulated.backend.saved("action-1")
    assert saved.freeze == pytest.approx(0.1 + saved.size * FREEZE_PER_BYTE)
    await until(lambda: emulated.lines(small.uid, "one")[-1][0] > saved.at)
    times = [at for at, _ in emulated.lines(small.uid, "one")]
    assert max(later - at for at, later in pairwise(times)) >= saved.freeze * 1e9

    large = await run(emulated, "large", EATER)
    await emulated.backend.checkpoint(dump(large, "action-2"))
    assert emulated.backend.saved("action-2").size > 200e6
    assert emulated.backend.saved("action-2").freeze > 0.5


async def test_who_asks_a_frozen_pod_waits_for_the_answer(emulated: Emulated):
    runtime = emulated.cluster.runtime
    pod = await run(emulated, "web", NGINX)
    await runtime.thaw(pod.uid)
    begun = runtime.now()
    frozen = runtime.snapshot(pod.uid, freeze=0.2).at
    assert frozen >= begun + 200_000_000
    await runtime.thaw(pod.uid)
    assert runtime.now() >= frozen - 5_000_000
    await runtime.thaw("never-there")


async def test_containers_are_taken_at_one_moment_and_go_on_together(emulated: Emulated):
    emulated.cluster.runtime.repeated_line_every = 1000
    pod = await run(emulated, "pair", shell("one", COUNTER), shell("two", COUNTER))
    await emulated.backend.checkpoint(dump(pod))
    saved = emulated.backend.saved("action-1")
    cuts = [saved.containers[name].log[-1].at for name in ("one", "two")]
    assert abs(cuts[0] - cuts[1]) < 0.06e9
    emulated.delete_pod("pair")
    restored = await emulated.backend.restore(back())
    await emulated.ready()
    for name in ("one", "two"):
        cut = len(saved.containers[name].log)
        await until(lambda name=name, cut=cut: len(emulated.lines(restored.uid, name)) > cut + 1)
        numbers = [int(text) for _, text in emulated.lines(restored.uid, name)]
        assert numbers == list(range(1, len(numbers) + 1))


@pytest.mark.parametrize(
    ("helper", "criu_opts", "fails"),
    [(Helper(), {}, False), (Helper(tcp_established=False), {}, True), (Helper(False, tcp_close=True), {}, False),
     (Helper(tcp_established=False), {"tcp_close": True}, False), (Helper(), {"tcpEstablished": False}, True)],
)  # fmt: skip
async def test_an_established_connection_may_make_a_dump_fail(
    emulated: Emulated, helper: Helper, criu_opts: dict, fails: bool
):
    pod = await run(emulated, "web", NGINX)
    connection = emulated.cluster.runtime.connect(pod.uid, 80, "127.0.0.1")
    emulated.backend.helper = helper
    request = dump(pod, overrides={"criu_opts": criu_opts})
    if fails:
        with pytest.raises(BackendError, match="Connected TCP socket, consider using --tcp-established"):
            await emulated.backend.checkpoint(request)
        assert emulated.backend.stored() == {}
        assert emulated.cluster.runtime.container(pod.uid, "web").running
        connection.close()
    await emulated.backend.checkpoint(request)


async def test_a_proxied_request_leaves_a_connection_behind_for_a_while(emulated: Emulated):
    runtime = emulated.cluster.runtime
    pod = await run(emulated, "web", NGINX)
    for _ in range(2):
        runtime.keep_alive(pod.uid, 80, "10.0.0.1")
    assert runtime.connections(pod.uid) == 1
    clock, runtime.now = runtime.now, lambda: clock() + (KEEP_ALIVE + 1) * 10**9
    assert runtime.connections(pod.uid) == 0
    runtime.now = clock
    runtime.keep_alive(pod.uid, 9999, "10.0.0.1")
    assert runtime.connections(pod.uid) == 1


async def test_a_restore_of_a_restore_goes_on_from_there(emulated: Emulated):
    pod = await emulated.witness()
    nonce = emulated.lines(pod.uid)[0][1].split()[1]
    for generation in range(3):
        await emulated.backend.checkpoint(dump(pod, f"action-{generation}"))
        before = len(emulated.lines(pod.uid))
        emulated.delete_pod(pod.name)
        await until(lambda name=pod.name: emulated.pod(name) is None)
        name = (await emulated.backend.restore(back(f"action-{generation}"))).name
        await emulated.ready()
        pod = await emulated.backend.find_pod(namespace="default", name=name, cluster_id=None)
        await until(lambda uid=pod.uid, before=before: len(emulated.lines(uid)) > before)
        assert {text.split()[1] for _, text in emulated.lines(pod.uid)} == {nonce}
    assert pod.name == "web-restored-restored-restored"


async def test_a_pod_is_restored_on_another_node(emulated: Emulated):
    pod = await emulated.witness()
    await emulated.backend.checkpoint(dump(pod))
    emulated.cluster.store.change(kinds.NODE, None, pod.node, lambda node: node["spec"].update(unschedulable=True))
    restored = await emulated.backend.restore(back())
    await until(lambda: bool(emulated.pod(restored.name)["spec"].get("nodeName")))
    assert emulated.pod(restored.name)["spec"]["nodeName"] != pod.node


async def test_what_a_controller_uploaded_is_what_is_made(emulated: Emulated):
    await emulated.backend.checkpoint(dump(await emulated.witness(metadata={"labels": {"app": "web"}})))
    spec = dict(emulated.pod("web")["spec"], terminationGracePeriodSeconds=7)
    uploaded = {"pod_spec": spec, "pod_metadata_spec": {"name": "x", "labels": {"app": "other"}}}
    await emulated.backend.restore(back(uploaded=uploaded))
    made = emulated.pod("web-restored")
    assert (made["metadata"]["labels"], made["spec"]["terminationGracePeriodSeconds"]) == ({"app": "other"}, 7)


async def test_claims_that_the_other_cluster_lacks_are_made_there(emulated: Emulated):
    target = Cluster("other", nodes=1, latencies=QUICK)
    await target.start()
    both = EmulatedBackend([emulated.cluster, target])
    there = Emulated(target, both)
    there.install(OTHER_ID)
    await there.ready()
    claim = {
        "accessModes": ["ReadWriteOnce"],
        "storageClassName": "local-path",
        "resources": {"requests": {"storage": "1Mi"}},
    }
    emulated.create(kinds.PVC, metadata={"name": "data", "namespace": "default"}, spec=claim)
    container = shell("one", COUNTER) | {"volumeMounts": [{"name": "data", "mountPath": "/data"}]}
    volume = {"name": "data", "persistentVolumeClaim": {"claimName": "data"}}
    pod = await run(emulated, "keeper", container, volumes=[volume])
    await both.checkpoint(dump(pod))
    for name in (None, "again"):
        await both.restore(back(cluster_id=OTHER_ID, pod_name=name))
    await there.ready("default")
    assert target.store.get(kinds.PVC, "default", "data")["status"]["phase"] == "Bound"
    await target.stop()


async def test_forgotten_data_is_freed(emulated: Emulated):
    pod = await emulated.witness()
    for number in range(2):
        await emulated.backend.checkpoint(dump(pod, f"action-{number}"))
    assert set(emulated.backend.stored()) == {"action-0", "action-1"}
    assert all(size > 0 for size in emulated.backend.stored().values())
    await emulated.backend.forget("action-0-test-witness")
    assert set(emulated.backend.stored()) == {"action-1"}


async def test_an_asynchronous_checkpoint_says_so_once_it_is_taken(emulated: Emulated):
    pod = await emulated.witness()
    told: list[bool] = []

    def created(*, asynchronous: bool = False) -> None:
        told.append(asynchronous)

    await emulated.backend.checkpoint(dump(pod, created=created))
    await emulated.backend.checkpoint(dump(pod, created=created, overrides={"asynchronous": True}))
    config = emulated.cluster.store.get(kinds.CONFIG_MAP, "cedana-system", "cedana-config")
    assert config["data"]["cluster-id"] == CLUSTER_ID
    emulated.cluster.store.change(
        kinds.CONFIG_MAP, "cedana-system", "cedana-config", lambda obj: obj["data"].update({"checkpoint-async": "true"})
    )
    await emulated.backend.checkpoint(dump(pod, created=created))
    assert told == [False, True, True]


async def test_a_helper_that_goes_amid_its_work_answers_no_more(emulated: Emulated):
    pod = await emulated.witness()

    def created(*, asynchronous: bool = False) -> None:
        emulated.delete_pod(f"cedana-helper-{pod.node}", INSTALL)

    with pytest.raises(NotAnsweredError, match="no Ready Cedana helper"):
        await emulated.backend.checkpoint(dump(pod, created=created))
    assert emulated.backend.stored() == {}


async def test_a_pod_that_ends_meanwhile_is_never_answered(emulated: Emulated):
    pod = await emulated.witness()
    emulated.delete_pod("web")
    await until(lambda: emulated.pod("web") is None)
    with pytest.raises(NotAnsweredError, match="is gone"):
        await emulated.backend.checkpoint(dump(pod))


async def test_cedana_that_does_not_reach_the_propagator_answers_nothing(emulated: Emulated):
    pod = await emulated.witness()

    def told(url: str) -> None:
        emulated.cluster.store.change(
            kinds.CONFIG_MAP, "cedana-system", "cedana-config", lambda obj: obj["data"].update({"url": url})
        )

    with socket.socket() as closed, socket.create_server(("127.0.0.1", 0)) as open_:
        closed.bind(("127.0.0.1", 0))
        told(f'"http://127.0.0.1:{closed.getsockname()[1]}/v1"')
        with pytest.raises(NotAnsweredError, match="does not reach this propagator"):
            await emulated.backend.checkpoint(dump(pod))
        assert emulated.backend.stored() == {}
        for url in (f"http://127.0.0.1:{open_.getsockname()[1]}", "https://ci.cedana.ai", ""):
            told(url)
            await emulated.backend.checkpoint(dump(pod))
