"""Who manages which fields: the managedFields of an object, and server-side apply.

Source: k8s.io/apimachinery pkg/util/managedfields and sigs.k8s.io/structured-merge-diff merge (update.go).
"""

from __future__ import annotations

from typing import Any

from ..schemas import types
from ..store import clone, timestamp
from . import fieldsets
from .context import Call
from .fieldsets import Path
from .status import failure

Object = dict[str, Any]
_APPLY, _UPDATE = "Apply", "Update"


def updated(call: Call, old: Object | None, obj: Object) -> None:
    """Writes into `obj` that the call's manager owns what it changed (Update), and takes it from the others."""
    type_ = types.of_kind(call.kind)
    new_fields = fieldsets.of_object(obj, type_)
    if call.subresource != "status" and type_ is not None and "status" in type_.by_name and old is None:
        new_fields = {path for path in new_fields if path[0] != "f:status"}
    old_fields = fieldsets.of_object(old, type_) if old is not None else set()
    changed = {p for p in new_fields if p not in old_fields or _differs(p, old, obj, type_)}
    entries = clone(obj["metadata"].get("managedFields") or [])
    if not changed and new_fields == old_fields and (old is None or entries):
        return
    kept = []
    own: set[Path] = set(changed)
    for entry in entries:
        owned = fieldsets.from_fields(entry.get("fieldsV1")) & new_fields
        if _is_own(entry, call, _UPDATE):
            own |= owned
        else:
            left = owned - changed
            if left:
                kept.append(entry if left == fieldsets.from_fields(entry.get("fieldsV1")) else _with(entry, left))
    if own:
        kept.append(_entry(call, _UPDATE, own))
    _put(obj, kept)


def _differs(path: Path, old: Object | None, obj: Object, type_: types.Struct | None) -> bool:
    if path[-1][:2] != "f:":
        return False
    return bool(fieldsets.value_at(old, path, type_) != fieldsets.value_at(obj, path, type_))


def _is_own(entry: Object, call: Call, operation: str) -> bool:
    return (
        entry.get("manager") == call.manager
        and entry.get("operation") == operation
        and (entry.get("subresource") or "") == call.subresource
        and (operation == _APPLY or entry.get("apiVersion") == call.kind.api_version)
    )


def _entry(call: Call, operation: str, owned: set[Path]) -> Object:
    entry = {
        "manager": call.manager,
        "operation": operation,
        "apiVersion": call.kind.api_version,
        "time": timestamp(),
        "fieldsType": "FieldsV1",
        "fieldsV1": fieldsets.to_fields(owned),
    }
    return {**entry, "subresource": call.subresource} if call.subresource else entry


def _with(entry: Object, owned: set[Path]) -> Object:
    return {**entry, "fieldsV1": fieldsets.to_fields(owned)}


def _put(obj: Object, entries: list[Object]) -> None:
    if entries:
        applies = [entry for entry in entries if entry["operation"] == _APPLY]
        obj["metadata"]["managedFields"] = applies + [entry for entry in entries if entry["operation"] != _APPLY]
    else:
        obj["metadata"].pop("managedFields", None)


def created_by_apply(call: Call, obj: Object, configuration: Object) -> None:
    """Writes into a new object that the manager owns what it applied."""
    owned = fieldsets.of_object(configuration, types.of_kind(call.kind))
    _put(obj, [_entry(call, _APPLY, owned)])


def apply(call: Call, live: Object, configuration: Object, *, force: bool) -> tuple[Object, list[Object]]:
    """The live object with the configuration applied, and the other managers' entries that are left.

    Raises 409 with its causes when others own what would change, unless forced.
    """
    type_ = types.of_kind(call.kind)
    wanted = fieldsets.of_object(configuration, type_)
    entries = clone(live["metadata"].get("managedFields") or [])
    others = [entry for entry in entries if not _is_own(entry, call, _APPLY)]
    before: set[Path] = set()
    for entry in entries:
        if _is_own(entry, call, _APPLY):
            before |= fieldsets.from_fields(entry.get("fieldsV1"))
    merged = _merge(live, configuration, type_)
    changed = {
        path
        for path in wanted
        if path[-1][:2] == "f:" and fieldsets.value_at(live, path, type_) != fieldsets.value_at(merged, path, type_)
    }
    conflicts = [
        (entry, path) for entry in others for path in sorted(fieldsets.from_fields(entry.get("fieldsV1")) & changed)
    ]
    if conflicts and not force:
        raise _conflict(conflicts)
    left = []
    for entry in others:
        owned = fieldsets.from_fields(entry.get("fieldsV1"))
        if owned - changed:
            left.append(_with(entry, owned - changed) if owned & changed else entry)
    owned_by_others = {path for entry in others for path in fieldsets.from_fields(entry.get("fieldsV1"))}
    _prune(merged, before - wanted - owned_by_others, wanted | owned_by_others, type_)
    return merged, left


def applied(call: Call, old: Object, obj: Object, configuration: Object, others: list[Object]) -> None:
    """Writes the managers after an apply."""
    owned = fieldsets.of_object(configuration, types.of_kind(call.kind))
    entry = _entry(call, _APPLY, owned)
    for before in old["metadata"].get("managedFields") or []:
        if _is_own(before, call, _APPLY) and before.get("fieldsV1") == entry["fieldsV1"]:
            entry["time"] = before.get("time")
    _put(obj, [entry, *others] if owned else others)


def same_but_for_times(obj: Object, old: Object) -> bool:
    """Whether an update changes nothing but the times of managers."""
    return _without_times(obj) == _without_times(old)


def _without_times(obj: Object) -> Object:
    metadata = {k: v for k, v in obj["metadata"].items() if k != "managedFields"}
    managers = [{k: v for k, v in e.items() if k != "time"} for e in obj["metadata"].get("managedFields") or []]
    return {**obj, "metadata": {**metadata, "managedFields": managers}}


def _conflict(conflicts: list[tuple[Object, Path]]) -> Exception:
    causes = [
        {"reason": "FieldManagerConflict", "message": f"conflict with {_named(entry)}", "field": fieldsets.text(path)}
        for entry, path in conflicts
    ]
    if len(conflicts) == 1:
        text = f"Apply failed with 1 conflict: {causes[0]['message']}: {causes[0]['field']}"
    else:
        lines = []
        for name in sorted({_named(entry) for entry, _ in conflicts}):
            lines.append(f"conflicts with {name}:")
            lines += [f"- {fieldsets.text(path)}" for entry, path in conflicts if _named(entry) == name]
        text = f"Apply failed with {len(conflicts)} conflicts: " + "\n".join(lines)
    return failure(409, "Conflict", text, {"causes": causes})


def _named(entry: Object) -> str:
    name = f'"{entry.get("manager", "")}"'
    if entry.get("subresource"):
        name += f' with subresource "{entry["subresource"]}"'
    if entry.get("operation") == _UPDATE:
        name += f" using {entry.get('apiVersion')}"
        if entry.get("time"):
            name += f" at {entry['time']}"
    return name


def _merge(live: Object, configuration: Object, type_: types.Struct | None) -> Object:
    result: Object = clone(live)
    for key, value in configuration.items():
        field = type_.by_name.get(key) if type_ else None
        result[key] = _merge_value(result.get(key), value, field.type if field else None, field)
    return result


def _merge_value(live: Any, value: Any, type_: types.TypeRef | None, field: types.FieldType | None) -> Any:
    if isinstance(value, dict) and isinstance(live, dict) and not fieldsets.is_atomic(type_, field):
        for key, item in value.items():
            inner, inner_field = fieldsets.child(type_, key)
            live[key] = _merge_value(live.get(key), item, inner, inner_field)
        return live
    if isinstance(value, list) and isinstance(live, list) and fieldsets.list_kind(field) != "atomic":
        return _merge_list(live, value, type_, field)
    return clone(value)


def _merge_list(
    live: list[Any], value: list[Any], type_: types.TypeRef | None, field: types.FieldType | None
) -> list[Any]:
    element = type_.element if type_ else None
    existing = {fieldsets.item_key(item, field): item for item in live} if fieldsets.list_kind(field) == "map" else {}
    if not existing and fieldsets.list_kind(field) == "set":
        return live + [item for item in value if item not in live]
    wanted = [fieldsets.item_key(item, field) for item in value]
    merged = {
        key: _merge_value(existing.get(key), item, element, None) if key in existing else clone(item)
        for key, item in zip(wanted, value, strict=True)
    }
    result: list[Any] = []
    waiting = list(wanted)
    for key, item in existing.items():
        if key not in merged:
            result.append(item)
            continue
        while waiting:
            first = waiting.pop(0)
            result.append(merged[first])
            if first == key:
                break
    return result + [merged[key] for key in waiting]


def _prune(obj: Object, gone: set[Path], kept: set[Path], type_: types.Struct | None) -> None:
    for path in sorted(gone, key=len):  # an item goes as a whole before its key field does
        if any(other[: len(path)] == path and len(other) > len(path) for other in kept):
            continue
        parent = fieldsets.value_at(obj, path[:-1], type_) if len(path) > 1 else obj
        kind, name = path[-1][:2], path[-1][2:]
        if kind == "f:" and isinstance(parent, dict):
            parent.pop(name, None)
        elif isinstance(parent, list):
            found = fieldsets.value_at(obj, path, type_)
            parent[:] = [item for item in parent if item is not found and item != found]
