"""What the propagator tells, in a form that reads well. Unknown fields are left out, unknown words are kept."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

SUCCESS = frozenset({"ready", "success", "completed", "succeeded"})
FAILURE = frozenset({"error", "failed", "failure"})
UNKNOWN = "not_found"
LONGEST_WORD, LONGEST_DETAILS = 100, 20_000
"""Characters of a status and of its details that are kept: they are shown at each look, and in the failure."""
ACTION_KEYS = (
    "action_id",
    "type",
    "status",
    "checkpoint_id",
    "action_timestamp",
    "checkpoint_completed_timestamp",
    "reason",
    "node_name",
    "total_io",
    "details",
)
ON_THE_WAY = frozenset({"initializing", "updated_info", "possibly_uploaded"})
"""States of a checkpoint's row before `ready`."""


class Outcome(StrEnum):
    """What a status word means for whoever waits."""

    SUCCEEDED = "succeeded"
    FAILED = "failed"
    RUNNING = "running"
    UNKNOWN = "unknown"


def outcome_of(status: str) -> Outcome:
    """What the word means: there are several for each end, and whatever is not known is taken for running."""
    word = status.strip().lower()
    if word in SUCCESS:
        return Outcome.SUCCEEDED
    if word in FAILURE:
        return Outcome.FAILED
    return Outcome.UNKNOWN if word == UNKNOWN else Outcome.RUNNING


@dataclass(frozen=True)
class ActionStatus:
    """How far an action has come: the server's word, and its text about an error."""

    action_id: str
    status: str
    details: str = ""

    @property
    def outcome(self) -> Outcome:
        """What the word means."""
        return outcome_of(self.status)

    def __str__(self) -> str:
        return f"{self.status}: {self.details}" if self.details else self.status


@dataclass(frozen=True)
class Action:
    """A checkpoint or restore that was asked for. A pod of several containers has a checkpoint for each.

    `size` is the bytes of all of them, None where the service does not tell: those of 2025 do not, later ones do in the
    rows' `total_io`.
    """

    id: str
    type: str
    status: str
    checkpoint_ids: tuple[str, ...] = ()
    started: str = ""
    completed: str = ""
    reason: str = ""
    node: str = ""
    size: int | None = None
    details: Any = field(default=None, repr=False)

    @property
    def outcome(self) -> Outcome:
        """What the status means."""
        return outcome_of(self.status)

    @property
    def error(self) -> str:
        """The server's text about an error, where its details have one."""
        if isinstance(self.details, Mapping):
            return _text(self.details.get("error") or self.details.get("message"))
        return self.details if isinstance(self.details, str) else ""

    def __str__(self) -> str:
        where = f" on {self.node}" if self.node else ""
        return f"{self.type} {self.id}: {self.status}{where}"


@dataclass(frozen=True)
class Checkpoint:
    """The saved state of one container."""

    id: str
    status: str
    name: str = ""
    platform: str = ""
    gpu: str = ""

    @property
    def deprecated(self) -> bool:
        """Whether it was given up."""
        return self.status.lower() == "deprecated"

    @property
    def unfinished(self) -> bool:
        """Whether it is on its way to storage: with asynchronous uploads its action is ready before it is."""
        return self.status.lower() in ON_THE_WAY

    def __str__(self) -> str:
        return f"checkpoint {self.id}: {self.status}"


@dataclass(frozen=True)
class Cluster:
    """A cluster that is registered with the propagator."""

    id: str
    name: str
    status: str
    kind: str = ""
    last_sync: str = ""

    @property
    def deleted(self) -> bool:
        """Whether only its row is left, as older services do."""
        return self.status.lower() == "deleted"

    def __str__(self) -> str:
        return f"cluster {self.name} ({self.id}): {self.status}"


@dataclass(frozen=True)
class PodRow:
    """A pod as the propagator knows it; `id` need not be the Kubernetes UID."""

    id: str
    name: str
    namespace: str
    status: str
    ready: str = ""
    node: str = ""
    restarts: int = 0
    cluster_id: str = ""

    def __str__(self) -> str:
        return f"pod {self.namespace}/{self.name}: {self.status}, ready {self.ready}, on {self.node}"


@dataclass(frozen=True)
class NodeRow:
    """A node as the propagator knows it."""

    id: str
    name: str
    status: str
    compute_type: str = ""
    instance_type: str = ""
    region: str = ""
    cluster_name: str = ""

    def __str__(self) -> str:
        return f"node {self.name}: {self.status}"


@dataclass(frozen=True)
class Policy:
    """Checkpoints at regular times. `interval` in seconds; `resources` are UIDs of pods, or a namespace."""

    id: str
    status: str
    interval: int
    resources: tuple[str, ...] = ()
    pod_count: int = 0

    def __str__(self) -> str:
        return f"policy {self.id}: {self.status}, every {self.interval} s, {self.pod_count} pods"


Row = Mapping[str, Any]


def action_row(row: Row) -> dict[str, Any]:
    """What `actions_of` reads of an action's row."""
    return {key: row[key] for key in ACTION_KEYS if key in row}


def actions_of(rows: Iterable[Row]) -> list[Action]:
    """The actions, each once: a list has a row for each checkpoint of an action.

    The rows' statuses count together: any failure is the action's, and it has succeeded when all have.
    """
    groups: dict[str, list[Row]] = {}
    for row in rows:
        if row.get("action_id"):
            groups.setdefault(_text(row["action_id"]), []).append(row)
    return [_action(action_id, group) for action_id, group in groups.items()]


def _action(action_id: str, rows: list[Row]) -> Action:
    row = min(rows, key=lambda each: _RANK[outcome_of(_text(each.get("status")))])
    ids = (_text(each.get("checkpoint_id")) for each in rows)
    return Action(
        id=action_id,
        type=_text(row.get("type")),
        status=_text(row.get("status")),
        checkpoint_ids=tuple(dict.fromkeys(each for each in ids if each not in ("", "null"))),
        started=_text(row.get("action_timestamp")),
        completed=_text(row.get("checkpoint_completed_timestamp")),
        reason=_text(row.get("reason")),
        node=_text(row.get("node_name")),
        size=_size(rows),
        details=row.get("details"),
    )


def _size(rows: list[Row]) -> int | None:
    """The bytes of all checkpoints; a row may be listed twice."""
    sizes = {_text(row.get("checkpoint_id")): row.get("total_io") for row in rows}
    known = [size for size in sizes.values() if isinstance(size, int) and size > 0]
    return sum(known) if known and len(known) == len(sizes) else None


_RANK = {Outcome.FAILED: 0, Outcome.UNKNOWN: 1, Outcome.RUNNING: 2, Outcome.SUCCEEDED: 3}


def checkpoint_of(row: Row) -> Checkpoint:
    """A checkpoint's row."""
    name = row.get("name") or row.get("image_name_with_tag")
    texts = {key: _text(row.get(key)) for key in ("id", "status", "platform", "gpu")}
    return Checkpoint(**texts, name=_text(name))


def cluster_of(row: Row) -> Cluster:
    """A cluster's row; the oldest services write its keys with a capital."""
    low = {key.lower(): value for key, value in row.items()}
    return Cluster(**{key: _text(low.get(key)) for key in ("id", "name", "status", "kind", "last_sync")})


def policy_of(row: Row) -> Policy:
    """A policy's row."""
    named = row.get("resource_list")
    return Policy(
        id=_text(row.get("id")),
        status=_text(row.get("status")),
        interval=_number(row.get("input")),
        resources=tuple(map(_text, named)) if isinstance(named, list) else (),
        pod_count=_number(row.get("pod_count")),
    )


def pod_of(row: Row) -> PodRow:
    """A pod's row."""
    texts = ("id", "name", "namespace", "status", "ready", "node", "cluster_id")
    return PodRow(**{key: _text(row.get(key)) for key in texts}, restarts=_number(row.get("restarts")))


def node_of(row: Row) -> NodeRow:
    """A node's row."""
    texts = ("id", "name", "status", "compute_type", "instance_type", "region", "cluster_name")
    return NodeRow(**{key: _text(row.get(key)) for key in texts})


def status_of(action_id: str, body: Any) -> ActionStatus | None:
    """The answer of the status endpoint; None when it is none."""
    if not isinstance(body, Mapping) or not isinstance(body.get("status"), str):
        return None
    return ActionStatus(action_id, body["status"][:LONGEST_WORD], _text(body.get("details"))[:LONGEST_DETAILS])


def _text(value: object) -> str:
    return "" if value is None else str(value)


def _number(value: object) -> int:
    return value if isinstance(value, int) else 0
