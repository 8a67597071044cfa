"""Removing a sandbox that a run left behind."""

from __future__ import annotations

from harness.children import marked
from harness.ledger import Entry
from harness.processes import ProcessId

STOP_GRACE = 5.0


class SandboxRemover:
    """Ends the very process that the entry names, or that has its mark where the run did not live to note more."""

    def exists(self, entry: Entry) -> bool:
        """Whether that process runs."""
        return bool(_processes(entry))

    def remove(self, entry: Entry, budget: float) -> None:
        """Ends it: SIGTERM, then SIGKILL."""
        for process in _processes(entry):
            process.end(min(STOP_GRACE, budget))


def _processes(entry: Entry) -> list[ProcessId]:
    if "pid" not in entry.find:
        return marked(entry.find["mark"]) if "mark" in entry.find else []
    named = ProcessId(entry.find["pid"], entry.find["started"])
    return [named] if named.alive() else []
