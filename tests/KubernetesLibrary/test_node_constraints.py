"""Which nodes a pod's own constraints allow."""

from __future__ import annotations

from typing import Any

import pytest

from KubernetesLibrary.node_constraints import broken, constraints

NODE = {"metadata": {"name": "n1", "labels": {"zone": "a", "cores": "8"}}}


def pod(**spec: Any) -> dict[str, Any]:
    return {"metadata": {"name": "web"}, "spec": spec}


def affine(*terms: dict[str, Any]) -> dict[str, Any]:
    required = {"requiredDuringSchedulingIgnoredDuringExecution": {"nodeSelectorTerms": list(terms)}}
    return pod(affinity={"nodeAffinity": required})


def asking(key: str, operator: str, *values: str, by: str = "matchExpressions") -> dict[str, Any]:
    return {by: [{"key": key, "operator": operator, **({"values": list(values)} if values else {})}]}


@pytest.mark.parametrize(
    "allowed",
    [
        pod(),
        pod(nodeSelector={"zone": "a"}),
        affine(asking("zone", "In", "b", "a")),
        affine(asking("zone", "In", "b"), asking("cores", "Gt", "7")),
        affine(asking("zone", "NotIn", "b")),
        affine(asking("gpu", "NotIn", "yes")),
        affine(asking("zone", "Exists")),
        affine(asking("gpu", "DoesNotExist")),
        affine(asking("cores", "Lt", "9")),
        affine(asking("metadata.name", "In", "n1", by="matchFields")),
    ],
)
def test_a_node_that_is_allowed(allowed: dict[str, Any]) -> None:
    assert broken(allowed, NODE) == []


@pytest.mark.parametrize(
    "refused",
    [
        pod(nodeSelector={"zone": "b"}),
        pod(nodeSelector={"gpu": "yes"}),
        affine(asking("zone", "In", "b")),
        affine({**asking("zone", "In", "a"), **asking("metadata.name", "In", "n2", by="matchFields")}),
        affine(asking("zone", "NotIn", "a")),
        affine(asking("gpu", "Exists")),
        affine(asking("zone", "DoesNotExist")),
        affine(asking("cores", "Gt", "8")),
        affine(asking("zone", "Gt", "1")),
        affine({}),
    ],
)
def test_a_node_that_is_not(refused: dict[str, Any]) -> None:
    [found] = broken(refused, NODE)
    assert found.field.startswith("spec.")
    assert "node n1 has" in (found.now or "")
    assert constraints(refused)


def test_what_was_asked_for_is_told_in_words() -> None:
    [found] = broken(affine(asking("zone", "In", "b", "c"), asking("gpu", "Exists")), NODE)
    assert found.was == "zone In b, c or gpu Exists"
    assert found.now == "node n1 has zone=a"


def test_a_preference_is_no_constraint() -> None:
    preferred = {"nodeAffinity": {"preferredDuringSchedulingIgnoredDuringExecution": [{"weight": 1}]}}
    assert not constraints(pod(affinity=preferred))
    assert broken(pod(affinity=preferred), NODE) == []
