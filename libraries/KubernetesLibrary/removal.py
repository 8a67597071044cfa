"""Removing what a ledger says that a run made in a cluster: namespaces and objects, each only as the very thing."""

from __future__ import annotations

import time
from typing import Any

from harness.failures import NotAsExpected
from harness.kube import Cluster, recorded
from harness.kube.objects import RUN_LABEL, delete, find
from harness.ledger import Entry

from . import claims, namespaces, volumes
from .lookup import expected

Obj = dict[str, Any]


class NamespaceRemover:
    """Deletes a namespace that a run created, with everything in it."""

    def exists(self, entry: Entry) -> bool:
        """Whether that very namespace is still there, or a volume of a claim in it."""
        return self._found(entry) is not None or bool(volumes.left(entry, recorded(entry)))

    def remove(self, entry: Entry, budget: float) -> None:
        """Deletes it and waits until it and the volumes are gone, at most `budget` seconds."""
        cluster, deadline = recorded(entry), time.monotonic() + budget
        if found := self._found(entry):
            volumes.note(entry, cluster, entry.find["name"])
            namespaces.remove(cluster, entry.find["name"], found["metadata"]["uid"], budget)
        volumes.remove(entry, cluster, max(0.0, deadline - time.monotonic()))

    def _found(self, entry: Entry) -> Obj | None:
        return the_one(entry, namespaces.find(recorded(entry), entry.find["name"]))


class ObjectRemover:
    """Deletes an object that a run created. A kind that the cluster does not serve has no objects."""

    def exists(self, entry: Entry) -> bool:
        """Whether that very object is still there, or a claim that it made, or the volume of a claim."""
        cluster = recorded(entry)
        return self._found(entry) is not None or bool(claims.left(entry, cluster) or volumes.left(entry, cluster))

    def remove(self, entry: Entry, budget: float) -> None:
        """Deletes it and waits until it, its claims and volumes are gone, at most `budget` seconds."""
        remove_object(entry, recorded(entry), self._found(entry), budget)

    def _found(self, entry: Entry) -> Obj | None:
        try:
            return the_one(entry, find(recorded(entry), *address(entry)))
        except NotAsExpected:
            return None


class RestoredPodRemover:
    """Deletes what a restore made that the run did not live to find."""

    def exists(self, entry: Entry) -> bool:
        """Whether there is such a pod."""
        return bool(expected(recorded(entry), entry))

    def remove(self, entry: Entry, budget: float) -> None:
        """Deletes it and waits until it is gone, at most `budget` seconds."""
        for pod in expected(recorded(entry), entry):
            found = pod["metadata"]
            delete(recorded(entry), "v1", "Pod", found["namespace"], found["name"], uid=found["uid"], timeout=budget)


def remove_object(entry: Entry, cluster: Cluster, found: Obj | None, timeout: float) -> None:
    """Deletes the object of an entry, `found` where it is there, and waits until it, its claims and volumes are gone.

    Args:
        timeout: seconds for all of it.

    Raises:
        WaitTimedOut: something is still there; cause `stuck-terminating`.
        OperationFailed: the API refuses.
    """
    deadline = time.monotonic() + timeout
    if found:
        note_volume(entry, cluster)
        delete(cluster, *address(entry), uid=found["metadata"]["uid"], timeout=timeout)
    claims.remove(entry, cluster, max(0.0, deadline - time.monotonic()))
    volumes.remove(entry, cluster, max(0.0, deadline - time.monotonic()))


def note_volume(entry: Entry, cluster: Cluster) -> None:
    """Writes down the volume that was made for the claim of an entry, before it is deleted; nothing for other kinds."""
    if entry.find["kind"] == "PersistentVolumeClaim":
        volumes.note(entry, cluster, entry.find["namespace"], entry.find["name"])


def address(entry: Entry) -> tuple[str, str, str, str]:
    """apiVersion, kind, namespace and name of the object of an entry."""
    where = entry.find
    return where["apiVersion"], where["kind"], where["namespace"], where["name"]


def the_one(entry: Entry, found: Obj | None) -> Obj | None:
    """`found` if it is the run's: known by its UID or, where the run ended before it learnt that, by its label."""
    if found is None:
        return None
    if uid := entry.find.get("uid"):
        return found if found["metadata"]["uid"] == uid else None
    labels = found["metadata"].get("labels") or {}
    return found if labels.get(RUN_LABEL) == entry.find["run"] else None
