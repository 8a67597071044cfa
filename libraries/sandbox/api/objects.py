"""Creating and deleting objects as a client of the API would, for callers inside the process."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ..kinds import Kind
from .context import Call
from .creates import create_object
from .deletes import DeleteOptions, delete_object
from .status import ApiError

if TYPE_CHECKING:
    from ..cluster import Cluster


def create(cluster: Cluster, kind: Kind, obj: dict[str, Any]) -> dict[str, Any]:
    """Creates an object: generateName, defaults, admission, validation, quota. Returns the stored object.

    Raises `api.status.ApiError` with the Status that a client would get (AlreadyExists, Invalid, Forbidden ...).
    """
    metadata = obj.get("metadata") or {}
    call = Call(cluster, kind, namespace=metadata.get("namespace") or "", internal=True)
    return create_object(call, obj)


def delete(
    cluster: Cluster,
    kind: Kind,
    namespace: str | None,
    name: str,
    *,
    grace: int | None = None,
    propagation: str | None = None,
) -> dict[str, Any] | None:
    """Deletes an object as the API does: finalizers, the graceful end of pods, namespaces that terminate.

    grace is in seconds (0: gone at once); propagation is Background, Foreground or Orphan. Returns the object's last
    state, or None when there was none.
    """
    call = Call(cluster, kind, namespace=namespace or "", name=name, internal=True)
    try:
        return delete_object(call, DeleteOptions(grace=grace, propagation=propagation)).object
    except ApiError as error:
        if error.code == 404:
            return None
        raise
