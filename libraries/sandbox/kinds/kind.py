"""What a served kind is, and a registry of them."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

ALL_VERBS = ("create", "delete", "deletecollection", "get", "list", "patch", "update", "watch")


@dataclass(frozen=True, eq=False)
class Kind:
    """One kind in one API version, with the names that discovery gives it.

    `stored_as` names the kind whose objects these are, where one object is served in several API versions
    (events.k8s.io/v1 Event is stored as v1 Event); None for most.
    """

    group: str
    version: str
    kind: str
    plural: str
    singular: str
    namespaced: bool = True
    short_names: tuple[str, ...] = ()
    categories: tuple[str, ...] = ()
    subresources: tuple[str, ...] = ()
    verbs: tuple[str, ...] = ALL_VERBS
    counts_generations: bool = False
    stored_as: Kind | None = None
    custom: bool = False

    @property
    def api_version(self) -> str:
        """`v1` or `apps/v1`: the object's apiVersion."""
        return f"{self.group}/{self.version}" if self.group else self.version

    @property
    def resource(self) -> str:
        """`pods` or `deployments.apps`: the name that error messages and quotas use."""
        return f"{self.plural}.{self.group}" if self.group else self.plural

    @property
    def storage(self) -> Kind:
        """The kind under which the store holds the objects."""
        return self.stored_as or self


class Registry:
    """Kinds by resource and by kind; a registry may stand on a parent (custom kinds over the built-in ones)."""

    def __init__(self, kinds: Iterable[Kind] = (), parent: Registry | None = None) -> None:
        self._by_resource: dict[tuple[str, str, str], Kind] = {}
        self._by_kind: dict[tuple[str, str], Kind] = {}
        self._parent = parent
        for kind in kinds:
            self.add(kind)

    def add(self, kind: Kind) -> Kind:
        """Serves one more kind."""
        self._by_resource[kind.group, kind.version, kind.plural] = kind
        self._by_kind[kind.api_version, kind.kind] = kind
        return kind

    def discard(self, kind: Kind) -> None:
        """Serves a kind no more."""
        self._by_resource.pop((kind.group, kind.version, kind.plural), None)
        self._by_kind.pop((kind.api_version, kind.kind), None)

    def by_resource(self, group: str, version: str, plural: str) -> Kind | None:
        """The kind served at this path, or None."""
        found = self._by_resource.get((group, version, plural))
        return self._parent.by_resource(group, version, plural) if found is None and self._parent else found

    def by_kind(self, api_version: str, kind: str) -> Kind | None:
        """The kind of an object with this apiVersion and kind, or None."""
        found = self._by_kind.get((api_version, kind))
        return self._parent.by_kind(api_version, kind) if found is None and self._parent else found

    def all(self) -> list[Kind]:
        """Every served kind, the parent's first."""
        return (self._parent.all() if self._parent else []) + list(self._by_resource.values())
