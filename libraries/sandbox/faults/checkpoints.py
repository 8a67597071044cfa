"""Faults of checkpoints: they are not what they are said to be, fail, or harm the source."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

from aiohttp import web

from propagator_server.backend import BackendError, CheckpointRequest, ContainerCheckpoint, NotAnsweredError

from .. import kinds
from ..runtime import SECOND, PodSnapshot
from . import memories
from .activation import Activation
from .answers import Exchange, with_text
from .declaration import OBJECTS, STATE, Declarations, Group, Injection
from .pods import containers_of, is_restored, kill
from .propagator import CHECKPOINT, UNKNOWN_ID, propagator, quirk, refused, to
from .scene import Scene, in_each_cluster
from .working import working
from .works import Work

FAULTS = Declarations(Group.CHECKPOINT, OBJECTS)
fails, tolerated = FAULTS.fails, FAULTS.tolerated
Object = dict[str, Any]
_DUMP = "checkpoint failed: runc did not terminate successfully: exit status 1: criu failed: type DUMP errno 0"
_OPEN = f"{_DUMP}; Error (criu/sk-inet.c:191): inet: Connected TCP socket, consider using --tcp-established option."
_UPLOAD = "failed to upload checkpoint: PUT cedana://ci: 507 Insufficient Storage"


def taking(act: Callable[[CheckpointRequest, PodSnapshot, Activation, Scene], None]) -> Injection:
    """Does something to the source right after its state was taken."""

    async def inject(scene: Scene, active: Activation) -> None:
        def taken(request: CheckpointRequest, snapshot: PodSnapshot) -> PodSnapshot:
            if active.takes(request.pod.namespace, request.pod.name):
                act(request, snapshot, active, scene.at(request.pod.namespace, request.pod.name))
            return snapshot

        active.on_list(scene.backend.interference.taken, taken)

    return inject


async def _without_data(work: Work, _: Activation, scene: Scene) -> list[ContainerCheckpoint]:
    request: CheckpointRequest = work.request
    await asyncio.sleep(scene.cluster.latencies.checkpoint)
    request.created()
    pairs = zip(request.pod.containers, request.checkpoint_ids, strict=True)
    return [ContainerCheckpoint(name, f"cedana://{checkpoint_id}", 0) for name, checkpoint_id in pairs]


fails("restore-failed", "checkpoint-without-data", "The checkpoint becomes ready, but nothing was saved.")(
    working("checkpoint", _without_data)
)


async def _claimed(work: Work, active: Activation, scene: Scene) -> Any:
    try:
        return await work.go()
    except BackendError:
        return await _without_data(work, active, scene)


fails(
    "false-success",
    "checkpoint-errors-hidden",
    "A checkpoint that cannot be taken becomes ready all the same.",
    suite="failures",
    test="A Checkpoint Of A Pending Pod Is Refused",
)(working("checkpoint", _claimed))


async def _silent(work: Work, _: Activation, __: Scene) -> Any:
    try:
        return await work.go()
    except BackendError as failed:
        raise NotAnsweredError(str(failed)) from None


fails(
    "checkpoint-timeout",
    "checkpoint-of-nothing-never-ends",
    "A checkpoint of a pod of which nothing runs is never answered.",
    suite="failures",
    test="A Checkpoint Of A Pending Pod Is Refused",
    count=1,
)(working("checkpoint", _silent))


async def _claimed_for_nobody(work: Work, active: Activation, scene: Scene) -> Any:
    try:
        return await work.go()
    except NotAnsweredError:
        return await _without_data(work, active, scene)


fails(
    "restore-failed",
    "checkpoint-claimed-while-cut-off",
    "A checkpoint that the cluster's side never heard of becomes ready, though nothing was saved.",
    suite="failures",
    test="The Source Goes On While The Cluster Does Not Reach The Propagator",
)(working("checkpoint", _claimed_for_nobody))


async def _never(_work: Work, _: Activation, __: Scene) -> Any:
    await asyncio.Event().wait()


def failing(words: str) -> Injection:
    """Checkpoints end in an error with these words."""

    async def fail(_work: Work, _: Activation, __: Scene) -> Any:
        raise BackendError(words)

    return working("checkpoint", fail)


async def _after_created(work: Work, _: Activation, __: Scene) -> Any:
    await work.go()
    raise BackendError(_UPLOAD)


async def _slowly(work: Work, active: Activation, _: Scene) -> Any:
    await asyncio.sleep(active.values["seconds"])
    return await work.go()


fails("checkpoint-timeout", "checkpoint-never-ends", "The checkpoint stays in progress for ever.")(
    working("checkpoint", _never)
)
fails("criu-dump", "checkpoint-fails-in-criu", "The checkpoint ends in an error with CRIU's words.")(failing(_DUMP))
fails(
    "open-connection",
    "checkpoint-meets-open-connection",
    "The checkpoint ends in CRIU's error about a connected TCP socket, and the helper is not told to bear those.",
)(failing(_OPEN))
fails(
    "checkpoint-failed",
    "checkpoint-fails-after-created",
    "The checkpoint comes to checkpoint_created, and ends in an error at its upload.",
)(working("checkpoint", _after_created))
tolerated("checkpoint-slow", "The checkpoint takes two seconds longer.", seconds=2.0)(working("checkpoint", _slowly))

tolerated(
    "checkpoint-uploads-late",
    "The checkpoint is reported ready two seconds before its upload is done and it can be restored.",
    limits=STATE,
    seconds=2.0,
)(quirk("async-upload"))

fails("action-unknown", "checkpoint-answers-unknown-id", "A checkpoint is answered with the id of no action.")(
    propagator(with_text(UNKNOWN_ID), to("POST", CHECKPOINT))
)


async def _id_of_another(exchange: Exchange) -> web.StreamResponse:
    """Checkpoints another pod in place of the one that was asked for, one of another namespace if there is one."""
    service = exchange.scene.service
    body = await exchange.request.json()
    pods = await service.backend.pods()
    asked = next((pod for pod in pods if pod.uid == body.get("pod_id") or pod.name == body.get("pod_name")), None)
    others = [pod for pod in pods if asked and pod.uid != asked.uid and pod.ready]
    if asked is None or not others:
        return await exchange.go()
    other = min(others, key=lambda pod: pod.namespace == asked.namespace)
    action = service.operations.start_checkpoint(other, {"pod_id": other.uid, "kind": "simple"}, None)
    return web.Response(text=f'"{action.id}"')


fails(
    "restored-pod-missing",
    "checkpoint-answers-id-of-another",
    "A checkpoint is answered with the id of another pod's checkpoint.",
)(propagator(_id_of_another, to("POST", CHECKPOINT)))


async def _without_id(exchange: Exchange) -> web.StreamResponse:
    await exchange.go()
    return web.Response(text="")


tolerated("checkpoint-answers-empty-id", "A checkpoint is begun and answered with an empty body.")(
    propagator(_without_id, to("POST", CHECKPOINT))
)


@fails(
    "propagator-refused",
    "checkpoint-given-up",
    "The checkpoint is deprecated by a retention rule before it is restored; the restore is refused.",
)
async def _given_up(scene: Scene, active: Activation) -> None:
    message = "Invalid action_id: the checkpoint is deprecated"
    await propagator(refused(400, message), to("POST", "/restore/pod"))(scene, active)


def _kill_source(request: CheckpointRequest, _: PodSnapshot, __: Activation, scene: Scene) -> None:
    source = scene.cluster.store.get(kinds.POD, request.pod.namespace, request.pod.name)
    if source:
        asyncio.get_running_loop().call_soon(kill, scene.cluster, source, 137)


def _freeze_source(request: CheckpointRequest, _: PodSnapshot, __: Activation, scene: Scene) -> None:
    source = scene.cluster.store.get(kinds.POD, request.pod.namespace, request.pod.name)
    for container in containers_of(scene.cluster, source) if source else ():
        memories.freeze(container)


def _hold_source(request: CheckpointRequest, _: PodSnapshot, active: Activation, scene: Scene) -> None:
    source = scene.cluster.store.get(kinds.POD, request.pod.namespace, request.pod.name)
    for container in containers_of(scene.cluster, source) if source else ():
        if container.machine:
            container.machine.memory.shift(int(active.values["seconds"] * SECOND))


fails("source-harmed", "checkpoint-kills-source", "The source's processes end when their state is taken.")(
    taking(_kill_source)
)
fails("source-harmed", "checkpoint-freezes-source", "The source's processes stay frozen after their state is taken.")(
    taking(_freeze_source)
)
tolerated("checkpoint-long-freeze", "The source's processes stand still for a second and a half.", seconds=1.5)(
    taking(_hold_source)
)


@fails(
    "restored-pod-not-ready",
    "checkpoint-truncated",
    "The upload of the checkpoint was cut short: the restored pod's containers are never created, without an error.",
)
@in_each_cluster
async def _truncated(scene: Scene, active: Activation) -> None:
    def delay(pod: Object) -> float:
        return float("inf") if is_restored(scene.cluster, pod) and active.takes_pod(pod) else 0.0

    active.on_list(scene.cluster.points.delay, delay)
