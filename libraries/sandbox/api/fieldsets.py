"""Sets of fields, as managedFields have them: paths of `f:name`, `k:{"name":"x"}` and `v:"x"`.

Source: sigs.k8s.io/structured-merge-diff fieldpath (serialize-pe.go, path.go) and typed (tofieldset.go).
"""

from __future__ import annotations

import json
from typing import Any

from ..schemas.types import FieldType, Struct, TypeRef, struct

Path = tuple[str, ...]
Object = dict[str, Any]
_SKIPPED_METADATA = ("name", "namespace", "creationTimestamp", "selfLink", "uid", "generation", "managedFields",
                     "resourceVersion", "generateName", "deletionTimestamp", "deletionGracePeriodSeconds")  # fmt: skip


def of_object(obj: Object, type_: Struct | None) -> set[Path]:
    """The fields that an object sets, without those that nobody owns (name, uid ...)."""
    found: set[Path] = set()
    for key, value in obj.items():
        field = type_.by_name.get(key) if type_ else None
        if key in ("apiVersion", "kind"):
            continue
        part = {k: v for k, v in value.items() if k not in _SKIPPED_METADATA} if key == "metadata" else value
        _collect(part, field.type if field else None, field, (f"f:{key}",), found, top=key == "metadata")
    return found


def _collect(
    value: Any, type_: TypeRef | None, field: FieldType | None, path: Path, found: set[Path], *, top: bool = False
) -> None:
    if isinstance(value, dict) and not is_atomic(type_, field):
        if not value and not top:
            found.add(path)
        for key, item in value.items():
            inner, inner_field = child(type_, key)
            _collect(item, inner, inner_field, (*path, f"f:{key}"), found)
    elif isinstance(value, list) and list_kind(field) == "map":
        if not value:
            found.add(path)
        for item in value:
            here = (*path, item_key(item, field))
            found.add(here)
            inner = type_.element if type_ else None
            for key, part in item.items() if isinstance(item, dict) else ():
                part_type, part_field = child(inner, key)
                _collect(part, part_type, part_field, (*here, f"f:{key}"), found)
    elif isinstance(value, list) and list_kind(field) == "set":
        if not value:
            found.add(path)
        found.update((*path, "v:" + _json(item)) for item in value)
    else:
        found.add(path)


def is_atomic(type_: TypeRef | None, field: FieldType | None) -> bool:
    """Whether a map or struct is owned as a whole."""
    return (field is not None and field.atomic_map) or (type_ is not None and type_.base in ("Raw", "any", "FieldsV1"))


def list_kind(field: FieldType | None) -> str:
    """`map`, `set` or `atomic`."""
    if field is None:
        return "atomic"
    if field.list_type:
        return field.list_type
    if "merge" in field.patch_strategy:
        return "map" if field.merge_key else "set"
    return "atomic"


def child(type_: TypeRef | None, key: str) -> tuple[TypeRef | None, FieldType | None]:
    """The type of a field in a struct or map."""
    if type_ is None:
        return None, None
    if type_.base == "struct":
        field = struct(type_.struct).by_name.get(key)
        return (field.type, field) if field else (None, None)
    return (type_.element, None) if type_.base == "map" else (None, None)


def item_key(item: Any, field: FieldType | None) -> str:
    """The path element of an item in a list that is a map."""
    if field is None or not isinstance(item, dict):
        return "v:" + _json(item)
    keys = field.list_keys or (field.merge_key,)
    defaults = {"protocol": "TCP"}
    have = {key: item.get(key, defaults.get(key)) for key in sorted(keys)}
    return "k:" + _json({key: value for key, value in have.items() if value is not None})


def _json(value: Any) -> str:
    return json.dumps(value, separators=(",", ":"), ensure_ascii=False)


def to_fields(paths: set[Path]) -> Object:
    """The FieldsV1 of a set."""
    tree: Object = {}
    for path in sorted(paths):
        node = tree
        for element in path:
            node = node.setdefault(element, {})
        node["."] = {}
    return _without_leaf_dots(tree)


def _without_leaf_dots(node: Object) -> Object:
    if set(node) == {"."}:
        return {}
    return {key: _without_leaf_dots(value) if key != "." else {} for key, value in node.items()}


def from_fields(tree: Object | None) -> set[Path]:
    """The set of a FieldsV1."""
    found: set[Path] = set()
    _walk(tree or {}, (), found)
    return found


def _walk(node: Object, path: Path, found: set[Path]) -> None:
    for key, value in node.items():
        if key == ".":
            found.add(path)
        elif not value:
            found.add((*path, key))
        else:
            _walk(value, (*path, key), found)


def text(path: Path) -> str:
    """A path as conflicts print it: `.spec.containers[name="a"].image`."""
    parts = []
    for element in path:
        kind, value = element[:2], element[2:]
        if kind == "f:":
            parts.append("." + value)
        elif kind == "k:":
            pairs = json.loads(value)
            parts.append("[" + ",".join(f"{key}={_json(item)}" for key, item in pairs.items()) + "]")
        else:
            parts.append(f"[={value}]")
    return "".join(parts)


def value_at(obj: Any, path: Path, type_: Struct | None) -> Any:
    """The value at a path, or None; for an item of a list its key."""
    here: TypeRef | None = TypeRef("struct", "", struct=type_.name) if type_ else None
    field: FieldType | None = None
    for element in path:
        kind, name = element[:2], element[2:]
        if kind == "f:":
            if not isinstance(obj, dict) or name not in obj:
                return None
            obj = obj[name]
            here, field = child(here, name)
        elif kind == "k:":
            obj = next((item for item in obj or [] if item_key(item, field) == element), None)
            here, field = (here.element if here else None), None
        else:
            return json.loads(name) if json.loads(name) in (obj or []) else None
    return obj
