"""Faults of restores: the restored pod belongs to somebody else than the original did."""

from __future__ import annotations

from typing import Any

from .. import kinds
from ..cedana.interfering import RestorePlan
from .activation import Activation
from .declaration import OBJECTS, Declarations, Group
from .working import planning

FAULTS = Declarations(Group.RESTORE, OBJECTS)
fails, tolerated = FAULTS.fails, FAULTS.tolerated
Object = dict[str, Any]
SUITE = "custom_resources"
TAKEN_BACK = "An Operator Takes The Restored Pod Of Its Custom Resource Back"


def _owners(planned: RestorePlan) -> list[Object]:
    metadata: Object = planned.snapshot.pod["metadata"] if planned.snapshot else {}
    return list(metadata.get("ownerReferences") or [])


def _has_owner(planned: RestorePlan) -> bool:
    return bool(_owners(planned))


def _kept(planned: RestorePlan, _: Activation) -> None:
    planned.pod["metadata"]["ownerReferences"] = _owners(planned)


def _another(planned: RestorePlan, _: Activation) -> None:
    there = planned.cluster.store.list(kinds.CONFIG_MAP, planned.pod["metadata"]["namespace"])[0]["metadata"]
    owner = {"apiVersion": "v1", "kind": "ConfigMap", "name": there["name"], "uid": there["uid"]}
    planned.pod["metadata"]["ownerReferences"] = [owner]


def _gone(planned: RestorePlan, _: Activation) -> None:
    uid = "00000000-0000-4000-8000-000000000000"
    planned.pod["metadata"]["ownerReferences"] = [one | {"uid": uid} for one in _owners(planned)]


tolerated("restore-keeps-owner", "The restored pod has the owner that the original had.", suite=SUITE)(
    planning(_kept, _has_owner)
)
fails(
    "pod-changed",
    "restore-gives-another-owner",
    "The restored pod belongs to another object than the original did.",
    suite=SUITE,
    test=TAKEN_BACK,
)(planning(_another, _has_owner))
fails(
    "restored-pod-missing",
    "restore-gives-owner-that-is-gone",
    "The restored pod belongs to an object that is not there, so that the cluster removes it at once.",
    suite=SUITE,
    test=TAKEN_BACK,
)(planning(_gone, _has_owner))
