"""What a preflight found, as data and as a table; what is missing fails, all of it at once."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from html import escape

from harness.failures import NotAsExpected


class Importance(StrEnum):
    """What it means that a finding is not as it should be."""

    NEEDED = "needed"
    """Nothing works without it."""
    WANTED = "wanted"
    """Some tests skip or fail without it."""


@dataclass(frozen=True)
class Finding:
    """One thing that was looked at.

    Attributes:
        what: what is asked of the cluster.
        good: whether it is so.
        seen: what was found, in a few words.
        needed_by: for what it is needed.
    """

    what: str
    good: bool
    seen: str
    needed_by: str = "every run"
    importance: Importance = Importance.NEEDED

    @property
    def mark(self) -> str:
        """`ok`, `MISSING`, or `none` where some tests do without."""
        return "ok" if self.good else "MISSING" if self.importance is Importance.NEEDED else "none"


def judge(findings: Sequence[Finding]) -> None:
    """Fails when something that is needed is missing.

    Raises:
        NotAsExpected: names all of it; cause `cluster-unfit`.
    """
    missing = [one for one in findings if one.mark == "MISSING"]
    if missing:
        raise NotAsExpected(
            f"the cluster to have what is needed ({len(findings)} things were looked at)",
            "; ".join(f"{one.what}: {one.seen} (for {one.needed_by})" for one in missing),
            "libraries/K3sLibrary/preflight/rights.yaml has the rights that are needed, ready to be applied",
            cause="cluster-unfit",
        )


def as_text(findings: Sequence[Finding]) -> str:
    """A table for consoles and logs."""
    rows = [(one.mark, one.what, one.seen, one.needed_by) for one in findings]
    widths = [max(len(row[column]) for row in rows) for column in range(3)] if rows else [0, 0, 0]
    return "\n".join("  ".join([*map(str.ljust, row[:3], widths), row[3]]).rstrip() for row in rows)


def as_html(findings: Sequence[Finding]) -> str:
    """A table for log.html."""
    head = "<tr><th></th><th>what</th><th>seen</th><th>needed by</th></tr>"
    rows = "".join(
        f"<tr><td>{one.mark}</td><td>{escape(one.what)}</td><td>{escape(one.seen)}</td><td>{escape(one.needed_by)}</td></tr>"
        for one in findings
    )
    return f"<table>{head}{rows}</table>"
