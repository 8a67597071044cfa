"""What is stored of a checkpoint."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from propagator_server.backend import ContainerCheckpoint

if TYPE_CHECKING:
    from ..runtime import PodSnapshot

NAME_VARIABLE = "CEDANA_CHECKPOINT"


@dataclass(frozen=True)
class Saved:
    """The containers' state at one moment, the cluster that it is of, and the claims that the pod uses."""

    snapshot: PodSnapshot
    cluster_id: str
    checkpoint_ids: tuple[str, ...]
    claims: tuple[dict[str, Any], ...] = ()


def lasting_containers(pod: dict[str, Any]) -> list[dict[str, Any]]:
    """The containers that run as long as the pod: its own, and init containers that keep running (native sidecars)."""
    inits = pod["spec"].get("initContainers") or []
    return [*pod["spec"]["containers"], *(each for each in inits if each.get("restartPolicy") == "Always")]


def container_checkpoint(snapshot: PodSnapshot, name: str, checkpoint_id: str) -> ContainerCheckpoint:
    """One container's part of a checkpoint, named by its environment variable CEDANA_CHECKPOINT."""
    taken = snapshot.containers.get(name)
    spec: dict[str, Any] = next(each for each in lasting_containers(snapshot.pod) if each["name"] == name)
    named = next((each.get("value") for each in spec.get("env") or [] if each["name"] == NAME_VARIABLE), None)
    return ContainerCheckpoint(name, f"cedana://{checkpoint_id}", taken.size if taken else 0, named)
