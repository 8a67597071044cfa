"""Where what Cedana does in an emulated cluster can be made to go wrong."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from propagator_server.backend import CheckpointRequest, RestoreRequest

    from ..cluster import Cluster
    from ..runtime import PodSnapshot


@dataclass
class RestorePlan:
    """What a restore is about to make: the pod, and the state it starts from (None: its containers start afresh)."""

    cluster: Cluster
    pod: dict[str, Any]
    snapshot: PodSnapshot | None


@dataclass
class Interference:
    """Callbacks, each called in turn; nobody interferes unless something is to go wrong.

    Attributes:
        taken: gets the state that a checkpoint took and returns what is kept of it.
        planned: may change the plan of a restore before it is carried out.
    """

    taken: list[Callable[[CheckpointRequest, PodSnapshot], PodSnapshot]] = field(default_factory=list)
    planned: list[Callable[[RestoreRequest, RestorePlan], None]] = field(default_factory=list)

    def keep(self, request: CheckpointRequest, snapshot: PodSnapshot) -> PodSnapshot:
        """What is kept of a checkpoint."""
        for interfere in self.taken:
            snapshot = interfere(request, snapshot)
        return snapshot

    def plan(self, request: RestoreRequest, plan: RestorePlan) -> RestorePlan:
        """The plan that is carried out."""
        for interfere in self.planned:
            interfere(request, plan)
        return plan
