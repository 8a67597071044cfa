"""How the API differed from one time to another, as data.

The facts are those of the published specs; `words` holds what the free-text status of an action ends in, for which no
spec has an enumeration and clients know several words.
"""

from dataclasses import dataclass
from enum import StrEnum

_ACTION_FIRST = ("action_id", "checkpoint_id", "status", "type", "action_timestamp")
_ACTION_JUL = (
    *_ACTION_FIRST,
    "checkpoint_completed_timestamp",
    "details",
    "gpu",
    "platform",
    "node_name",
    "total_duration",
)
_ACTION_JAN = (*_ACTION_JUL, "total_io", "reason")
_ACTION_NEXT = (
    *_ACTION_JAN,
    "checkpoint_name",
    "delta",
    "parent_checkpoint_id",
    "workload_kind",
    "checkpoint_status",
    "checksum",
)
_CHECKPOINT = ("id", "status", "gpu", "platform", "checksum", "info")


class ErrorBody(StrEnum):
    """The three shapes of an error's JSON body."""

    CODED = "cedana_error_code and message"
    DETAILED = "message, code and details"
    MESSAGE = "message"


@dataclass(frozen=True)
class Words:
    """What the status of a finished action reads in `GET /actions`."""

    success: str
    failure: str


@dataclass(frozen=True)
class Era:
    """One time of the API. Codes are HTTP statuses."""

    name: str
    error_body: ErrorBody
    words: Words
    reason_required: bool
    paged: bool
    cluster_filters: bool
    soft_cluster_delete: bool
    single_rows: bool
    cluster_deleted_body: str
    no_address: int
    unknown_checkpoint: int
    bad_id: int
    unknown_path_name: int
    deprecated_again: int
    duration_as_text: bool
    pod_start_times: bool
    policies: bool
    unknown_policy: int
    heartbeat_type: str
    action_fields: tuple[str, ...]
    checkpoint_fields: tuple[str, ...]
    node_fields: tuple[str, ...]
    cluster_fields: tuple[str, ...]


_NODE_JUL = ("id", "name", "status", "compute_type", "instance_type", "region")
_CLUSTER_JUL = ("id", "name", "status", "metadata")

SEED = Era(
    name="seed",
    error_body=ErrorBody.CODED,
    words=Words("success", "failed"),
    reason_required=False,
    paged=False,
    cluster_filters=False,
    soft_cluster_delete=True,
    single_rows=False,
    cluster_deleted_body="",
    no_address=404,
    unknown_checkpoint=404,
    bad_id=404,
    unknown_path_name=404,
    deprecated_again=200,
    duration_as_text=True,
    pod_start_times=False,
    unknown_policy=404,
    policies=False,
    heartbeat_type="checkpoint_pod",
    action_fields=_ACTION_JUL,
    checkpoint_fields=(*_CHECKPOINT, "image_name_with_tag"),
    node_fields=_NODE_JUL,
    cluster_fields=_CLUSTER_JUL,
)
JAN26 = Era(
    name="jan26",
    error_body=ErrorBody.DETAILED,
    words=Words("ready", "error"),
    reason_required=True,
    paged=False,
    cluster_filters=False,
    soft_cluster_delete=False,
    single_rows=False,
    cluster_deleted_body="OK",
    no_address=400,
    unknown_checkpoint=400,
    bad_id=400,
    unknown_path_name=400,
    deprecated_again=200,
    duration_as_text=False,
    pod_start_times=True,
    unknown_policy=400,
    policies=True,
    heartbeat_type="checkpoint_pod",
    action_fields=_ACTION_JAN,
    checkpoint_fields=(*_CHECKPOINT, "name"),
    node_fields=(*_NODE_JUL, "cluster_name"),
    cluster_fields=(*_CLUSTER_JUL, "last_sync"),
)
NEXT = Era(
    name="next",
    error_body=ErrorBody.MESSAGE,
    words=Words("completed", "error"),
    reason_required=True,
    paged=True,
    cluster_filters=True,
    soft_cluster_delete=False,
    single_rows=True,
    cluster_deleted_body="OK",
    no_address=400,
    unknown_checkpoint=404,
    bad_id=400,
    unknown_path_name=404,
    deprecated_again=404,
    duration_as_text=False,
    pod_start_times=True,
    unknown_policy=404,
    policies=True,
    heartbeat_type="heartbeat",
    action_fields=_ACTION_NEXT,
    checkpoint_fields=(*_CHECKPOINT, "name", "delta", "parent_checkpoint_id"),
    node_fields=(*_NODE_JUL, "cluster_name", "capacity_type", "labels"),
    cluster_fields=(*_CLUSTER_JUL, "last_sync", "kind"),
)
ERAS = {era.name: era for era in (SEED, JAN26, NEXT)}


def by_name(name: str) -> Era:
    """The era of that name; ValueError names those that there are."""
    try:
        return ERAS[name]
    except KeyError:
        raise ValueError(f"no era {name!r}; there are {', '.join(ERAS)}") from None
