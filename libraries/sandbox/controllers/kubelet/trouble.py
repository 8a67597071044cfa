"""What can be wrong with the kubelet or the container runtime of a node."""

from __future__ import annotations

from dataclasses import dataclass, field
from math import inf


@dataclass
class Trouble:
    """Nothing is wrong at first.

    down: the kubelet neither acts nor answers, its containers run on. refusal: what the runtime says instead of
    creating a container. pressure: the resources that the node is low on (see `eviction`). no_criu: the runtime finds
    no CRIU. no_checkpoints: the kubelet's feature gate ContainerCheckpoint is off. disk_left: bytes of a checkpoint
    archive that the disk still takes. cuts_archives: archives are written half, and nobody says so.
    """

    down: bool = False
    refusal: str = ""
    pressure: set[str] = field(default_factory=set)
    no_criu: bool = False
    no_checkpoints: bool = False
    disk_left: float = inf
    cuts_archives: bool = False
