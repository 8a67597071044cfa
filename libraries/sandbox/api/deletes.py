"""Deleting an object: preconditions, grace, finalizers, propagation.

Source: k8s.io/apiserver pkg/registry/rest (delete.go: BeforeDelete) and pkg/registry/generic/registry (store.go).
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from ..kinds import NAMESPACE, POD, fields
from ..kinds.strategy import dig
from ..store import clone, timestamp
from . import admission
from .context import Call
from .status import conflict, invalid, not_found, precondition

Object = dict[str, Any]
POLICIES = ("Background", "Foreground", "Orphan")
_FINALIZERS = {"Foreground": "foregroundDeletion", "Orphan": "orphan"}


@dataclass(frozen=True)
class DeleteOptions:
    """What a client may say about a deletion. Times in seconds."""

    grace: int | None = None
    propagation: str | None = None
    uid: str | None = None
    version: str | None = None


@dataclass(frozen=True)
class Deleted:
    """The last state, and whether the object is gone (else it waits for finalizers or for its graceful end)."""

    object: Object
    gone: bool


def options_of(body: Object) -> DeleteOptions:
    """DeleteOptions of a request's body. Raises 422."""
    propagation = body.get("propagationPolicy")
    orphan = body.get("orphanDependents")
    errors = []
    if propagation is not None and orphan is not None:
        message = "orphanDependents and deletionPropagation cannot be both set"
        errors.append(fields.invalid("propagationPolicy", propagation, message))
    if propagation is not None and propagation not in POLICIES:
        errors.append(
            fields.unsupported("propagationPolicy", propagation, ("Background", "Foreground", "Orphan", "nil"))
        )
    if errors:
        raise invalid("meta.k8s.io", "DeleteOptions", "", errors)
    if orphan is not None:
        propagation = "Orphan" if orphan else "Background"
    grace = body.get("gracePeriodSeconds")
    conditions = body.get("preconditions") or {}
    if grace is not None and grace < 0:
        grace = 1
    return DeleteOptions(grace, propagation, conditions.get("uid"), conditions.get("resourceVersion"))


def delete_object(call: Call, options: DeleteOptions) -> Deleted:
    """Deletes the call's object. Raises ApiError (404, 409, 403)."""
    store, kind = call.cluster.store, call.kind
    old = store.get(kind, call.namespace, call.name)
    if old is None:
        raise not_found(kind, call.name)
    admission.lifecycle(call, "delete")
    _check(call, old, options)
    if kind is NAMESPACE:
        return _namespace(call, old)
    obj = clone(old)
    metadata = obj["metadata"]
    grace = _grace(kind is POD, old, options)
    if metadata.get("deletionTimestamp"):
        return _again(call, old, obj, grace)
    _propagation(metadata, options.propagation)
    if not metadata.get("finalizers") and not grace:
        return Deleted(_removed(call, old), gone=True)
    when = datetime.now(UTC) + timedelta(seconds=grace)
    metadata["deletionTimestamp"] = when.strftime("%Y-%m-%dT%H:%M:%SZ")
    metadata["deletionGracePeriodSeconds"] = grace
    if metadata.get("generation"):
        metadata["generation"] += 1
    return Deleted(obj if call.dry_run else store.update(kind, obj), gone=False)


def _removed(call: Call, old: Object) -> Object:
    if call.dry_run:
        return old
    removed = call.cluster.store.remove(call.kind, call.namespace, call.name)
    return removed if removed is not None else old


def _check(call: Call, old: Object, options: DeleteOptions) -> None:
    metadata = old["metadata"]
    if options.uid is not None and options.uid != metadata["uid"]:
        why = (
            f"the UID in the precondition ({options.uid}) does not match the UID in record ({metadata['uid']}). "
            "The object might have been deleted and then recreated"
        )
        raise precondition(call.kind, call.name, why)
    if options.version is not None and options.version != metadata["resourceVersion"]:
        why = (
            f"the ResourceVersion in the precondition ({options.version}) does not match the ResourceVersion in record "
            f"({metadata['resourceVersion']}). The object might have been modified"
        )
        raise precondition(call.kind, call.name, why)


def _grace(is_pod: bool, old: Object, options: DeleteOptions) -> int:
    """Only pods end gracefully: not before they are on a node, not after they have ended (pkg/registry/core/pod)."""
    if not is_pod:
        return 0
    grace = options.grace if options.grace is not None else dig(old, "spec.terminationGracePeriodSeconds") or 0
    if not dig(old, "spec.nodeName") or dig(old, "status.phase") in ("Failed", "Succeeded"):
        return 0
    return int(grace)


def _again(call: Call, old: Object, obj: Object, grace: int) -> Deleted:
    """A deletion of what is being deleted: it can only get shorter."""
    metadata = obj["metadata"]
    remaining = metadata.get("deletionGracePeriodSeconds") or 0
    if grace >= remaining and remaining:
        return Deleted(old, gone=False)
    metadata["deletionGracePeriodSeconds"] = grace
    if grace:
        when = datetime.now(UTC) + timedelta(seconds=grace)
        metadata["deletionTimestamp"] = when.strftime("%Y-%m-%dT%H:%M:%SZ")
    if not grace and not metadata.get("finalizers"):
        return Deleted(_removed(call, old), gone=True)
    if call.dry_run:
        return Deleted(obj, gone=False)
    return Deleted(call.cluster.store.update(call.kind, obj), gone=False)


def _propagation(metadata: Object, propagation: str | None) -> None:
    if propagation is None:
        return
    kept = [name for name in metadata.get("finalizers") or [] if name not in _FINALIZERS.values()]
    if propagation in _FINALIZERS:
        kept.append(_FINALIZERS[propagation])
    metadata["finalizers"] = kept
    if not kept:
        del metadata["finalizers"]


def _namespace(call: Call, old: Object) -> Deleted:
    """A namespace terminates; its controller empties it and takes away the `kubernetes` finalizer."""
    if old["metadata"].get("deletionTimestamp"):
        if not dig(old, "spec.finalizers") and not old["metadata"].get("finalizers"):
            return Deleted(_removed(call, old), gone=True)
        why = (
            "The system is ensuring all content is removed from this namespace.  Upon completion, this namespace will "
            "automatically be purged by the system."
        )
        raise conflict(call.kind, call.name, why)
    obj = clone(old)
    obj["metadata"]["deletionTimestamp"] = timestamp()
    obj.setdefault("status", {})["phase"] = "Terminating"
    return Deleted(obj if call.dry_run else call.cluster.store.update(call.kind, obj), gone=False)
