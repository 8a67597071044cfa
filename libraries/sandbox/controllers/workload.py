"""What the controllers of workloads share: pods from templates, their readiness, hashes of templates, revisions."""

from __future__ import annotations

import hashlib
import json
import time
from datetime import datetime
from typing import TYPE_CHECKING, Any

from .. import kinds
from ..api import objects
from ..store import clone

if TYPE_CHECKING:
    from ..cluster import Cluster
    from ..kinds import Kind

Object = dict[str, Any]
_SAFE = "bcdfghjklmnpqrstvwxz2456789"


def template_hash(template: Object, collisions: int = 0) -> str:
    """The name part that stands for a pod template: a 32-bit hash in the alphabet that Kubernetes uses.

    Its value differs from a real controller's, whose hash is over Go structs.
    """
    text = json.dumps(template, sort_keys=True) + (str(collisions) if collisions else "")
    number = int.from_bytes(hashlib.sha256(text.encode()).digest()[:4], "big")
    return "".join(_SAFE[ord(digit) % len(_SAFE)] for digit in str(number))


def owner_reference(owner: Object) -> Object:
    """The reference by which a controller owns what it makes."""
    return {
        "apiVersion": owner["apiVersion"],
        "kind": owner["kind"],
        "name": owner["metadata"]["name"],
        "uid": owner["metadata"]["uid"],
        "controller": True,
        "blockOwnerDeletion": True,
    }


def is_active(pod: Object) -> bool:
    """Neither ended nor being deleted."""
    return not pod["metadata"].get("deletionTimestamp") and not has_ended(pod)


def has_ended(pod: Object) -> bool:
    """Succeeded or Failed."""
    return pod.get("status", {}).get("phase") in ("Succeeded", "Failed")


def is_ready(pod: Object) -> bool:
    """Whether the pod's Ready condition holds."""
    return ready_since(pod) is not None


def ready_since(pod: Object) -> float | None:
    """When the pod became Ready (seconds since the epoch), or None."""
    for condition in pod.get("status", {}).get("conditions") or []:
        if condition["type"] == "Ready" and condition["status"] == "True":
            return datetime.fromisoformat(condition["lastTransitionTime"]).timestamp()
    return None


def is_available(pod: Object, min_ready: int) -> bool:
    """Whether the pod has been Ready for `min_ready` seconds."""
    since = ready_since(pod)
    return since is not None and (not min_ready or time.time() - since >= min_ready)


def make_pod(
    cluster: Cluster, owner: Object, template: Object, *, name: str = "", labels: dict[str, str] | None = None
) -> Object:
    """Creates a pod from a template, owned by `owner`. Raises what the API refuses it with."""
    metadata = clone(template.get("metadata") or {})
    metadata.pop("creationTimestamp", None)
    metadata["namespace"] = owner["metadata"]["namespace"]
    prefix = f"{owner['metadata']['name']}-"
    metadata["generateName"] = prefix
    if name:
        metadata["name"] = name
    if labels:
        metadata["labels"] = {**(metadata.get("labels") or {}), **labels}
    metadata["ownerReferences"] = [owner_reference(owner)]
    pod = {"apiVersion": "v1", "kind": "Pod", "metadata": metadata, "spec": clone(template["spec"])}
    return objects.create(cluster, kinds.POD, pod)


def change_status(cluster: Cluster, kind: Kind, owner: Object, status: Object) -> None:
    """Writes the status of a workload object."""

    def set_status(stored: Object) -> None:
        stored["status"] = status

    cluster.store.change(kind, owner["metadata"]["namespace"], owner["metadata"]["name"], set_status)


def revision_of(cluster: Cluster, owner: Object) -> Object:
    """The ControllerRevision of a DaemonSet's or StatefulSet's template, made or renewed as needed."""
    template = owner["spec"]["template"]
    name = f"{owner['metadata']['name']}-{template_hash(template)}"
    namespace = owner["metadata"]["namespace"]
    known = cluster.index.owned(owner["metadata"]["uid"], kinds.CONTROLLER_REVISION)
    latest = max((r["revision"] for r in known), default=0)
    same = next((r for r in known if r["metadata"]["name"] == name), None)
    if same:
        if same["revision"] < latest:

            def renewed(stored: Object) -> None:
                stored["revision"] = latest + 1

            return cluster.store.change(kinds.CONTROLLER_REVISION, namespace, name, renewed) or same
        return same
    labels = {**(template["metadata"].get("labels") or {}), "controller-revision-hash": template_hash(template)}
    revision = {
        "apiVersion": "apps/v1",
        "kind": "ControllerRevision",
        "metadata": {
            "name": name,
            "namespace": namespace,
            "labels": labels,
            "ownerReferences": [owner_reference(owner)],
        },
        "data": {"spec": {"template": {**clone(template), "$patch": "replace"}}},
        "revision": latest + 1,
    }
    return objects.create(cluster, kinds.CONTROLLER_REVISION, revision)


def rounded(value: Any, total: int, *, up: bool) -> int:
    """An absolute number or a percentage of `total` (maxSurge is rounded up, maxUnavailable down)."""
    if isinstance(value, int):
        return value
    part = int(str(value).rstrip("%")) * total
    return -(-part // 100) if up else part // 100
