"""States of processes that are not those of the checkpoint: earlier, later, damaged, another pod's, frozen."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import replace

from ..runtime import Container, ContainerSnapshot, PodSnapshot
from ..runtime.shell.memory import Memory, WitnessState

_LINE = re.compile(rb"witness/1 nonce=([0-9a-f]{16}) step=(\d+) chain=([0-9a-f]{16})")
Change = Callable[[ContainerSnapshot], ContainerSnapshot]


def changed(snapshot: PodSnapshot, change: Change, *, only: Callable[[str], bool] = lambda _: True) -> PodSnapshot:
    """A snapshot with changed containers; the given one is left as it is."""
    containers = {name: change(one) if only(name) else one for name, one in snapshot.containers.items()}
    return replace(snapshot, containers=containers)


def without_memory(one: ContainerSnapshot) -> ContainerSnapshot:
    """A container that starts afresh."""
    return replace(one, memory=None)


def without_log(one: ContainerSnapshot) -> ContainerSnapshot:
    """A container whose log begins with its own lines."""
    return replace(one, log=(), pending={})


def earlier(steps: int) -> Change:
    """A container as it was so many steps of its witness before, with the log of then; the first step at the least."""

    def change(one: ContainerSnapshot) -> ContainerSnapshot:
        if one.memory is None:
            return one
        memory = one.memory.copy()
        for state in witnesses(memory):
            _set_back(state, one, steps)
        memory.counters = {name: max(0, value - steps) for name, value in memory.counters.items()}
        reached = {state.nonce: state.step for state in witnesses(memory)}
        kept = tuple(line for line in one.log if not _is_later(line.text, reached))
        return replace(one, memory=memory, log=kept)

    return change


def _set_back(state: WitnessState, one: ContainerSnapshot, steps: int) -> None:
    """The log has every state that a witness that prints ever was in; one that is asked is counted up again."""
    found = [_LINE.search(line.text) for line in one.log]
    own = [match for match in found if match and match[1].decode() == state.nonce]
    wanted = max(1, state.step - steps)
    match = next((match for match in own if int(match[2]) == wanted), None)
    if match:
        state.step, state.chain = wanted, match[3].decode()
    elif not own:
        state.step, state.chain = 0, "0" * 16
        for _ in range(wanted):
            state.advance()


def _is_later(text: bytes, reached: dict[str, int]) -> bool:
    match = _LINE.search(text)
    return bool(match) and int(match[2]) > reached.get(match[1].decode(), int(match[2]))  # type: ignore[index]


def later(steps: int) -> Change:
    """A container whose witness has taken so many steps that nobody saw."""

    def change(one: ContainerSnapshot) -> ContainerSnapshot:
        memory = one.memory.copy() if one.memory else None
        for state in witnesses(memory) if memory else ():
            for _ in range(steps):
                state.advance()
        return replace(one, memory=memory)

    return change


def damaged(one: ContainerSnapshot) -> ContainerSnapshot:
    """A container with one bit of its witness's memory flipped."""
    memory = one.memory.copy() if one.memory else None
    for state in witnesses(memory) if memory else ():
        state.chain = f"{int(state.chain, 16) ^ 1:016x}"
    return replace(one, memory=memory)


def hurried(one: ContainerSnapshot) -> ContainerSnapshot:
    """A container whose witness hardly sleeps between its steps any more."""
    memory = one.memory.copy() if one.memory else None
    for state in witnesses(memory) if memory else ():
        state.interval /= 10
    return replace(one, memory=memory)


def in_place_of(snapshot: PodSnapshot, other: PodSnapshot) -> PodSnapshot:
    """The containers of another pod under the names of this one's."""
    taken = list(other.containers.values())
    containers = {
        name: replace(taken[min(number, len(taken) - 1)], name=name) for number, name in enumerate(snapshot.containers)
    }
    return replace(snapshot, containers=containers, at=other.at)


def witnesses(memory: Memory) -> list[WitnessState]:
    """The witnesses in a memory."""
    printing = [thread.witness for thread in memory.threads if thread.witness]
    return [*printing, memory.served.state] if memory.served else printing


def remembering(change: Callable[[Memory], None]) -> Change:
    """A container whose memory was changed."""

    def changed_memory(one: ContainerSnapshot) -> ContainerSnapshot:
        memory = one.memory.copy() if one.memory else None
        if memory:
            change(memory)
        return replace(one, memory=memory)

    return changed_memory


def forget_requests(memory: Memory) -> None:
    """A server begins to count anew."""
    memory.counters.clear()


def shift_data(memory: Memory, by: int) -> None:
    """Every number in redis is another one."""
    if memory.redis:
        values = memory.redis.values
        values.update({key: str(int(value) + by).encode() for key, value in values.items() if value.isdigit()})


def repeat(memory: Memory) -> None:
    """A witness that is asked goes on once, and then says the same again and again."""
    if memory.served:
        memory.served.stuck, memory.served.line = True, b""


def freeze(container: Container) -> None:
    """The processes of a running container never take another step."""
    if container.machine:
        for thread in container.machine.memory.threads:
            thread.blocked = "forever"
