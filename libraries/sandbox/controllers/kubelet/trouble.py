"""What can be wrong with the kubelet or the container runtime of a node."""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass
class Trouble:
    """Nothing is wrong at first.

    down: the kubelet neither acts nor answers, its containers run on. delay: seconds that each of its steps takes
    longer. refusal: what the runtime says instead of creating a container. pull_error: what a pull fails with.
    pressure: the resources that the node is low on (see `eviction`).
    """

    down: bool = False
    delay: float = 0.0
    refusal: str = ""
    pull_error: str = ""
    pressure: set[str] = field(default_factory=set)
