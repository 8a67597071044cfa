"""Faults of restores: the restored pod is not what it is said to be, or there is none."""

from __future__ import annotations

import asyncio
import copy
import uuid
from collections.abc import Callable
from dataclasses import replace
from typing import Any

from propagator_server.backend import BackendError, Pod, RestoreRequest

from .. import kinds
from ..api import objects
from ..cedana.interfering import RestorePlan
from ..cedana.restored import RUNTIME_CLASS
from ..runtime import Container, PodSnapshot, StartError
from ..store import Change
from . import memories
from .activation import Activation
from .answers import with_text
from .declaration import OBJECTS, Declarations, Group, Injection
from .memories import changed
from .pods import is_ready, is_restored, kill, whenever_ready
from .propagator import RESTORE, propagator, to
from .scene import Scene
from .works import Work

FAULTS = Declarations(Group.RESTORE, OBJECTS)
fails, tolerated = FAULTS.fails, FAULTS.tolerated
Object = dict[str, Any]
CRIU = (
    "failed to create containerd task: failed to create shim task: OCI runtime restore failed: criu failed: "
    "type RESTORE errno 0"
)


def _always(_: RestorePlan) -> bool:
    return True


def planning(
    change: Callable[[RestorePlan, Activation], None], applies: Callable[[RestorePlan], bool] = _always
) -> Injection:
    """Changes what restores are about to make, where there is something to change."""

    async def inject(scene: Scene, active: Activation) -> None:
        def plan(_: RestoreRequest, planned: RestorePlan) -> None:
            if applies(planned) and active.takes_pod(planned.pod):
                change(planned, active)

        active.on_list(scene.backend.interference.planned, plan)

    return inject


def with_state(
    change: Callable[[PodSnapshot, Activation], PodSnapshot | None], applies: Callable[[RestorePlan], bool] = _always
) -> Injection:
    """Restores from another state than that of the checkpoint; None: from none, so that containers start afresh."""

    def plan(planned: RestorePlan, active: Activation) -> None:
        assert planned.snapshot is not None
        planned.snapshot = change(planned.snapshot, active)

    return planning(plan, lambda planned: planned.snapshot is not None and applies(planned))


def working(kind: str, act: Callable[[Work, Activation, Scene], Any]) -> Injection:
    """Does something around the work of checkpoints or restores."""

    async def inject(scene: Scene, active: Activation) -> None:
        async def around(work: Work) -> Any:
            if active.takes(work.namespace, work.pod):
                return await act(work, active, scene)
            return await work.go()

        active.on_list(scene.works.around[kind], around)

    return inject


def _several(planned: RestorePlan) -> bool:
    assert planned.snapshot is not None
    return sum(one.memory is not None for one in planned.snapshot.containers.values()) > 1


def _first(snapshot: PodSnapshot) -> str:
    return next(iter(snapshot.containers))


fails("process-restarted", "restore-starts-afresh", "The restored pod's processes start afresh instead of going on.")(
    with_state(lambda _snapshot, _: None)
)


@fails(
    "process-restarted",
    "restore-starts-afresh-under-copied-log",
    "The restored pod's processes start afresh, but its log begins with the source's lines.",
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

    active.on_list(scene.cluster.points.started, started)
    await planning(plan, lambda planned: planned.snapshot is not None)(scene, active)


fails("process-rewound", "restore-of-older-state", "An older state than the checkpoint's is restored.", steps=15)(
    with_state(lambda snapshot, active: changed(snapshot, memories.earlier(active.values["steps"])))
)
fails("process-ahead", "restore-of-later-state", "A later state than the checkpoint's is restored.", steps=200)(
    with_state(lambda snapshot, active: changed(snapshot, memories.later(active.values["steps"])))
)
fails("process-broken", "restore-of-damaged-memory", "One bit of the restored process's memory is wrong.")(
    with_state(lambda snapshot, _: changed(snapshot, memories.damaged))
)
fails(
    "process-restarted",
    "restore-of-one-container",
    "Of a pod with several containers only the first one goes on, the others start afresh.",
)(
    with_state(
        lambda snapshot, _: changed(snapshot, memories.without_memory, only=lambda name: name != _first(snapshot)),
        _several,
    )
)
fails(
    "inconsistent-cut",
    "restore-of-mixed-moments",
    "The containers of a pod are restored from different moments: all but the first from an older one.",
    steps=15,
)(
    with_state(
        lambda snapshot, active: changed(
            snapshot, memories.earlier(active.values["steps"]), only=lambda name: name != _first(snapshot)
        ),
        _several,
    )
)
fails("files-lost", "restore-loses-files", "The restored pod's files are those of its image: the writable layer is lost.")(
    with_state(
        lambda snapshot, _: changed(snapshot, memories.without_layer),
        lambda planned: any(one.layer for one in planned.snapshot.containers.values()) if planned.snapshot else False,
    )
)
tolerated("restore-without-copied-log", "The restored container's log begins with its own lines, not the source's.")(
    with_state(lambda snapshot, _: changed(snapshot, memories.without_log))
)


@fails("process-foreign", "restore-of-another-pod", "The memory of another pod of the namespace is restored.")
async def _foreign(scene: Scene, active: Activation) -> None:
    seen: dict[tuple[str, str], PodSnapshot] = {}

    def follow(change: Change) -> None:
        if change.kind is kinds.POD and change.type == "MODIFIED" and is_ready(change.object):
            metadata = change.object["metadata"]
            if (metadata["namespace"], metadata["name"]) not in seen and metadata["uid"] in scene.cluster.runtime.pods:
                seen[metadata["namespace"], metadata["name"]] = scene.cluster.runtime.snapshot(
                    metadata["uid"], change.object
                )

    def others(planned: RestorePlan) -> list[PodSnapshot]:
        assert planned.snapshot is not None
        source = planned.snapshot.pod["metadata"]
        return [
            one
            for (namespace, name), one in seen.items()
            if namespace == source["namespace"] and name != source["name"] and _has_witness(one)
        ]

    def plan(planned: RestorePlan, _: Activation) -> None:
        assert planned.snapshot is not None
        planned.snapshot = memories.in_place_of(planned.snapshot, others(planned)[0])

    active.stack.callback(scene.cluster.store.subscribe(follow))
    await planning(plan, lambda planned: planned.snapshot is not None and bool(others(planned)))(scene, active)


def _has_witness(snapshot: PodSnapshot) -> bool:
    return any(one.memory and memories.witnesses(one.memory) for one in snapshot.containers.values())


@fails("process-silent", "restore-frozen", "The restored pod becomes Ready, but its process never takes another step.")
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
async def _crash_loops(scene: Scene, active: Activation) -> None:
    def start(pod: Object, _: Object) -> None:
        if is_restored(scene.cluster, pod) and active.takes_pod(pod):
            raise StartError(CRIU)

    active.on_list(scene.cluster.points.start, start)


def _never_ready(planned: RestorePlan, _: Activation) -> None:
    planned.pod["spec"]["readinessGates"] = [{"conditionType": "cedana.ai/restored"}]


fails("restored-pod-not-ready", "restore-never-ready", "The restored pod runs but never becomes Ready.")(
    planning(_never_ready)
)


def _other_namespace(planned: RestorePlan, active: Activation) -> None:
    planned.pod["metadata"]["namespace"] = active.values["into"]


fails("restored-pod-missing", "restore-in-wrong-namespace", "The pod is restored in another namespace.", into="default")(
    planning(_other_namespace)
)


def _other_image(planned: RestorePlan, _: Activation) -> None:
    for container in planned.pod["spec"]["containers"]:
        name, _, tag = container["image"].rpartition(":") if ":" in container["image"] else (container["image"], "", "")
        container["image"] = f"{name}:{'stable' if tag == 'latest' else 'latest'}"


fails("pod-changed", "restore-with-other-image", "The restored pod names another image than the original.")(
    planning(_other_image)
)


def losing(field: str, empty: Any = None) -> Injection:
    """Restored containers lack a field of their spec."""

    def change(planned: RestorePlan, _: Activation) -> None:
        for container in planned.pod["spec"]["containers"]:
            if container.pop(field, None) is not None and empty is not None:
                container[field] = empty

    return planning(change, lambda planned: any(one.get(field) for one in planned.pod["spec"]["containers"]))


fails("pod-changed", "restore-loses-environment", "The restored pod has lost its environment variables.")(losing("env"))
fails("pod-changed", "restore-loses-limits", "The restored pod has lost its requests and limits.")(
    losing("resources", {})
)


def _without_security(planned: RestorePlan, _: Activation) -> None:
    planned.pod["spec"]["securityContext"] = {}
    for container in planned.pod["spec"]["containers"]:
        container.pop("securityContext", None)


def _has_security(planned: RestorePlan) -> bool:
    spec = planned.pod["spec"]
    return any(one.get("securityContext") for one in (spec, *spec["containers"]))


fails("pod-changed", "restore-loses-security-context", "The restored pod has lost its security context.")(
    planning(_without_security, _has_security)
)


def _without_mounts(planned: RestorePlan, _: Activation) -> None:
    spec = planned.pod["spec"]
    for container in spec["containers"]:
        container.pop("volumeMounts", None)
    spec.pop("volumes", None)
    spec["automountServiceAccountToken"] = False
    if planned.snapshot is not None:
        planned.snapshot = changed(planned.snapshot, lambda one: replace(one, mounts=frozenset()))


def _without_labels(planned: RestorePlan, _: Activation) -> None:
    planned.pod["metadata"].pop("labels", None)


fails("pod-changed", "restore-loses-mounts", "The restored pod has lost its volumes.")(
    planning(_without_mounts, lambda planned: bool(planned.pod["spec"].get("volumes")))
)
fails("pod-changed", "restore-loses-labels", "The restored pod has lost its labels, so that no Service selects it.")(
    planning(_without_labels, lambda planned: bool(planned.pod["metadata"].get("labels")))
)


def _constraints(planned: RestorePlan) -> bool:
    spec = planned.pod["spec"]
    return bool(spec.get("nodeSelector") or spec.get("affinity"))


def _other_node(planned: RestorePlan, _: Activation) -> None:
    spec = planned.pod["spec"]
    spec.pop("nodeSelector", None)
    spec.pop("affinity", None)
    source = planned.snapshot.pod["spec"].get("nodeName") if planned.snapshot else None
    names = [node["metadata"]["name"] for node in planned.cluster.store.list(kinds.NODE)]
    spec["nodeName"] = next((name for name in names if name != source), names[0])


fails("pod-changed", "restore-on-wrong-node", "The pod is restored on a node that its node selector or affinity excludes.")(
    planning(_other_node, _constraints)
)


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
)(planning(_as_original, lambda planned: planned.snapshot is not None))


@fails(
    "not-restored",
    "restore-brings-original-back",
    "There is no restored pod; the original itself is there again, with its UID and memory.",
)
async def _original_back(scene: Scene, active: Activation) -> None:
    async def act(work: Work, _: Activation, __: Scene) -> Pod:
        saved = scene.backend.saved(work.request.checkpoint_action_id)
        if saved is None:
            raise BackendError("nothing is stored")
        source = copy.deepcopy(saved.pod)
        metadata = {key: value for key, value in source["metadata"].items() if key not in ("resourceVersion", "generation")}
        scene.cluster.store.remove(kinds.POD, work.namespace, work.pod)
        scene.cluster.store.create(kinds.POD, {**source, "metadata": metadata, "status": {"phase": "Pending"}})
        scene.cluster.runtime.stage(metadata["uid"], saved)
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
    propagator(lambda exchange: with_text(f'"{uuid.uuid4()}"')(exchange), to("POST", RESTORE))
)
tolerated("restore-slow", "The restore takes two seconds longer.", seconds=2.0)(working("restore", _slowly))
tolerated("restore-done-early", "The restore is reported done two seconds before its pod is there.", seconds=2.0)(
    working("restore", _ahead_of_time)
)
