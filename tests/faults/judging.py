"""What a run shows of the suites' worth, against what the fault's declaration expects of them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from .catalogue import Fault
from .running import Ran


@dataclass(frozen=True)
class Judged:
    """A run with a fault (None: without one), or why there was none (`broken`).

    Attributes:
        circumstances: which suites ran and, of a run without a fault, on what.
    """

    fault: Fault | None
    ran: Ran | None
    broken: str = ""
    circumstances: str = ""

    @property
    def met(self) -> bool:
        """Whether the fault struck at all: one that did not proves nothing."""
        return self.ran is not None and (self.fault is None or self.ran.hits > 0)

    @property
    def caught(self) -> bool:
        """Whether a fault that must fail did."""
        return self.met and bool(self.ran and self.ran.status)

    @property
    def right_cause(self) -> bool:
        """Whether it did so for the declared cause, and by the declared test and verdict."""
        return self.fault is not None and self.caught and not self.deviations

    @property
    def deviations(self) -> tuple[str, ...]:
        """What the first failure has that was not declared: its cause, its test, its verdict."""
        if not (self.fault and self.ran and self.ran.status):
            return ()
        first, fault = self.ran.first, self.fault
        return tuple(
            words
            for words, fits in (
                (f"cause {first.cause or 'none'}", first.cause == (fault.cause or "")),
                (f"in {first.where}", fault.test in (None, first.where)),
                (f"verdict {first.verdicts[-1] if first.verdicts else 'none'}", _reached(fault, first.verdicts)),
            )
            if not fits
        )

    @property
    def passed(self) -> bool:
        """Whether nothing failed; with a fault, some test must have passed, for a skip proves nothing."""
        return self.met and self.ran is not None and self.ran.status == 0 and (not self.fault or self.ran.passed > 0)

    @property
    def good(self) -> bool:
        """Whether the suites did what is expected of them."""
        return self.right_cause if self.fault and self.fault.cause else self.passed

    @property
    def words(self) -> str:
        """What became of it."""
        if self.ran is None:
            return self.broken
        if not self.met:
            return "not met: the suites never come to it"
        if self.fault and self.fault.cause and self.deviations:
            return ", ".join(self.deviations)
        if self.ran.status == 0:
            return "passed" if self.ran.passed else "nothing failed, nothing passed"
        return self.ran.cause or f"status {self.ran.status}"


def _reached(fault: Fault, verdicts: Sequence[str]) -> bool:
    return fault.verdict is None or fault.verdict in verdicts


def table(judged: Sequence[Judged]) -> str:
    """A line for each fault."""
    rows = [
        (
            "ok" if one.good else "--",
            one.fault.group if one.fault else "clean run",
            one.fault.name if one.fault else "",
            one.circumstances or (one.fault.suite if one.fault else ""),
            (one.fault.cause or "tolerated") if one.fault else "passes",
            one.words,
            f"{one.ran.seconds:.0f} s" if one.ran else "",
        )
        for one in judged
    ]
    head = ("", "group", "fault", "suite", "expected", "came", "took")
    widths = [max(len(row[column]) for row in (head, *rows)) for column in range(len(head))]
    lines = ("  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)) for row in (head, *rows))
    return "\n".join(line.rstrip() for line in lines)


def closing_line(judged: Sequence[Judged]) -> str:
    """The figures. `faults` counts those that must fail."""
    failing = [one for one in judged if one.fault and one.fault.cause]
    tolerated = [one for one in judged if one.fault and not one.fault.cause]
    clean = [one for one in judged if not one.fault]
    return (
        f"faults: {len(failing)}, caught: {sum(one.caught for one in failing)}, "
        f"right cause: {sum(one.right_cause for one in failing)}, "
        f"tolerated: {sum(one.passed for one in tolerated)} of {len(tolerated)}; "
        f"clean runs: {len(clean)}, false alarms: {sum(not one.passed for one in clean)}"
    )
