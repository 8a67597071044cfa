"""Faults of restores: how many pods they make, and how they end."""

from __future__ import annotations

import asyncio
import copy
from collections.abc import Callable
from typing import Any

from aiohttp import web

from propagator_server.backend import BackendError, Pod
from propagator_server.records import Action, CheckpointStatus

from .. import kinds
from ..api import objects
from ..cedana.interfering import RestorePlan
from .activation import Activation
from .answers import Act, Exchange, with_text
from .declaration import OBJECTS, Declarations, Group
from .propagator import RESTORE, UNKNOWN_ID, propagator, to
from .scene import Scene
from .working import CRIU, planning, working
from .works import Work

FAULTS = Declarations(Group.RESTORE, OBJECTS)
fails, tolerated = FAULTS.fails, FAULTS.tolerated
Object = dict[str, Any]
_OF_THE_STORE = ("resourceVersion", "generation")


async def _two(work: Work, _: Activation, scene: Scene) -> Pod:
    made: Pod = await work.go()
    first = scene.cluster.store.get(kinds.POD, made.namespace, made.name)
    if first is not None:
        metadata = {key: first["metadata"][key] for key in ("namespace", "labels") if key in first["metadata"]}
        spec = {key: value for key, value in first["spec"].items() if key != "nodeName"}
        twin = {"metadata": {**metadata, "name": f"{made.name}-2"}, "spec": spec}
        second = objects.create(scene.cluster, kinds.POD, copy.deepcopy(twin))
        if saved := scene.backend.saved(work.request.checkpoint_action_id):
            scene.cluster.runtime.stage(second["metadata"]["uid"], saved)
    return made


fails("restored-twice", "restore-makes-two-pods", "One restore makes two pods.")(working("restore", _two))


def _as_original(planned: RestorePlan, _: Activation) -> None:
    source = planned.snapshot.pod if planned.snapshot else None
    planned.snapshot = None
    if source:
        planned.pod["metadata"]["name"] = source["metadata"]["name"]


fails(
    "process-restarted",
    "restore-creates-original-anew",
    "Instead of a restore the original is created again, under its own name and afresh.",
    verdict="restarted",
)(planning(_as_original, lambda planned: planned.snapshot is not None))


@fails(
    "not-restored",
    "restore-brings-original-back",
    "There is no restored pod; the original itself is there again, with its UID and memory.",
)
async def _original_back(scene: Scene, active: Activation) -> None:
    async def act(work: Work, _: Activation, there: Scene) -> Pod:
        saved = scene.backend.saved(work.request.checkpoint_action_id)
        if saved is None:
            raise BackendError("nothing is stored")
        source = copy.deepcopy(saved.pod)
        metadata = {
            key: value for key, value in source["metadata"].items() if key not in ("resourceVersion", "generation")
        }
        there.cluster.store.remove(kinds.POD, work.namespace, work.pod)
        there.cluster.store.create(kinds.POD, {**source, "metadata": metadata, "status": {"phase": "Pending"}})
        there.cluster.runtime.stage(metadata["uid"], saved)
        return Pod(metadata["uid"], work.namespace, work.pod, "", ())

    await working("restore", act)(scene, active)


async def _nothing(work: Work, _: Activation, __: Scene) -> Pod:
    return Pod("", work.namespace, work.pod, "", ())


fails("restored-pod-missing", "restore-makes-nothing", "The restore is reported done, but no pod is made.")(
    working("restore", _nothing)
)


async def _never(_work: Work, _: Activation, __: Scene) -> Pod:
    await asyncio.Event().wait()
    raise AssertionError("unreachable")


async def _criu(_work: Work, _: Activation, __: Scene) -> Pod:
    raise BackendError(f"failed to restore: {CRIU}")


async def _slowly(work: Work, active: Activation, _: Scene) -> Any:
    await asyncio.sleep(active.values["seconds"])
    return await work.go()


async def _ahead_of_time(work: Work, active: Activation, _: Scene) -> Pod:
    async def later() -> None:
        await asyncio.sleep(active.values["seconds"])
        await work.go()

    task = asyncio.create_task(later())
    active.stack.callback(task.cancel)
    return Pod("", work.namespace, work.pod, "", ())


fails("restore-timeout", "restore-never-ends", "The restore stays in progress for ever.")(working("restore", _never))
fails("criu-restore", "restore-fails-in-criu", "The restore ends in an error with CRIU's words.")(
    working("restore", _criu)
)
fails("action-unknown", "restore-answers-unknown-id", "A restore is answered with the id of no action.")(
    propagator(with_text(UNKNOWN_ID), to("POST", RESTORE))
)
tolerated("restore-slow", "The restore takes two seconds longer.", seconds=2.0)(working("restore", _slowly))
tolerated("restore-done-early", "The restore is reported done two seconds before its pod is there.", seconds=2.0)(
    working("restore", _ahead_of_time)
)


async def _kept(_work: Work, _: Activation, __: Scene) -> None:
    """Forgets nothing."""


def _restoring(which: Callable[[Scene, Action], bool]) -> Act:
    """Begins a restore of such checkpoints, which are no more, or not yet, to be restored."""

    async def act(exchange: Exchange) -> web.StreamResponse:
        body = await exchange.request.json()
        scene = exchange.scene
        source = scene.service.store.action(str(body.get("action_id")))
        if source is None or not which(scene, source):
            return await exchange.go()
        return web.Response(text=f'"{scene.service.operations.start_restore(source, body, None).id}"')

    return act


def _is_deprecated(scene: Scene, source: Action) -> bool:
    rows = [scene.service.store.checkpoint(each) for each in source.checkpoint_ids]
    return any(row and row.status is CheckpointStatus.DEPRECATED for row in rows)


@fails(
    "false-success",
    "restore-of-deprecated",
    "A checkpoint that was given up is restored all the same.",
    suite="failures",
    test="A Restore Of A Deprecated Checkpoint Is Refused",
)
async def _deprecated(scene: Scene, active: Activation) -> None:
    await working("forget", _kept)(scene, active)
    await propagator(_restoring(_is_deprecated), to("POST", RESTORE))(scene, active)


async def _whatever_comes(work: Work, _: Activation, __: Scene) -> Any:
    try:
        return await work.go()
    except BackendError:
        return Pod("", work.namespace, work.pod, "", ())


@fails(
    "false-success",
    "restore-of-unfinished",
    "A restore of a checkpoint that is still being taken is reported done, though it made nothing.",
    suite="failures",
    test="A Restore Of An Unfinished Checkpoint Is Refused",
)
async def _unfinished(scene: Scene, active: Activation) -> None:
    await working("restore", _whatever_comes)(scene, active)
    await propagator(_restoring(lambda _, source: not source.ended), to("POST", RESTORE))(scene, active)
