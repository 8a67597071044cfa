"""Keywords that begin checkpoints and restores, and follow them."""

from __future__ import annotations

from datetime import timedelta
from typing import Any, Literal

from robot.api import logger
from robot.api.deco import keyword

from harness.failures import NotAsExpected
from harness.ledger import LEDGER

from ..errors import ActionFailed
from ..models import Action, ActionStatus
from ..references import PodRef
from .base import Connected, begin

CheckpointKind = Literal["simple", "rootfs", "rootfsonly"]
CheckpointReason = Literal["manual", "heartbeat", "maintenance"]
RestoreReason = Literal["manual", "nodeTermination", "nodeUnschedulable"]
ActionKind = Literal["checkpoint", "restore"]


class ActionKeywords(Connected):
    """Checkpoints and restores while they run."""

    def __init__(self) -> None:
        self._kinds: dict[str, ActionKind] = {}

    @keyword
    def checkpoint_pod(
        self,
        pod_uid: str = "",
        *,
        name: str = "",
        namespace: str = "",
        cluster_id: str = "",
        kind: CheckpointKind | None = None,
        reason: CheckpointReason | None = None,
        overrides: dict[str, Any] | None = None,
        runc_root: str = "",
        known_within: timedelta = timedelta(seconds=10),
    ) -> str:
        """Asks for a checkpoint of a pod. `Wait Until Action Completes` waits for it.

        Args:
            pod_uid: the pod's UID in Kubernetes; or else name and namespace.
            name: the pod's name.
            namespace: the pod's namespace.
            cluster_id: the pod's cluster, where names are not enough.
            kind: processes (`simple`), with the root file system, or that only.
            reason: as the propagator shall note it.
            overrides: options of this checkpoint, such as `compression` or `streams`.
            runc_root: needed by services of mid-2025.
            known_within: how long the propagator may take to learn of a new pod, or of a new cluster.

        Returns:
            The id of the checkpoint's action.

        Raises:
            BadInput: neither the UID nor name and namespace are given.
            Refused: the propagator does not know the pod, or a value is wrong.
            AnswerLost: it cannot be known whether a checkpoint was begun.

        Example:

            ${action}=    Checkpoint Pod    ${pod.metadata.uid}
            ${action}=    Checkpoint Pod    name=web    namespace=my-tests
        """
        client, pod = self.connected(), PodRef(pod_uid, name, namespace, cluster_id)
        trace = client.note_checkpoints(pod)
        facts = {"pod_uid": pod_uid, "pod_name": name, "namespace": namespace, "before": trace.before}
        entry = LEDGER.intend("checkpoint", f"of pod {pod}", place=client.base_url, **facts)
        options: dict[str, Any] = {
            "kind": kind or "",
            "reason": reason or "",
            "overrides": overrides,
            "runc_root": runc_root,
            "known_within": known_within.total_seconds(),
        }
        action_id = begin(entry, lambda: client.checkpoint_pod(pod, trace=trace, **options), "action_id")
        self._kinds[action_id] = "checkpoint"
        logger.info(f"Checkpoint of pod {pod} is action {action_id}.")
        return action_id

    @keyword
    def restore_pod(
        self,
        action_id: str,
        *,
        cluster_id: str = "",
        name: str = "",
        reason: RestoreReason = "manual",
        criu_opts: dict[str, Any] | None = None,
        ready_within: timedelta = timedelta(minutes=1),
    ) -> str:
        """Asks for a pod to be restored from a checkpoint. `Wait Until Action Completes` waits for it.

        Args:
            action_id: of the checkpoint, which must be complete.
            cluster_id: the cluster to restore into; the pod's own by default.
            name: of the restored pod; by default it is the pod's name with `-restored`.
            reason: as the propagator shall note it; services since late 2025 ask for one.
            criu_opts: options of CRIU for this restore.
            ready_within: how long a checkpoint whose action is complete may still be on its way to storage, as
                asynchronous uploads are; until then a refusal is borne.

        Returns:
            The id of the restore's own action.

        Raises:
            Refused: the propagator does not know the checkpoint, or it is not complete.
            AnswerLost: it cannot be known whether a restore was begun.

        Example:

            ${restore}=    Restore Pod    ${action}    cluster_id=${cluster_id}
            Wait Until Action Completes    ${restore}
        """
        client = self.connected()
        entry = LEDGER.intend("restore", f"of checkpoint action {action_id}", place=client.base_url, source=action_id)

        def ask() -> str:
            return client.restore_pod(
                action_id,
                cluster_id=cluster_id,
                pod_name=name,
                reason=reason,
                criu_opts=criu_opts,
                ready_within=ready_within.total_seconds(),
            )

        restore_id = begin(entry, ask, "action_id")
        self._kinds[restore_id] = "restore"
        logger.info(f"Restore of checkpoint action {action_id} is action {restore_id}.")
        return restore_id

    @keyword
    def wait_until_action_completes(
        self,
        action_id: str,
        *,
        timeout: timedelta = timedelta(minutes=5),
        kind: ActionKind | None = None,
        unknown_for: timedelta = timedelta(seconds=30),
    ) -> ActionStatus:
        """Waits until a checkpoint or restore is complete.

        Args:
            action_id: of the checkpoint or restore.
            timeout: how long to wait.
            kind: which of the two it is; the propagator is asked by default.
            unknown_for: how long the propagator may not know the action.

        Returns:
            The status, with `status` and `details`.

        Raises:
            ActionFailed: it ended in an error, which is shown; or it stays unknown, cause `action-unknown`.
            WaitTimedOut: names the last status and for how long it has been so.

        Example:

            Wait Until Action Completes    ${action}    timeout=2 min
        """
        client, seen = self.connected(), [""]

        def note(status: ActionStatus) -> None:
            if status.status != seen[-1]:
                seen.append(status.status)
                logger.info(f"Status {status}.")

        try:
            status = client.wait_until_action_completes(
                action_id,
                kind or self._kinds.get(action_id) or client.kind_of(action_id),
                timeout=timeout.total_seconds(),
                unknown_for=unknown_for.total_seconds(),
                on_status=note,
            )
        except ActionFailed as failed:
            if failed.cause.name != "action-unknown":
                _restore_has_ended(action_id)
            raise
        _restore_has_ended(action_id)
        return status

    @keyword
    def get_action_status(self, action_id: str) -> ActionStatus:
        """Tells how far a checkpoint or restore has come.

        Args:
            action_id: of the checkpoint or restore.

        Returns:
            The status, with `status`, `details` and `outcome` (`succeeded`, `failed`, `running`).

        Raises:
            NotAsExpected: the propagator does not know the action; cause `action-unknown`.

        Example:

            ${status}=    Get Action Status    ${action}
            Should Be Equal    ${status.status}    ready
        """
        status = self.connected().action_status(action_id)
        if status is None:
            raise NotAsExpected(f"action {action_id} to be known", "the propagator knows none", cause="action-unknown")
        return status

    @keyword
    def get_latest_action_of_pod(self, pod_uid: str) -> Action | None:
        """Finds the latest checkpoint or restore of a pod.

        Args:
            pod_uid: the pod's UID in Kubernetes.

        Returns:
            The action, with `id`, `type`, `status`, `checkpoint_ids`, `reason` and more; None when there is none.

        Raises:
            PropagatorError: the propagator refuses the request, or does not answer.

        Example:

            ${action}=    Get Latest Action Of Pod    ${pod.metadata.uid}
        """
        client = self.connected()
        action_id = client.latest_action_of_pod(pod_uid)
        return client.find_action(action_id) if action_id else None

    @keyword
    def list_actions(self, type: Literal["checkpoint_pod", "restore_pod"] | None = None) -> list[Action]:  # noqa: A002
        """Lists checkpoints and restores that were asked for, each once.

        Args:
            type: only those; all by default.

        Returns:
            Actions with `id`, `type`, `status`, `checkpoint_ids` and more.

        Raises:
            PropagatorError: the propagator refuses the request, or does not answer.

        Example:

            ${restores}=    List Actions    restore_pod
        """
        return self.connected().list_actions(type or "")


def _restore_has_ended(action_id: str) -> None:
    """A restore makes nothing any more when it has ended; what it made is its own entry."""
    if entry := LEDGER.find("restore", action_id=action_id):
        LEDGER.gone(entry)
