"""Every change of state that tests measure by goes into the journal, with its time."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from . import kinds
from .api.journal import Journal
from .store import Change

if TYPE_CHECKING:
    from .cluster import Cluster

_ROWS = {"Action": "action", "Checkpoint": "checkpoint", "Cluster": "cluster"}


def follow_cluster(journal: Journal, cluster: Cluster) -> None:
    """Pods as they come, change their phase or readiness, begin to end, and go; nodes as they become Ready or not."""
    seen: dict[str, dict[str, Any]] = {}

    def changed(change: Change) -> None:
        kind = {kinds.POD: "pod", kinds.NODE: "node"}.get(change.kind)
        if kind is None:
            return
        uid = change.object["metadata"]["uid"]
        state = _pod(change) if kind == "pod" else _node(change)
        if seen.get(uid) != state:
            seen[uid] = state
            journal.note(kind, cluster=cluster.name, **state)
        if change.type == "DELETED":
            seen.pop(uid, None)

    cluster.store.subscribe(changed)


def _pod(change: Change) -> dict[str, Any]:
    metadata, status = change.object["metadata"], change.object.get("status", {})
    return {
        "namespace": metadata["namespace"],
        "name": metadata["name"],
        "uid": metadata["uid"],
        "phase": status.get("phase", ""),
        "ready": _is_ready(status),
        "restarts": sum(one.get("restartCount", 0) for one in status.get("containerStatuses") or []),
        "node": change.object["spec"].get("nodeName", ""),
        "state": "deleted" if change.type == "DELETED" else "ending" if "deletionTimestamp" in metadata else "there",
    }


def _node(change: Change) -> dict[str, Any]:
    metadata = change.object["metadata"]
    ready = _is_ready(change.object.get("status", {}))
    return {"name": metadata["name"], "ready": ready, "state": "deleted" if change.type == "DELETED" else "there"}


def _is_ready(status: dict[str, Any]) -> bool:
    return any(one["type"] == "Ready" and one["status"] == "True" for one in status.get("conditions") or [])


def row_changed(journal: Journal, old: Any, new: Any) -> None:
    """A row of the propagator came, changed its status, or went."""
    row = new if new is not None else old
    kind = _ROWS.get(type(row).__name__)
    if kind is None or (old is not None and new is not None and old.status == new.status):
        return
    facts = {"status": str(row.status) if new is not None else "gone"}
    for name in ("type", "pod_uid", "action_id", "cluster_id", "name", "error"):
        value = getattr(row, name, None)
        if value is not None:
            facts[name] = str(value)
    journal.note(kind, id=row.id, **facts)
