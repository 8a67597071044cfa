"""Keywords for what must not work: it has to end soon and clearly, at the request or by the action's end."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta

from robot.api import SkipExecution, logger
from robot.api.deco import keyword

from harness.failures import NotAsExpected

from ..errors import ActionFailed, Refused
from ..models import Outcome
from .actions import ActionKeywords, ActionKind


@dataclass(frozen=True)
class Refusal:
    """How something that must not work was refused.

    Attributes:
        how: `the request was refused with 404`, or `checkpoint action <id> ended in an error`.
        message: the service's own words.
        cause: by the harness's names.
    """

    how: str
    message: str
    cause: str

    def __str__(self) -> str:
        return f"{self.how}: {self.message}"


class RefusalKeywords(ActionKeywords):
    """Checkpoints and restores that must be refused. Eras differ in how they refuse; any clear way is right."""

    @keyword(tags=["assertion"])
    def checkpoint_should_be_refused(
        self,
        pod_uid: str = "",
        *,
        name: str = "",
        namespace: str = "",
        cluster_id: str = "",
        runc_root: str = "",
        timeout: timedelta = timedelta(minutes=1),
    ) -> Refusal:
        """Fails unless a checkpoint of that pod is refused: at the request, or by an action that ends in an error.

        Args:
            pod_uid: the pod's UID in Kubernetes; or else name and namespace.
            name: the pod's name.
            namespace: the pod's namespace.
            cluster_id: the pod's cluster, where names are not enough.
            runc_root: as `Checkpoint Pod` has it.
            timeout: for the action to end.

        Returns:
            The refusal: how, message, cause.

        Raises:
            NotAsExpected: the checkpoint was reported done (cause `false-success`), or refused without a word.
            WaitTimedOut: the action never ends; cause `checkpoint-timeout`.

        Example:

            Checkpoint Should Be Refused    name=no-such-pod    namespace=my-tests
        """
        pod = f"{namespace}/{name}" if name else pod_uid

        def ask() -> str:
            return self.checkpoint_pod(
                pod_uid,
                name=name,
                namespace=namespace,
                cluster_id=cluster_id,
                runc_root=runc_root,
                known_within=timedelta(0),
            )

        return self._refused(f"a checkpoint of pod {pod}", ask, "checkpoint", timeout)

    @keyword(tags=["assertion"])
    def restore_should_be_refused(
        self, action_id: str, *, cluster_id: str = "", timeout: timedelta = timedelta(minutes=1)
    ) -> Refusal:
        """Fails unless a restore of that checkpoint is refused: at the request, or by an action that ends in an error.

        Args:
            action_id: of the checkpoint.
            cluster_id: the cluster to restore into; the pod's own by default.
            timeout: for the action to end.

        Returns:
            The refusal: how, message, cause.

        Raises:
            NotAsExpected: the restore was reported done (cause `false-success`), or refused without a word.
            WaitTimedOut: the action never ends; cause `restore-timeout`.

        Example:

            Restore Should Be Refused    2f1b9a3c-0000-4000-8000-000000000000    cluster_id=${cluster_id}
        """

        def ask() -> str:
            return self.restore_pod(action_id, cluster_id=cluster_id, ready_within=timedelta(0))

        return self._refused(f"a restore of checkpoint action {action_id}", ask, "restore", timeout)

    @keyword(tags=["assertion"])
    def restore_of_running_checkpoint_should_be_refused(
        self, action_id: str, *, cluster_id: str = "", timeout: timedelta = timedelta(minutes=1)
    ) -> Refusal:
        """Fails unless a restore of a checkpoint that is still being taken is refused.

        The test is skipped where the checkpoint was complete before the restore was answered.

        Args:
            action_id: of the checkpoint, as `Checkpoint Pod` has just given it.
            cluster_id: as `Restore Should Be Refused` has it, and so has `timeout`.
            timeout: for the action to end.

        Returns:
            The refusal: how, message, cause.

        Raises: as `Restore Should Be Refused`.

        Example:

            ${action}=    Checkpoint Pod    ${pod.metadata.uid}
            Restore Of Running Checkpoint Should Be Refused    ${action}
        """

        def ask() -> str:
            restore = self.restore_pod(action_id, cluster_id=cluster_id, ready_within=timedelta(0))
            if self._is_complete(action_id):
                raise SkipExecution(f"The checkpoint {action_id} was complete before its restore was answered.")
            return restore

        return self._refused(f"a restore of the unfinished checkpoint action {action_id}", ask, "restore", timeout)

    def _is_complete(self, action_id: str) -> bool:
        status = self.connected().action_status(action_id)
        return status is not None and status.outcome is Outcome.SUCCEEDED

    def _refused(self, what: str, ask: Callable[[], str], kind: ActionKind, timeout: timedelta) -> Refusal:
        try:
            action_id = ask()
            status = self.wait_until_action_completes(action_id, kind=kind, timeout=timeout)
        except Refused as refused:
            how, message = f"the request was refused with {refused.status}", refused.message
            refusal = Refusal(how, message, refused.cause.name)
        except ActionFailed as failed:
            if failed.cause.name == "action-unknown":
                raise
            refusal = Refusal(f"{failed.operation} ended in an error", failed.seen, failed.cause.name)
        else:
            seen = f"{kind} action {action_id} ended well: {status}"
            raise NotAsExpected(f"{what} to be refused", seen, "what it saved or made", cause="false-success")
        if not refusal.message.strip():
            seen = f"{refusal.how}, without a word"
            raise NotAsExpected(f"{what} to be refused with a reason", seen, cause="propagator-answer")
        logger.info(str(refusal))
        return refusal
