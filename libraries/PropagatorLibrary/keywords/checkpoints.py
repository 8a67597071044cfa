"""Keywords about what checkpoints saved."""

from __future__ import annotations

from robot.api import logger
from robot.api.deco import keyword

from harness.failures import NotAsExpected
from harness.ledger import LEDGER

from ..models import Checkpoint
from ..storage import Storage, storage_of
from .base import Connected


class CheckpointKeywords(Connected):
    """Checkpoints, one for each container of a pod."""

    @keyword
    def list_checkpoints(self, cluster_id: str = "") -> list[Checkpoint]:
        """Lists checkpoints, one for each container.

        Args:
            cluster_id: only those of that cluster, where the service knows this filter.

        Returns:
            Checkpoints with `id`, `status`, `name`, `platform` and `gpu`.

        Raises:
            PropagatorError: the propagator refuses the request, or does not answer.

        Example:

            ${checkpoints}=    List Checkpoints
        """
        return self.connected().list_checkpoints(cluster_id)

    @keyword
    def get_checkpoint(self, checkpoint_id: str) -> Checkpoint:
        """Gets a checkpoint as it is now.

        Args:
            checkpoint_id: of the checkpoint, not of its action.

        Returns:
            The checkpoint, with `id`, `status`, `name`, `platform`, `gpu` and `deprecated`.

        Raises:
            NotAsExpected: the propagator does not know it.

        Example:

            ${checkpoint}=    Get Checkpoint    ${id}
            Should Be True    ${checkpoint.deprecated}
        """
        found = self.connected().find_checkpoint(checkpoint_id)
        if found is None:
            raise NotAsExpected(
                f"checkpoint {checkpoint_id}",
                "the propagator knows none of that id",
                "`List Checkpoints`; an action's id is not that of its checkpoints",
                cause="propagator-refused",
            )
        return found

    @keyword
    def get_checkpoints_of_action(self, action_id: str) -> list[Checkpoint]:
        """Finds what a checkpoint's action saved: a checkpoint for each container of the pod.

        Args:
            action_id: of the checkpoint.

        Returns:
            Checkpoints with `id`, `status`, `name`, `platform` and `gpu`.

        Raises:
            NotAsExpected: there are none.

        Example:

            @{checkpoints}=    Get Checkpoints Of Action    ${action}
        """
        client = self.connected()
        action = client.find_action(action_id)
        found = [client.find_checkpoint(each) for each in action.checkpoint_ids] if action else []
        rows = [row for row in found if row]
        if not rows:
            raise NotAsExpected(
                f"checkpoints of action {action_id}", str(action or "no such action"), cause="action-unknown"
            )
        return rows

    @keyword
    def get_checkpoint_of_action(self, action_id: str) -> Checkpoint:
        """Finds the checkpoint that an action saved, of a pod with one container.

        Args:
            action_id: of the checkpoint.

        Returns:
            The checkpoint, with `id`, `status`, `name`, `platform` and `gpu`.

        Raises:
            NotAsExpected: there is none, or there are several; `Get Checkpoints Of Action` gives all.

        Example:

            ${checkpoint}=    Get Checkpoint Of Action    ${action}
            Deprecate Checkpoint    ${checkpoint.id}
        """
        rows = self.get_checkpoints_of_action(action_id)
        if len(rows) > 1:
            seen = "; ".join(map(str, rows))
            raise NotAsExpected(f"one checkpoint of action {action_id}", seen, "Get Checkpoints Of Action gives all")
        return rows[0]

    @keyword
    def deprecate_checkpoint(self, checkpoint_id: str) -> None:
        """Gives a checkpoint up. One that is deprecated already is no error.

        Args:
            checkpoint_id: of the checkpoint, not of its action.

        Raises:
            Refused: the propagator does not know it.

        Example:

            Deprecate Checkpoint    ${checkpoint.id}
        """
        self.connected().deprecate_checkpoint(checkpoint_id)
        logger.info(f"Deprecated checkpoint {checkpoint_id}.")

    @keyword
    def get_checkpoint_storage(self) -> Storage:
        """Counts what this run's checkpoints take at the propagator, those of its heartbeat policies included.

        Returns:
            Its `made` (how many checkpoints), `size` (bytes; none where the service does not tell, as those of 2025 do
            not), and `kept` (how many are not deprecated).

        Raises:
            PropagatorError: the propagator does not tell.

        Example:

            ${storage}=    Get Checkpoint Storage
            Log    ${storage.kept} of ${storage.made} checkpoints are kept.
        """
        storage = storage_of(self.connected(), LEDGER.owed())
        logger.info(f"{storage}.")
        return storage
