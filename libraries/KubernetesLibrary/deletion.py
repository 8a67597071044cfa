"""Deleting a pod: the very one that is meant, awaited until it is gone, and no longer owed by the ledger."""

from __future__ import annotations

from harness.kube import Cluster
from harness.kube.objects import delete, entry_of, find
from harness.ledger import LEDGER


def delete_pod(cluster: Cluster, namespace: str, name: str, uid: str | None, timeout: float) -> bool:
    """Deletes the pod and waits until it is gone.

    Args:
        uid: only the pod with this UID; the one that has the name now when None.
        timeout: seconds.

    Returns:
        Whether it was there.

    Raises:
        WaitTimedOut: still there; cause `stuck-terminating`.
        OperationFailed: the API refuses.
    """
    there = find(cluster, "v1", "Pod", namespace, name)
    found = there["metadata"]["uid"] if there else None
    if found and uid in (None, found):
        delete(cluster, "v1", "Pod", namespace, name, uid=found, timeout=timeout)
    gone = uid or found
    if entry := entry_of(cluster, "Pod", namespace, name, gone):
        LEDGER.gone(entry)
    return found is not None and uid in (None, found)
