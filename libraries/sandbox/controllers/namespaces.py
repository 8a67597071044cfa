"""The end of namespaces: everything in them is deleted, then the namespace goes."""

from __future__ import annotations

from collections import Counter
from collections.abc import Hashable
from typing import TYPE_CHECKING, Any

from .. import kinds
from ..api import objects
from ..store import timestamp
from .base import Controller

if TYPE_CHECKING:
    from ..kinds import Kind
    from ..store import Change

Object = dict[str, Any]
_AGAIN = 0.1
_QUIET = (
    ("NamespaceDeletionDiscoveryFailure", "ResourcesDiscovered", "All resources successfully discovered"),
    ("NamespaceDeletionGroupVersionParsingFailure", "ParsedGroupVersions", "All legacy kube types successfully parsed"),
    (
        "NamespaceDeletionContentFailure",
        "ContentDeleted",
        "All content successfully deleted, may be waiting on finalization",
    ),
)


class Namespaces(Controller):
    """One namespace a key."""

    def kinds(self) -> tuple[Kind, ...]:
        """Namespaces; what is in a terminating one is looked at again until it is empty."""
        return (kinds.NAMESPACE,)

    def start(self) -> None:
        """Also follows what leaves terminating namespaces."""
        super().start()
        self.cluster.follow_all(self._left)

    def _left(self, change: Change) -> None:
        namespace = change.object["metadata"].get("namespace")
        if change.type == "DELETED" and namespace and self._terminating(namespace):
            self.enqueue(("", namespace))

    def _terminating(self, name: str) -> bool:
        found = self.store.get(kinds.NAMESPACE, None, name)
        return bool(found and found["metadata"].get("deletionTimestamp"))

    def reconcile(self, key: Hashable) -> None:
        """Deletes what is left in a terminating namespace; without any, ends the namespace itself."""
        assert isinstance(key, tuple)
        name = key[1]
        namespace = self.store.get(kinds.NAMESPACE, None, name)
        if namespace is None or not namespace["metadata"].get("deletionTimestamp"):
            return
        left = self._delete_content(name)
        if left:
            self._report(name, left)
            self.enqueue_after(("", name), _AGAIN * 10)
        elif "kubernetes" in (namespace.get("spec", {}).get("finalizers") or []):
            self._finish(name)

    def _delete_content(self, name: str) -> list[tuple[Kind, Object]]:
        """Deletes everything that is not being deleted yet; what is left after that."""
        for kind in self._namespaced():
            for obj in self.store.list(kind, name):
                if not obj["metadata"].get("deletionTimestamp"):
                    objects.delete(self.cluster, kind, name, obj["metadata"]["name"], propagation="Background")
        return [(kind, obj) for kind in self._namespaced() for obj in self.store.list(kind, name)]

    def _namespaced(self) -> list[Kind]:
        return [k for k in self.store.registry.all() if k.namespaced and k.stored_as is None and self.store.count(k)]

    def _report(self, name: str, left: list[tuple[Kind, Object]]) -> None:
        counts = Counter(kind.resource if kind.group else f"{kind.plural}." for kind, _ in left)
        finalizers = Counter(f for _, obj in left for f in obj["metadata"].get("finalizers") or [])
        remaining = ", ".join(f"{resource} has {n} resource instances" for resource, n in sorted(counts.items()))
        held = ", ".join(f"{finalizer} in {n} resource instances" for finalizer, n in sorted(finalizers.items()))
        conditions = [(kind, "False", reason, message) for kind, reason, message in _QUIET]
        conditions.append(
            ("NamespaceContentRemaining", "True", "SomeResourcesRemain", f"Some resources are remaining: {remaining}")
        )
        if held:
            text = f"Some content in the namespace has finalizers remaining: {held}"
            conditions.append(("NamespaceFinalizersRemaining", "True", "SomeFinalizersRemain", text))
        else:
            text = "All content-preserving finalizers finished"
            conditions.append(("NamespaceFinalizersRemaining", "False", "ContentHasNoFinalizers", text))

        def write(namespace: Object) -> None:
            before = {c["type"]: c for c in namespace["status"].get("conditions") or []}
            namespace["status"]["conditions"] = [
                {
                    "type": kind,
                    "status": status,
                    "lastTransitionTime": before[kind]["lastTransitionTime"]
                    if kind in before and before[kind]["status"] == status
                    else timestamp(),
                    "reason": reason,
                    "message": message,
                }
                for kind, status, reason, message in conditions
            ]

        self.store.change(kinds.NAMESPACE, None, name, write)

    def _finish(self, name: str) -> None:
        def finished(namespace: Object) -> None:
            namespace["spec"]["finalizers"] = [f for f in namespace["spec"]["finalizers"] if f != "kubernetes"]

        self.store.change(kinds.NAMESPACE, None, name, finished)
