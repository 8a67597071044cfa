"""Faults that show where a process has copies, or a pod several containers, or a checkpoint follows on another."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from typing import Any

from propagator_server.backend import CheckpointRequest, RestoreRequest

from .. import kinds
from ..cedana.interfering import RestorePlan
from ..runtime import PodSnapshot
from . import memories
from .activation import Activation
from .declaration import OBJECTS, Declarations, Group
from .pods import kill
from .scene import Scene
from .works import Work

FAULTS = Declarations(Group.RESTORE, OBJECTS)
fails, tolerated = FAULTS.fails, FAULTS.tolerated
Object = dict[str, Any]


@fails(
    "process-rewound",
    "checkpoint-of-restored-pod-is-its-first",
    "A checkpoint of a restored pod saves once more what the pod was restored from.",
    suite="chained",
    test="A Restored Process Is Checkpointed And Restored Again",
    verdict="rewound",
)
async def _first_again(scene: Scene, active: Activation) -> None:
    def taken(request: CheckpointRequest, snapshot: PodSnapshot) -> PodSnapshot:
        runtime = scene.at(request.pod.namespace, request.pod.name).cluster.runtime
        held = runtime.pods.get(request.pod.uid)
        first = held.origin if held else None
        if first is None or not active.takes(request.pod.namespace, request.pod.name):
            return snapshot
        return replace(first, pod=snapshot.pod)

    active.on_list(scene.backend.interference.taken, taken)


@fails(
    "source-harmed",
    "restore-ends-source",
    "A restore beside the source ends the source's processes.",
    suite="source_kept_running",
    test="A Pod Is Restored Beside The Original Which Goes On",
    verdict="continued",
)
async def _ends_source(scene: Scene, active: Activation) -> None:
    def planned(_: RestoreRequest, plan: RestorePlan) -> None:
        metadata = plan.snapshot.pod["metadata"] if plan.snapshot else {}
        source = plan.cluster.store.get(kinds.POD, metadata.get("namespace", ""), metadata.get("name", ""))
        if source and source["metadata"]["uid"] == metadata["uid"] and active.takes_pod(source):
            asyncio.get_running_loop().call_soon(kill, plan.cluster, source, 137)

    active.on_list(scene.backend.interference.planned, planned)


@fails(
    "process-foreign",
    "restore-mixes-up-pods",
    "Of several pods that are restored one after the other, each but the first gets the memory of the one before it.",
    suite="several_pods",
    test="Many Pods Are Checkpointed And Restored At Once",
    verdict="foreign",
)
async def _mixed_up(scene: Scene, active: Activation) -> None:
    before: list[PodSnapshot] = []

    def plan(_: RestoreRequest, planned: RestorePlan) -> None:
        mine = planned.snapshot
        if mine is None:
            return
        others = [one for one in before if one.pod["metadata"]["uid"] != mine.pod["metadata"]["uid"]]
        before.append(mine)
        if others and active.takes_pod(planned.pod):
            planned.snapshot = memories.in_place_of(mine, others[-1])

    active.on_list(scene.backend.interference.planned, plan)


@fails(
    "restored-pod-missing",
    "restore-in-own-cluster",
    "A pod that is to be restored in another cluster is restored in its own.",
    suite="cross_cluster",
    test="A Process Goes On In Another Cluster",
)
async def _own_cluster(scene: Scene, active: Activation) -> None:
    async def around(work: Work) -> Any:
        request: RestoreRequest = work.request
        if request.cluster_id and active.takes(work.namespace, work.pod):
            return await work.do(replace(request, cluster_id=None))
        return await work.go()

    active.on_list(scene.works.around["restore"], around)
