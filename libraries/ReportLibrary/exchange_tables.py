"""Tables of what a step asked and what was answered; of long ones both ends, and the whole in a file."""

from __future__ import annotations

import re
import zipfile
from collections.abc import Callable, Hashable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from harness.exchanges import HELM, KUBERNETES, PROPAGATOR, Exchange, beginning
from harness.secrets import SECRETS

from . import markup
from .markup import Markup

WHOLE = "exchanges.zip"
LONGEST_GOOD = 200
"""Characters that are shown of a good answer."""
MOST_ROWS = 30
"""Rows that a table may have; of a longer one are shown the first third and what comes last."""
METRICS = "/apis/metrics.k8s.io/"
"""What measures the use of resources asks there, all the time and beside the step."""
HEAD = ("Method", "Path", "Status", "ms")
UNFIT = re.compile(r"[^\w .,()-]+")
"""What cannot stand in the name of a file everywhere."""
Keep = Callable[[Sequence[Exchange]], Markup]
"""Keeps exchanges whole, and gives a link to them."""


@dataclass(frozen=True)
class Row:
    """The same request with the same answer, once or, as in polling, several times; all for metrics count as one."""

    group: Sequence[Exchange]

    def cells(self) -> tuple[object, ...]:
        """As the table has them."""
        one, times = self.group[0], [round(each.seconds * 1000) for each in self.group]
        path = one.path if all(each.path == one.path for each in self.group) else f"{METRICS}…"
        often = f" ({len(self.group)} times)" if len(self.group) > 1 else ""
        took = f"{min(times)}" if min(times) == max(times) else f"{min(times)} to {max(times)}"
        sent = "" if one.sent == "{}" else one.sent
        texts = [("sent", sent), ("answer", beginning(one.answer, LONGEST_GOOD) if one.good else one.answer)]
        bodies = "\n".join(f"{title}: {body}" if one.to == PROPAGATOR else body for title, body in texts if body)
        cells = (one.method, f"{path}{often}", one.status or "none", took)
        if not bodies:
            return cells
        return (*cells, markup.folded("bodies", bodies) if one.to == PROPAGATOR else bodies)


def tables(some: Iterable[Exchange], keep: Keep) -> Markup:
    """A table for each that was asked, those of Kubernetes and Helm folded.

    Args:
        keep: is handed the exchanges of a table that does not show them all; gives a link to them.
    """
    by_whom = {to: [one for one in some if one.to == to] for to in (PROPAGATOR, KUBERNETES, HELM)}
    made = [_of(to, own, keep) for to, own in by_whom.items() if own]
    return markup.joined(*made)


def _of(to: str, own: Sequence[Exchange], keep: Keep) -> Markup:
    rows = list(_rows(own, adjacent=to == PROPAGATOR))
    shown = [row.cells() for row in rows]
    first, left = MOST_ROWS // 3, len(rows) - MOST_ROWS
    if left > 0:
        out = rows[first : first + left]
        shown[first : first + left] = [("", markup.joined(_left_out(out), keep(own)))]
    if to == PROPAGATOR:
        return markup.table(f"Requests to {to}", (*HEAD, "Bodies"), shown, "exchanges")
    return markup.unfolding(f"Requests to {to}: {len(own)}", markup.table("", (*HEAD, "Answer"), shown, "exchanges"))


def _left_out(rows: Sequence[Row]) -> str:
    count = sum(len(row.group) for row in rows)
    bad = sum(len(row.group) for row in rows if not row.group[0].good)
    what = f"{count} requests are left out here" + (f", {bad} of them without a good answer" if bad else "")
    return f"{what}; all are in "


def _rows(some: Sequence[Exchange], *, adjacent: bool) -> Iterator[Row]:
    """Equal ones in one row, wherever they stand or only where nothing else came between."""
    groups: dict[Hashable, list[Exchange]] = {}
    turn, last = 0, None
    for one in some:
        same = (one.method, one.path, one.status, one.answer)
        if one.path.startswith(METRICS) and one.good:
            same = (one.method, METRICS, one.status, "")
        turn += adjacent and same != last
        last = same
        groups.setdefault((turn, same), []).append(one)
    return map(Row, groups.values())


class Whole:
    """The file that keeps exchanges whole; a run's first ones take the place of what an earlier run has left."""

    def __init__(self) -> None:
        self._file = Path()

    def keep(self, directory: Path, name: str, some: Sequence[Exchange]) -> Markup:
        """Adds a text with these exchanges to the file in `directory`, where log.html will be, and links there."""
        file = directory / WHOLE
        mode: Literal["a", "w"] = "a" if file == self._file else "w"
        self._file = file
        directory.mkdir(parents=True, exist_ok=True)
        text = "\n".join(_told(one) for one in some)
        with zipfile.ZipFile(file, mode, zipfile.ZIP_DEFLATED) as kept:
            inside = f"{len(kept.namelist()) + 1:03} {UNFIT.sub('-', SECRETS.redact(name))}.txt"
            kept.writestr(inside, SECRETS.redact(text))
        return markup.joined(markup.link(WHOLE, WHOLE), f" as {inside}")

    def close(self) -> None:
        """The run is over."""
        self._file = Path()


def _told(one: Exchange) -> str:
    lines = [f"#{one.number} {one.method} {one.path}: {one.status or 'no answer'}, {one.seconds * 1000:.0f} ms"]
    lines += [f"  {title}: {body}" for title, body in (("sent", one.sent), ("answer", one.answer)) if body]
    return "\n".join(lines)
