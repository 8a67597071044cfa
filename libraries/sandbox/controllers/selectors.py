"""Label selectors, node selectors and quantities, as the controllers read them from specs."""

from __future__ import annotations

import re
from decimal import Decimal
from typing import Any

_SUFFIX = {
    "": Decimal(1), "n": Decimal("1e-9"), "u": Decimal("1e-6"), "m": Decimal("1e-3"), "k": Decimal(10**3),
    "M": Decimal(10**6), "G": Decimal(10**9), "T": Decimal(10**12), "P": Decimal(10**15), "E": Decimal(10**18),
    "Ki": Decimal(2**10), "Mi": Decimal(2**20), "Gi": Decimal(2**30), "Ti": Decimal(2**40), "Pi": Decimal(2**50),
    "Ei": Decimal(2**60),
}  # fmt: skip
_QUANTITY = re.compile(r"^([+-]?[0-9.]+)(?:([eE][+-]?\d+)|([numkMGTPE]i?|[KMGTPE]i)?)$")


def quantity(value: Any) -> Decimal:
    """The number that a quantity (`500m`, `1Gi`, `2`) stands for. Raises ValueError."""
    match = _QUANTITY.match(str(value))
    if not match:
        raise ValueError(f"{value!r} is no quantity")
    number, exponent, suffix = match.groups()
    return Decimal(number + (exponent or "")) * _SUFFIX[suffix or ""]


def matches(selector: dict[str, Any] | None, labels: dict[str, str] | None) -> bool:
    """Whether a LabelSelector (matchLabels, matchExpressions) selects these labels; none selects nothing."""
    if selector is None:
        return False
    labels = labels or {}
    if any(labels.get(key) != value for key, value in (selector.get("matchLabels") or {}).items()):
        return False
    return all(_holds(expression, labels) for expression in selector.get("matchExpressions") or [])


def matches_map(wanted: dict[str, str] | None, labels: dict[str, str] | None) -> bool:
    """Whether a plain map (a Service's selector, a nodeSelector) selects these labels; an empty one selects nothing."""
    labels = labels or {}
    return bool(wanted) and all(labels.get(key) == value for key, value in (wanted or {}).items())


def matches_node(term: dict[str, Any], node: dict[str, Any]) -> bool:
    """Whether a NodeSelectorTerm (matchExpressions, matchFields) selects the node; an empty one selects nothing."""
    expressions, fields = term.get("matchExpressions") or [], term.get("matchFields") or []
    if not expressions and not fields:
        return False
    labels = node["metadata"].get("labels") or {}
    by_field = {"metadata.name": node["metadata"]["name"]}
    return all(_holds(e, labels) for e in expressions) and all(_holds(e, by_field) for e in fields)


def _holds(expression: dict[str, Any], labels: dict[str, str]) -> bool:
    key, operator = expression["key"], expression["operator"]
    values = expression.get("values") or []
    value = labels.get(key)
    if operator == "In":
        return value in values
    if operator == "NotIn":
        return value not in values
    if operator == "Exists":
        return key in labels
    if operator == "DoesNotExist":
        return key not in labels
    if value is None or not value.lstrip("-").isdigit():
        return False
    return int(value) > int(values[0]) if operator == "Gt" else int(value) < int(values[0])
