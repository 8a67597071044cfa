"""The objects of one emulated cluster, their revisions, and the history that watches read."""

from __future__ import annotations

import uuid
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from . import kinds
from .kinds import Kind, Registry

Object = dict[str, Any]
Subscriber = Callable[["Change"], None]

HISTORY_LIMIT = 20_000
FIRST_REVISION = 100
"""Older revisions than this have been compacted, as they are in a cluster that has lived for a while."""
_GENERATION_IGNORES = ("metadata", "status", "apiVersion", "kind")


class Conflict(Exception):
    """The object was changed since the given resourceVersion."""


class AlreadyExists(Exception):
    """There is an object of that name already."""


class NotFound(Exception):
    """There is no object of that name."""


class Expired(Exception):
    """The asked revision is older than the history that is kept."""


@dataclass(frozen=True)
class Change:
    """One change of one object. ADDED has no `old`; DELETED has the last state with the revision of its removal."""

    type: str
    kind: Kind
    object: Object
    old: Object | None
    revision: int


def clone(value: Any) -> Any:
    """A deep copy of a JSON value (several times as fast as copy.deepcopy, which writes dominate otherwise)."""
    if isinstance(value, dict):
        return {key: clone(inner) if isinstance(inner, dict | list) else inner for key, inner in value.items()}
    if isinstance(value, list):
        return [clone(inner) if isinstance(inner, dict | list) else inner for inner in value]
    return value


def timestamp() -> str:
    """Now, as Kubernetes writes it in metadata: RFC 3339, UTC, whole seconds."""
    return datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def micro_timestamp() -> str:
    """Now, as Kubernetes writes a MicroTime (leases, events): RFC 3339, UTC, six decimals."""
    return datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")


class Store:
    """Objects by kind, namespace and name. Synchronous; one event loop; stored objects are never mutated in place."""

    def __init__(self, history_limit: int = HISTORY_LIMIT) -> None:
        self.registry = Registry(parent=kinds.BUILTIN)
        self.revision = self.compacted = FIRST_REVISION
        self.history: deque[Change] = deque()
        self._history_limit = history_limit
        self._objects: dict[Kind, dict[str, dict[str, Object]]] = {}
        self._subscribers: list[Subscriber] = []

    def get(self, kind: Kind, namespace: str | None, name: str) -> Object | None:
        """The stored object (do not mutate it), or None. Cluster-scoped kinds have namespace None or ""."""
        return self._objects.get(kind.storage, {}).get(namespace or "", {}).get(name)

    def list(self, kind: Kind, namespace: str | None = None) -> list[Object]:
        """The stored objects of one namespace, or of all of them, ordered by namespace and name."""
        by_namespace = self._objects.get(kind.storage, {})
        wanted = [namespace] if namespace else sorted(by_namespace)
        return [by_namespace[ns][name] for ns in wanted if ns in by_namespace for name in sorted(by_namespace[ns])]

    def count(self, kind: Kind, namespace: str | None = None) -> int:
        """How many objects of the kind there are."""
        by_namespace = self._objects.get(kind.storage, {})
        return len(by_namespace.get(namespace, {})) if namespace else sum(map(len, by_namespace.values()))

    def create(self, kind: Kind, obj: Object) -> Object:
        """Stores a new object under its metadata's name and namespace, with uid, revision, time and generation.

        Raises AlreadyExists.
        """
        kind = kind.storage
        obj = clone(obj)
        obj.setdefault("apiVersion", kind.api_version)
        obj.setdefault("kind", kind.kind)
        metadata = obj["metadata"]
        if self.get(kind, metadata.get("namespace"), metadata["name"]) is not None:
            raise AlreadyExists(f'{kind.resource} "{metadata["name"]}" already exists')
        metadata.setdefault("uid", str(uuid.uuid4()))
        metadata.setdefault("creationTimestamp", timestamp())
        if kind.counts_generations:
            metadata["generation"] = 1
        self._commit("ADDED", kind, obj, None)
        return obj

    def update(self, kind: Kind, obj: Object) -> Object:
        """Stores a changed object; one that is equal to the stored one is no change. Taking the last finalizer from an
        object that is being deleted removes it.

        Raises NotFound, and Conflict when the object's resourceVersion is not the stored one (none: unconditional).
        """
        kind = kind.storage
        metadata = obj["metadata"]
        old = self.get(kind, metadata.get("namespace"), metadata["name"])
        if old is None:
            raise NotFound(f'{kind.resource} "{metadata["name"]}" not found')
        if metadata.get("resourceVersion") not in (None, "", old["metadata"]["resourceVersion"]):
            raise Conflict(metadata["name"])
        obj = clone(obj)
        obj["metadata"]["resourceVersion"] = old["metadata"]["resourceVersion"]
        if obj == old:
            return old
        if kind.counts_generations and _desired(obj) != _desired(old) and not _is_binding(obj, old):
            obj["metadata"]["generation"] = old["metadata"].get("generation", 0) + 1
        if _is_finished(obj):
            self._commit("DELETED", kind, obj, old)
        else:
            self._commit("MODIFIED", kind, obj, old)
        return obj

    def change(self, kind: Kind, namespace: str | None, name: str, mutate: Callable[[Object], None]) -> Object | None:
        """Copies the object, lets `mutate` change the copy in place, stores it. None when there is no such object."""
        old = self.get(kind, namespace, name)
        if old is None:
            return None
        obj: Object = clone(old)
        mutate(obj)
        return self.update(kind, obj)

    def remove(self, kind: Kind, namespace: str | None, name: str) -> Object | None:
        """Removes an object at once, whatever its finalizers; returns its last state, or None."""
        old = self.get(kind, namespace, name)
        if old is None:
            return None
        obj: Object = clone(old)
        self._commit("DELETED", kind.storage, obj, old)
        return obj

    def subscribe(self, callback: Subscriber) -> Callable[[], None]:
        """Calls back synchronously after each change, in order; the returned function ends that."""
        self._subscribers.append(callback)

        def unsubscribe() -> None:
            if callback in self._subscribers:
                self._subscribers.remove(callback)

        return unsubscribe

    def since(self, revision: int) -> Sequence[Change]:
        """The changes after a revision, oldest first. Raises Expired when they are no longer all kept."""
        if revision < self.compacted:
            raise Expired(f"too old resource version: {revision} ({self.compacted})")
        found: deque[Change] = deque()
        for change in reversed(self.history):
            if change.revision <= revision:
                break
            found.appendleft(change)
        return found

    def compact(self, revision: int | None = None) -> None:
        """Forgets the history up to a revision (default: all of it), as etcd does."""
        limit = self.revision if revision is None else revision
        while self.history and self.history[0].revision <= limit:
            self.history.popleft()
        self.compacted = max(self.compacted, limit)

    def _commit(self, event: str, kind: Kind, obj: Object, old: Object | None) -> None:
        self.revision += 1
        metadata = obj["metadata"]
        metadata["resourceVersion"] = str(self.revision)
        namespace, name = metadata.get("namespace") or "", metadata["name"]
        by_name = self._objects.setdefault(kind, {}).setdefault(namespace, {})
        if event == "DELETED":
            del by_name[name]
        else:
            by_name[name] = obj
        change = Change(event, kind, obj, old, self.revision)
        self.history.append(change)
        if len(self.history) > self._history_limit:
            self.compacted = self.history.popleft().revision
        for subscriber in tuple(self._subscribers):
            subscriber(change)


def _desired(obj: Object) -> Object:
    desired = {key: value for key, value in obj.items() if key not in _GENERATION_IGNORES}
    if obj.get("kind") == "Pod":
        # Being bound to a node is no new generation of a pod.
        desired["spec"] = {key: value for key, value in desired["spec"].items() if key != "nodeName"}
    return desired


def _is_binding(obj: Object, old: Object) -> bool:
    """Binding a pod to its node counts as no change of what is wanted."""
    if obj.get("kind") != "Pod" or old.get("spec", {}).get("nodeName"):
        return False
    return {**obj["spec"], "nodeName": None} == {**old["spec"], "nodeName": None}


def _is_finished(obj: Object) -> bool:
    metadata = obj["metadata"]
    if not metadata.get("deletionTimestamp") or metadata.get("finalizers"):
        return False
    if obj.get("kind") == "Namespace" and obj.get("spec", {}).get("finalizers"):
        return False
    return not metadata.get("deletionGracePeriodSeconds")
