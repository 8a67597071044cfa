"""What the manager does by itself: taints, and the registration of its cluster in the oldest era."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import pytest
import pytest_asyncio
from tests.sandbox.cedana.conftest import CLUSTER_ID, INSTALL, Emulated, until

from propagator_server.app import create_app
from propagator_server.service import SERVICE, Service
from sandbox import kinds
from sandbox.api import objects
from sandbox.cedana.helper import Helper
from sandbox.cedana.installation import COMPONENT
from sandbox.cedana.manager import TAINT, ManagerController, untaint
from sandbox.cedana.setup import Cedana


@pytest_asyncio.fixture(params=["jan26"])
async def managed(bare: Emulated, request: pytest.FixtureRequest) -> AsyncIterator[tuple[Emulated, Service]]:
    """A cluster whose Cedana, once installed, has a manager."""
    cedana = Cedana([bare.cluster], Helper())
    service = create_app(cedana.backend, era=request.param, token="t")[SERVICE]
    cedana.start(service)
    bare.backend = cedana.backend
    yield bare, service


def era(name: str) -> pytest.MarkDecorator:
    return pytest.mark.parametrize("managed", [name], indirect=True)


def install(emulated: Emulated, *, taints: str = "true", selector: dict[str, str] | None = None, **config: str) -> None:
    """The chart's objects that matter: configuration, manager and helpers."""
    emulated.create(kinds.NAMESPACE, metadata={"name": INSTALL})
    emulated.create(kinds.RUNTIME_CLASS, metadata={"name": "cedana"}, handler="cedana")
    data = {key.replace("_", "-"): value for key, value in config.items()}
    emulated.create(kinds.CONFIG_MAP, metadata={"name": "cedana-config", "namespace": INSTALL}, data=data)
    env = [{"name": "CEDANA_TAINT_NODES", "value": taints}]
    workload(emulated, kinds.DEPLOYMENT, "manager", {"env": env})
    workload(emulated, kinds.DAEMON_SET, "helper", {}, selector)


def workload(emulated: Emulated, kind: Any, name: str, more: dict, selector: dict[str, str] | None = None) -> None:
    labels = {COMPONENT: name}
    container = {"name": name, "image": "busybox", "command": ["sleep", "1000000"], **more}
    tolerations = [{"operator": "Exists"}]
    pod = {"containers": [container], "tolerations": tolerations, "nodeSelector": selector or {}}
    template = {"metadata": {"labels": labels}, "spec": pod}
    spec = {"selector": {"matchLabels": labels}, "template": template}
    emulated.create(kind, metadata={"name": f"cedana-{name}", "namespace": INSTALL, "labels": labels}, spec=spec)


def tainted(emulated: Emulated) -> set[str]:
    nodes = emulated.cluster.store.list(kinds.NODE)
    return {node["metadata"]["name"] for node in nodes if TAINT in (node["spec"].get("taints") or [])}


def at_work(emulated: Emulated, helpers: int = 2) -> bool:
    pods = emulated.cluster.store.list(kinds.POD, INSTALL)
    ready = [
        pod
        for pod in pods
        if any(c["type"] == "Ready" and c["status"] == "True" for c in pod["status"].get("conditions", []))
    ]
    return len(ready) == helpers + 1


async def test_nodes_are_tainted_as_long_as_their_helper_is_not_ready(managed: tuple[Emulated, Service]):
    emulated, _ = managed
    emulated.cluster.points.delay.append(lambda pod: 0.5 if "helper" in pod["metadata"]["name"] else 0.0)
    seen: list[set[str]] = []
    emulated.cluster.follow(kinds.NODE, lambda _: seen.append(tainted(emulated)))
    install(emulated, cluster_id=CLUSTER_ID)
    await until(lambda: {"node-1", "node-2"} in seen)
    await until(lambda: at_work(emulated) and tainted(emulated) == set())
    seen.clear()
    helper = next(
        pod
        for pod in emulated.cluster.store.list(kinds.POD, INSTALL)
        if pod["spec"]["nodeName"] == "node-2" and "helper" in pod["metadata"]["name"]
    )
    emulated.delete_pod(helper["metadata"]["name"], INSTALL)
    await until(lambda: {"node-2"} in seen)
    await until(lambda: tainted(emulated) == set())
    assert not any("node-1" in each for each in seen)


async def test_a_tainted_node_takes_no_new_pods(managed: tuple[Emulated, Service]):
    emulated, _ = managed
    emulated.cluster.points.delay.append(lambda pod: float("inf") if "helper" in pod["metadata"]["name"] else 0.0)
    install(emulated, cluster_id=CLUSTER_ID)
    await until(lambda: tainted(emulated) == {"node-1", "node-2"})
    container = {"name": "one", "image": "busybox", "command": ["sleep", "1000000"]}
    emulated.create(kinds.POD, metadata={"name": "web", "namespace": "default"}, spec={"containers": [container]})

    def reason() -> str:
        conditions = emulated.pod("web").get("status", {}).get("conditions", [])
        return next((each.get("message", "") for each in conditions if each["type"] == "PodScheduled"), "")

    await until(lambda: "cedana.ai/not-ready" in reason())


@pytest.mark.parametrize("taints", ["false", ""])
async def test_no_node_is_tainted_when_it_is_not_wanted(managed: tuple[Emulated, Service], taints: str):
    emulated, _ = managed
    emulated.cluster.points.delay.append(lambda pod: 0.3 if "helper" in pod["metadata"]["name"] else 0.0)
    seen: set[str] = set()
    emulated.cluster.follow(kinds.NODE, lambda _: seen.update(tainted(emulated)))
    install(emulated, taints=taints, cluster_id=CLUSTER_ID)
    await until(lambda: at_work(emulated))
    assert seen == set()


async def test_only_the_nodes_that_get_a_helper_are_tainted(managed: tuple[Emulated, Service]):
    emulated, _ = managed
    emulated.cluster.store.change(
        kinds.NODE, None, "node-1", lambda node: node["metadata"]["labels"].update(cedana="on")
    )
    emulated.cluster.points.delay.append(lambda pod: float("inf") if "helper" in pod["metadata"]["name"] else 0.0)
    install(emulated, selector={"cedana": "on"}, cluster_id=CLUSTER_ID)
    await until(lambda: tainted(emulated) == {"node-1"})


async def test_no_taint_is_left_when_cedana_goes(managed: tuple[Emulated, Service]):
    emulated, _ = managed
    install(emulated, cluster_id=CLUSTER_ID)
    await until(lambda: at_work(emulated))
    helper = next(pod for pod in emulated.cluster.store.list(kinds.POD, INSTALL) if "helper" in pod["metadata"]["name"])
    emulated.cluster.points.delay.append(lambda pod: float("inf") if "helper" in pod["metadata"]["name"] else 0.0)
    emulated.delete_pod(helper["metadata"]["name"], INSTALL)
    await until(lambda: len(tainted(emulated)) == 1)
    workload(emulated, kinds.DAEMON_SET, "uninstaller", {})
    objects.delete(emulated.cluster, kinds.DEPLOYMENT, INSTALL, "cedana-manager")
    objects.delete(emulated.cluster, kinds.DAEMON_SET, INSTALL, "cedana-helper")
    await until(lambda: emulated.cluster.store.get(kinds.NAMESPACE, None, INSTALL) is None)
    assert tainted(emulated) == set()


async def test_a_manager_leaves_the_nodes_alone_once_its_namespace_ends(managed: tuple[Emulated, Service]):
    emulated, _ = managed
    emulated.cluster.points.delay.append(lambda pod: float("inf") if "helper" in pod["metadata"]["name"] else 0.0)
    install(emulated, cluster_id=CLUSTER_ID)
    await until(lambda: tainted(emulated) == {"node-1", "node-2"})
    manager = next(each for each in emulated.cluster.controllers if isinstance(each, ManagerController))
    objects.delete(emulated.cluster, kinds.NAMESPACE, None, INSTALL)
    for name in ("node-1", "node-2"):
        emulated.cluster.store.change(kinds.NODE, None, name, untaint)
    manager.reconcile("cedana")
    assert tainted(emulated) == set()


@era("seed")
@pytest.mark.parametrize("key", ["cluster_name", "cedana_cluster_name"])
async def test_a_cluster_registers_itself_in_the_oldest_era(managed: tuple[Emulated, Service], key: str):
    emulated, service = managed
    install(emulated, **{key: "e2e"})
    await until(lambda: at_work(emulated))
    await until(lambda: len(service.store.clusters()) == 1)
    (cluster,) = service.store.clusters()
    assert cluster.name == "e2e"
    pod = await emulated.witness()
    assert pod.cluster_id == cluster.id
    assert [each.uid for each in await service.inventory.pods() if each.namespace == "default"] == [pod.uid]


async def test_later_a_cluster_is_registered_by_who_installs_it(managed: tuple[Emulated, Service]):
    emulated, service = managed
    install(emulated, cluster_name="e2e")
    await until(lambda: at_work(emulated))
    assert service.store.clusters() == []
    assert await emulated.backend.pods() == []


@era("seed")
async def test_an_id_that_is_given_comes_before_a_name(managed: tuple[Emulated, Service]):
    emulated, service = managed
    install(emulated, cluster_id=CLUSTER_ID, cluster_name="e2e")
    await until(lambda: at_work(emulated))
    assert service.store.clusters() == []
    assert {pod.cluster_id for pod in await emulated.backend.pods()} == {CLUSTER_ID}


async def test_settings_change_all_at_once_or_not_at_all(bare: Emulated):
    cedana = Cedana([bare.cluster], Helper())
    cedana.start(create_app(cedana.backend, era="seed", token="t")[SERVICE])
    cedana.change({"era": "next", "helper": {"tcp-established": False}, "quirks": {"quoted-ids": False}})
    before = cedana.settings()
    assert (before["era"], before["helper"]["tcp-established"], before["quirks"]["quoted-ids"]) == (
        "next",
        False,
        False,
    )
    for wrong in ({"helper": {"x": 1}}, {"helper": 3}, [], {"era": "seed", "helper": {"tcp-close": "maybe"}},
                  {"era": "x", "helper": {"tcp-close": True}}, {"mood": 1}):  # fmt: skip
        with pytest.raises(ValueError, match=r"there are|object|true or false"):
            cedana.change(wrong)
        assert cedana.settings() == before
