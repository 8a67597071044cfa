"""Changing an object: what an update keeps, checks and refuses; patches end here too.

Source: k8s.io/apiserver pkg/registry/rest (update.go: BeforeUpdate), pkg/registry/generic/registry (store.go) and
k8s.io/apimachinery pkg/api/validation (ValidateObjectMetaUpdate).
"""

from __future__ import annotations

from typing import Any

from ..kinds import fields, strategy
from ..kinds.fields import FieldError
from ..store import Conflict, clone
from . import admission, managed
from .context import Call
from .creates import check_namespace, create_object, validate_metadata
from .status import bad_request, conflict, invalid_object, not_found, stale

Object = dict[str, Any]
_KEPT = ("uid", "creationTimestamp", "deletionTimestamp", "deletionGracePeriodSeconds", "generation", "selfLink")
_IMMUTABLE = ("name", "namespace", "uid", "creationTimestamp", "generation")


def update_object(call: Call, obj: Object) -> tuple[Object, bool]:
    """Stores a PUT object; returns it and whether it was created. Raises ApiError."""
    check_name(call, obj)
    old = call.cluster.store.get(call.kind, call.namespace, call.name)
    if old is None:
        if not strategy.of(call.kind).creates_on_update or call.subresource:
            raise not_found(call.kind, call.name)
        return create_object(call, obj), True
    return replace_object(call, obj, old), False


def check_name(call: Call, obj: Object) -> None:
    """Refuses an object of another name or namespace than the path's."""
    metadata = obj.setdefault("metadata", {})
    name = metadata.get("name") or ""
    if not name:
        if call.subresource:
            metadata["name"] = call.name
            name = call.name
        else:
            why = "name must be provided"
            raise bad_request(f"the name of the object ({call.name} based on URL) was undeterminable: {why}")
    if name != call.name:
        raise bad_request(f"the name of the object ({name}) does not match the name on the URL ({call.name})")
    check_namespace(call, metadata)


def replace_object(
    call: Call, obj: Object, old: Object, *, applied: tuple[Object, list[Object]] | None = None
) -> Object:
    """Puts `obj` (typed) in the place of the stored `old` and returns what is stored, or would be in a dry run.
    `applied` is the configuration and the managers that it leaves when it is a server-side apply."""
    kind, plan = call.kind, strategy.of(call.kind)
    check_name(call, obj)
    _versions(call, obj, old)
    metadata = obj["metadata"]
    for key in _KEPT:
        metadata.pop(key, None)
        if key in old["metadata"]:
            metadata[key] = clone(old["metadata"][key])
    if not call.internal or "managedFields" not in metadata:
        _keep_managers(metadata, old["metadata"])
    if call.subresource == "status":
        _status_only(metadata, old["metadata"])
        plan.prepare_status(obj, old)
    elif call.subresource == "":
        plan.default(obj)
        plan.prepare_update(obj, old)
        admission.mutate_update(call, obj, old)
    errors = validate_metadata(call, metadata) + _metadata_update(metadata, old["metadata"])
    if call.subresource != "status":
        errors += plan.validate(obj)
        errors += plan.validate_update(obj, old)
    if errors:
        raise invalid_object(kind, call.name, errors)
    admission.validate_update(call, obj, old)
    if applied is not None:
        managed.applied(call, old, obj, *applied)
    elif call.manager:
        managed.updated(call, old, obj)
    return _store(call, obj, old)


def _store(call: Call, obj: Object, old: Object) -> Object:
    obj["metadata"]["resourceVersion"] = old["metadata"]["resourceVersion"]
    if managed.same_but_for_times(obj, old):
        return old
    if call.dry_run:
        return obj
    try:
        stored = call.cluster.store.update(call.kind, obj)
    except Conflict:
        raise stale(call.kind, call.name) from None
    admission.updated(call, stored)
    return stored


def _keep_managers(metadata: Object, old: Object) -> None:
    """Managers are the server's to write; an empty list resets them."""
    given = metadata.pop("managedFields", None)
    if given in ([], [{}]):
        return
    if "managedFields" in old:
        metadata["managedFields"] = clone(old["managedFields"])


def _status_only(metadata: Object, old: Object) -> None:
    for key in ("ownerReferences", "finalizers", "labels", "annotations"):
        if key in ("labels", "annotations"):
            continue
        metadata.pop(key, None)
        if key in old:
            metadata[key] = clone(old[key])


def _versions(call: Call, obj: Object, old: Object) -> None:
    metadata, current = obj["metadata"], old["metadata"]
    version = metadata.get("resourceVersion") or ""
    if metadata.get("uid") not in (None, "", current["uid"]):
        why = f"Precondition failed: UID in precondition: {metadata['uid']}, UID in object meta: {current['uid']}"
        raise conflict(call.kind, call.name, why)
    if version in ("", "0"):
        if strategy.of(call.kind).needs_version and not call.internal:
            error = fields.go_invalid("metadata.resourceVersion", "0x0", "must be specified for an update")
            raise invalid_object(call.kind, call.name, [error])
        return
    if not version.isdigit():
        message = f'strconv.ParseUint: parsing "{version}": invalid syntax'
        raise invalid_object(call.kind, call.name, [fields.invalid("metadata.resourceVersion", version, message)])
    if version != current["resourceVersion"]:
        raise stale(call.kind, call.name)


def _metadata_update(metadata: Object, old: Object) -> list[FieldError]:
    errors = [
        fields.invalid(f"metadata.{key}", metadata.get(key), fields.IMMUTABLE)
        for key in _IMMUTABLE
        if key in metadata and metadata.get(key) != old.get(key)
    ]
    if old.get("deletionTimestamp"):
        added = sorted(set(metadata.get("finalizers") or []) - set(old.get("finalizers") or []))
        if added:
            shown = "[]string{" + ", ".join(f'"{name}"' for name in added) + "}"
            why = "no new finalizers can be added if the object is being deleted, found new finalizers"
            message = f"Forbidden: {why} {shown}"
            errors.append(FieldError("FieldValueForbidden", "metadata.finalizers", message))
    return errors
