"""The rows, in memory, behind the few questions that the API asks."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any, TypeVar
from uuid import uuid4

from .records import Action, Checkpoint, Cluster, ClusterStatus, Policy

Row = TypeVar("Row", Cluster, Action, Checkpoint)


def new_id() -> str:
    """An id as the API hands out: a lower-case UUID."""
    return str(uuid4())


class Store:
    """Rows by id, each kind in the order of creation."""

    def __init__(self) -> None:
        self._clusters: dict[str, Cluster] = {}
        self._actions: dict[str, Action] = {}
        self._checkpoints: dict[str, Checkpoint] = {}
        self._policies: dict[str, Policy] = {}

    def register_cluster(self, name: str, kind: str) -> Cluster:
        """The active cluster of that name, made when there is none: a name stands for one cluster."""
        known = next((row for row in self._clusters.values() if row.name == name and is_active(row)), None)
        row = replace(known, kind=kind) if known else Cluster(id=new_id(), name=name, kind=kind)
        self._clusters[row.id] = row
        return row

    def cluster(self, cluster_id: str) -> Cluster | None:
        return self._clusters.get(cluster_id)

    def clusters(self) -> Sequence[Cluster]:
        return list(self._clusters.values())

    def change_cluster(self, cluster_id: str, **changes: Any) -> Cluster:
        return _change(self._clusters, cluster_id, changes)

    def remove_cluster(self, cluster_id: str) -> None:
        """Remove the cluster with its actions, checkpoints and policies."""
        del self._clusters[cluster_id]
        for rows in (self._actions, self._checkpoints, self._policies):
            for key in [key for key, row in rows.items() if row.cluster_id == cluster_id]:
                del rows[key]

    def add_action(self, row: Action) -> None:
        self._actions[row.id] = row

    def action(self, action_id: str) -> Action | None:
        return self._actions.get(action_id)

    def actions(self, cluster_id: str | None = None) -> Sequence[Action]:
        return [row for row in self._actions.values() if cluster_id in (None, row.cluster_id)]

    def latest_action_of_pod(self, pod_uid: str) -> Action | None:
        return next((row for row in reversed(self._actions.values()) if row.pod_uid == pod_uid), None)

    def change_action(self, action_id: str, **changes: Any) -> Action:
        return _change(self._actions, action_id, changes)

    def add_checkpoint(self, row: Checkpoint) -> None:
        self._checkpoints[row.id] = row

    def checkpoint(self, checkpoint_id: str) -> Checkpoint | None:
        return self._checkpoints.get(checkpoint_id)

    def checkpoints(self) -> Sequence[Checkpoint]:
        return list(self._checkpoints.values())

    def change_checkpoint(self, checkpoint_id: str, **changes: Any) -> Checkpoint:
        return _change(self._checkpoints, checkpoint_id, changes)

    def put_policy(self, row: Policy) -> None:
        self._policies[row.id] = row

    def policy(self, policy_id: str) -> Policy | None:
        return self._policies.get(policy_id)

    def policies(self) -> Sequence[Policy]:
        return list(self._policies.values())

    def remove_policy(self, policy_id: str) -> None:
        del self._policies[policy_id]


def is_active(cluster: Cluster) -> bool:
    return cluster.status is ClusterStatus.ACTIVE


def _change(rows: dict[str, Row], key: str, changes: dict[str, Any]) -> Row:
    rows[key] = replace(rows[key], **changes)
    return rows[key]
