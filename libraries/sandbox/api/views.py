"""Objects as one API version shows them, and as Table or PartialObjectMetadata."""

from __future__ import annotations

from functools import lru_cache
from typing import Any

from ..kinds import EVENTS_EVENT, Kind, strategy
from .answers import Form

Object = dict[str, Any]


def outward(kind: Kind, obj: Object) -> Object:
    """A stored object in the asked API version."""
    if kind is kind.storage:
        return obj
    if kind is EVENTS_EVENT:
        return _event(obj)
    return {**obj, "apiVersion": kind.api_version, "kind": kind.kind}


def inward(kind: Kind, obj: Object) -> Object:
    """A client's object in the version that is stored."""
    if kind is kind.storage:
        return obj
    if kind is EVENTS_EVENT:
        return _core_event(obj)
    return {**obj, "apiVersion": kind.storage.api_version}


_EVENT_NAMES = {
    "involvedObject": "regarding",
    "message": "note",
    "source": "deprecatedSource",
    "firstTimestamp": "deprecatedFirstTimestamp",
    "lastTimestamp": "deprecatedLastTimestamp",
    "count": "deprecatedCount",
    "reportingComponent": "reportingController",
}
_CORE_EVENT_NAMES = {new: old for old, new in _EVENT_NAMES.items()}


def _event(obj: Object) -> Object:
    return {**{_EVENT_NAMES.get(k, k): v for k, v in obj.items()}, "apiVersion": "events.k8s.io/v1"}


def _core_event(obj: Object) -> Object:
    return {**{_CORE_EVENT_NAMES.get(k, k): v for k, v in obj.items()}, "apiVersion": "v1"}


def partial(obj: Object, version: str) -> Object:
    """PartialObjectMetadata of an object."""
    return {"kind": "PartialObjectMetadata", "apiVersion": f"meta.k8s.io/{version}", "metadata": obj["metadata"]}


def one(kind: Kind, obj: Object, form: Form) -> Object:
    """One object in the asked shape."""
    if form.shape == "Table":
        return table(kind, [obj], {"resourceVersion": obj["metadata"].get("resourceVersion", "")}, form)
    if form.shape == "PartialObjectMetadata":
        return partial(obj, form.version)
    return {"kind": kind.kind, "apiVersion": kind.api_version, **{k: v for k, v in obj.items() if k not in _HEAD}}


_HEAD = ("kind", "apiVersion")


def many(kind: Kind, items: list[Object], metadata: Object, form: Form) -> Object:
    """A list in the asked shape. Items of built-in kinds have no kind of their own, as the server's typed lists."""
    if form.shape == "Table":
        return table(kind, items, metadata, form)
    if form.shape == "PartialObjectMetadataList":
        version = form.version
        shown = [partial(item, version) for item in items]
        head = {"kind": "PartialObjectMetadataList", "apiVersion": f"meta.k8s.io/{version}"}
        return {**head, "metadata": metadata, "items": shown}
    if not kind.custom:
        items = [{k: v for k, v in item.items() if k not in _HEAD} for item in items]
    return {"kind": f"{kind.kind}List", "apiVersion": kind.api_version, "metadata": metadata, "items": items}


def table(kind: Kind, items: list[Object], metadata: Object, form: Form, *, columns: bool = True) -> Object:
    """The Table that `kubectl get` prints."""
    plan = strategy.of(kind)
    definitions = [
        {
            "name": column.name,
            "type": column.type,
            "format": column.format,
            "description": described(column.description),
            "priority": column.priority,
        }
        for column in plan.columns
    ]
    head = {"kind": "Table", "apiVersion": f"meta.k8s.io/{form.version}", "metadata": metadata}
    rows = [_row(plan, kind, item, form) for item in items]
    return {**head, "columnDefinitions": definitions if columns else None, "rows": rows}


def _row(plan: strategy.Strategy, kind: Kind, item: Object, form: Form) -> Object:
    row: Object = {"cells": plan.row(item)}
    conditions = plan.row_conditions(item)
    if conditions:
        row["conditions"] = conditions
    if form.include == "None":
        return {**row, "object": None}
    whole = form.include == "Object"
    return {**row, "object": one(kind, item, Form()) if whole else partial(item, form.version)}


@lru_cache(256)
def described(text: str) -> str:
    """A column's description; one that begins with @ stands in the API's documentation."""
    if not text.startswith("@"):
        return text
    from ..schemas import documentation

    definition, _, field = text[1:].rpartition(".")
    return documentation.description(definition, field)
