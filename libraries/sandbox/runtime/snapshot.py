"""What a checkpoint of a pod holds: every container's memory, writable layer and log at one moment."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from .logs import Line, Log
from .shell.memory import Memory


@dataclass(frozen=True)
class ContainerSnapshot:
    """One container at the cut. `memory` is None when it was not running; `process` is what /proc/1 showed; `modes` and
    `handles` are the file tree's; `source` is its log, which may go on, and how many lines had been written to it."""

    name: str
    image: str
    memory: Memory | None
    layer: dict[str, bytes | None]
    made: frozenset[str]
    env: dict[str, str]
    hostname: str
    log: tuple[Line, ...]
    pending: dict[str, Line]
    source: tuple[Log, int]
    stand_in: bool
    command: tuple[str, ...]
    memory_bytes: int
    mounts: frozenset[str]
    process: Mapping[str, bytes] = field(default_factory=dict)
    modes: Mapping[str, int] = field(default_factory=dict)
    handles: Mapping[int, str | bytes] = field(default_factory=dict)

    @property
    def size(self) -> int:
        """Bytes that a checkpoint of it takes (see `usage`)."""
        layer = sum(len(data) for data in self.layer.values() if data)
        layer += sum(len(held) for held in self.handles.values() if isinstance(held, bytes))
        log = sum(len(line.text) + 1 for line in self.log)
        env = sum(len(k) + len(v) + 2 for k, v in self.env.items())
        return self.memory_bytes + layer + log + env

    def next_line(self) -> list[Line]:
        """The line that the source has printed first after the cut, if it has."""
        log, written = self.source
        at = written - log.dropped
        return log.lines[at : at + 1] if at >= 0 else []

    def copied_log(self) -> Log:
        """The log with which a restored container begins: the source's lines, byte for byte."""
        return Log(list(self.log), dict(self.pending))


@dataclass(frozen=True)
class PodSnapshot:
    """All containers of a pod at one moment (`at`, ns since the epoch), and the pod as the API had it then."""

    pod: dict[str, Any]
    at: int
    containers: dict[str, ContainerSnapshot]
    freeze: float = 0.0

    @property
    def size(self) -> int:
        """Bytes of the whole checkpoint."""
        return sum(container.size for container in self.containers.values())
