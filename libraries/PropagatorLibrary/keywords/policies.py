"""Keywords about heartbeat policies."""

from __future__ import annotations

from datetime import timedelta

from robot.api import logger
from robot.api.deco import keyword

from harness.durations import lasting
from harness.failures import BadInput, NotAsExpected, WaitTimedOut
from harness.ledger import LEDGER
from harness.waiting import Done, Look, Pending, wait_until

from ..errors import ActionFailed, PropagatorError
from ..models import Action, Outcome, Policy
from .base import Connected, begin

NOT_SERVED = (404, 405, 501)
"""What a service answers that does not have what it is asked for."""


class PolicyKeywords(Connected):
    """Checkpoints at regular times."""

    @keyword
    def create_heartbeat_policy(self, *pod_uids: str, cluster_id: str, interval: timedelta) -> str:
        """Has pods checkpointed at regular times, until the policy is deleted or the run ends.

        Args:
            pod_uids: UIDs of the pods in Kubernetes.
            cluster_id: their cluster's id.
            interval: between two checkpoints, in whole seconds.

        Returns:
            The policy's id.

        Raises:
            BadInput: no pod is given, or the interval is not of whole seconds.
            Refused: the service has no policies, or a value is wrong.

        Example:

            ${policy}=    Create Heartbeat Policy    ${pod.metadata.uid}    cluster_id=${id}    interval=30 s
        """
        client, seconds = self.connected(), interval.total_seconds()
        if not pod_uids:
            raise BadInput("pod_uids", "", "the UIDs of one pod or more")
        if seconds < 1 or seconds != int(seconds):
            raise BadInput("interval", interval, "1 s or more, in whole seconds")
        known = [action.id for action in client.heartbeats(pod_uids)]
        facts = {"pod_uids": list(pod_uids), "known": known}
        entry = LEDGER.intend("heartbeat-policy", f"for {len(pod_uids)} pods", place=client.base_url, **facts)
        policy_id = begin(
            entry,
            lambda: client.create_policy(pod_uids, cluster_id=cluster_id, interval=int(seconds)),
            "policy_id",
        )
        logger.info(f"Policy {policy_id} checkpoints {len(pod_uids)} pods every {seconds:g} s.")
        return policy_id

    @keyword
    def propagator_has_policies(self) -> bool:
        """Tells whether the service has heartbeat policies: those of before December 2025 have none.

        Returns:
            Whether it lists policies, be there any or not.

        Raises:
            PropagatorError: it does not answer, or fails.

        Example:

            ${has}=    Propagator Has Policies
            IF    not ${has}    Skip    This propagator has no heartbeat policies.
        """
        try:
            self.connected().list_policies()
        except PropagatorError as refused:
            if refused.status not in NOT_SERVED:
                raise
            return False
        return True

    @keyword
    def list_heartbeats(self, pod_uid: str) -> list[Action]:
        """Lists the checkpoints of a pod that policies asked for, oldest first.

        Args:
            pod_uid: the pod's UID in Kubernetes.

        Returns:
            Actions with `id`, `status`, `checkpoint_ids`, `started` and more.

        Raises:
            PropagatorError: the propagator refuses the request, or does not answer.

        Example:

            @{beats}=    List Heartbeats    ${pod.metadata.uid}
        """
        return self.connected().heartbeats([pod_uid])

    @keyword
    def wait_for_heartbeat(
        self, pod_uid: str, *, known: list[Action] | None = None, timeout: timedelta = timedelta(minutes=2)
    ) -> Action:
        """Waits until a policy's checkpoint of the pod is complete.

        Args:
            pod_uid: the pod's UID in Kubernetes.
            known: heartbeats that do not count, as `List Heartbeats` gave them: those that had begun before.
            timeout: how long to wait.

        Returns:
            The first such action that is complete.

        Raises:
            ActionFailed: one ended in an error; cause `checkpoint-failed`.
            WaitTimedOut: none came, or none was completed; cause `heartbeat-missing`.

        Example:

            @{before}=    List Heartbeats    ${pod.metadata.uid}
            ${policy}=    Create Heartbeat Policy    ${pod.metadata.uid}    cluster_id=${id}    interval=1 s
            ${beat}=    Wait For Heartbeat    ${pod.metadata.uid}    known=${before}
        """
        client, ignored = self.connected(), {action.id for action in known or []}

        def look() -> Look[Action]:
            beats = [beat for beat in client.heartbeats([pod_uid]) if beat.id not in ignored]
            if failed := next((beat for beat in beats if beat.outcome is Outcome.FAILED), None):
                expected = f"heartbeat {failed.id} to complete"
                seen = f"{failed.status}: {failed.error or 'no details available'}"
                raise ActionFailed(f"heartbeat {failed.id}", seen, expected=expected, cause="checkpoint-failed")
            complete = (beat for beat in beats if beat.outcome is Outcome.SUCCEEDED)
            beat = next(complete, None)
            return (
                Done(beat) if beat else Pending("; ".join(map(str, beats)) or "no checkpoint that a policy asked for")
            )

        beat = wait_until(
            look,
            timeout=timeout.total_seconds(),
            expected=f"a heartbeat of pod {pod_uid} to be complete",
            look_next="the policy and the pod's actions at the propagator",
            cause="heartbeat-missing",
            pace=client.pace,
        )
        logger.info(f"{beat} is complete.")
        return beat

    @keyword(tags=["assertion"])
    def no_heartbeat_should_come(
        self, pod_uid: str, *, known: list[Action] | None = None, duration: timedelta = timedelta(seconds=10)
    ) -> None:
        """Fails when a policy's checkpoint of the pod begins in that time.

        Args:
            pod_uid: the pod's UID in Kubernetes.
            known: heartbeats that do not count, as `List Heartbeats` gave them.
            duration: for how long none must come.

        Raises:
            NotAsExpected: one came; cause `heartbeat-unwanted`.

        Example:

            @{before}=    List Heartbeats    ${pod.metadata.uid}
            No Heartbeat Should Come    ${pod.metadata.uid}    known=${before}    duration=2 s
        """
        client, ignored, seconds = self.connected(), {action.id for action in known or []}, duration.total_seconds()

        def look() -> Look[Action]:
            beat = next((beat for beat in client.heartbeats([pod_uid]) if beat.id not in ignored), None)
            return Done(beat) if beat else Pending("none")

        expected = f"no heartbeat of pod {pod_uid} for {lasting(seconds)}"
        try:
            beat = wait_until(look, timeout=seconds, expected=expected, pace=client.pace)
        except WaitTimedOut:
            return
        raise NotAsExpected(expected, str(beat), "the policies at the propagator", cause="heartbeat-unwanted")

    @keyword
    def list_heartbeat_policies(self) -> list[Policy]:
        """Lists the heartbeat policies.

        Returns:
            Policies with `id`, `status`, `interval` (seconds), `resources` and `pod_count`.

        Raises:
            PropagatorError: the propagator refuses the request, or does not answer.

        Example:

            ${policies}=    List Heartbeat Policies
        """
        return self.connected().list_policies()

    @keyword
    def delete_heartbeat_policy(self, policy_id: str) -> None:
        """Ends a heartbeat policy. One that is gone already is no error.

        Its checkpoints stay until the run ends, when those of a policy of this run are deprecated.

        Args:
            policy_id: as `Create Heartbeat Policy` gave it.

        Raises:
            PropagatorError: the propagator refuses the request, or does not answer.

        Example:

            Delete Heartbeat Policy    ${policy}
        """
        self.connected().delete_policy(policy_id)
        logger.info(f"Ended policy {policy_id}.")
