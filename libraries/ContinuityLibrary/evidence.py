"""What a verdict is reached from. Plain data: collected from a cluster, from recordings, or made up by tests."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from functools import cached_property

from .logs import LogLine, Printed, sharing, steps
from .packing import Packed


@dataclass(frozen=True)
class ContainerLog:
    """The log of one start of a container, and when the runtime says that it started (whole seconds, node's clock)."""

    lines: Sequence[LogLine] = ()
    started_at: datetime | None = None

    @property
    def steps(self) -> tuple[Printed, ...]:
        """The witness steps in it, each once, by their stamps. A log is judged again and again, but read once."""
        return steps(self.lines) if isinstance(self.lines, Packed) else self._steps

    @cached_property
    def _steps(self) -> tuple[Printed, ...]:
        return steps(self.lines)

    def sharing(self, earlier: ContainerLog | None) -> ContainerLog:
        """The same log, with the very lines of an earlier look at it: each look keeps only what is new."""
        return replace(self, lines=sharing(self.lines, earlier.lines)) if earlier else self

    def packed(self) -> ContainerLog:
        """The same log, to be kept."""
        return self if isinstance(self.lines, Packed) else replace(self, lines=Packed(self.lines))

    def unpacked(self) -> ContainerLog:
        """The same log, to be read again and again."""
        return replace(self, lines=tuple(self.lines))


@dataclass(frozen=True)
class Look:
    """One look at a container. Several looks at it belong to one history; what an early one saw is not forgotten.

    Args:
        read_at: when the reading of the log began, by the harness's own clock; `read_at` of all looks of one evidence
            come from one clock, so that the times between them hold whatever the nodes' clocks say.
        log: the log of the container as it runs; None where there was none to be read.
        previous: the log of its start before the last restart; None where there was none to be read.
        restarts: its restartCount.
        running: whether it runs; when it does not, `state` tells in words what it does instead.
        ready: whether the pod is Ready.
        over: nothing will start it again (the pod has ended).
        container: the runtime's id of the container; empty when there is none yet.
    """

    read_at: datetime
    log: ContainerLog | None = None
    previous: ContainerLog | None = None
    restarts: int = 0
    running: bool = True
    ready: bool = True
    over: bool = False
    state: str = "running"
    container: str = ""

    def sharing(self, earlier: Look) -> Look:
        """The same look, with the very lines of the log that an earlier one saw."""
        return replace(self, log=self.log.sharing(earlier.log)) if self.log else self

    def packed(self) -> Look:
        """The same look, to be kept."""
        return replace(self, log=self.log and self.log.packed(), previous=self.previous and self.previous.packed())

    def unpacked(self) -> Look:
        """The same look, to be judged."""
        return replace(self, log=self.log and self.log.unpacked(), previous=self.previous and self.previous.unpacked())

    def runs(self) -> Iterator[tuple[int, ContainerLog]]:
        """The logs by start of the container: 0 for the first, 1 after the first restart."""
        if self.previous is not None:
            yield self.restarts - 1, self.previous
        if self.log is not None:
            yield self.restarts, self.log

    def steps(self) -> set[Printed]:
        """Every witness step that this look saw."""
        return {printed for _, run in self.runs() for printed in run.steps}


@dataclass(frozen=True)
class Demands:
    """What a history must show before it counts as going on.

    Args:
        steps: how many steps of its own the restored process must have printed.
        patience: seconds without a new step, seen over two looks, after which the process counts as silent.
    """

    steps: int = 8
    patience: float = 3.0


@dataclass(frozen=True)
class Source:
    """The workload before: its pod's UID, a look from before the checkpoint was asked for, and the looks after it.

    Args:
        uid: of the pod.
        before: read before the checkpoint was asked for. Its last step is `b`.
        after: read afterwards; the first one that began when the checkpoint was ready gives `r`. Later ones (the source
            goes on) only tell which lines are the source's.
    """

    uid: str
    before: Look
    after: tuple[Look, ...] = ()

    @property
    def looks(self) -> tuple[Look, ...]:
        """All looks at it."""
        return (self.before, *self.after)


@dataclass(frozen=True)
class Evidence:
    """Everything that a verdict is reached from.

    Args:
        source: the workload that was checkpointed (or deleted and created again).
        restored_uid: UID of the pod that is judged; empty when there is none.
        restored: the looks at its container.
        ready_at: when the checkpoint was reported ready, by the harness's clock; None when it never was.
        deleted_at: when the source was deleted, by the harness's clock; None when it was not.
        restore_asked_at: when the restore was asked for, by the harness's clock; None when none was noted.
        others: the other workloads of this run: nonce and name.
        demands: what counts as going on.
    """

    source: Source
    restored_uid: str = ""
    restored: tuple[Look, ...] = ()
    ready_at: datetime | None = None
    deleted_at: datetime | None = None
    restore_asked_at: datetime | None = None
    others: Mapping[str, str] = field(default_factory=dict)
    demands: Demands = Demands()
