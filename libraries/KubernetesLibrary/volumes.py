"""Volumes that a cluster made for claims of a run: they are the run's too, and may outlive their claims.

A provisioner removes a volume after its claim, or keeps it where its class says so (reclaim policy Retain). A volume
that was there before the claim was somebody else's, and is left alone.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import Any

from harness.failures import OperationFailed
from harness.kube import Cluster, api_errors
from harness.kube.objects import delete, find
from harness.kube.pods import raw
from harness.ledger import LEDGER, Entry
from harness.waiting import Done, Look, Pending, wait_until

Obj = dict[str, Any]
PROVISIONED = "pv.kubernetes.io/provisioned-by"
"""Annotation of volumes that were made for their claim (kubernetes.io, "Well-known labels, annotations and taints")."""
KIND = ("v1", "PersistentVolume", "")


def note(entry: Entry, cluster: Cluster, namespace: str, claim: str | None = None) -> None:
    """Writes down, before claims of the entry are deleted, which volumes were made for them.

    Args:
        claim: its name; every claim of the namespace when None.
    """
    try:
        with api_errors("list the volumes"):
            volumes = raw(cluster.core.list_persistent_volume).get("items") or []
    except OperationFailed as problem:
        if problem.cause.name == "cluster-unreachable":
            raise
        return  # this user may not see volumes, and so not remove any
    ours = [_facts(one) for one in volumes if _is_for(one, namespace, claim)]
    if ours:
        known = {one["uid"]: one for one in [*entry.find.get("volumes", ()), *ours]}
        LEDGER.made(entry, volumes=list(known.values()))


def left(entry: Entry, cluster: Cluster) -> list[str]:
    """The names of the volumes of the entry that are still there."""
    return [one["name"] for one in entry.find.get("volumes", ()) if _there(cluster, one)]


def remove(entry: Entry, cluster: Cluster, timeout: float) -> None:
    """Waits until the entry's volumes are gone after their claims, and deletes those that nobody else will.

    Args:
        timeout: seconds for all of them.

    Raises:
        WaitTimedOut: one is still there; cause `stuck-terminating`.
        OperationFailed: the API refuses.
    """
    volumes: Sequence[dict[str, str]] = entry.find.get("volumes", ())
    deadline = time.monotonic() + timeout
    for one in volumes:
        rest = max(0.0, deadline - time.monotonic())
        if one["policy"] == "Retain":
            delete(cluster, *KIND, one["name"], uid=one["uid"], timeout=rest)
        else:
            _wait_until_gone(cluster, one, rest)


def _wait_until_gone(cluster: Cluster, volume: dict[str, str], timeout: float) -> None:
    def look() -> Look[None]:
        there = _there(cluster, volume)
        if there is None:
            return Done(None)
        return Pending(f"volume {volume['name']} is {there.get('status', {}).get('phase', 'there')}")

    wait_until(
        look,
        timeout=timeout,
        expected=f"volume {volume['name']} to be removed by its provisioner",
        look_next="the events of the volume, and the provisioner's log",
        cause="stuck-terminating",
    )


def _there(cluster: Cluster, volume: dict[str, str]) -> Obj | None:
    found = find(cluster, *KIND, volume["name"])
    return found if found and found["metadata"]["uid"] == volume["uid"] else None


def _is_for(volume: Obj, namespace: str, claim: str | None) -> bool:
    of = volume["spec"].get("claimRef") or {}
    made_for_it = PROVISIONED in (volume["metadata"].get("annotations") or {})
    return made_for_it and of.get("namespace") == namespace and claim in (None, of.get("name"))


def _facts(volume: Obj) -> dict[str, str]:
    policy = str(volume["spec"].get("persistentVolumeReclaimPolicy", "Retain"))
    return {"name": volume["metadata"]["name"], "uid": volume["metadata"]["uid"], "policy": policy}
