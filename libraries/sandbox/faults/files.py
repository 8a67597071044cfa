"""Faults of restores: the files of a restored container are not those that the checkpointed one had."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

from .. import kinds
from ..cedana.interfering import RestorePlan
from ..runtime import ContainerSnapshot
from ..runtime.shell.memory import Memory
from .activation import Activation
from .declaration import OBJECTS, Declarations, Group, Injection
from .memories import Change, changed, remembering
from .working import planning, with_state

FAULTS = Declarations(Group.RESTORE, OBJECTS)
fails, tolerated = FAULTS.fails, FAULTS.tolerated
Object = dict[str, Any]
WRITTEN = "What A Process Wrote After Its Start Is There After The Restore"
CONFIGURED = "A Process Keeps The Values Of Its ConfigMap That It Was Started With"
OPEN = "A Process Goes On In The Files That It Had Open"


def _without_layer(one: ContainerSnapshot) -> ContainerSnapshot:
    return replace(one, layer={}, made=frozenset(), modes={})


def _without_deletions(one: ContainerSnapshot) -> ContainerSnapshot:
    return replace(one, layer={path: data for path, data in one.layer.items() if data is not None})


def _without_modes(one: ContainerSnapshot) -> ContainerSnapshot:
    return replace(one, modes={})


def _at_the_beginning(one: ContainerSnapshot) -> ContainerSnapshot:
    memory = one.memory.copy() if one.memory else None
    for held in memory.opened.values() if memory else ():
        held.offset = 0
    return replace(one, memory=memory)


def _changing(change: Change, which: Callable[[ContainerSnapshot], object]) -> Injection:
    """Restores with changed containers, where some container has what is lost."""
    return with_state(
        lambda snapshot, _: changed(snapshot, change),
        lambda planned: planned.snapshot is not None and any(map(which, planned.snapshot.containers.values())),
    )


def _deletions(one: ContainerSnapshot) -> bool:
    return any(data is None for data in one.layer.values())


fails(
    "files-lost",
    "restore-loses-files",
    "The restored pod has lost its writable layer.",
    suite="writable_layer",
    test=WRITTEN,
)(_changing(_without_layer, lambda one: one.layer))
fails(
    "files-lost",
    "restore-brings-deleted-files-back",
    "The restored pod has files of its image again that were deleted.",
    suite="writable_layer",
    test=WRITTEN,
)(_changing(_without_deletions, _deletions))
fails(
    "files-lost",
    "restore-loses-file-modes",
    "The files of the restored pod have the modes of new files.",
    suite="writable_layer",
    test=WRITTEN,
)(_changing(_without_modes, lambda one: one.modes))
fails(
    "files-lost",
    "restore-loses-file-offsets",
    "The restored process reads and writes its open files from the beginning.",
    suite="writable_layer",
    test=OPEN,
)(_changing(_at_the_beginning, lambda one: one.memory and one.memory.opened))


def _takes_values(planned: RestorePlan) -> bool:
    return planned.snapshot is not None and bool(_named_values(planned.pod))


def _named_values(pod: Object) -> list[tuple[str, Object]]:
    each = [one for container in pod["spec"]["containers"] for one in container.get("env") or []]
    return [(one["name"], ref) for one in each if (ref := (one.get("valueFrom") or {}).get("configMapKeyRef"))]


def _with_present_values(planned: RestorePlan, _: Activation) -> None:
    def change(memory: Memory) -> None:
        for name, ref in _named_values(planned.pod):
            found = planned.cluster.store.get(kinds.CONFIG_MAP, planned.pod["metadata"]["namespace"], ref["name"])
            for thread in memory.threads:
                thread.variables[name] = str(((found or {}).get("data") or {}).get(ref["key"], ""))

    assert planned.snapshot is not None
    planned.snapshot = changed(planned.snapshot, remembering(change))


fails(
    "pod-changed",
    "restore-takes-new-configuration",
    "The restored process has the present values of its ConfigMap in its environment, not those it was started with.",
    suite="writable_layer",
    test=CONFIGURED,
)(planning(_with_present_values, _takes_values))
