"""Container logs with the runtime's timestamps, and the witness steps in them."""

from __future__ import annotations

import re
from bisect import bisect_left
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from itertools import takewhile
from typing import Literal

from . import witness
from .witness import Step

NANOSECONDS = 1_000_000_000

_LINE = re.compile(r"(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d)(?:\.(\d{1,9}))?(Z|[+-]\d\d:\d\d)(?: (.*))?", re.ASCII | re.DOTALL)


@dataclass(frozen=True, order=True, slots=True)
class Printed:
    """A step with the stamp of the line that holds it. Equal ones are one and the same line, copied."""

    stamp: int
    step: Step

    @property
    def number(self) -> int:
        """The step's number."""
        return self.step.number


@dataclass(frozen=True, order=True, slots=True)
class LogLine:
    """One line of a container's log: `stamp` is the node's clock in nanoseconds since 1970."""

    stamp: int
    text: str
    _printed: Printed | Literal[False] | None = field(default=False, init=False, repr=False, compare=False)

    @property
    def printed(self) -> Printed | None:
        """The witness step in it; None where there is none. It is looked for once."""
        if self._printed is False:
            step = witness.parse(self.text)
            object.__setattr__(self, "_printed", Printed(self.stamp, step) if step else None)
        return self._printed or None

    @classmethod
    def of(cls, printed: Printed) -> LogLine:
        """The line that a step was printed as."""
        line = cls(printed.stamp, witness.written(printed.step))
        object.__setattr__(line, "_printed", printed)
        return line


def parse(log: str | Iterable[str]) -> tuple[LogLine, ...]:
    """The lines of a log as `pods/log?timestamps=true` gives it, as one text or as lines.

    A line without a timestamp (an error text in place of a log, the rest of a line that was cut off) is left out.
    """
    lines = log.split("\n") if isinstance(log, str) else log
    return tuple(line for text in lines if (line := _parse_line(text)) is not None)


def steps(lines: Iterable[LogLine]) -> tuple[Printed, ...]:
    """The witness steps among the lines, each once, by their stamps."""
    return tuple(sorted({printed for line in lines if (printed := line.printed) is not None}))


def sharing(lines: Sequence[LogLine], earlier: Sequence[LogLine]) -> tuple[LogLine, ...]:
    """The same lines; those that an earlier look at the log has seen, too, are its very ones, and so take no room."""
    begin = bisect_left(earlier, lines[0]) if lines else 0
    same = takewhile(_are_equal, zip(lines, earlier[begin:], strict=False))
    known = tuple(old for _, old in same)
    return (*known, *lines[len(known) :])


def nanoseconds(moment: datetime) -> int:
    """A point in time in the unit of the stamps; microseconds are kept exactly."""
    whole = int(moment.replace(microsecond=0).timestamp())
    return whole * NANOSECONDS + moment.microsecond * 1000


def _parse_line(text: str) -> LogLine | None:
    found = _LINE.fullmatch(text.removesuffix("\n"))
    if found is None:
        return None
    seconds, fraction, zone, rest = found.groups()
    try:
        moment = datetime.fromisoformat(seconds + zone)
    except ValueError:
        return None
    return LogLine(nanoseconds(moment) + int((fraction or "").ljust(9, "0")), rest or "")


def _are_equal(pair: tuple[LogLine, LogLine]) -> bool:
    new, old = pair
    return new.stamp == old.stamp and new.text == old.text
