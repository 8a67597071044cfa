"""Faults of restores: the restored pod looks as it did, but what its spec says does not hold for its processes."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from ..cedana.interfering import RestorePlan
from ..runtime import Container, ContainerSnapshot
from ..runtime.process import Rights, capabilities, shown
from ..runtime.surroundings import User
from .activation import Activation
from .declaration import OBJECTS, Declarations, Group
from .memories import changed
from .pods import is_restored
from .scene import Scene, in_each_cluster
from .working import planning, with_state

FAULTS = Declarations(Group.RESTORE, OBJECTS)
fails, tolerated = FAULTS.fails, FAULTS.tolerated
Object = dict[str, Any]
LARGE = 65536
"""Characters from which on a variable of a script is content that it holds in memory."""


def _with_other_page(one: ContainerSnapshot) -> ContainerSnapshot:
    memory = one.memory.copy() if one.memory else None
    for thread in memory.threads if memory else ():
        for name, value in thread.variables.items():
            if len(value) >= LARGE:
                thread.variables[name] = value[:4096] + "0" * 4096 + value[8192:]
    return replace(one, memory=memory)


def _holds_content(planned: RestorePlan) -> bool:
    taken = planned.snapshot.containers.values() if planned.snapshot else ()
    threads = [thread for one in taken if one.memory for thread in one.memory.threads]
    return any(len(value) >= LARGE for thread in threads for value in thread.variables.values())


fails(
    "process-broken",
    "restore-of-wrong-page",
    "One page of what the process holds in memory is lost: it is filled with zeros.",
    suite="resources",
    test="A Process Keeps The Content Of Its Memory And Its Limits",
    verdict="continued",
)(with_state(lambda snapshot, _: changed(snapshot, _with_other_page), _holds_content))


@fails(
    "pod-changed",
    "restore-without-limits-in-force",
    "The restored pod has its limits, but its processes may take more.",
    suite="resources",
    test="A Process Keeps The Content Of Its Memory And Its Limits",
    verdict="continued",
)
@in_each_cluster
async def _unlimited(scene: Scene, active: Activation) -> None:
    def started(pod: Object, container: Container) -> None:
        if is_restored(scene.cluster, pod) and container.setup.limit("memory") and active.takes_pod(pod):
            spec = {key: value for key, value in container.setup.spec.items() if key != "resources"}
            container.setup = replace(container.setup, spec=spec)

    active.on_list(scene.cluster.points.started, started)


def _unconfined(one: ContainerSnapshot) -> ContainerSnapshot:
    rights = Rights(capabilities((), (), privileged=True))
    return replace(one, process={**one.process, **shown("sh", one.env, User(), rights)})


fails(
    "pod-changed",
    "restore-of-unconfined-process",
    "The restored process is root's and may do everything, whatever its pod's security context says.",
    suite="security",
    verdict="continued",
)(with_state(lambda snapshot, _: changed(snapshot, _unconfined)))


def _on_same_node(planned: RestorePlan, _: Activation) -> None:
    assert planned.snapshot is not None
    planned.pod["spec"]["nodeName"] = planned.snapshot.pod["spec"]["nodeName"]


fails(
    "pod-changed",
    "restore-on-cordoned-node",
    "The pod is restored on the node that it was on, though that takes no pods any more.",
    suite="placement",
    test="A Pod Goes On Elsewhere When Its Node Is Drained",
    verdict="continued",
)(planning(_on_same_node, lambda planned: planned.snapshot is not None))
