"""Times as people read them: as precise as the reader can use, in one place."""

from __future__ import annotations


def lasting(seconds: float) -> str:
    """Seconds in words: `24 s`, `3.8 s`, `0.25 s`; no more figures than tell something.

    From ten seconds on whole ones, below that tenths, below one second hundredths.
    """
    if round(seconds, 1) >= 10:
        return f"{seconds:.0f} s"
    places = 1 if round(seconds, 2) >= 1 else 2
    return f"{round(seconds, places):g} s"
