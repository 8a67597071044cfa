"""Who asks for what: one request as the verbs see it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from ..kinds import Kind

if TYPE_CHECKING:
    from ..cluster import Cluster

MASTERS = "system:masters"


@dataclass(frozen=True)
class User:
    """An authenticated user."""

    name: str
    groups: tuple[str, ...] = ()
    uid: str = ""
    extra: tuple[tuple[str, tuple[str, ...]], ...] = ()


INTERNAL = User("system:apiserver", (MASTERS,))


@dataclass
class Call:
    """One request for a kind: its place, its caller, its options; `warnings` collects what the answer warns of."""

    cluster: Cluster
    kind: Kind
    namespace: str = ""
    name: str = ""
    subresource: str = ""
    user: User = INTERNAL
    manager: str = ""
    dry_run: bool = False
    field_validation: str = "Ignore"
    internal: bool = False
    warnings: list[str] = field(default_factory=list)
