"""Faults of restores: the state that a restored pod starts from is not the checkpoint's."""

from __future__ import annotations

import asyncio
from collections import deque
from typing import Any

from .. import kinds
from ..cedana.interfering import RestorePlan
from ..cedana.restored import RUNTIME_CLASS
from ..cluster import Cluster
from ..runtime import Container, PodSnapshot, StartError
from ..store import Change
from . import memories
from .activation import Activation
from .declaration import OBJECTS, Declarations, Group
from .memories import changed
from .pods import containers_of, is_restored, kill, whenever_ready
from .scene import Scene, in_each_cluster
from .working import CRIU, planning, with_state

FAULTS = Declarations(Group.RESTORE, OBJECTS)
fails, tolerated = FAULTS.fails, FAULTS.tolerated
Object = dict[str, Any]


def _several(planned: RestorePlan) -> bool:
    assert planned.snapshot is not None
    return sum(one.memory is not None for one in planned.snapshot.containers.values()) > 1


def _first(snapshot: PodSnapshot) -> str:
    return next(iter(snapshot.containers))


fails(
    "process-restarted",
    "restore-starts-afresh",
    "The restored pod's processes start afresh instead of going on.",
    verdict="restarted",
)(with_state(lambda _snapshot, _: None))


@fails(
    "process-restarted",
    "restore-starts-afresh-under-copied-log",
    "The restored pod's processes start afresh, but its log begins with the source's lines.",
    verdict="restarted",
)
async def _afresh_under_log(scene: Scene, active: Activation) -> None:
    logs: dict[tuple[str, str], PodSnapshot] = {}

    def plan(planned: RestorePlan, _: Activation) -> None:
        assert planned.snapshot is not None
        logs[planned.pod["metadata"]["namespace"], planned.pod["metadata"]["name"]] = planned.snapshot
        planned.snapshot = changed(planned.snapshot, memories.without_memory)

    def started(pod: Object, container: Container) -> None:
        source = logs.get((pod["metadata"]["namespace"], pod["metadata"]["name"]))
        if source and container.name in source.containers and pod["spec"].get("runtimeClassName") == RUNTIME_CLASS:
            container.log.lines[:0] = source.containers[container.name].log

    for cluster in scene.clusters:
        active.on_list(cluster.points.started, started)
    await planning(plan, lambda planned: planned.snapshot is not None)(scene, active)


fails(
    "process-rewound",
    "restore-of-older-state",
    "An older state than the checkpoint's is restored.",
    verdict="rewound",
    steps=15,
)(with_state(lambda snapshot, active: changed(snapshot, memories.earlier(active.values["steps"]))))
fails(
    "process-ahead",
    "restore-of-later-state",
    "A later state than the checkpoint's is restored.",
    verdict="ahead",
    steps=200,
)(with_state(lambda snapshot, active: changed(snapshot, memories.later(active.values["steps"]))))
fails(
    "process-broken",
    "restore-of-damaged-memory",
    "One bit of the restored process's memory is wrong.",
    verdict="broken chain",
)(with_state(lambda snapshot, _: changed(snapshot, memories.damaged)))
fails(
    "evidence-missing",
    "restore-of-hurried-process",
    "The restored process takes its steps ten times as fast as its program can.",
    verdict="inconclusive",
)(with_state(lambda snapshot, _: changed(snapshot, memories.hurried)))
fails(
    "process-restarted",
    "restore-of-one-container",
    "Of a pod with several containers only the first one goes on, the others start afresh.",
    suite="multi_container",
    test="All Containers Of A Pod Go On From One Moment",
    verdict="restarted",
)(
    with_state(
        lambda snapshot, _: changed(snapshot, memories.without_memory, only=lambda name: name != _first(snapshot)),
        _several,
    )
)
tolerated("restore-without-copied-log", "The restored container's log begins with its own lines, not the source's.")(
    with_state(lambda snapshot, _: changed(snapshot, memories.without_log))
)


@fails(
    "process-foreign",
    "restore-of-another-pod",
    "The memory of another pod of the namespace is restored.",
    verdict="foreign",
)
@in_each_cluster
async def _foreign(scene: Scene, active: Activation) -> None:
    cluster, ended = scene.cluster, deque[PodSnapshot](maxlen=20)

    def follow(change: Change) -> None:
        if change.kind is kinds.POD and change.type == "MODIFIED" and "deletionTimestamp" in change.object["metadata"]:
            ended.extend(_alive(cluster, [change.object]))

    def others(planned: RestorePlan) -> list[PodSnapshot]:
        source = planned.snapshot.pod["metadata"] if planned.snapshot else {}
        there = [*ended, *_alive(cluster, cluster.store.list(kinds.POD, source.get("namespace")))]
        return [one for one in there if _is_other(one, source) and _has_witness(one)]

    def plan(planned: RestorePlan, _: Activation) -> None:
        assert planned.snapshot is not None
        planned.snapshot = memories.in_place_of(planned.snapshot, others(planned)[0])

    active.stack.callback(cluster.store.subscribe(follow))
    await planning(plan, lambda planned: planned.cluster is cluster and bool(others(planned)))(scene, active)


def _alive(cluster: Cluster, pods: list[Object]) -> list[PodSnapshot]:
    """The state of those pods that run."""
    return [cluster.runtime.snapshot(pod["metadata"]["uid"], pod) for pod in pods if containers_of(cluster, pod)]


def _is_other(one: PodSnapshot, source: Object) -> bool:
    metadata = one.pod["metadata"]
    return bool(metadata["namespace"] == source.get("namespace") and metadata["name"] != source["name"])


def _has_witness(snapshot: PodSnapshot) -> bool:
    return any(one.memory and memories.witnesses(one.memory) for one in snapshot.containers.values())


@fails(
    "process-silent",
    "restore-frozen",
    "The restored pod becomes Ready, but its process never takes another step.",
    verdict="silent",
)
@in_each_cluster
async def _frozen(scene: Scene, active: Activation) -> None:
    def started(pod: Object, container: Container) -> None:
        if is_restored(scene.cluster, pod) and active.takes_pod(pod):
            memories.freeze(container)

    active.on_list(scene.cluster.points.started, started)


@fails(
    "restored-pod-unstable",
    "restore-dies-when-ready",
    "The restored pod becomes Ready and its process ends right after that.",
    seconds=0.15,
    count=1,
)
@in_each_cluster
async def _dies(scene: Scene, active: Activation) -> None:
    def die(pod: Object) -> None:
        loop = asyncio.get_running_loop()
        timer = loop.call_later(active.values["seconds"], kill, scene.cluster, pod, 139)
        active.stack.callback(timer.cancel)

    whenever_ready(scene, active, is_restored, die)


@fails(
    "criu-restore",
    "restore-crash-loops",
    "CRIU fails to restore the pod's containers, again and again, though the restore is reported done.",
)
@in_each_cluster
async def _crash_loops(scene: Scene, active: Activation) -> None:
    def start(pod: Object, _: Object) -> None:
        if is_restored(scene.cluster, pod) and active.takes_pod(pod):
            raise StartError(CRIU)

    active.on_list(scene.cluster.points.start, start)
