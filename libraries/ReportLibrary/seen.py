"""What a cluster told when something had failed."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

Obj = dict[str, Any]


@dataclass
class Seen:
    """What a cluster told, by namespace; logs, and those of containers before their last restart, by namespace, pod and
    container; `elsewhere` are the pods of all namespaces, where they were asked for."""

    cedana_namespace: str
    pods: dict[str, list[Obj]] = field(default_factory=dict)
    elsewhere: list[Obj] = field(default_factory=list)
    events: dict[str, list[Obj]] = field(default_factory=dict)
    nodes: list[Obj] = field(default_factory=list)
    namespaces: dict[str, Obj] = field(default_factory=dict)
    quotas: dict[str, list[Obj]] = field(default_factory=dict)
    logs: dict[tuple[str, str, str], str] = field(default_factory=dict)
    previous: dict[tuple[str, str, str], str] = field(default_factory=dict)
