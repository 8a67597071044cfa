"""Policies at work: checkpoints of pods at regular times, until the policy is removed."""

import asyncio
import logging

from .backend import BackendError, Pod
from .inventory import Inventory
from .operations import Operations
from .records import ActionStatus, Policy, PolicyStatus, Resource
from .store import Store

HEARTBEAT = "heartbeat"
log = logging.getLogger(__name__)


class Heartbeats:
    """One task for each policy."""

    def __init__(self, store: Store, inventory: Inventory, operations: Operations) -> None:
        self._store, self._inventory, self._operations = store, inventory, operations
        self._tasks: dict[str, asyncio.Task[None]] = {}
        self._latest: dict[tuple[str, str], str] = {}

    def start(self, policy: Policy) -> None:
        """Starts a policy, or starts it anew with what has changed."""
        self.stop(policy.id)
        self._tasks[policy.id] = asyncio.create_task(self._beat(policy), name=f"policy {policy.id}")

    def stop(self, policy_id: str) -> None:
        """Ends a policy's checkpoints; what runs already goes on."""
        if task := self._tasks.pop(policy_id, None):
            task.cancel()

    async def close(self) -> None:
        """Ends all."""
        tasks = list(self._tasks.values())
        for policy_id in list(self._tasks):
            self.stop(policy_id)
        await asyncio.gather(*tasks, return_exceptions=True)

    async def pods(self, policy: Policy) -> list[Pod]:
        """The pods that the policy is about, as far as they are there."""
        return [pod for pod in await self._inventory.pods() if concerns(policy, pod)]

    async def _beat(self, policy: Policy) -> None:
        while True:
            await asyncio.sleep(policy.interval)
            if not self._store.policy(policy.id):
                return
            if self._has_made_all(policy):
                self._store.change_policy(policy.id, status=PolicyStatus.DISABLED)
                return
            try:
                pods = await self.pods(policy)
            except BackendError as failed:
                log.warning("policy %s skips a beat: %s", policy.id, failed)
                continue
            for pod in pods:
                if pod.status == "Running" and not self._is_busy(policy, pod):
                    self._checkpoint(policy, pod)

    def _has_made_all(self, policy: Policy) -> bool:
        made = [row for row in self._store.actions_of_policy(policy.id) if row.status is ActionStatus.READY]
        return policy.most is not None and len(made) >= policy.most

    def _is_busy(self, policy: Policy, pod: Pod) -> bool:
        """Whether the policy's checkpoint before is still being taken, so that another would only stand in its way."""
        return self._operations.is_running(self._latest.get((policy.id, pod.uid), ""))

    def _checkpoint(self, policy: Policy, pod: Pod) -> None:
        request = {"pod_id": pod.uid, "kind": policy.kind, "reason": HEARTBEAT}
        action = self._operations.start_checkpoint(pod, request, HEARTBEAT, policy.id)
        self._latest[policy.id, pod.uid] = action.id


def concerns(policy: Policy, pod: Pod) -> bool:
    """Whether the policy is about this pod."""
    if pod.cluster_id != policy.cluster_id:
        return False
    return pod.namespace == policy.namespace if policy.resource is Resource.NAMESPACE else pod.uid in policy.pod_uids
