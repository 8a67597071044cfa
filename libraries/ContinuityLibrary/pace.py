"""The pace of a witness: it sleeps between two steps, so that steps which come quicker were not taken one by one.

A line is stamped when the node reads it. A node that is late stamps several at once, and those after them are on time
again: a stretch of steps can seem shorter than it was by as much as the node was late, and not by more.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import accumulate

from .logs import NANOSECONDS, Printed
from .witness import PERIOD

LATE = 2 * NANOSECONDS
"""How late a node may read what a container has printed. (Measured: 14 ms with six times as many busy processes as
processors, beside which a step took 0.5 s.)"""

_STRETCH = 8
_SHARE = 0.8


def least_gap(steps: Sequence[Printed]) -> int:
    """Nanoseconds that lie between two steps at the least: the script's sleep.

    A witness that is known to be quicker sleeps less. That one is slower tells nothing: it is so where its node is
    busy, and the copy's may be idle (measured: 0.48 s and 0.10 s a step).

    Args:
        steps: of the source, by their stamps.
    """
    stretch = min(_STRETCH, len(steps) - 1)
    paces = [
        (later.stamp - earlier.stamp) / (later.number - earlier.number)
        for earlier, later in zip(steps, steps[stretch:], strict=False)
        if later.number > earlier.number and later.stamp > earlier.stamp
    ]
    script = int(PERIOD * NANOSECONDS)
    quickest = min(paces, default=script)
    return script if quickest >= script else max(1, int(quickest * _SHARE))


def too_quick_by(steps: Sequence[Printed], gap: int) -> int:
    """Nanoseconds by which the steps of the quickest stretch came sooner than they can have been taken."""
    spare = _spare(steps, gap)
    return max((most - one for most, one in zip(accumulate(spare, max), spare, strict=True)), default=0)


def keeps_pace(steps: Sequence[Printed], gap: int, least: int) -> bool:
    """Whether some stretch to the very last step was taken no quicker than it can be: of at least so many steps, and as
    long as the node would have been late where they came too quick."""
    spare, since = _spare(steps, int(gap * _SHARE)), steps[-1].stamp - too_quick_by(steps, gap)
    return any(
        before <= spare[-1] and one.stamp <= since
        for before, one in zip(spare[: len(spare) - least + 1], steps, strict=False)
    )


def printed_by(steps: Sequence[Printed], gap: int) -> int:
    """The stamp that the first step would have at the latest, had the node not been late with it."""
    return steps[0].number * gap + min(_spare(steps, gap))


def _spare(steps: Sequence[Printed], gap: int) -> list[int]:
    """Each step's stamp, less the time that the steps up to it take: it never falls, but where the node was late."""
    return [one.stamp - one.number * gap for one in steps]
