"""From looks to one history: which steps are the source's, which are the restored process's own."""

from __future__ import annotations

import math
from bisect import bisect_left
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from itertools import pairwise

from harness.trails import OTHER, OWN, SOURCE, Trail

from . import pace, witness
from .evidence import ContainerLog, Evidence, Look
from .logs import NANOSECONDS, Printed, nanoseconds

START_SLACK = 2 * NANOSECONDS
"""How far `startedAt` can lie after the first step of a restored process: it has whole seconds, and the runtime notes
it when the process runs already (in the recordings the first step came up to 1.1 s after it)."""

HEAD_SLACK = 2 * NANOSECONDS
"""How long after `startedAt` and a step's time the first step may come, before others may be missing at the head of a
log without copied lines: it has whole seconds, and the runtime notes it when the process runs already."""


@dataclass(frozen=True, order=True, slots=True)
class Own:
    """A step of the restored process's own, and in which start of its container it was printed."""

    printed: Printed
    run: int

    @property
    def number(self) -> int:
        """The step's number."""
        return self.printed.number

    @property
    def nonce(self) -> str:
        """The witness's nonce."""
        return self.printed.step.nonce

    def seconds_since(self, moment: datetime | None) -> float | None:
        """From a moment to this step; None where that came before, for the two clocks differ."""
        seconds = (self.printed.stamp - nanoseconds(moment)) / NANOSECONDS if moment else -1
        return seconds if seconds >= 0 else None


class SourceHistory:
    """What is known of the source's witness."""

    def __init__(self, evidence: Evidence) -> None:
        source = evidence.source
        seen = {printed for look in source.looks for printed in look.steps()}
        before = source.before.log.steps if source.before.log else ()
        valid = [printed for printed in before if witness.follows(printed.step)]
        self.lines = frozenset(seen)
        wrong = {one for one in seen if not witness.follows(one.step)}
        self.broken = min(wrong, default=None)
        self.nonce = valid[-1].step.nonce if valid else ""
        self.known = tuple(sorted(one for one in seen - wrong if one.step.nonce == self.nonce))
        self.b = max((one.number for one in valid if one.step.nonce == self.nonce), default=0)
        self.last = max((one.number for one in self.known), default=0)
        ends = [self._end(look) for look in self._looks_when_ready(evidence)]
        end = next((end for end in ends if end >= self.b), None)
        self.complete = end is not None
        self.r = self.last if end is None else end
        self.gap = pace.least_gap(self.known)

    def _is_mine(self, printed: Printed) -> bool:
        return printed.step.nonce == self.nonce and witness.follows(printed.step)

    def _looks_when_ready(self, evidence: Evidence) -> list[Look]:
        if evidence.ready_at is None:
            return []
        later = [look for look in evidence.source.after if look.read_at >= evidence.ready_at]
        return sorted(later, key=lambda look: look.read_at)

    def _end(self, look: Look) -> int:
        return max((printed.number for printed in look.steps() if self._is_mine(printed)), default=0)

    @cached_property
    def _by_number(self) -> list[tuple[int, int, int]]:
        spans: dict[int, tuple[int, int]] = {}
        for one in self.known:
            begin, end = spans.get(one.number, (one.stamp, one.stamp))
            spans[one.number] = (min(begin, one.stamp), max(end, one.stamp))
        return sorted((number, begin, end) for number, (begin, end) in spans.items())

    def has_lost(self, printed: Printed) -> bool:
        """Whether the line is one of the source's that its own log has no more (rotated away, or read too early):
        it fills a gap of the source's steps, by number and by time."""
        if not self._is_mine(printed):
            return False
        at = bisect_left(self._by_number, (printed.number, 0, 0))
        after = self._by_number[at] if at < len(self._by_number) else None
        before = self._by_number[at - 1] if at else None
        if after is None or after[0] == printed.number:
            return False
        return (before is None or before[2] < printed.stamp) and printed.stamp < after[1]

    def went_on(self, printed: Printed, run: ContainerLog) -> bool:
        """Whether the line is the source's, printed after its log was last read: a step that follows on its last one,
        from before the restored container was started."""
        if run.started_at is None or printed.number <= self.last or not self._is_mine(printed):
            return False
        return printed.stamp < nanoseconds(run.started_at) - START_SLACK

    def last_before(self, stamp: int) -> int:
        """The last step from before that moment; own ones must get past it, or they could be copied from this log."""
        return max((one.number for one in self.known if one.stamp < stamp), default=self.b)

    @property
    def freeze_gap(self) -> float | None:
        """Seconds between the two steps since `b` that are farthest apart."""
        stamps = [one.stamp for one in self.known if one.number >= self.b]
        return max((later - earlier for earlier, later in pairwise(stamps)), default=0) / NANOSECONDS or None


class OwnHistory:
    """What the restored container printed itself: the lines of its logs that are not the source's."""

    def __init__(self, evidence: Evidence, source: SourceHistory) -> None:
        self.gap = source.gap
        self.looks = sorted(evidence.restored, key=lambda look: look.read_at)
        self.runs = merged(self.looks)
        self.restarts = max((look.restarts for look in self.looks), default=0)
        self.copied: dict[int, int] = {}
        own: dict[Printed, int] = {}
        for run, log in self.runs.items():
            for printed in log.steps:
                if printed in source.lines or source.has_lost(printed) or source.went_on(printed, log):
                    self.copied[run] = max(self.copied.get(run, 0), printed.number)
                else:
                    own.setdefault(printed, run)
        self.all = tuple(sorted(Own(printed, run) for printed, run in own.items()))
        self.mine = tuple(one for one in self.all if one.nonce == source.nonce)
        self._mine = {one.printed for one in self.mine}
        others = tuple(one for one in self.all if one.nonce != source.nonce)
        self.others = tuple(one for one in others if not self.is_from_before(one)) or others
        self.steps = tuple(one.printed for one in self.mine)
        self.numbers = [one.number for one in self.steps]

    @property
    def first(self) -> Own:
        """The own step with the lowest number."""
        return min(self.mine, key=lambda one: (one.number, one.printed.stamp))

    @property
    def unread_runs(self) -> list[int]:
        """Starts of the container that ended and whose log was not read to its end afterwards."""
        read = {look.restarts - 1 for look in self.looks if look.previous is not None}
        return [run for run in range(self.restarts) if run not in read]

    @property
    def grew(self) -> bool:
        """Whether a later look saw steps that the first look with any step did not have; there must be own steps."""
        sightings = [(look.read_at, self._of(look)) for look in self.looks]
        begin = min(read_at for read_at, seen in sightings if seen)
        first = {printed for read_at, seen in sightings if read_at == begin for printed in seen}
        return len(first) < len(self._mine)

    @property
    def stalled(self) -> float:
        """Seconds, by the harness's clock, for which the looks have shown no new step."""
        ready = [look for look in self.looks if look.ready]
        if not ready:
            return 0.0
        since, seen = ready[0].read_at, set[Printed]()
        for look in self.looks:
            if new := self._of(look) - seen:
                since = look.read_at
                seen |= new
        return max(0.0, (self.looks[-1].read_at - since).total_seconds())

    @property
    def replaced(self) -> bool:
        """Whether own steps were seen in two containers that the kubelet counts as one start."""
        seen = {(look.restarts, look.container) for look in self.looks if look.container and self._of(look)}
        return len(seen) > len({restarts for restarts, _ in seen})

    @property
    def missing_at_head(self) -> float:
        """How many steps may have been lost before the first own one: none when copied lines of the source stand before
        it, else as many as fit between the container's start and that step."""
        return 0 if self.first.run in self.copied else self.steps_since_start(self.first)

    @property
    def begins_late(self) -> bool:
        """Whether the first own step came so long after its container's start that others may have come before."""
        started = self.runs[self.first.run].started_at
        if started is None:
            return True
        a_step = (self.steps[-1].stamp - self.steps[0].stamp) // max(1, len(self.steps) - 1)
        return pace.printed_by(self.steps, self.gap) > nanoseconds(started) + HEAD_SLACK + a_step

    def steps_since_start(self, own: Own) -> float:
        """How many steps fit between the start of that step's container and it; infinite when the start is unknown."""
        started = self.runs[own.run].started_at
        if started is None:
            return math.inf
        return max(0, math.ceil((own.printed.stamp - nanoseconds(started)) / self.gap))

    def is_from_before(self, own: Own) -> bool:
        """Whether the line is older than its container, as the head of a log that a restore copied is."""
        started = self.runs[own.run].started_at
        return started is not None and own.printed.stamp < nanoseconds(started) - START_SLACK

    def _of(self, look: Look) -> set[Printed]:
        return look.steps() & self._mine


def trail(source: SourceHistory, own: OwnHistory, most: int) -> Trail:
    """The newest steps that were seen, so many at most, in the order of time, with milliseconds."""
    steps = [(one.stamp, one.number, SOURCE) for one in source.known]
    for one in own.all:
        steps.append((one.printed.stamp, one.number, OWN if one.nonce == source.nonce else OTHER))
    newest = sorted(steps)[-most:]
    return Trail((round(stamp / NANOSECONDS, 3), number, whose) for stamp, number, whose in newest)


def merged(looks: Iterable[Look]) -> dict[int, ContainerLog]:
    """The logs of several looks joined by start of the container."""
    runs: dict[int, ContainerLog] = {}
    for look in looks:
        for run, log in look.runs():
            known = runs.get(run, ContainerLog())
            runs[run] = ContainerLog((*known.lines, *log.lines), known.started_at or log.started_at)
    return runs
