"""Garbage collection by owner references: background, foreground and orphan."""

from __future__ import annotations

from collections.abc import Hashable
from typing import TYPE_CHECKING, Any

from ..api import objects
from .base import Controller
from .index import Place

if TYPE_CHECKING:
    from ..kinds import Kind
    from ..store import Change

Object = dict[str, Any]
FOREGROUND = "foregroundDeletion"
ORPHAN = "orphan"


class Garbage(Controller):
    """Keys are `("owner", uid)` of owners that are gone or going, and `("dependent", place)` of objects with owners."""

    def kinds(self) -> tuple[Kind, ...]:
        """Everything, by `follow_all`."""
        return ()

    def start(self) -> None:
        """Follows all kinds."""
        self.cluster.follow_all(self.changed)

    def changed(self, change: Change) -> None:
        """Deletion of an owner, its wish to be deleted with its dependents, and new objects with owners."""
        metadata = change.object["metadata"]
        owners = metadata.get("ownerReferences") or []
        if change.type == "DELETED":
            self.enqueue(("owner", metadata["uid"]))
            for owner in owners:
                self.enqueue(("owner", owner["uid"]))
        elif metadata.get("deletionTimestamp") and set(metadata.get("finalizers") or []) & {FOREGROUND, ORPHAN}:
            self.enqueue(("owner", metadata["uid"]))
        elif owners and change.type == "ADDED":
            place = (change.kind, metadata.get("namespace") or "", metadata["name"])
            self.enqueue(("dependent", place))

    def reconcile(self, key: Hashable) -> None:
        """One owner, or one object that has owners."""
        assert isinstance(key, tuple)
        if key[0] == "dependent":
            self._dependent(key[1])
            return
        place = self.cluster.index.place(key[1])
        owner = self.store.get(*place) if place else None
        if owner is None:
            for dependent in self._dependents(key[1]):
                self._dependent(dependent)
            return
        finalizers = owner["metadata"].get("finalizers") or []
        if owner["metadata"].get("deletionTimestamp") and place:
            if ORPHAN in finalizers:
                self._orphan(key[1])
                self._drop_finalizer(place, ORPHAN)
            elif FOREGROUND in finalizers:
                self._foreground(key[1], place)

    def _dependents(self, uid: str) -> list[Place]:
        found = []
        for obj in self.cluster.index.owned(uid):
            place = self.cluster.index.place(obj["metadata"]["uid"])
            if place:
                found.append(place)
        return found

    def _dependent(self, place: Place) -> None:
        """Deletes an object none of whose owners is left; takes away references to owners that are gone."""
        obj = self.store.get(*place)
        if obj is None or obj["metadata"].get("deletionTimestamp"):
            return
        owners = obj["metadata"].get("ownerReferences") or []
        alive = [o for o in owners if self.cluster.index.place(o["uid"])]
        if len(alive) == len(owners):
            return
        if not alive:
            objects.delete(self.cluster, *place, propagation="Background")
            return

        def fewer(stored: Object) -> None:
            stored["metadata"]["ownerReferences"] = alive

        self.store.change(*place, fewer)

    def _foreground(self, uid: str, place: Place) -> None:
        left = self._dependents(uid)
        blocking = 0
        for dependent in left:
            obj = self.store.get(*dependent)
            if obj is None:
                continue
            reference = next(o for o in obj["metadata"]["ownerReferences"] if o["uid"] == uid)
            blocking += bool(reference.get("blockOwnerDeletion"))
            if not obj["metadata"].get("deletionTimestamp"):
                propagation = "Foreground" if reference.get("blockOwnerDeletion") else "Background"
                objects.delete(self.cluster, *dependent, propagation=propagation)
        if not self._blocking(uid):
            self._drop_finalizer(place, FOREGROUND)

    def _blocking(self, uid: str) -> bool:
        return any(
            owner["uid"] == uid and owner.get("blockOwnerDeletion")
            for obj in self.cluster.index.owned(uid)
            for owner in obj["metadata"]["ownerReferences"]
        )

    def _orphan(self, uid: str) -> None:
        def freed(stored: Object) -> None:
            rest = [o for o in stored["metadata"]["ownerReferences"] if o["uid"] != uid]
            stored["metadata"]["ownerReferences"] = rest
            if not rest:
                del stored["metadata"]["ownerReferences"]

        for dependent in self._dependents(uid):
            self.store.change(*dependent, freed)

    def _drop_finalizer(self, place: Place, finalizer: str) -> None:
        def dropped(stored: Object) -> None:
            stored["metadata"]["finalizers"] = [f for f in stored["metadata"].get("finalizers") or [] if f != finalizer]

        self.store.change(*place, dropped)
