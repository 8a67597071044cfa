"""Claims to storage: which of them a pod uses, and those that a StatefulSet of the run has made."""

from __future__ import annotations

import re
import time
from typing import Any

from harness.failures import NotAsExpected
from harness.kube import Cluster, api_errors
from harness.kube.objects import RUN_LABEL, delete
from harness.kube.pods import STORAGE_CLASSES, at_path, raw
from harness.ledger import Entry

from . import facts, volumes

Obj = dict[str, Any]
KIND = ("v1", "PersistentVolumeClaim")
DEFAULT_CLASS = "storageclass.kubernetes.io/is-default-class"
"""Annotation of the class that claims without one get (kubernetes.io, "Storage Classes")."""


def of_pod(cluster: Cluster, namespace: str, name: str) -> list[Obj]:
    """The claims that a pod uses, in the order of its volumes.

    Raises:
        NotAsExpected: there is no such pod.
    """
    pod = facts.pod(cluster, namespace, name)
    named = [(one.get("persistentVolumeClaim") or {}).get("claimName") for one in pod["spec"].get("volumes") or []]
    there = {claim["metadata"]["name"]: claim for claim in _list(cluster, namespace)}
    return [there[name] for name in named if name in there]


def should_be(cluster: Cluster, namespace: str, name: str, claims: list[Obj], cause: str) -> None:
    """Fails unless the pod uses these very claims, each bound to the volume that it was bound to.

    Raises:
        NotAsExpected: another claim, or one that was made anew, or another volume; with `cause`.
    """
    now = of_pod(cluster, namespace, name)
    wanted, seen = ([_identity(claim) for claim in which] for which in (claims, now))
    if wanted != seen:
        raise NotAsExpected(
            f"pod {namespace}/{name} to use {_listed(claims)}",
            f"it uses {_listed(now)}",
            "who deleted the claims, and the volumes of the restored pod",
            cause=cause,
        )


def default_class(cluster: Cluster) -> str:
    """The name of the default StorageClass; empty where there is none."""
    with api_errors("list the storage classes"):
        found = at_path(cluster, STORAGE_CLASSES).get("items") or []
    names = [
        str(one["metadata"]["name"])
        for one in found
        if (one["metadata"].get("annotations") or {}).get(DEFAULT_CLASS) == "true"
    ]
    return names[0] if names else ""


def left(entry: Entry, cluster: Cluster) -> list[Obj]:
    """The claims that a StatefulSet of the run has made and that are still there; none for other kinds of entries."""
    where = entry.find
    if where.get("kind") != "StatefulSet":
        return []
    named = re.compile(rf".+-{re.escape(where['name'])}-\d+")
    ours = _list(cluster, where["namespace"], label_selector=f"{RUN_LABEL}={where['run']}")
    return [claim for claim in ours if named.fullmatch(claim["metadata"]["name"])]


def remove(entry: Entry, cluster: Cluster, timeout: float) -> None:
    """Deletes those claims, and waits until they are gone; their volumes are noted in the entry.

    Args:
        timeout: seconds for all of them.

    Raises:
        WaitTimedOut: one is still there; cause `stuck-terminating`.
        OperationFailed: the API refuses.
    """
    deadline = time.monotonic() + timeout
    for claim in left(entry, cluster):
        namespace, name, uid = (claim["metadata"][key] for key in ("namespace", "name", "uid"))
        volumes.note(entry, cluster, namespace, name)
        delete(cluster, *KIND, namespace, name, uid=uid, timeout=max(0.0, deadline - time.monotonic()))


def _list(cluster: Cluster, namespace: str, **options: str) -> list[Obj]:
    with api_errors(f"list the claims of namespace {namespace}"):
        found: list[Obj] = (
            raw(cluster.core.list_namespaced_persistent_volume_claim, namespace, **options).get("items") or []
        )
    return found


def _identity(claim: Obj) -> tuple[str, str, str]:
    return claim["metadata"]["name"], claim["metadata"]["uid"], claim["spec"].get("volumeName", "")


def _listed(claims: list[Obj]) -> str:
    words = (f"claim {name} (UID {uid}, volume {volume or 'none'})" for name, uid, volume in map(_identity, claims))
    return ", ".join(words) or "no claim"
