"""Which workload a pod belongs to: by its controller reference, or by a selector that fits a pod of nobody's."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from .. import kinds
from .base import Key, key_of
from .index import controller_of
from .selectors import matches
from .workload import is_active, owner_reference

if TYPE_CHECKING:
    from ..cluster import Cluster
    from ..kinds import Kind
    from ..store import Change

Object = dict[str, Any]


def concerned(cluster: Cluster, kind: Kind, change: Change) -> list[Key]:
    """The workloads of one kind that a pod's change concerns.

    As addPod, updatePod and deletePod of Kubernetes' controllers have it: the one that controls the pod, the one that
    did before the change, and for a pod of nobody's each whose selector fits it, as it is new, lost its controller or
    has other labels.
    """
    pod, old = change.object, change.old
    namespace = pod["metadata"]["namespace"]
    controllers = [controller_of(pod), controller_of(old) if old else None]
    names = [owner["name"] for owner in controllers if owner and owner["kind"] == kind.kind]
    free = controllers[0] is None and change.type != "DELETED"
    if free and (old is None or controllers[1] or _labels(old) != _labels(pod)):
        names += [each["metadata"]["name"] for each in cluster.store.list(kind, namespace) if _selects(each, pod)]
    return [(namespace, name) for name in dict.fromkeys(names)]


def pods_of(cluster: Cluster, owner: Object, fits: Callable[[Object], bool] = lambda _: True) -> list[Object]:
    """The pods that the owner controls.

    As Kubernetes' controllers claim pods: those that its selector and `fits` fit and nobody controls are adopted, and
    those that they no longer fit are released, unless the owner is being deleted.
    """
    uid, namespace = owner["metadata"]["uid"], owner["metadata"]["namespace"]
    if not owner["metadata"].get("deletionTimestamp"):
        for name in sorted(cluster.orphans.get(namespace, ())):
            pod = cluster.store.get(kinds.POD, namespace, name)
            if pod and _selects(owner, pod) and is_active(pod) and fits(pod):
                _change_owners(cluster, pod, lambda owners: [*owners, owner_reference(owner)])
        for pod in cluster.index.owned(uid, kinds.POD):
            if is_active(pod) and not (_selects(owner, pod) and fits(pod)):
                _change_owners(cluster, pod, lambda owners: [each for each in owners if each["uid"] != uid])
    return cluster.index.owned(uid, kinds.POD)


def _change_owners(cluster: Cluster, pod: Object, change: Callable[[list[Object]], list[Object]]) -> None:
    def changed(stored: Object) -> None:
        owners = change(stored["metadata"].pop("ownerReferences", None) or [])
        if owners:
            stored["metadata"]["ownerReferences"] = owners

    cluster.store.change(kinds.POD, *key_of(pod), changed)


def _selects(owner: Object, pod: Object) -> bool:
    return matches(owner["spec"].get("selector"), _labels(pod))


def _labels(pod: Object) -> dict[str, str]:
    return pod["metadata"].get("labels") or {}
