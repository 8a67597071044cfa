"""The rows, in memory, behind the few questions that the API asks."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any, TypeVar
from uuid import uuid4

from .clock import now
from .records import Action, Checkpoint, Cluster, ClusterStatus, Policy
from .tables import Table

Row = TypeVar("Row", Cluster, Action, Checkpoint, Policy)
Observer = Callable[[Any, Any], None]


def new_id() -> str:
    """An id as the API hands out: a lower-case UUID."""
    return str(uuid4())


class Store:
    """Rows by id, each kind in the order of creation.

    An observer is called after each change with the row before and after it (None: it was not, or is no more).
    Lists may be asked for as they were `ago` seconds ago.
    """

    def __init__(self) -> None:
        self._observers: list[Observer] = []
        self._clusters: Table[Cluster] = Table(changed=self._changed)
        self._actions: Table[Action] = Table(changed=self._changed)
        self._checkpoints: Table[Checkpoint] = Table(changed=self._changed)
        self._policies: Table[Policy] = Table(changed=self._changed)

    def observe(self, observer: Observer) -> None:
        self._observers.append(observer)

    def load(self, row: Cluster | Action | Checkpoint | Policy) -> None:
        """Puts a row in, as it is kept somewhere, before anybody observes."""
        tables: dict[type[Any], Table[Any]] = {
            Cluster: self._clusters,
            Action: self._actions,
            Checkpoint: self._checkpoints,
            Policy: self._policies,
        }
        tables[type(row)].put(row.id, row)

    def register_cluster(self, name: str, kind: str) -> Cluster:
        """The active cluster of that name, made when there is none: a name stands for one cluster."""
        known = next((row for row in self._clusters.rows() if row.name == name and is_active(row)), None)
        row = replace(known, kind=kind) if known else Cluster(new_id(), name, kind, registered=now())
        return self._clusters.put(row.id, row)

    def add_cluster(self, row: Cluster) -> None:
        self._clusters.put(row.id, row)

    def cluster(self, cluster_id: str) -> Cluster | None:
        return self._clusters.get(cluster_id)

    def clusters(self, ago: float = 0.0) -> Sequence[Cluster]:
        return self._clusters.rows(ago)

    def change_cluster(self, cluster_id: str, **changes: Any) -> Cluster:
        return _change(self._clusters, cluster_id, changes)

    def remove_cluster(self, cluster_id: str) -> None:
        """Remove the cluster with its actions, checkpoints and policies."""
        self._clusters.remove(cluster_id)
        tables: Sequence[Table[Any]] = (self._actions, self._checkpoints, self._policies)
        for table in tables:
            for row in table.rows():
                if row.cluster_id == cluster_id:
                    table.remove(row.id)

    def add_action(self, row: Action) -> None:
        self._actions.put(row.id, row)

    def action(self, action_id: str) -> Action | None:
        return self._actions.get(action_id)

    def actions(self, cluster_id: str | None = None, ago: float = 0.0) -> Sequence[Action]:
        return [row for row in self._actions.rows(ago) if cluster_id in (None, row.cluster_id)]

    def latest_action_of_pod(self, pod_uid: str) -> Action | None:
        return next((row for row in reversed(self._actions.rows()) if row.pod_uid == pod_uid), None)

    def change_action(self, action_id: str, **changes: Any) -> Action:
        return _change(self._actions, action_id, changes)

    def add_checkpoint(self, row: Checkpoint) -> None:
        self._checkpoints.put(row.id, row)

    def checkpoint(self, checkpoint_id: str) -> Checkpoint | None:
        return self._checkpoints.get(checkpoint_id)

    def checkpoints(self, ago: float = 0.0) -> Sequence[Checkpoint]:
        return self._checkpoints.rows(ago)

    def change_checkpoint(self, checkpoint_id: str, **changes: Any) -> Checkpoint:
        return _change(self._checkpoints, checkpoint_id, changes)

    def put_policy(self, row: Policy) -> None:
        self._policies.put(row.id, row)

    def policy(self, policy_id: str) -> Policy | None:
        return self._policies.get(policy_id)

    def policies(self) -> Sequence[Policy]:
        return self._policies.rows()

    def change_policy(self, policy_id: str, **changes: Any) -> Policy:
        return _change(self._policies, policy_id, changes)

    def actions_of_policy(self, policy_id: str) -> Sequence[Action]:
        return [row for row in self._actions.rows() if row.policy_id == policy_id]

    def remove_policy(self, policy_id: str) -> None:
        self._policies.remove(policy_id)

    def _changed(self, old: Any, new: Any) -> None:
        for observer in self._observers:
            observer(old, new)


def is_active(cluster: Cluster) -> bool:
    return cluster.status is ClusterStatus.ACTIVE


def _change(rows: Table[Row], key: str, changes: dict[str, Any]) -> Row:
    row = rows.get(key)
    if row is None:
        raise KeyError(key)
    return rows.put(key, replace(row, **changes))
