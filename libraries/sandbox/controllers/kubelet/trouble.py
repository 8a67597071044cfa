"""What can be wrong with the kubelet or the container runtime of a node."""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass
class Trouble:
    """Nothing is wrong at first.

    down: the kubelet neither acts nor answers, its containers run on. refusal: what the runtime says instead of
    creating a container. pressure: the resources that the node is low on (see `eviction`).
    """

    down: bool = False
    refusal: str = ""
    pressure: set[str] = field(default_factory=set)
