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
    """One time of the API. Codes are HTTP statuses; `failed_removal` has those of a helper that failed and of none that
    answered; `absent` names operations that it does not have."""

    name: str
    error_body: ErrorBody
    words: Words
    reason_required: bool
    paged: bool
    cluster_filters: bool
    soft_deletes: bool
    self_registration: bool
    cluster_deleted_body: str
    no_address: int
    unknown_checkpoint: int
    bad_cluster_id: int
    unknown_service: int
    failed_removal: tuple[int, int]
    asks_cluster_to_remove: bool
    bad_id: int
    unknown_path_name: int
    deprecated_again: int
    duration_as_text: bool
    pod_start_times: bool
    unknown_policy: int
    heartbeat_type: str
    action_fields: tuple[str, ...]
    checkpoint_fields: tuple[str, ...]
    node_fields: tuple[str, ...]
    cluster_fields: tuple[str, ...]
    policy_fields: tuple[str, ...]
    absent: frozenset[str]


_SINCE_DEC = {
    "GET /cluster/count",
    "GET /checkpoint/path",
    "GET /events",
    "GET /nodes/count",
    "GET /pods/count",
    "GET /pods/namespaces",
    "GET /pods/paginated",
    "GET /pods/statuses",
    "POST /policy/create",
    "POST /policy/update",
    "GET /policy/list",
    "DELETE /policy/delete",
    "GET /policy/{id}/pods",
}
_ONLY_DEC = {"GET /pods/namespace/{namespace}"}
_ONLY_JAN = {"PUT /restores/info/{id}"}
_SINCE_2026 = {
    "GET /actions/{id}",
    "GET /cluster/{id}/pods",
    "POST /policy/pipeline/create",
    "GET /policy/pipeline/list",
    "GET /policy/pipeline/{id}",
    "GET /policy/{id}/activity",
}
"""Operations by the time in which they were published, which tells the eras that do not have them."""
_POLICY_JAN = (
    "id",
    "status",
    "policy_type",
    "input",
    "resource",
    "resource_list",
    "pod_count",
    "job_count",
    "timestamp",
)
_NODE_JUL = ("id", "name", "status", "compute_type", "instance_type", "region")
_CLUSTER_JUL = ("id", "name", "status", "metadata")

SEED = Era(
    name="seed",
    error_body=ErrorBody.CODED,
    words=Words("success", "failed"),
    reason_required=False,
    paged=False,
    cluster_filters=False,
    soft_deletes=True,
    self_registration=True,
    cluster_deleted_body="",
    no_address=404,
    unknown_checkpoint=404,
    bad_cluster_id=400,
    unknown_service=500,
    failed_removal=(500, 500),
    asks_cluster_to_remove=False,
    bad_id=404,
    unknown_path_name=404,
    deprecated_again=200,
    duration_as_text=True,
    pod_start_times=False,
    unknown_policy=404,
    heartbeat_type="checkpoint_pod",
    action_fields=_ACTION_JUL,
    checkpoint_fields=(*_CHECKPOINT, "image_name_with_tag"),
    node_fields=_NODE_JUL,
    cluster_fields=_CLUSTER_JUL,
    policy_fields=(),
    absent=frozenset(_SINCE_DEC | _ONLY_DEC | _ONLY_JAN | _SINCE_2026),
)
JAN26 = Era(
    name="jan26",
    error_body=ErrorBody.DETAILED,
    words=Words("ready", "error"),
    reason_required=True,
    paged=False,
    cluster_filters=False,
    soft_deletes=False,
    self_registration=False,
    cluster_deleted_body="OK",
    no_address=400,
    unknown_checkpoint=400,
    bad_cluster_id=404,
    unknown_service=404,
    failed_removal=(500, 500),
    asks_cluster_to_remove=False,
    bad_id=400,
    unknown_path_name=400,
    deprecated_again=200,
    duration_as_text=False,
    pod_start_times=True,
    unknown_policy=400,
    heartbeat_type="checkpoint_pod",
    action_fields=_ACTION_JAN,
    checkpoint_fields=(*_CHECKPOINT, "name"),
    node_fields=(*_NODE_JUL, "cluster_name"),
    cluster_fields=(*_CLUSTER_JUL, "last_sync"),
    policy_fields=_POLICY_JAN,
    absent=frozenset(_ONLY_DEC | _SINCE_2026),
)
NEXT = Era(
    name="next",
    error_body=ErrorBody.MESSAGE,
    words=Words("completed", "error"),
    reason_required=True,
    paged=True,
    cluster_filters=True,
    soft_deletes=False,
    self_registration=False,
    cluster_deleted_body="OK",
    no_address=400,
    unknown_checkpoint=404,
    bad_cluster_id=404,
    unknown_service=404,
    failed_removal=(502, 504),
    asks_cluster_to_remove=True,
    bad_id=400,
    unknown_path_name=404,
    deprecated_again=404,
    duration_as_text=False,
    pod_start_times=True,
    unknown_policy=404,
    heartbeat_type="heartbeat",
    action_fields=_ACTION_NEXT,
    checkpoint_fields=(*_CHECKPOINT, "name", "delta", "parent_checkpoint_id"),
    node_fields=(*_NODE_JUL, "cluster_name", "capacity_type", "labels"),
    cluster_fields=(*_CLUSTER_JUL, "last_sync", "kind"),
    policy_fields=(*_POLICY_JAN, "cluster_id", "namespace", "start_time", "end_time"),
    absent=frozenset(_ONLY_DEC | _ONLY_JAN),
)
ERAS = {era.name: era for era in (SEED, JAN26, NEXT)}


def by_name(name: str) -> Era:
    """The era of that name; ValueError names those that there are."""
    try:
        return ERAS[name]
    except KeyError:
        raise ValueError(f"no era {name!r}; there are {', '.join(ERAS)}") from None
