"""What each era answers, field by field, against what its published spec says."""

import re
from datetime import datetime
from typing import Any

import pytest
from tests.propagator_server.conftest import Api, only

UUID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}")
OPERATION = {"initialized", "processing", "checkpoint_created", "ready", "error", "not_found"}
CHECKPOINT = {"initializing", "updated_info", "possibly_uploaded", "ready", "deprecated"}

ACTION = {"action_id": "uuid", "checkpoint_id": "uuid", "status": "str", "type": "str"}
ACTION |= {"action_timestamp": "time?", "checkpoint_completed_timestamp": "time?", "details": "any"}
ACTION |= {"gpu": "str", "platform": "str", "node_name": "str?"}
ACTION_JAN = ACTION | {"total_duration": "int?", "total_io": "int?", "reason": "str?"}
ACTION_NEXT = ACTION_JAN | {"checkpoint_name": "str?", "delta": "bool?", "parent_checkpoint_id": "uuid?"}
ACTION_NEXT |= {"workload_kind": "str?", "checkpoint_status": "str?", "checksum": "str?"}
ROW = {"id": "uuid", "status": "checkpoint", "gpu": "str", "platform": "str", "checksum": "str?", "info": "any"}
CLUSTER = {"id": "uuid", "name": "str", "status": "str", "metadata": "any"}
NODE = {"id": "uuid", "name": "str", "status": "str", "compute_type": "str", "instance_type": "str", "region": "str"}
POD = {"id": "uuid", "name": "str", "namespace": "str", "status": "str", "age": "str", "ready": "str", "node": "str"}
POD |= {"restarts": "int"}
POD_DEC = POD | {"start_time": "str?", "monitored_by_policies": "uuids"}
POLICY = {"id": "uuid", "status": "str", "policy_type": "str", "input": "int", "resource": "str"}
POLICY |= {"resource_list": "strs", "pod_count": "int", "job_count": "int?", "timestamp": "time?"}
EVENT = {"id": "int", "timestamp": "int", "operation": "str", "resource_type": "str", "source": "str", "status": "str"}
EVENT |= {"message": "str", "metadata": "any"}
DETAILS = {"action_id": "uuid", "type": "str", "status": "str", "details": "any", "action_timestamp": "time?"}
DETAILS |= {"checkpoint_completed_timestamp": "time?", "checkpoint_id": "uuid?", "checkpoint_info": "any"}
DETAILS |= {"checkpoint_name": "str?", "checkpoint_size": "int?", "gpu": "str?", "node_name": "str?", "reason": "str?"}
DETAILS |= {"platform": "str?", "restore_path": "str?", "total_duration": "int?", "total_io": "int?"}

NOTIFICATION = dict.fromkeys(
    [
        "id",
        "timestamp",
        "type",
        "operation",
        "result",
        "description",
        "context",
        "cluster_id",
        "workload_type",
        "node_name",
        "pod_uid",
        "name",
        "namespace",
        "action_id",
        "checkpoint_id",
        "restore_uuid",
        "storage_tier",
        "failure_stage",
        "failure_reason",
    ],
    "str",
)
NOTIFICATION |= {"read": "bool", "duration_ns": "int", "physical_bytes": "int", "pause_ns": "int"}
NOTIFICATION |= {"pod_ready_at_ms": "int?", "pod_scheduled_at_ms": "int?"}

SHAPES: dict[str, dict[str, dict[str, str]]] = {
    "seed": {
        "actions": ACTION | {"total_duration": "str?"},
        "checkpoints": ROW | {"image_name_with_tag": "str?"},
        "cluster": CLUSTER,
        "nodes": NODE,
        "pods": POD,
    },
    "jan26": {
        "actions": ACTION_JAN,
        "checkpoints": ROW | {"name": "str?"},
        "cluster": CLUSTER | {"last_sync": "time?"},
        "nodes": NODE | {"cluster_name": "str"},
        "pods": POD_DEC,
        "events": EVENT,
        "policy/list": POLICY,
    },
    "next": {
        "actions": ACTION_NEXT,
        "checkpoints": ROW | {"name": "str?", "delta": "bool", "parent_checkpoint_id": "uuid?"},
        "cluster": CLUSTER | {"last_sync": "time?", "kind": "str"},
        "nodes": NODE | {"cluster_name": "str", "capacity_type": "str", "labels": "any"},
        "pods": POD_DEC | {"cluster_id": "uuid?"},
        "policy/list": POLICY
        | {"cluster_id": "uuid?", "namespace": "str?", "start_time": "time?", "end_time": "time?"},
    },
}
LISTS = [(era, path) for era, shapes in SHAPES.items() for path in shapes]


def is_shaped(value: Any, kind: str) -> bool:
    if kind == "any":
        return True
    if kind.endswith("?"):
        return value is None or is_shaped(value, kind[:-1])
    if kind in ("int", "bool"):
        return type(value).__name__ == kind
    if kind in ("uuids", "strs"):
        return isinstance(value, list) and all(is_shaped(each, kind[:-1]) for each in value)
    if not isinstance(value, str):
        return False
    if kind == "time":
        return datetime.fromisoformat(value).tzinfo is not None
    return {"uuid": UUID.fullmatch(value), "checkpoint": value in CHECKPOINT}.get(kind, True) not in (None, False)


def assert_shaped(row: dict[str, Any], shape: dict[str, str]) -> None:
    assert set(row) == set(shape)
    assert {name: row[name] for name, kind in shape.items() if not is_shaped(row[name], kind)} == {}


def lived(api: Api) -> str:
    """A checkpoint and its restore, and a policy where there are such; the checkpoint's action."""
    action = api.checkpointed(containers=("one", "two"))
    api.ended(api.new_id("/v2/restore/pod", action_id=action, reason="manual"))
    if api.era != "seed":
        (pod, *_) = api.backend.known.values()
        api.new_id("/v2/policy/create", cluster_id=pod.cluster_id, heartbeat_time=3600, resource_ids=[pod.uid])
    return action


@pytest.mark.parametrize(("api", "path"), LISTS, indirect=["api"])
def test_a_lists_rows_have_the_fields_of_their_era(api: Api, path: str):
    lived(api)
    body = api.get(f"/v2/{path}")
    name = path.split("/", maxsplit=1)[0].replace("policy", "policies")
    rows = body if isinstance(body, list) else body[name]
    assert isinstance(body, list) == (api.era != "next" or path in ("actions", "cluster", "nodes"))
    assert rows
    for row in rows:
        assert_shaped(row, SHAPES[api.era][path])


def test_the_status_of_an_operation(api: Api):
    body = api.get(f"/v2/checkpoint/status/{lived(api)}")
    assert set(body) == {"status", "details"}
    assert body["status"] in OPERATION


@only("next")
def test_one_action_with_all_its_details(api: Api):
    action = lived(api)
    (pod, *_) = api.backend.known.values()
    row = api.get(f"/v1/actions/{action}")
    assert_shaped(row, DETAILS)
    assert row["details"] == {"pod_id": pod.uid}


@only("jan26", "next")
def test_a_pod_tells_which_policies_watch_it(api: Api):
    lived(api)
    body = api.get("/v2/policy/list")
    (policy,) = body if isinstance(body, list) else body["policies"]
    assert policy["pod_count"] == 1
    pods = api.get("/v2/pods")
    watched = [row["monitored_by_policies"] for row in (pods if isinstance(pods, list) else pods["pods"])]
    assert sorted(watched) == [[], [policy["id"]]]
    (row,) = api.get(f"/v2/policy/{policy['id']}/pods")
    assert set(row) == {"id", "name", "namespace", "status"}


@only("jan26")
def test_events_tell_the_begin_and_the_end_of_actions(api: Api):
    lived(api)
    told = [(row["operation"], row["status"]) for row in api.get("/v2/events")]
    assert told == [
        ("checkpoint", "initialized"),
        ("checkpoint", "ready"),
        ("restore", "initialized"),
        ("restore", "ready"),
    ]
    assert len(api.get("/v2/events?operation=restore&resource_type=pod&time=60")) == 2
    assert api.get("/v2/events?resource_type=job") == []
    assert api.ask("GET", "/v2/events?time=soon").status_code == 400


@only("next")
def test_events_are_notifications_in_the_newest_era(api: Api):
    action = lived(api)
    rows = api.get("/v1/events")["events"]
    assert [(row["operation"], row["result"]) for row in rows[:2]] == [
        ("checkpoint", "initialized"),
        ("checkpoint", "ready"),
    ]
    for row in rows:
        assert_shaped(row, NOTIFICATION)
    assert {row["action_id"] for row in api.get("/v1/events?operation=checkpoint")["events"]} == {action}
    assert len(api.get("/v1/events?operation=all&hrs=1&workload=web")["events"]) == len(rows) == 4
    assert api.get("/v1/events?operation=storage")["events"] == []
    assert api.get("/v1/events?cluster_id=x")["events"] == []
    assert api.ask("GET", "/v1/events?operation=magic").status_code == 400


ABSENT = {
    "seed": ["/v2/cluster/count", "/v2/checkpoint/path?name=x", "/v2/events", "/v2/nodes/count", "/v2/pods/count",
             "/v2/pods/paginated", "/v2/policy/list", "/v2/pods/namespace/shop", "/v1/cluster/x/pods"],
    "jan26": ["/v2/pods/namespace/shop", "/v1/cluster/x/pods", "/v2/actions/x"],
    "next": ["/v2/pods/namespace/shop"],
}  # fmt: skip


def test_an_operation_of_another_time_is_not_there(api: Api):
    for path in ABSENT[api.era]:
        assert api.ask("GET", path).status_code == 404, path
