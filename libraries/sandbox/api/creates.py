"""Creating an object: names, defaults, admission, validation.

Source: k8s.io/apiserver pkg/registry/rest (create.go: BeforeCreate) and pkg/registry/generic/registry (store.go).
"""

from __future__ import annotations

import secrets
import uuid
from typing import Any

from ..kinds import fields, strategies, strategy  # noqa: F401 - strategies registers them
from ..kinds.fields import FieldError
from ..schemas import types
from ..store import AlreadyExists, clone, timestamp
from . import admission, managed
from .bodies import typed
from .context import Call
from .status import already_exists, bad_request, failure, invalid_object

Object = dict[str, Any]
_ALPHABET = "bcdfghjklmnpqrstvwxz2456789"
_SYSTEM_FIELDS = ("uid", "creationTimestamp", "selfLink", "resourceVersion", "generation", "deletionTimestamp",
                  "deletionGracePeriodSeconds", "managedFields")  # fmt: skip
_STANDARD_FINALIZERS = ("orphan", "foregroundDeletion", "kubernetes")


def random_suffix() -> str:
    """Five characters, as generateName appends."""
    return "".join(secrets.choice(_ALPHABET) for _ in range(5))


def create_object(call: Call, obj: Object, *, applied: Object | None = None) -> Object:
    """Creates the object (already typed, unless it comes from inside) and returns it as stored, or as it would be in a
    dry run. `applied` is the configuration when it is a server-side apply. Raises ApiError."""
    kind, plan = call.kind, strategy.of(call.kind)
    if call.internal:
        obj = typed(clone(obj), call, types.of_kind(kind), kind.kind)
    versioned = applied is None and not call.internal and _has_version(obj)
    metadata = _own_metadata(call, obj)
    admission.lifecycle(call, "create")
    metadata["uid"] = str(uuid.uuid4())
    _name(metadata)
    plan.default(obj)
    admission.mutate_create(call, obj)
    call.cluster.points.admitting(kind, obj)
    plan.prepare_create(obj)
    errors = validate_metadata(call, metadata) + plan.validate(obj)
    if errors:
        raise invalid_object(kind, metadata.get("name", ""), errors)
    call.warnings += plan.warnings(obj)
    admission.validate_create(call, obj)
    obj = {
        "kind": kind.kind,
        "apiVersion": kind.api_version,
        **{k: v for k, v in obj.items() if k not in ("kind", "apiVersion")},
    }
    _record(call, obj, applied)
    metadata["creationTimestamp"] = timestamp()
    if call.dry_run:
        if kind.counts_generations:
            metadata["generation"] = 1
        if call.cluster.store.get(kind, metadata.get("namespace"), metadata["name"]) is not None:
            raise already_exists(kind, metadata["name"])
        return obj
    if versioned:
        raise failure(500, "", "resourceVersion should not be set on objects to be created")
    try:
        stored = call.cluster.store.create(kind, obj)
    except AlreadyExists:
        raise already_exists(kind, metadata["name"]) from None
    admission.created(call, stored)
    return stored


def _has_version(obj: Object) -> bool:
    """Whether the object claims to come from the store, which refuses that (storage/etcd3/store.go: Create)."""
    version = (obj.get("metadata") or {}).get("resourceVersion") or ""
    return bool(version.isdecimal() and int(version))


def _record(call: Call, obj: Object, applied: Object | None) -> None:
    if applied is not None:
        managed.created_by_apply(call, obj, applied)
    elif call.manager:
        managed.updated(call, None, obj)


def _own_metadata(call: Call, obj: Object) -> Object:
    metadata: Object = obj.get("metadata") or {}
    obj["metadata"] = metadata
    check_namespace(call, metadata)
    for key in _SYSTEM_FIELDS:
        metadata.pop(key, None)
    return metadata


def check_namespace(call: Call, metadata: Object) -> None:
    """Sets the namespace of the request, refuses another one."""
    if not call.kind.namespaced:
        metadata.pop("namespace", None)
        return
    if metadata.get("namespace") not in (None, "", call.namespace):
        raise bad_request("the namespace of the provided object does not match the namespace sent on the request")
    metadata["namespace"] = call.namespace


def _name(metadata: Object) -> None:
    if not metadata.get("name") and metadata.get("generateName"):
        metadata["name"] = metadata["generateName"][:58] + random_suffix()
    ordered: Object = {key: metadata[key] for key in ("name", "generateName", "namespace", "uid") if key in metadata}
    rest = {key: value for key, value in metadata.items() if key not in ordered}
    metadata.clear()
    metadata.update(ordered, **rest)


def validate_metadata(call: Call, metadata: Object) -> list[FieldError]:
    """What is wrong with an object's metadata."""
    plan = strategy.of(call.kind)
    name = metadata.get("name") or ""
    if not name:
        errors = [fields.required("metadata.name", "name or generateName is required")]
    else:
        errors = [fields.invalid("metadata.name", name, problem) for problem in plan.name_problems(name)]
    errors += fields.labels("metadata.labels", metadata.get("labels"))
    annotations = metadata.get("annotations") or {}
    for key in sorted(annotations):
        errors += [fields.invalid("metadata.annotations", key, why) for why in fields.qualified_problems(key.lower())]
    if sum(len(k) + len(v) for k, v in annotations.items()) > 256 * 1024:
        message = "Too long: may not be more than 262144 bytes"
        errors.append(FieldError("FieldValueTooLong", "metadata.annotations", message))
    return errors + _owners(metadata.get("ownerReferences") or []) + _finalizers(metadata.get("finalizers") or [])


def _owners(owners: list[Object]) -> list[FieldError]:
    errors: list[FieldError] = []
    for owner in owners:
        for key in ("apiVersion", "kind", "name", "uid"):
            if not owner.get(key):
                words = {"apiVersion": "version must not be empty"}.get(key, "must not be empty")
                errors.append(fields.invalid(f"metadata.ownerReferences.{key}", owner.get(key) or "", words))
    controllers = [owner for owner in owners if owner.get("controller")]
    if len(controllers) > 1:
        first, second = (f"{owner['kind']}/{owner['name']}" for owner in controllers[:2])
        message = (
            f'Only one reference can have Controller set to true. Found "true" in references for {first} and {second}'
        )
        errors.append(fields.go_invalid("metadata.ownerReferences", "[]v1.OwnerReference{...}", message))
    return errors


def _finalizers(finalizers: list[str]) -> list[FieldError]:
    errors: list[FieldError] = []
    for finalizer in finalizers:
        errors += [
            fields.invalid("metadata.finalizers", finalizer, why) for why in fields.qualified_problems(finalizer)
        ]
        if "/" not in finalizer and finalizer not in _STANDARD_FINALIZERS and not errors:
            message = "name is neither a standard finalizer name nor is it fully qualified"
            errors.append(fields.invalid("metadata.finalizers", finalizer, message))
    return errors
