"""Faults of restores: what was injected beside the application is not restored with it."""

from __future__ import annotations

import copy
from typing import Any

from ..cedana.interfering import RestorePlan
from ..runtime import PodSnapshot
from . import memories
from .activation import Activation
from .declaration import OBJECTS, Declarations, Group
from .memories import changed
from .working import planning, with_state

FAULTS = Declarations(Group.RESTORE, OBJECTS)
fails, tolerated = FAULTS.fails, FAULTS.tolerated
Object = dict[str, Any]
SUITE = "sidecar"
NATIVE = "A Pod With A Native Sidecar Goes On In Both Containers"
CLASSIC = "A Pod With A Classic Sidecar Goes On In Both Containers"


def _natives(spec: Object) -> list[Object]:
    return [one for one in spec.get("initContainers") or [] if one.get("restartPolicy") == "Always"]


def _has_native(planned: RestorePlan) -> bool:
    return bool(_natives(planned.pod["spec"]))


def _has_classic(planned: RestorePlan) -> bool:
    return len(planned.pod["spec"]["containers"]) > 1


def _natives_afresh(snapshot: PodSnapshot, _: Activation) -> PodSnapshot:
    names = {one["name"] for one in _natives(snapshot.pod["spec"])}
    return changed(snapshot, memories.without_memory, only=lambda name: name in names)


def _classics_afresh(snapshot: PodSnapshot, _: Activation) -> PodSnapshot:
    names = {one["name"] for one in snapshot.pod["spec"]["containers"][1:]}
    return changed(snapshot, memories.without_memory, only=lambda name: name in names)


def _without(planned: RestorePlan, _: Activation) -> None:
    spec = planned.pod["spec"]
    natives = _natives(spec)
    spec["initContainers"] = [one for one in spec["initContainers"] if one not in natives]


def _twice(planned: RestorePlan, _: Activation) -> None:
    containers = planned.pod["spec"]["containers"]
    containers.append(copy.deepcopy(containers[-1]) | {"name": f"{containers[-1]['name']}-again"})


fails(
    "process-restarted",
    "restore-starts-native-sidecar-afresh",
    "The native sidecars of the restored pod start afresh; its other containers go on.",
    suite=SUITE,
    test=NATIVE,
    verdict="restarted",
)(with_state(_natives_afresh, _has_native))
fails(
    "process-restarted",
    "restore-starts-second-container-afresh",
    "The containers of the restored pod but the first one start afresh.",
    suite=SUITE,
    test=CLASSIC,
    verdict="restarted",
)(with_state(_classics_afresh, _has_classic))
fails(
    "pod-changed",
    "restore-loses-native-sidecar",
    "The restored pod has lost its native sidecars.",
    suite=SUITE,
    test=NATIVE,
)(planning(_without, _has_native))
fails(
    "pod-changed",
    "restore-injects-sidecar-twice",
    "The restored pod has one of its containers a second time, under another name.",
    suite=SUITE,
    test=CLASSIC,
)(planning(_twice, _has_classic))
