"""Checks of your own, beside those of the libraries."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from robot.api.deco import keyword, library

from harness.failures import NotAsExpected


@library(scope="GLOBAL", doc_format="MARKDOWN")
class MyChecks:
    """Checks of your own."""

    @keyword(tags=["assertion"])
    def downtime_should_be_below(self, verdicts: list[dict[str, Any]], limit: timedelta) -> float:
        """Checks how long the workload was away, from its deletion to the restored process's first step.

        Args:
            verdicts: what `Get Verdicts` returned; the last one is meant.
            limit: how long it may have been away.

        Returns:
            The downtime in seconds.

        Raises:
            NotAsExpected: it was away longer, or that is not known.
        """
        seconds = verdicts[-1].get("downtime_seconds") if verdicts else None
        if seconds is None or seconds > limit.total_seconds():
            raise NotAsExpected(
                f"the workload to be away for less than {limit.total_seconds()} s",
                "its downtime is not known" if seconds is None else f"it was away for {seconds:.2f} s",
                "the phases of the test in evidence.json",
                cause="restore-timeout",
            )
        return float(seconds)
