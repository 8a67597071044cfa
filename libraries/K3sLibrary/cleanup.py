"""The end of a run: removing what it made, and saying what is left; the same for runs that were killed."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

from harness.failures import NotAsExpected
from harness.ledger import LEDGER, left_behind
from harness.removal import Removal, remove_all


@dataclass
class CleanUp:
    """What this run removed so far."""

    removals: list[Removal] = field(default_factory=list)

    def run(self, budget: float, tell: Callable[[Removal], None]) -> None:
        """Removes what this run made, newest first, and tells what became of each thing.

        Robot Framework raises an exception in the midst of it when a first signal comes. It is raised again when all
        is done; a second signal's is no `Exception` and ends the work at once.

        Args:
            budget: seconds, for all of it; one thing may take as much as is left of them.
            tell: is called with what became of each.
        """
        deadline = time.monotonic() + budget
        try:
            self._remove(budget, tell)
        except Exception:
            self._remove(max(0.0, deadline - time.monotonic()), tell)
            raise

    def _remove(self, budget: float, tell: Callable[[Removal], None]) -> None:
        for removal in remove_all(LEDGER, budget=budget, each=budget):
            self.removals.append(removal)
            tell(removal)

    def left(self) -> list[str]:
        """What this run made and is still there, by name, with the reason."""
        latest = {id(removal.entry): removal for removal in self.removals}
        names = [str(removal) for removal in latest.values() if removal.left]
        return names + [f"{entry}: not removed yet" for entry in LEDGER.owed() if id(entry) not in latest]

    def nothing_should_be_left(self) -> None:
        """Checks that the ledger owes nothing.

        Raises:
            NotAsExpected: lists by name what is still there; cause `leftovers`.
        """
        if names := self.left():
            raise NotAsExpected(
                "nothing to be left of what this run made",
                "; ".join(names),
                "`PYTHONPATH=libraries python -m harness.ledger sweep` tries again",
                cause="leftovers",
            )


def sweep_dead_runs(budget: float, within_reach: set[str]) -> Iterator[tuple[str, Removal]]:
    """Removes what runs owe that were killed; yields run id and removal.

    Kept environments are left alone, and so is a run that made something behind other places than those within reach
    (kubeconfigs and URLs) and those that it brought up itself.
    """
    for ledger in left_behind():
        own = {place for entry in ledger.owed() for place in entry.find.get("places", ())}
        if ledger.kept or not {entry.place for entry in ledger.owed()} <= within_reach | own | {""}:
            continue
        for removal in remove_all(ledger, budget=budget, each=budget):
            yield ledger.run_id, removal
