"""Container logs with the runtime's timestamps, and the witness steps in them."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from . import witness
from .witness import Step

NANOSECONDS = 1_000_000_000

_LINE = re.compile(r"(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d)(?:\.(\d{1,9}))?(Z|[+-]\d\d:\d\d)(?: (.*))?", re.ASCII | re.DOTALL)


@dataclass(frozen=True, order=True)
class LogLine:
    """One line of a container's log: `stamp` is the node's clock in nanoseconds since 1970."""

    stamp: int
    text: str


@dataclass(frozen=True, order=True)
class Printed:
    """A step with the stamp of the line that holds it. Equal ones are one and the same line, copied."""

    stamp: int
    step: Step

    @property
    def number(self) -> int:
        """The step's number."""
        return self.step.number


def parse(log: str | Iterable[str]) -> tuple[LogLine, ...]:
    """The lines of a log as `pods/log?timestamps=true` gives it, as one text or as lines.

    A line without a timestamp (an error text in place of a log, the rest of a line that was cut off) is left out.
    """
    lines = log.split("\n") if isinstance(log, str) else log
    return tuple(line for text in lines if (line := _parse_line(text)) is not None)


def steps(lines: Iterable[LogLine]) -> tuple[Printed, ...]:
    """The witness steps among the lines, each once, by their stamps."""
    found = ((line.stamp, witness.parse(line.text)) for line in lines)
    return tuple(sorted({Printed(stamp, step) for stamp, step in found if step is not None}))


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
