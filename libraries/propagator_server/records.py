"""What the propagator remembers: clusters, actions and checkpoints. Rows are never changed in place."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any


class ActionStatus(StrEnum):
    """Status of an operation (`GET /checkpoint/status/{action_id}`)."""

    INITIALIZED = "initialized"
    PROCESSING = "processing"
    CHECKPOINT_CREATED = "checkpoint_created"
    READY = "ready"
    ERROR = "error"


class ActionType(StrEnum):
    """What an action does."""

    CHECKPOINT_POD = "checkpoint_pod"
    RESTORE_POD = "restore_pod"


class CheckpointStatus(StrEnum):
    """Life of a checkpoint's row."""

    INITIALIZING = "initializing"
    UPDATED_INFO = "updated_info"
    POSSIBLY_UPLOADED = "possibly_uploaded"
    READY = "ready"
    DEPRECATED = "deprecated"


class ClusterStatus(StrEnum):
    """A cluster is never more than marked as deleted in the oldest era."""

    ACTIVE = "active"
    DELETED = "deleted"


@dataclass(frozen=True)
class Event:
    """Something that happened to an action, for `GET /events`: the action as it was then."""

    number: int
    at: datetime
    action: Action


class Resource(StrEnum):
    """What a policy's ids or name stand for."""

    PODS = "pods"
    NAMESPACE = "namespace"


@dataclass(frozen=True)
class Cluster:
    """A registered cluster."""

    id: str
    name: str
    kind: str = "kubernetes"
    status: ClusterStatus = ClusterStatus.ACTIVE
    last_sync: datetime | None = None
    registered: datetime | None = None


@dataclass(frozen=True)
class Action:
    """One request to checkpoint or restore, and what has become of it. A pod's containers share it.

    `uploaded` is what a controller has told of it (`POST /actions/upload`), `figures` what a helper has.
    """

    id: str
    type: ActionType
    cluster_id: str | None
    pod_uid: str
    node: str
    started: datetime
    checkpoint_ids: tuple[str, ...]
    request: Mapping[str, Any]
    reason: str | None = None
    status: ActionStatus = ActionStatus.INITIALIZED
    error: str | None = None
    completed: datetime | None = None
    uploaded: Mapping[str, Any] = field(default_factory=dict)
    figures: Mapping[str, Any] = field(default_factory=dict)
    namespace: str = ""
    pod_name: str = ""
    policy_id: str | None = None

    @property
    def ended(self) -> bool:
        """Whether no further change is to come."""
        return self.status in (ActionStatus.READY, ActionStatus.ERROR)


@dataclass(frozen=True)
class Checkpoint:
    """The saved state of one container. Size in bytes."""

    id: str
    status: CheckpointStatus = CheckpointStatus.INITIALIZING
    action_id: str | None = None
    cluster_id: str | None = None
    name: str | None = None
    path: str | None = None
    size: int | None = None
    gpu: str = ""
    platform: str = ""
    info: Mapping[str, Any] = field(default_factory=dict)


class PolicyStatus(StrEnum):
    """A policy is disabled once it has made all the checkpoints that it may make."""

    ACTIVE = "active"
    CREATING = "creating"
    DISABLED = "disabled"
    COMPLETED = "completed"


@dataclass(frozen=True)
class Policy:
    """Checkpoints at regular times: every `interval` seconds, of the pods named by UID or of all in a namespace.

    `most`: how many checkpoints that went well it makes (None: no end). `pipeline`: as it was asked for, in that form.
    """

    id: str
    cluster_id: str
    interval: int
    resource: Resource
    pod_uids: tuple[str, ...]
    namespace: str
    made: datetime
    kind: str = "simple"
    most: int | None = None
    status: PolicyStatus = PolicyStatus.ACTIVE
    name: str | None = None
    pipeline: Mapping[str, Any] | None = None
