"""Keywords for many checkpoints or restores at once, a few at the same time, what became of each told for itself."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from datetime import timedelta
from queue import SimpleQueue
from typing import Any

from robot.api import logger
from robot.api.deco import keyword

from harness.failures import BadInput, E2EFailure, NotAsExpected
from harness.side_by_side import each

from ..client import PropagatorClient
from .actions import ActionKeywords, ActionKind, CheckpointReason, RestoreReason

AT_ONCE = 10
"""How many requests are under way at the same time, unless told otherwise."""


@dataclass(frozen=True)
class Done:
    """What became of one checkpoint or restore.

    Attributes:
        of: the pod's UID (of a checkpoint), or the checkpoint's action (of a restore).
        action_id: of the checkpoint or restore; empty where it was not begun.
        seconds: from the request to its end.
        failure: why it is not complete; None when it is.
    """

    of: str
    action_id: str = ""
    seconds: float = 0.0
    failure: Exception | None = None

    @property
    def good(self) -> bool:
        """Whether it is complete."""
        return self.failure is None

    @property
    def cause(self) -> str:
        """The name of the failure's cause; empty when it is complete."""
        if isinstance(self.failure, E2EFailure):
            return self.failure.cause.name
        return "" if self.good else "harness-error"

    def __str__(self) -> str:
        if self.good:
            return f"{self.of}: complete after {self.seconds:.1f} s as action {self.action_id}"
        return f"{self.of}: {getattr(self.failure, 'seen', self.failure)}"


class SeveralKeywords(ActionKeywords):
    """Lists in, lists out, in the same order. Each thread has a connection of its own."""

    @keyword
    def checkpoint_pods(
        self,
        pod_uids: list[str],
        *,
        timeout: timedelta = timedelta(minutes=5),
        at_once: int = AT_ONCE,
        reason: CheckpointReason | None = None,
        overrides: dict[str, Any] | None = None,
        runc_root: str = "",
    ) -> list[Done]:
        """Checkpoints many pods, some at the same time, and waits until each of them is complete or has failed.

        A failure of one keeps no other from being done: `All Should Be Complete` tells them all.

        Args:
            pod_uids: the pods' UIDs in Kubernetes.
            timeout: for each of them, from its request on.
            at_once: how many are under way at the same time.
            reason: as `Checkpoint Pod` has it.
            overrides: as `Checkpoint Pod` has them.
            runc_root: as `Checkpoint Pod` has it.

        Returns:
            What became of each: `of` (the pod's UID), `action_id`, `seconds`, `good`, `failure`, `cause`.

        Raises:
            BadInput: no pod is given, or none may be under way.

        Example:

            VAR    @{uids}    ${pod.metadata.uid}
            ${checkpoints}=    Checkpoint Pods    ${uids}    timeout=2 min
        """

        def begin(uid: str) -> str:
            return self.checkpoint_pod(uid, reason=reason, overrides=overrides, runc_root=runc_root)

        return self._all(pod_uids, begin, "checkpoint", timeout, at_once)

    @keyword
    def restore_pods(
        self,
        action_ids: list[str],
        *,
        cluster_id: str = "",
        timeout: timedelta = timedelta(minutes=5),
        at_once: int = AT_ONCE,
        reason: RestoreReason = "manual",
    ) -> list[Done]:
        """Restores many checkpoints, some at the same time, and waits until each of them is complete or has failed.

        Args:
            action_ids: of the checkpoints, which must be complete.
            cluster_id: the cluster to restore into; the pods' own by default.
            timeout: for each of them, from its request on.
            at_once: how many are under way at the same time.
            reason: as `Restore Pod` has it.

        Returns:
            What became of each: `of` (the checkpoint's action), `action_id`, `seconds`, `good`, `failure`, `cause`.

        Raises:
            BadInput: no checkpoint is given, or none may be under way.

        Example:

            ${restores}=    Restore Pods    ${actions}    cluster_id=${cluster_id}
        """

        def begin(action_id: str) -> str:
            return self.restore_pod(action_id, cluster_id=cluster_id, reason=reason)

        return self._all(action_ids, begin, "restore", timeout, at_once)

    @keyword(tags=["assertion"])
    def all_should_be_complete(self, actions: list[Done]) -> list[str]:
        """Fails unless each checkpoint or restore of a list is complete.

        Args:
            actions: as `Checkpoint Pods` or `Restore Pods` returned them.

        Returns:
            The ids of the actions, in the order of the list.

        Raises:
            NotAsExpected: a line for each that is not; the cause is that of the first.

        Example:

            ${actions}=    All Should Be Complete    ${checkpoints}
        """
        bad = [one for one in actions if not one.good]
        if bad:
            first = bad[0].failure
            raise NotAsExpected(
                f"all {len(actions)} actions to be complete",
                f"{len(actions) - len(bad)} of {len(actions)} are; " + "; ".join(map(str, bad)),
                first.look if isinstance(first, E2EFailure) else "",
                cause=bad[0].cause,
            )
        return [one.action_id for one in actions]

    @keyword
    def deprecate_checkpoints_of_actions(self, action_ids: list[str], *, at_once: int = AT_ONCE) -> list[str]:
        """Gives up what many checkpoints saved, some at the same time. What is deprecated already is no error.

        Args:
            action_ids: of the checkpoints.
            at_once: how many are under way at the same time.

        Returns:
            The ids of what was deprecated, one for each container.

        Raises:
            NotAsExpected: an action saved nothing, or the propagator did not give something up; says which.

        Example:

            ${saved}=    Deprecate Checkpoints Of Actions    ${actions}
        """
        saved = {action.id: action.checkpoint_ids for action in self.connected().list_actions()}
        if without := [action_id for action_id in action_ids if not saved.get(action_id)]:
            seen = f"there is none of {', '.join(without)}"
            raise NotAsExpected(f"checkpoints of {len(action_ids)} actions", seen, cause="action-unknown")
        ids = [checkpoint_id for action_id in action_ids for checkpoint_id in saved[action_id]]

        def give_up(checkpoint_id: str) -> None:
            with self._own_connection(clients):
                self.connected().deprecate_checkpoint(checkpoint_id)

        with self._clients(max(1, min(at_once, len(ids)))) as clients:
            done = each(give_up, ids, at_once)
        if bad := [f"{one.item}: {getattr(one.failure, 'seen', one.failure)}" for one in done if not one.good]:
            expected = f"{len(ids)} checkpoints to be deprecated"
            raise NotAsExpected(expected, f"{len(ids) - len(bad)} are; {'; '.join(bad)}", cause="propagator-refused")
        logger.info(f"Deprecated {len(ids)} checkpoints.")
        return ids

    def _all(
        self,
        items: Sequence[str],
        begin: Callable[[str], str],
        kind: ActionKind,
        timeout: timedelta,
        at_once: int,
    ) -> list[Done]:
        if not items:
            raise BadInput("the list", "", f"one {'pod' if kind == 'checkpoint' else 'checkpoint'} or more")
        if at_once < 1:
            raise BadInput("at_once", at_once, "1 or more")

        def through(item: str) -> Done:
            with self._own_connection(clients):
                started = time.monotonic()
                one = Done(item)
                try:
                    one = replace(one, action_id=begin(item))
                    left = max(0.0, timeout.total_seconds() - (time.monotonic() - started))
                    self.wait_until_action_completes(one.action_id, kind=kind, timeout=timedelta(seconds=left))
                except Exception as failure:
                    one = replace(one, failure=failure)
                return replace(one, seconds=time.monotonic() - started)

        with self._clients(min(at_once, len(items))) as clients:
            found = each(through, items, at_once)
        done = [one.value or Done(one.item, failure=one.failure) for one in found]
        for one in done:
            logger.info(str(one))
        return done

    @contextmanager
    def _clients(self, count: int) -> Iterator[SimpleQueue[PropagatorClient]]:
        """So many clients, each with a session of its own: a session must not be shared by threads."""
        free: SimpleQueue[PropagatorClient] = SimpleQueue()
        with ExitStack() as stack:
            for _ in range(count):
                session = stack.enter_context(self.open_session())
                free.put(self.connected().like_this(session))
            yield free

    @contextmanager
    def _own_connection(self, clients: SimpleQueue[PropagatorClient]) -> Iterator[None]:
        client = self.here.client = clients.get()
        try:
            yield
        finally:
            self.here.client = None
            clients.put(client)
