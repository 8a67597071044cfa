"""Faults of pods with several containers: what is restored of them is not from one moment."""

from __future__ import annotations

import asyncio
from collections import defaultdict, deque
from contextlib import suppress
from dataclasses import dataclass, replace
from typing import Any

from propagator_server.backend import CheckpointRequest

from .. import kinds
from ..cedana.interfering import RestorePlan
from ..cluster import Cluster
from ..runtime import SECOND, Container, ContainerSnapshot, PodSnapshot
from ..runtime.files import Volume
from .activation import Activation
from .declaration import OBJECTS, Declarations, Group
from .pods import containers_of, is_restored
from .scene import Scene, in_each_cluster
from .working import planning
from .works import Work

FAULTS = Declarations(Group.RESTORE, OBJECTS)
fails, tolerated = FAULTS.fails, FAULTS.tolerated
Object = dict[str, Any]
SUITE, TEST = "multi_container", "All Containers Of A Pod Go On From One Moment"
_EVERY, _KEPT = 0.1, 200
"""Seconds between two moments of a pod that are remembered, and how many are."""


@dataclass(frozen=True)
class Moment:
    """A pod as it was: its containers, and the files of the volumes that they can write to, by where they show."""

    pod: PodSnapshot
    files: dict[str, dict[str, bytes]]


class Past:
    """Every pod with several containers as it was at each moment since the fault was switched on."""

    def __init__(self, cluster: Cluster, active: Activation) -> None:
        self._cluster = cluster
        self._moments: dict[str, deque[Moment]] = defaultdict(lambda: deque(maxlen=_KEPT))
        task = asyncio.create_task(self._remember())
        active.stack.callback(task.cancel)

    def before(self, snapshot: PodSnapshot, seconds: float) -> Moment | None:
        """The pod so many seconds before the snapshot, or as long before as is known."""
        known = self._moments.get(snapshot.pod["metadata"]["uid"], ())
        early = [one for one in known if one.pod.at <= snapshot.at - seconds * SECOND]
        return early[-1] if early else known[0] if known else None

    async def _remember(self) -> None:
        while True:
            for pod in self._cluster.store.list(kinds.POD):
                containers = containers_of(self._cluster, pod)
                if len(containers) > 1:
                    with suppress(KeyError):
                        taken = self._cluster.runtime.snapshot(pod["metadata"]["uid"], pod)
                        files = {path: dict(volume.files) for path, volume in _written(containers).items()}
                        self._moments[pod["metadata"]["uid"]].append(Moment(taken, files))
            await asyncio.sleep(_EVERY)


def _written(containers: list[Container]) -> dict[str, Volume]:
    return {mount.path: mount.volume for one in containers for mount in one.files.mounts if not mount.fixed}


def _at(snapshot: PodSnapshot, other: PodSnapshot, name: str) -> ContainerSnapshot:
    """A container of another moment as a part of this snapshot: what was due then is due as long after this one."""
    taken = other.containers[name]
    memory = taken.memory.copy() if taken.memory else None
    if memory:
        memory.shift(snapshot.at - other.at)
    return replace(taken, memory=memory)


def _others(snapshot: PodSnapshot) -> list[str]:
    """All running containers but the first."""
    return [name for name, one in snapshot.containers.items() if one.memory is not None][1:]


@fails(
    "inconsistent-cut",
    "restore-of-mixed-moments",
    "The containers of a pod are restored from different moments: all but the first from an older one.",
    suite=SUITE,
    test=TEST,
    verdict="rewound",
    steps=15,
)
@in_each_cluster
async def _mixed(scene: Scene, active: Activation) -> None:
    past = Past(scene.cluster, active)

    def older(planned: RestorePlan) -> Moment | None:
        if planned.cluster is not scene.cluster or planned.snapshot is None or not _others(planned.snapshot):
            return None
        return past.before(planned.snapshot, active.values["steps"] / 5)

    def plan(planned: RestorePlan, _: Activation) -> None:
        snapshot, moment = planned.snapshot, older(planned)
        assert snapshot is not None
        assert moment is not None
        mixed = {name: _at(snapshot, moment.pod, name) for name in _others(snapshot)}
        planned.snapshot = replace(snapshot, containers=snapshot.containers | mixed)

    await planning(plan, lambda planned: older(planned) is not None)(scene, active)


@fails(
    "inconsistent-cut",
    "checkpoint-of-one-container-after-the-other",
    "The containers of a pod are checkpointed one after the other, not at one moment.",
    suite=SUITE,
    test=TEST,
    verdict="from the future",
    seconds=0.7,
)
async def _one_after_the_other(scene: Scene, active: Activation) -> None:
    def taken(request: CheckpointRequest, snapshot: PodSnapshot) -> PodSnapshot:
        pod = request.pod
        if not _others(snapshot) or not active.takes(pod.namespace, pod.name):
            return snapshot
        runtime = scene.at(pod.namespace, pod.name).cluster.runtime

        def take_others() -> None:
            with suppress(KeyError):
                later = runtime.snapshot(pod.uid, snapshot.pod)
                snapshot.containers.update({name: _at(snapshot, later, name) for name in _others(snapshot)})

        timer = asyncio.get_running_loop().call_later(active.values["seconds"], take_others)
        active.stack.callback(timer.cancel)
        return snapshot

    async def around(work: Work) -> Any:
        done = await work.go()
        await asyncio.sleep(active.values["seconds"])
        return done

    active.on_list(scene.backend.interference.taken, taken)
    active.on_list(scene.works.around["checkpoint"], around)


@fails(
    "inconsistent-cut",
    "restore-with-older-files",
    "The containers of a pod go on, but find the files that they share as these were a moment before.",
    suite=SUITE,
    test=TEST,
    verdict="doubled",
    seconds=0.7,
)
@in_each_cluster
async def _older_files(scene: Scene, active: Activation) -> None:
    past = Past(scene.cluster, active)
    filled: set[str] = set()

    def started(pod: Object, container: Container) -> None:
        held = scene.cluster.runtime.pods.get(pod["metadata"]["uid"])
        if held is None or held.origin is None or held.uid in filled or not is_restored(scene.cluster, pod):
            return
        moment = past.before(held.origin, active.values["seconds"])
        if moment and any(moment.files.values()) and active.takes_pod(pod):
            filled.add(held.uid)
            for path, volume in _written([container]).items():
                volume.files.update(moment.files.get(path, {}))

    active.on_list(scene.cluster.points.started, started)
