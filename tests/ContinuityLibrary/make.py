"""Evidence made up for tests: a source, its checkpoint, and a restored container whose log tells what happened."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta

from ContinuityLibrary import witness
from ContinuityLibrary.evidence import ContainerLog, Demands, Evidence, Look, Source
from ContinuityLibrary.logs import LogLine, nanoseconds, steps

ZERO = datetime(2026, 11, 24, 12, 0, 0, tzinfo=UTC)
NONCE, ANOTHER, THIRD = "aaaaaaaaaaaaaaaa", "bbbbbbbbbbbbbbbb", "cccccccccccccccc"


def at(seconds: float) -> datetime:
    """The moment so many seconds after the story's beginning."""
    return ZERO + timedelta(seconds=seconds)


def line(number: int, seconds: float, nonce: str = NONCE, chain: str | None = None) -> LogLine:
    """The log line of a step."""
    proof = chain or witness.chain(nonce, number)
    return LogLine(nanoseconds(at(seconds)), f"witness/1 nonce={nonce} step={number} chain={proof}")


def run(first: int, last: int, begin: float, nonce: str = NONCE, period: float = 0.2) -> tuple[LogLine, ...]:
    """The lines of steps `first` to `last`, the first one at `begin` seconds."""
    return tuple(line(n, begin + (n - first) * period, nonce) for n in range(first, last + 1))


def log(*parts: Iterable[LogLine], started: float | None = None) -> ContainerLog:
    """A container's log; `started` in seconds, cut to whole ones as the runtime does."""
    start = None if started is None else at(int(started))
    return ContainerLog(tuple(one for part in parts for one in part), start)


@dataclass(frozen=True)
class Story:
    """A source that prints from second 0 on, is asked for a checkpoint at step `b`, and whose log ends with step `r`.

    The restored container starts at second 10 with the first `copied` lines of the source in front.
    """

    b: int = 10
    r: int = 14
    copied: int = 11
    own: tuple[LogLine, ...] = field(default_factory=lambda: run(12, 30, 10.3))
    others: dict[str, str] = field(default_factory=dict)

    @property
    def source_lines(self) -> tuple[LogLine, ...]:
        """The source's log, read to its end."""
        return run(1, self.r, 0.2)

    @property
    def restored_log(self) -> ContainerLog:
        """The restored container's log as it stands in the end."""
        return log(self.source_lines[: self.copied], self.own, started=10)

    def look(self, seconds: float, *, drop: int = 0) -> Look:
        """A look at the restored container; the last `drop` steps of its own have not been printed yet."""
        whole = self.restored_log
        stamps = sorted(one.stamp for one in steps(self.own))
        if not drop or len(stamps) < drop:
            return Look(at(seconds), whole)
        end = stamps[-drop]
        return Look(at(seconds), replace(whole, lines=tuple(one for one in whole.lines if one.stamp < end)))

    @property
    def source(self) -> Source:
        """The source's looks: when the checkpoint was asked for (second 5) and when it was ready (second 6)."""
        before = Look(at(5), log(self.source_lines[: self.b], started=0))
        return Source("uid-source", before, (Look(at(6.1), log(self.source_lines, started=0)),))

    @property
    def evidence(self) -> Evidence:
        """Two looks at the restored container, a second apart."""
        looks = (self.look(20, drop=4), self.look(21))
        return Evidence(self.source, "uid-restored", looks, ready_at=at(6), deleted_at=at(7), others=self.others)


def seen(evidence: Evidence, *looks: Look, demands: Demands | None = None) -> Evidence:
    """The evidence with these looks at the restored container."""
    return replace(evidence, restored=looks, demands=demands or evidence.demands)
