"""Faults of nodes and of the parts of Cedana that run on them."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

from .. import kinds
from ..api import objects
from ..api.status import forbidden
from ..cluster import Cluster
from ..kinds import Kind
from ..store import Change, timestamp
from .activation import Activation
from .declaration import OBJECTS, STATE, Declarations, Group, Injection
from .pods import has_component, is_restored, is_workload, kill
from .scene import Scene, in_each_cluster
from .working import working
from .works import Work

FAULTS = Declarations(Group.NODES, OBJECTS)
fails, tolerated = FAULTS.fails, FAULTS.tolerated
Object = dict[str, Any]
Undo = Callable[[], None]


def names_of_nodes(cluster: Cluster) -> list[str]:
    """Every node."""
    return [node["metadata"]["name"] for node in cluster.store.list(kinds.NODE)]


def on_nodes(change: Callable[[Cluster, str, dict[str, Any]], Undo]) -> Injection:
    """Brings a state about on every node, as long as it is due."""

    async def inject(scene: Scene, active: Activation) -> None:
        def begin() -> Undo:
            undo = [change(scene.cluster, name, active.values) for name in names_of_nodes(scene.cluster)]

            def end() -> None:
                for each in undo:
                    each()

            return end

        active.whenever_due(begin)

    return in_each_cluster(inject)


def condition(kind: str, status: str, reason: str, message: str) -> Callable[[Cluster, str, dict[str, Any]], Undo]:
    """A node's condition."""

    def change(cluster: Cluster, name: str, _: dict[str, Any]) -> Undo:
        node = cluster.store.get(kinds.NODE, None, name)
        before = [dict(one) for one in node["status"]["conditions"] if one["type"] == kind] if node else []
        _write_condition(cluster, name, {"type": kind, "status": status, "reason": reason, "message": message})
        return lambda: _write_condition(cluster, name, before[0]) if before else None

    return change


def _write_condition(cluster: Cluster, name: str, wanted: Object) -> None:
    def write(node: Object) -> None:
        for one in node["status"]["conditions"]:
            if one["type"] == wanted["type"]:
                one |= {**wanted, "lastTransitionTime": timestamp()}

    cluster.store.change(kinds.NODE, None, name, write)


fails("node-not-ready", "node-not-ready", "The nodes are NotReady: the network plugin does not run.", limits=STATE)(
    on_nodes(
        condition(
            "Ready",
            "False",
            "KubeletNotReady",
            "container runtime network not ready: NetworkReady=false reason:NetworkPluginNotReady",
        )
    )
)


def _disk_pressure(cluster: Cluster, name: str, _: dict[str, Any]) -> Undo:
    cluster.kubelet.evictions.press(name, "ephemeral-storage")
    return lambda: cluster.kubelet.evictions.relieve(name, "ephemeral-storage")


fails(
    "cluster-unfit",
    "node-disk-pressure",
    "The nodes have disk pressure, so that nothing new is put on them and what runs is evicted.",
    limits=STATE,
)(on_nodes(_disk_pressure))


@tolerated(
    "node-clock-jumps",
    "The clock of the nodes jumps an hour ahead when a restore begins.",
    limits=STATE,
    phase="during-restore",
    seconds=3600.0,
)
@in_each_cluster
async def _clock_jumps(scene: Scene, active: Activation) -> None:
    runtime, names = scene.cluster.runtime, names_of_nodes(scene.cluster)

    def jump() -> Undo:
        for name in names:
            runtime.jump_clock(name, active.values["seconds"])
            active.stack.callback(runtime.jump_clock, name, -active.values["seconds"])
        return lambda: None

    active.whenever_due(jump)


def _log_limit(cluster: Cluster, name: str, values: dict[str, Any]) -> Undo:
    host = cluster.runtime.host(name)
    before, host.log_limit = host.log_limit, values["bytes"]

    def undo() -> None:
        host.log_limit = before

    return undo


fails(
    "evidence-missing",
    "node-rotates-logs",
    "After the checkpoint, the kubelet rotates logs after every few lines: they are gone when they are read.",
    limits=STATE,
    phase="after-checkpoint",
    bytes=300,
)(on_nodes(_log_limit))


NO_SPACE = (
    "failed to create containerd container: failed to create prepare snapshot dir: failed to create temp dir: mkdir "
    "/var/lib/containerd/io.containerd.snapshotter.v1.overlayfs/snapshots/new-1: no space left on device"
)


def _refuses_containers(cluster: Cluster, name: str, _: dict[str, Any]) -> Undo:
    trouble = cluster.kubelet.trouble[name]
    before, trouble.refusal = trouble.refusal, NO_SPACE

    def undo() -> None:
        trouble.refusal = before

    return undo


fails(
    "disk-full",
    "node-refuses-containers",
    "After the checkpoint, the nodes' container runtime creates no container more: its disk is full.",
    limits=STATE,
    phase="after-checkpoint",
)(on_nodes(_refuses_containers))


async def _lost(work: Work, _: Activation, scene: Scene) -> Any:
    pod = scene.cluster.store.get(kinds.POD, work.namespace, work.pod)
    if pod:
        scene.cluster.kubelet.cut_off(pod["spec"].get("nodeName", ""))
    await asyncio.Event().wait()


@fails(
    "node-not-ready",
    "node-lost-at-checkpoint",
    "The pod's node is lost when its checkpoint begins: its kubelet reports no more, and nobody answers.",
)
async def _node_lost(scene: Scene, active: Activation) -> None:
    await working("checkpoint", _lost)(scene, active)
    for cluster in scene.clusters:
        active.stack.callback(_found_again, cluster)


def _found_again(cluster: Cluster) -> None:
    for name in list(cluster.node_life.silent):
        cluster.kubelet.reconnect(name)


def component_dies(kind: str, component: str) -> Injection:
    """A part of Cedana crashes whenever it is given work of that kind, so that the work is never done."""

    async def act(_work: Work, _: Activation, scene: Scene) -> Any:
        for pod in scene.cluster.store.list(kinds.POD):
            if has_component(component)(scene.cluster, pod):
                kill(scene.cluster, pod, 2)
        await asyncio.Event().wait()

    return working(kind, act)


fails("helper-not-ready", "helper-crashes", "Cedana's helpers crash when they are given a checkpoint to take.")(
    component_dies("checkpoint", "helper")
)
fails("manager-not-ready", "manager-crashes", "Cedana's manager crashes when it is given a restore.")(
    component_dies("restore", "manager")
)


@fails(
    "helper-not-ready",
    "helper-missing",
    "Once a workload's pod is there, no node has a helper of Cedana any more, and none comes back.",
    limits=STATE - STATE,
)
@in_each_cluster
async def _helper_missing(scene: Scene, active: Activation) -> None:
    helper, gone = has_component("helper"), asyncio.Event()

    def admit(kind: Kind, obj: Object) -> None:
        if gone.is_set() and kind is kinds.POD and helper(scene.cluster, obj):
            raise forbidden(kind, obj["metadata"].get("name", ""), "violates PodSecurity: privileged")

    def follow(change: Change) -> None:
        if change.kind is not kinds.POD or gone.is_set() or not is_workload(scene.cluster, change.object):
            return
        if change.object["spec"].get("nodeName") and active.takes_pod(change.object):
            gone.set()
            asyncio.get_running_loop().call_soon(remove)

    def remove() -> None:
        for pod in scene.cluster.store.list(kinds.POD):
            if helper(scene.cluster, pod):
                objects.delete(scene.cluster, kinds.POD, pod["metadata"]["namespace"], pod["metadata"]["name"], grace=0)

    active.on_list(scene.cluster.points.admit, admit)
    active.stack.callback(scene.cluster.store.subscribe(follow))


@tolerated("kubelet-slow", "The kubelet takes two seconds longer to set up a workload's pod.", seconds=2.0)
@in_each_cluster
async def _kubelet_slow(scene: Scene, active: Activation) -> None:
    def delay(pod: Object) -> float:
        return float(active.values["seconds"]) if is_workload(scene.cluster, pod) and active.takes_pod(pod) else 0.0

    active.on_list(scene.cluster.points.delay, delay)


@tolerated("log-line-twice", "The log that a restored container begins with has one line too many.")
@in_each_cluster
async def _line_twice(scene: Scene, active: Activation) -> None:
    runtime = scene.cluster.runtime
    before, runtime.repeated_line_every = runtime.repeated_line_every, 1

    def undo() -> None:
        runtime.repeated_line_every = before

    active.stack.callback(undo)

    def started(pod: Object, _: Any) -> None:
        if is_restored(scene.cluster, pod):
            active.takes_pod(pod)

    active.on_list(scene.cluster.points.started, started)
