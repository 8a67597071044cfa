"""Whether a node is one that a pod's own constraints allow: nodeSelector and required node affinity.

The rules are the scheduler's: terms are alternatives, the requirements in a term must all hold
(https://kubernetes.io/docs/concepts/scheduling-eviction/assign-pod-node/).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from .comparison import Difference

Obj = Mapping[str, Any]


def constraints(pod: Obj) -> bool:
    """Whether the pod has any."""
    return bool(pod["spec"].get("nodeSelector") or _terms(pod))


def broken(pod: Obj, node: Obj) -> list[Difference]:
    """The pod's constraints that the node does not meet: the field, what it asks for, and what the node is."""
    name = node["metadata"]["name"]
    labels: Mapping[str, str] = node["metadata"].get("labels") or {}
    found = [
        Difference(f"spec.nodeSelector[{key}]", value, f"node {name} has {labels.get(key, 'no such label')}")
        for key, value in (pod["spec"].get("nodeSelector") or {}).items()
        if labels.get(key) != value
    ]
    terms = _terms(pod)
    if terms and not any(_fits(term, labels, name) for term in terms):
        asked = " or ".join(" and ".join(_words(one) for one in _requirements(term)) for term in terms)
        keys = {one["key"] for term in terms for one in _requirements(term)}
        has = ", ".join(f"{key}={labels[key]}" for key in sorted(keys) if key in labels) or "none of these labels"
        found.append(Difference("spec.affinity.nodeAffinity", asked, f"node {name} has {has}"))
    return found


def _terms(pod: Obj) -> list[Obj]:
    affinity = (pod["spec"].get("affinity") or {}).get("nodeAffinity") or {}
    required = affinity.get("requiredDuringSchedulingIgnoredDuringExecution") or {}
    return list(required.get("nodeSelectorTerms") or [])


def _requirements(term: Obj) -> list[Obj]:
    return [*(term.get("matchExpressions") or []), *(term.get("matchFields") or [])]


def _fits(term: Obj, labels: Mapping[str, str], name: str) -> bool:
    """An empty term fits no node."""
    by_label, by_field = term.get("matchExpressions") or [], term.get("matchFields") or []
    return bool(by_label or by_field) and all(
        [
            *(_holds(one, labels.get(one["key"])) for one in by_label),
            *(_holds(one, name if one["key"] == "metadata.name" else None) for one in by_field),
        ]
    )


def _holds(requirement: Obj, value: str | None) -> bool:
    values = requirement.get("values") or []
    match requirement["operator"]:
        case "In":
            return value in values
        case "NotIn":
            return value not in values
        case "Exists":
            return value is not None
        case "DoesNotExist":
            return value is None
        case "Gt" | "Lt" as operator:
            return _compares(operator, value, values)
        case _:
            return False


def _compares(operator: str, value: str | None, values: list[str]) -> bool:
    try:
        number, bound = int(value or ""), int(values[0])
    except (ValueError, IndexError):
        return False
    return number > bound if operator == "Gt" else number < bound


def _words(requirement: Obj) -> str:
    values = ", ".join(requirement.get("values") or [])
    return " ".join(part for part in (requirement["key"], requirement["operator"], values) if part)
