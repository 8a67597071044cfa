"""Faults of restores: the files of a restored container are not those that the checkpointed one had."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from ..runtime import ContainerSnapshot
from .declaration import OBJECTS, Declarations, Group, Injection
from .memories import Change, changed
from .working import with_state

FAULTS = Declarations(Group.RESTORE, OBJECTS)
fails, tolerated = FAULTS.fails, FAULTS.tolerated
WRITTEN = "What A Process Wrote After Its Start Is There After The Restore"
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
