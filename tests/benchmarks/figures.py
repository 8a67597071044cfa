"""Figures and the table that shows them."""

from __future__ import annotations

import statistics
from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class Figure:
    """One thing that was measured several times.

    Attributes:
        name: what it is.
        values: one a run, or one a sample.
        unit: of the values; empty for ratios and counts.
        target: the most that `of` may be; None for what is only told.
        of: which of the values the target is for: `median` or a percentile such as `p95`.
        least: the target is the least that it may be.
    """

    name: str
    values: Sequence[float]
    unit: str = ""
    target: float | None = None
    of: str = "median"
    least: bool = False

    def at(self, which: str) -> float:
        """`median`, `min`, `max`, or a percentile such as `p95` by the nearest rank."""
        ordered = sorted(self.values)
        if which == "median":
            return statistics.median(ordered)
        share = {"min": 0.0, "max": 1.0}.get(which, 0.0) if not which.startswith("p") else int(which[1:]) / 100
        return ordered[max(0, min(len(ordered) - 1, round(share * len(ordered) + 0.4999) - 1))]

    @property
    def verdict(self) -> str:
        """Whether the target is met."""
        if self.target is None:
            return ""
        value = self.at(self.of)
        good = value >= self.target if self.least else value <= self.target
        return "met" if good else "MISSED"

    def row(self) -> list[str]:
        """Its cells in the table."""
        if not self.values:
            return [self.name, "0", *["-"] * 5, self.unit, "", "not measured"]
        spread = [f"{self.at(which):.4g}" for which in ("min", "median", "p95", "p99", "max")]
        sign = ">=" if self.least else "<="
        target = "" if self.target is None else f"{self.of} {sign} {self.target:g}"
        return [self.name, str(len(self.values)), *spread, self.unit, target, self.verdict]


HEAD = ["figure", "n", "min", "median", "p95", "p99", "max", "unit", "target", ""]


def table(figures: Sequence[Figure]) -> str:
    """The figures as a table of Markdown, in columns."""
    rows = [HEAD, *(figure.row() for figure in figures)]
    widths = [max(len(row[column]) for row in rows) for column in range(len(HEAD))]
    lines = [
        "| " + " | ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)) + " |" for row in rows
    ]
    lines.insert(1, "|" + "|".join("-" * (width + 2) for width in widths) + "|")
    return "\n".join(lines)
