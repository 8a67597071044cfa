"""Keywords about heartbeat policies."""

from __future__ import annotations

from datetime import timedelta

from robot.api import logger
from robot.api.deco import keyword

from harness.failures import BadInput
from harness.ledger import LEDGER

from ..lookups import heartbeats_of
from ..models import Policy
from .base import Connected, begin


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
        known = [action.id for action in heartbeats_of(client.list_actions(), pod_uids)]
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
    def list_heartbeat_policies(self) -> list[Policy]:
        """Lists the heartbeat policies.

        Returns:
            Policies with `id`, `status`, `interval` (seconds), `resources` and `pod_count`.

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

        Example:

            Delete Heartbeat Policy    ${policy}
        """
        self.connected().delete_policy(policy_id)
        logger.info(f"Ended policy {policy_id}.")
