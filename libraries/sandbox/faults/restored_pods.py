"""Faults of restores: the restored pod is another one than the checkpointed one was."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from .. import kinds
from ..cedana.interfering import RestorePlan
from .activation import Activation
from .declaration import OBJECTS, Declarations, Group, Injection
from .memories import changed
from .working import planning

FAULTS = Declarations(Group.RESTORE, OBJECTS)
fails, tolerated = FAULTS.fails, FAULTS.tolerated
Object = dict[str, Any]


def _never_ready(planned: RestorePlan, _: Activation) -> None:
    planned.pod["spec"]["readinessGates"] = [{"conditionType": "cedana.ai/restored"}]


fails("restored-pod-not-ready", "restore-never-ready", "The restored pod runs but never becomes Ready.")(
    planning(_never_ready)
)


def _other_namespace(planned: RestorePlan, active: Activation) -> None:
    planned.pod["metadata"]["namespace"] = active.values["into"]


fails("restored-pod-missing", "restore-in-wrong-namespace", "The pod is restored elsewhere.", into="default")(
    planning(_other_namespace)
)


def _split(image: str) -> tuple[str, str]:
    name, _, tag = image.rpartition(":")
    return (name, tag) if name and "/" not in tag else (image, "latest")


def _other_image(planned: RestorePlan, _: Activation) -> None:
    for container in planned.pod["spec"]["containers"]:
        name, tag = _split(container["image"])
        container["image"] = f"{name}:{'stable' if tag == 'latest' else 'latest'}"


fails("pod-changed", "restore-with-other-image", "The restored pod names another image than the original.")(
    planning(_other_image)
)


def losing(field: str, empty: Any = None) -> Injection:
    """Restored containers lack a field of their spec."""

    def change(planned: RestorePlan, _: Activation) -> None:
        for container in planned.pod["spec"]["containers"]:
            if container.pop(field, None) is not None and empty is not None:
                container[field] = empty

    return planning(change, lambda planned: any(one.get(field) for one in planned.pod["spec"]["containers"]))


fails("pod-changed", "restore-loses-environment", "The restored pod has lost its environment variables.")(losing("env"))
fails("pod-changed", "restore-loses-limits", "The restored pod has lost its requests and limits.")(
    losing("resources", {})
)


def _without_security(planned: RestorePlan, _: Activation) -> None:
    planned.pod["spec"]["securityContext"] = {}
    for container in planned.pod["spec"]["containers"]:
        container.pop("securityContext", None)


def _has_security(planned: RestorePlan) -> bool:
    spec = planned.pod["spec"]
    return any(one.get("securityContext") for one in (spec, *spec["containers"]))


fails("pod-changed", "restore-loses-security-context", "The restored pod has lost its security context.")(
    planning(_without_security, _has_security)
)


def _without_mounts(planned: RestorePlan, _: Activation) -> None:
    spec = planned.pod["spec"]
    for container in spec["containers"]:
        container.pop("volumeMounts", None)
    spec.pop("volumes", None)
    spec["automountServiceAccountToken"] = False
    if planned.snapshot is not None:
        planned.snapshot = changed(planned.snapshot, lambda one: replace(one, mounts=frozenset()))


def _without_labels(planned: RestorePlan, _: Activation) -> None:
    planned.pod["metadata"].pop("labels", None)


fails("pod-changed", "restore-loses-mounts", "The restored pod has lost its volumes.")(
    planning(_without_mounts, lambda planned: bool(planned.pod["spec"].get("volumes")))
)
fails("pod-changed", "restore-loses-labels", "The restored pod has lost its labels, so that no Service selects it.")(
    planning(_without_labels, lambda planned: bool(planned.pod["metadata"].get("labels")))
)


def _constraints(planned: RestorePlan) -> bool:
    spec = planned.pod["spec"]
    return bool(spec.get("nodeSelector") or spec.get("affinity"))


def _other_node(planned: RestorePlan, _: Activation) -> None:
    spec = planned.pod["spec"]
    spec.pop("nodeSelector", None)
    spec.pop("affinity", None)
    source = planned.snapshot.pod["spec"].get("nodeName") if planned.snapshot else None
    names = [node["metadata"]["name"] for node in planned.cluster.store.list(kinds.NODE)]
    spec["nodeName"] = next((name for name in names if name != source), names[0])


fails(
    "pod-changed",
    "restore-on-wrong-node",
    "The pod is restored on a node that its spec excludes.",
    suite="placement",
    verdict="continued",
)(planning(_other_node, _constraints))
