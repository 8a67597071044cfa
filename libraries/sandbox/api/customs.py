"""CustomResourceDefinitions: what a definition adds to what is served, and its custom objects' rules.

Source: k8s.io/apiextensions-apiserver pkg/apiserver and pkg/controller (establish, status).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ..kinds import Kind, strategy
from ..kinds.customs import CustomStrategy
from ..kinds.strategy import dig
from ..store import timestamp

if TYPE_CHECKING:
    from ..store import Store

Object = dict[str, Any]


def serve(store: Store, definition: Object) -> None:
    """Serves the kinds of a definition, and writes into its status that they are."""
    spec = definition["spec"]
    names = spec["names"]
    kept: Kind | None = None
    for version in spec.get("versions") or []:
        known = store.registry.by_resource(spec["group"], version["name"], names["plural"])
        if not version.get("served"):
            if known is not None and known.custom:
                store.registry.discard(known)
            continue
        kind = known or store.registry.add(_kind(spec, version, kept))
        kept = kept or kind.storage
        strategy.set_strategy(kind, CustomStrategy(definition, version))
    if dig(definition, "status.acceptedNames.plural") != names["plural"] or not dig(definition, "status.conditions"):
        store.change(strategy_kind(store), None, definition["metadata"]["name"], _establish)


def strategy_kind(store: Store) -> Kind:
    """The kind of definitions themselves."""
    found = store.registry.by_kind("apiextensions.k8s.io/v1", "CustomResourceDefinition")
    assert found is not None
    return found


def withdraw(store: Store, definition: Object) -> None:
    """Ends serving a definition's kinds and removes their objects."""
    spec = definition["spec"]
    for version in spec.get("versions") or []:
        kind = store.registry.by_resource(spec["group"], version["name"], spec["names"]["plural"])
        if kind is None or not kind.custom:
            continue
        for obj in store.list(kind):
            store.remove(kind, obj["metadata"].get("namespace"), obj["metadata"]["name"])
        store.registry.discard(kind)


def _kind(spec: Object, version: Object, stored_as: Kind | None) -> Kind:
    names, subresources = spec["names"], version.get("subresources") or {}
    return Kind(
        spec["group"],
        version["name"],
        names["kind"],
        names["plural"],
        names.get("singular") or names["kind"].lower(),
        namespaced=spec.get("scope") == "Namespaced",
        short_names=tuple(names.get("shortNames") or ()),
        categories=tuple(names.get("categories") or ()),
        subresources=tuple(name for name in ("scale", "status") if name in subresources),
        counts_generations=True,
        stored_as=stored_as,
        custom=True,
    )


def _establish(definition: Object) -> None:
    spec, now = definition["spec"], timestamp()
    names = dict(spec["names"])
    names.setdefault("singular", names["kind"].lower())
    names.setdefault("listKind", names["kind"] + "List")
    stored = [version["name"] for version in spec["versions"] if version.get("storage")]
    conditions = [
        ("NamesAccepted", "NoConflicts", "no conflicts found"),
        ("Established", "InitialNamesAccepted", "the initial names have been accepted"),
    ]
    definition["status"] = {
        "conditions": [
            {"type": name, "status": "True", "lastTransitionTime": now, "reason": reason, "message": message}
            for name, reason, message in conditions
        ],
        "acceptedNames": names,
        "storedVersions": list(dict.fromkeys([*(dig(definition, "status.storedVersions") or []), *stored])),
    }
