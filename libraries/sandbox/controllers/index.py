"""Who belongs to whom: objects by owner, pods by node and by namespace, kept from the store's changes."""

from __future__ import annotations

from collections import defaultdict
from typing import Any

from .. import kinds
from ..kinds import Kind
from ..store import Change, Store

Place = tuple[Kind, str, str]


def controller_of(obj: dict[str, Any]) -> dict[str, Any] | None:
    """The owner reference of the controller of an object, or None."""
    return next((o for o in obj["metadata"].get("ownerReferences") or [] if o.get("controller")), None)


class Index:
    """Answers in the time of the answer's size."""

    def __init__(self, store: Store) -> None:
        self.store = store
        self._by_owner: dict[str, set[Place]] = defaultdict(set)
        self._by_node: dict[str, set[tuple[str, str]]] = defaultdict(set)
        self._uids: dict[str, Place] = {}

    def changed(self, change: Change) -> None:
        """Takes one change in."""
        kind, obj, old = change.kind, change.object, change.old
        metadata = obj["metadata"]
        place = (kind, metadata.get("namespace") or "", metadata["name"])
        gone = change.type == "DELETED"
        before = _owners(old) if old else set()
        after = set() if gone else _owners(obj)
        for uid in before - after:
            self._by_owner[uid].discard(place)
            if not self._by_owner[uid]:
                del self._by_owner[uid]
        for uid in after - before:
            self._by_owner[uid].add(place)
        if gone:
            self._uids.pop(metadata["uid"], None)
        else:
            self._uids[metadata["uid"]] = place
        if kind is kinds.POD:
            self._place_pod(obj, old, gone)

    def _place_pod(self, pod: dict[str, Any], old: dict[str, Any] | None, gone: bool) -> None:
        key = (pod["metadata"]["namespace"], pod["metadata"]["name"])
        node = pod["spec"].get("nodeName")
        before = old["spec"].get("nodeName") if old else None
        if before and (gone or before != node):
            self._by_node[before].discard(key)
        if node and not gone:
            self._by_node[node].add(key)

    def owned(self, uid: str, kind: Kind | None = None) -> list[dict[str, Any]]:
        """The objects that name this uid as an owner (of one kind), by name."""
        places = sorted((p for p in self._by_owner.get(uid, ()) if kind is None or p[0] is kind), key=lambda p: p[1:])
        found = [self.store.get(*place) for place in places]
        return [obj for obj in found if obj is not None]

    def on_node(self, node: str) -> list[dict[str, Any]]:
        """The pods of a node."""
        found = [self.store.get(kinds.POD, *key) for key in self._by_node.get(node, ())]
        return [pod for pod in found if pod is not None]

    def place(self, uid: str) -> Place | None:
        """Where the object of a uid is, or None when there is none."""
        return self._uids.get(uid)


def _owners(obj: dict[str, Any]) -> set[str]:
    return {owner["uid"] for owner in obj["metadata"].get("ownerReferences") or []}
