"""What the checkpoints of a run take: storage costs money."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from harness.ledger import Entry

from .client import PropagatorClient
from .lookups import heartbeats_of
from .models import Action, Outcome, outcome_of
from .sending import Patience

BRIEF = Patience(total=3.0)
"""For figures, which nothing depends on."""


@dataclass(frozen=True)
class Storage:
    """What checkpoints take at the propagator.

    Attributes:
        made: how many there were.
        size: bytes of them all; None where the service does not tell, as those of 2025 do not.
        kept: how many of them are not deprecated.
    """

    made: int
    size: int | None
    kept: int

    def __str__(self) -> str:
        size = "of a size that the service does not tell" if self.size is None else f"of {self.size / 1e6:.1f} MB"
        return f"{self.made} checkpoints {size}, {self.kept} of them not deprecated"


def storage_of(client: PropagatorClient, owed: Iterable[Entry]) -> Storage:
    """What the checkpoints of these ledger entries take, those of heartbeat policies included.

    Raises:
        PropagatorError: it cannot be asked.
    """
    here = [entry for entry in owed if entry.place == client.base_url]
    asked = {entry.find.get("action_id") for entry in here if entry.kind == "checkpoint"}
    policies = [entry for entry in here if entry.kind == "heartbeat-policy"]
    if not asked and not policies:
        return Storage(made=0, size=0, kept=0)
    mine = [
        action for action in client.list_actions(patience=BRIEF) if action.id in asked or _is_beat(action, policies)
    ]
    ids = {each for action in mine for each in action.checkpoint_ids}
    rows = [row for row in client.list_checkpoints() if row.id in ids and outcome_of(row.status) is not Outcome.FAILED]
    sizes = [action.size for action in mine if action.outcome is Outcome.SUCCEEDED]
    size = None if None in sizes else sum(each or 0 for each in sizes)
    return Storage(made=len(rows), size=size, kept=sum(not row.deprecated for row in rows))


def _is_beat(action: Action, policies: Iterable[Entry]) -> bool:
    return any(
        heartbeats_of([action], policy.find["pod_uids"]) and action.id not in policy.find.get("known", ())
        for policy in policies
    )
