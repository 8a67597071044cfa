"""Policies in the form of 2026: what they ask for, what they make, and when they have made enough."""

from typing import Any

import pytest
from tests.propagator_server.conftest import Api, only

from propagator_server.backend import BackendError

MISSING = "0b54a3f6-0000-4000-8000-000000000000"
FIELDS = {"id", "name", "status", "timestamp", "pod_count", "job_count", "pipeline"}
ACTIVITY = {
    "policy_id",
    "total_checkpoints",
    "successful_checkpoints",
    "failed_checkpoints",
    "last_checkpoint_at",
    "recent_checkpoints",
}
MADE = {
    "checkpoint_id",
    "action_id",
    "pod_name",
    "namespace",
    "status",
    "completed_at",
    "duration_ms",
    "size_bytes",
}
pytestmark = only("next")


def pipeline(api: Api, **trigger: Any) -> dict[str, Any]:
    pod = api.backend.add_pod(api.new_id("/v2/cluster", cluster_name="e2e"))
    return {
        "trigger": {"type": "heartbeat", "config": {"interval_seconds": 1, **trigger}},
        "filter": {"type": "pods", "config": {"cluster_id": pod.cluster_id, "pod_ids": [pod.uid]}},
        "action": {"type": "checkpoint", "config": {"kind": "simple"}},
    }


def listed(api: Api, query: str = "") -> list[str]:
    body = api.get(f"/v1/policy/pipeline/list{query}")
    assert body["total_count"] == len(body["policies"])
    return [row["id"] for row in body["policies"]]


def test_it_makes_as_many_checkpoints_as_it_may_and_is_disabled(api: Api):
    asked = pipeline(api, max_checkpoints=1)
    policy = api.new_id("/v1/policy/pipeline/create", name="nightly", pipeline=asked)
    row = api.get(f"/v1/policy/pipeline/{policy}")
    assert set(row) == FIELDS
    assert (row["name"], row["status"], row["pod_count"], row["pipeline"]) == ("nightly", "active", 1, asked)
    assert listed(api) == [policy]
    api.eventually(lambda: api.get(f"/v1/policy/pipeline/{policy}")["status"] == "disabled")
    assert listed(api) == []
    assert listed(api, "?status=disabled") == [policy]
    assert api.get("/v2/policy/list") == {"policies": [], "total_count": 0}
    made = api.get(f"/v1/policy/{policy}/activity")
    assert set(made) == ACTIVITY
    assert (made["total_checkpoints"], made["successful_checkpoints"], made["failed_checkpoints"]) == (1, 1, 0)
    (recent,) = made["recent_checkpoints"]
    assert set(recent) == MADE
    assert (recent["pod_name"], recent["namespace"], recent["status"]) == ("web", "shop", "ready")


def test_what_failed_counts_as_failed(api: Api):
    api.backend.fail = BackendError("criu failed")
    policy = api.new_id("/v1/policy/pipeline/create", pipeline=pipeline(api, max_checkpoints=1))
    api.eventually(lambda: api.get(f"/v1/policy/{policy}/activity")["failed_checkpoints"] > 0)
    body = api.get(f"/v1/policy/{policy}/activity")
    assert (body["successful_checkpoints"], body["last_checkpoint_at"]) == (0, None)
    assert api.ask("DELETE", "/v1/policy/delete", json={"id": policy}).status_code == 200


def test_it_may_be_about_a_namespace(api: Api):
    asked = pipeline(api, interval_seconds=3600)
    asked["filter"] = {"type": "namespace", "config": asked["filter"]["config"] | {"namespace": "shop"}}
    policy = api.new_id("/v1/policy/pipeline/create", pipeline=asked)
    assert api.get(f"/v1/policy/pipeline/{policy}")["pod_count"] == 1
    assert listed(api, "?resource=namespace") == [policy]
    assert listed(api, "?resource=pods") == []


WRONG: list[tuple[str, Any, int]] = [
    ("trigger", None, 400),
    ("trigger", {"type": "magic", "config": {}}, 400),
    ("trigger", {"type": "heartbeat"}, 400),
    ("trigger", {"type": "heartbeat", "config": {"interval_seconds": 0}}, 400),
    ("trigger", {"type": "heartbeat", "config": {"interval_seconds": 2**31}}, 400),
    ("trigger", {"type": "heartbeat", "config": {"interval_seconds": 1, "max_checkpoints": 0}}, 400),
    ("trigger", {"type": "maintenance", "config": {"start_time": "x", "end_time": "y"}}, 501),
    ("filter", {"type": "pods", "config": {"cluster_id": MISSING}}, 400),
    ("filter", {"type": "pods", "config": {}}, 400),
    ("filter", {"type": "jobs", "config": {"cluster_id": MISSING}}, 501),
    ("action", {"type": "checkpoint", "config": {"kind": "magic"}}, 400),
    ("action", {"type": "restore", "config": {}}, 400),
    ("action", [], 400),
]


@pytest.mark.parametrize(("part", "value", "code"), WRONG)
def test_a_wrong_pipeline_is_refused(api: Api, part: str, value: Any, code: int):
    answer = api.ask("POST", "/v1/policy/pipeline/create", json={"pipeline": pipeline(api) | {part: value}})
    assert answer.status_code == code, answer.text
    assert listed(api) == []


@pytest.mark.parametrize("path", ["pipeline/{}", "{}/activity", "{}/pods"])
@pytest.mark.parametrize("policy", [MISSING, "x"])
def test_an_unknown_policy_is_not_found(api: Api, path: str, policy: str):
    assert api.ask("GET", f"/v1/policy/{path.format(policy)}").status_code == 404
