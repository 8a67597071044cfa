"""Faults of restores that show only in what a server remembers: its pod is Ready, and all else goes on."""

from __future__ import annotations

from collections.abc import Callable

from ..cedana.interfering import RestorePlan
from ..runtime.shell.memory import Memory
from . import memories
from .declaration import OBJECTS, Declarations, Group
from .memories import changed, remembering
from .working import with_state

FAULTS = Declarations(Group.RESTORE, OBJECTS)
fails = FAULTS.fails


def _any(holds: Callable[[Memory], object]) -> Callable[[RestorePlan], bool]:
    """Whether that holds for a container's memory."""

    def found(planned: RestorePlan) -> bool:
        assert planned.snapshot is not None
        return any(one.memory and holds(one.memory) for one in planned.snapshot.containers.values())

    return found


fails(
    "process-restarted",
    "restore-forgets-requests",
    "The restored nginx has forgotten how many requests it had counted.",
    suite="witnesses",
    test="Nginx Remembers The Requests That It Counted",
    verdict="restarted",
)(
    with_state(
        lambda snapshot, _: changed(snapshot, remembering(memories.forget_requests)),
        _any(lambda memory: memory.counters.get("requests")),
    )
)
fails(
    "process-rewound",
    "restore-of-older-data",
    "The numbers that the restored redis holds are older ones.",
    suite="witnesses",
    test="Redis Remembers What It Counted In Memory",
    verdict="rewound",
    by=2,
)(
    with_state(
        lambda snapshot, active: changed(
            snapshot, remembering(lambda memory: memories.shift_data(memory, -active.values["by"]))
        ),
        _any(lambda memory: memory.redis and memory.redis.values),
    )
)
fails(
    "process-ahead",
    "restore-of-later-data",
    "The numbers that the restored redis holds are those of a later moment.",
    suite="witnesses",
    test="Redis Remembers What It Counted In Memory",
    verdict="ahead",
    by=2,
)(
    with_state(
        lambda snapshot, active: changed(
            snapshot, remembering(lambda memory: memories.shift_data(memory, active.values["by"]))
        ),
        _any(lambda memory: memory.redis and memory.redis.values),
    )
)
fails(
    "process-silent",
    "restored-server-repeats-itself",
    "The restored server answers, but with what it said before: its memory does not go on.",
    suite="witnesses",
    test="A Server's Memory Goes On Over HTTP",
    verdict="silent",
)(
    with_state(
        lambda snapshot, _: changed(snapshot, remembering(memories.repeat)),
        _any(lambda memory: memory.served),
    )
)
