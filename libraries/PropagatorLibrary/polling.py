"""Waiting for actions to end."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field

from harness.durations import lasting
from harness.waiting import Done, Look, Pace, Pending, wait_until

from .errors import ActionFailed, NotUnderstood, PropagatorError
from .models import ActionStatus, Outcome

StatusReader = Callable[[], ActionStatus | None]


@dataclass
class ActionWatch:
    """Looks at one action until it has ended.

    Args:
        action_id: of the action.
        kind: `checkpoint` or `restore`, for the cause when it fails.
        read: reads the status once; None when the server does not know the action.
        unknown_for: seconds that the server may not know it: a moment of that is normal, as lists lag.
    """

    action_id: str
    kind: str
    read: StatusReader
    unknown_for: float
    _unknown_since: float | None = field(default=None, init=False)

    def look(self) -> Look[ActionStatus]:
        """One look.

        Raises:
            ActionFailed: it ended in an error, or the server has not known it for too long.
            PropagatorError: asking again will not help.
        """
        try:
            status = self.read()
        except PropagatorError as failed:
            if not (failed.transient or isinstance(failed, NotUnderstood) or failed.status == 500):
                raise
            return Pending(f"no status: {failed.seen}", cause=failed.cause.name, retry_after=failed.retry_after)
        if status is None or status.outcome is Outcome.UNKNOWN:
            return self._unknown()
        self._unknown_since = None
        if status.outcome is Outcome.FAILED:
            raise self._failed(f"{status.status}: {status.details or 'no details available'}", f"{self.kind}-failed")
        return Done(status) if status.outcome is Outcome.SUCCEEDED else Pending(f"status {status.status}")

    def _unknown(self) -> Pending:
        now = time.monotonic()
        self._unknown_since = self._unknown_since or now
        if now - self._unknown_since >= self.unknown_for:
            seen = f"the propagator has not known the action for {lasting(self.unknown_for)}"
            raise self._failed(seen, "action-unknown")
        return Pending("an action that the propagator does not know", cause="action-unknown")

    def _failed(self, seen: str, cause: str) -> ActionFailed:
        return ActionFailed(
            f"{self.kind} action {self.action_id}",
            seen,
            expected=f"{self.kind} action {self.action_id} to complete",
            look="the log of the Cedana helper on the pod's node, and of the manager",
            cause=cause,
        )


def wait_until_ended(watch: ActionWatch, *, timeout: float, pace: Pace) -> ActionStatus:
    """Waits until the action has succeeded.

    Raises:
        WaitTimedOut: names the last status and for how long it has been so.
        ActionFailed: it ended in an error.
    """
    return wait_until(
        watch.look,
        timeout=timeout,
        expected=f"{watch.kind} action {watch.action_id} to complete",
        look_next="the log of the Cedana helper on the pod's node: a request that no helper takes up never ends",
        cause=f"{watch.kind}-timeout",
        pace=pace,
    )
