"""What emulated processes take: a model, simple enough to say in a few lines.

- Memory: 1.5 MB a container, 0.4 MB a process, 0.6 MB a server (nginx, redis) and what it holds, what a memory
  eater has taken, and what scripts hold in variables of a page or more.
- Processor time: a witness 4 ms a step, a server or a script that runs 1 ms a second, a core for each worker of
  `stress --cpu` and for `tail /dev/zero`; nothing sleeps for free, but nothing is counted for it. A limit caps it.
- Work that is not in a container's program (a dump by Cedana's helper): what is said of it, while it lasts.
- A checkpoint: the memory, the writable layer, the environment and the log (a real one of sh and nginx took 2.5 MB,
  and one of a process of 100 MB 102 MB).
"""

from __future__ import annotations

from dataclasses import dataclass

from .shell.memory import SECOND, Memory

_CONTAINER_BYTES = 1_500_000
_PROCESS_BYTES = 400_000
_SERVER_BYTES = 600_000
_STEP_SECONDS = 0.004
_RUNNING_CORES = 0.001
_PAGE = 4096


@dataclass(frozen=True)
class Load:
    """What a piece of work takes while it lasts: cores, and bytes of memory."""

    cores: float
    taken: int


def memory_bytes(memory: Memory, now: int) -> int:
    """Bytes of memory at `now` (ns)."""
    return _settled(memory) + _grown(memory, now)


def exceeded_at(memory: Memory, limit: int) -> int | None:
    """When (ns) the memory outgrows a limit in bytes, or None when it does not by itself; 0: it has long done so."""
    settled = _settled(memory)
    if settled > limit:
        return 0
    if memory.growth is None:
        return None
    since, rate = memory.growth
    return since + (limit - settled) * SECOND // rate


def cores(memory: Memory) -> float:
    """Cores in use, on average."""
    used = memory.busy + (1.0 if memory.growth else 0.0) + _RUNNING_CORES * len(memory.serves)
    for thread in memory.threads:
        if thread.witness:
            used += _STEP_SECONDS / max(thread.witness.interval, _STEP_SECONDS)
        elif not thread.blocked:
            used += _RUNNING_CORES
    return used


def _settled(memory: Memory) -> int:
    redis = sum(len(key) + len(value) for key, value in memory.redis.values.items()) if memory.redis else 0
    servers = len(memory.serves) * _SERVER_BYTES + redis
    return _CONTAINER_BYTES + len(memory.threads) * _PROCESS_BYTES + servers + memory.held + _in_variables(memory)


def _in_variables(memory: Memory) -> int:
    """What a forked shell has from its parent is there once."""
    values = (value for thread in memory.threads for value in thread.variables.values() if len(value) >= _PAGE)
    return sum({id(value): len(value) for value in values}.values())


def _grown(memory: Memory, now: int) -> int:
    if memory.growth is None:
        return 0
    since, rate = memory.growth
    return max(0, now - since) * rate // SECOND
