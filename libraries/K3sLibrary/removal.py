"""Removing a sandbox that a run left behind."""

from __future__ import annotations

from harness.ledger import Entry
from harness.processes import ProcessId

STOP_GRACE = 5.0


class SandboxRemover:
    """Ends the very process that the entry names; one that was never started is gone already."""

    def exists(self, entry: Entry) -> bool:
        """Whether that process runs."""
        return "pid" in entry.find and ProcessId(entry.find["pid"], entry.find["started"]).alive()

    def remove(self, entry: Entry, budget: float) -> None:
        """Ends it: SIGTERM, then SIGKILL."""
        ProcessId(entry.find["pid"], entry.find["started"]).end(min(STOP_GRACE, budget))
