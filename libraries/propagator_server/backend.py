"""The one seam below the API: what a cluster must be able to do for a propagator."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Protocol


class BackendError(Exception):
    """An operation failed in the cluster; the text becomes the action's `details`."""


class NotAnsweredError(BackendError):
    """Nobody in the cluster took the request up.

    The real propagator publishes requests to a message queue. When no helper has a matching pod, none answers and the
    action stays as it is for ever: no error is reported.
    """


@dataclass(frozen=True)
class Pod:
    """A pod as the propagator knows it."""

    uid: str
    namespace: str
    name: str
    cluster_id: str
    containers: tuple[str, ...]
    status: str = "Running"
    ready: int = 0
    node: str = ""
    restarts: int = 0
    created: datetime | None = None
    started: datetime | None = None


@dataclass(frozen=True)
class Node:
    """A node as the propagator knows it. `heard`: when something last came from it."""

    id: str
    name: str
    cluster_id: str
    status: str
    compute_type: str = "cpu"
    instance_type: str = ""
    region: str = ""
    capacity_type: str = "on-demand"
    labels: Mapping[str, str] = field(default_factory=dict)
    heard: datetime | None = None


class Created(Protocol):
    """What a backend calls once the processes' state is taken."""

    def __call__(self, *, asynchronous: bool = False) -> None:
        """`asynchronous`: the action ends here, and the upload goes on behind it."""


@dataclass(frozen=True)
class CheckpointRequest:
    """What to take a checkpoint of, and how."""

    action_id: str
    pod: Pod
    checkpoint_ids: tuple[str, ...]
    kind: str
    overrides: Mapping[str, Any]
    created: Created


@dataclass(frozen=True)
class ContainerCheckpoint:
    """The saved state of one container: where it lies, and how large it is in bytes. `info`: what else is known."""

    container: str
    path: str
    size: int
    name: str | None = None
    info: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class RestoreRequest:
    """Which checkpoint action to restore; into which cluster (None: its own) and under which name (None: derived).

    `uploaded` is what a controller has told the propagator of the pod (`pod_spec`, `pod_metadata_spec`), if it has:
    it comes before what the backend has kept of the pod itself.
    """

    action_id: str
    checkpoint_action_id: str
    cluster_id: str | None
    pod_name: str | None
    overrides: Mapping[str, Any]
    uploaded: Mapping[str, Any] = field(default_factory=dict)


class Backend(Protocol):
    """A cluster, or several, with a runtime that can checkpoint and restore."""

    async def find_pod(
        self, *, uid: str | None = None, namespace: str | None = None, name: str | None = None, cluster_id: str | None
    ) -> Pod | None:
        """The pod with this UID, or else with this namespace and name; None when no cluster has it."""

    async def pods(self) -> Sequence[Pod]:
        """Every pod of every cluster that Cedana is installed in."""

    async def nodes(self) -> Sequence[Node]:
        """Every node of every cluster that Cedana is installed in."""

    async def checkpoint(self, request: CheckpointRequest) -> Sequence[ContainerCheckpoint]:
        """Save the state of each container, in the order of the request's checkpoint ids; the pod goes on running.

        Returns when the checkpoint can be restored. Raises BackendError.
        """

    async def restore(self, request: RestoreRequest) -> Pod:
        """Create a pod that goes on where the checkpoint was taken. Raises BackendError."""

    async def forget(self, checkpoint_id: str) -> None:
        """Remove what is stored for one checkpoint; one that is not there is no error. Raises BackendError."""
