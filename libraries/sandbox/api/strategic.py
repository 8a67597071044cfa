"""Strategic merge patch: lists merged by their merge keys, with its directives.

Source: k8s.io/apimachinery pkg/util/strategicpatch (patch.go).
"""

from __future__ import annotations

import copy
from typing import Any

from ..schemas.types import FieldType, Struct, TypeRef, struct
from .status import ApiError, bad_request

Object = dict[str, Any]
_DIRECTIVE, _DELETE_LIST, _ORDER, _RETAIN = "$patch", "$deleteFromPrimitiveList/", "$setElementOrder/", "$retainKeys"


def strategic_merge(document: Object, patch: Object, type_: Struct) -> Object:
    """The merged copy. Raises 400 for directives that cannot be."""
    return _map(copy.deepcopy(document), copy.deepcopy(patch), type_, None)


def _bad(message: str) -> ApiError:
    return bad_request(message)


def _inner(field: FieldType | None) -> tuple[Struct | None, FieldType | None]:
    """The struct of a field's value, or of its list's or map's elements."""
    if field is None:
        return None, None
    type_: TypeRef | None = field.type
    while type_ is not None and type_.base in ("list", "map"):
        type_ = type_.element
    return (struct(type_.struct), field) if type_ is not None and type_.base == "struct" else (None, field)


def _field(type_: Struct | None, name: str) -> FieldType | None:
    return type_.by_name.get(name) if type_ is not None else None


def _map(original: Object, patch: Object, type_: Struct | None, owner: FieldType | None) -> Object:
    directive = patch.pop(_DIRECTIVE, None)
    if directive == "replace":
        return patch
    if directive == "delete":
        return {}
    if directive not in (None, "merge"):
        raise _bad(f"Unknown patch type found: {directive}")
    kept = patch.pop(_RETAIN, None)
    if kept is not None:
        original = {key: value for key, value in original.items() if key in kept}
    orders = {key[len(_ORDER) :]: patch.pop(key) for key in [key for key in patch if key.startswith(_ORDER)]}
    for key, value in patch.items():
        _put(original, key, value, type_, owner)
    for name, order in orders.items():
        if isinstance(original.get(name), list):
            field = _field(type_, name)
            original[name] = _ordered(original[name], order, original[name], field.merge_key if field else "")
    return original


def _put(original: Object, key: str, value: Any, type_: Struct | None, owner: FieldType | None) -> None:
    if key.startswith(_DELETE_LIST):
        name = key[len(_DELETE_LIST) :]
        if isinstance(original.get(name), list):
            original[name] = [item for item in original[name] if item not in value]
    elif value is None:
        original.pop(key, None)
    elif key not in original or type(original[key]) is not type(value):
        original[key] = _without_directives(value)
    else:
        original[key] = _value(original[key], value, type_, owner, key)


def _value(original: Any, value: Any, type_: Struct | None, owner: FieldType | None, key: str) -> Any:
    field = _field(type_, key) if type_ is not None else None
    if isinstance(value, dict):
        if field is not None and field.patch_strategy == "replace":
            return value
        inner, _ = _inner(field) if type_ is not None else (None, owner)
        if field is not None and field.type.base == "map":
            return _map_of(original, value, inner)
        return _map(original, value, inner, field)
    if isinstance(value, list) and field is not None and "merge" in field.patch_strategy:
        return _list(original, value, field)
    return _without_directives(value)


def _map_of(original: Object, patch: Object, inner: Struct | None) -> Object:
    """A map whose values, if they are structs, merge by their own type."""
    if inner is None:
        return _map(original, patch, None, None)
    for key, value in patch.items():
        if value is None:
            original.pop(key, None)
        elif isinstance(original.get(key), dict) and isinstance(value, dict):
            original[key] = _map(original[key], value, inner, None)
        else:
            original[key] = _without_directives(value)
    return original


def _without_directives(value: Any) -> Any:
    if isinstance(value, list):
        items = [
            item for item in value if not (isinstance(item, dict) and item.get(_DIRECTIVE) in ("delete", "replace"))
        ]
        return [_without_directives(item) for item in items]
    if not isinstance(value, dict):
        return value
    if value.get(_DIRECTIVE) == "delete":
        return {}
    special = (_DIRECTIVE, _RETAIN)
    return {
        key: _without_directives(item)
        for key, item in value.items()
        if item is not None and key not in special and not key.startswith((_ORDER, _DELETE_LIST))
    }


def _list(original: list[Any], patch: list[Any], field: FieldType) -> list[Any]:
    if not field.merge_key:
        merged = list(original)
        merged += [item for index, item in enumerate(patch) if item not in merged and item not in patch[:index]]
        return _ordered(merged, patch, original, "")
    key = field.merge_key
    if any(isinstance(item, dict) and item.get(_DIRECTIVE) == "replace" for item in patch):
        return [_without_directives(item) for item in patch if item.get(_DIRECTIVE) != "replace"]
    inner, _ = _inner(field)
    merged = list(original)
    kept: list[Any] = []
    for item in patch:
        if not isinstance(item, dict) or key not in item:
            raise _bad(f"map: {item} does not contain declared merge key: {key}")
        position = _find(merged, item[key], key)
        if item.get(_DIRECTIVE) == "delete":
            if position is not None:
                del merged[position]
            continue
        kept.append(item)
        if position is None:
            merged.append(_without_directives(item))
        else:
            merged[position] = _map(merged[position], item, inner, field)
    return _ordered(merged, kept, original, key)


def _find(items: list[Any], value: Any, key: str) -> int | None:
    return next((i for i, item in enumerate(items) if isinstance(item, dict) and item.get(key) == value), None)


def _identity(item: Any, key: str) -> Any:
    return item.get(key) if key and isinstance(item, dict) else item


def _ordered(merged: list[Any], order: list[Any], server: list[Any], key: str) -> list[Any]:
    """Items that the patch names in its order, among the others as the server had them."""
    wanted = [_identity(item, key) for item in order]
    known = [_identity(item, key) for item in server]
    named = sorted(
        (item for item in merged if _identity(item, key) in wanted), key=lambda item: wanted.index(_identity(item, key))
    )
    others = [item for item in merged if _identity(item, key) not in wanted]
    result: list[Any] = []
    while named and others:
        left, right = _identity(others[0], key), _identity(named[0], key)
        before = left in known and right in known and known.index(left) < known.index(right)
        result.append(others.pop(0) if before else named.pop(0))
    return result + named + others
