"""Heartbeat policies: what they ask for, and that they end."""

from dataclasses import replace

import pytest
from tests.propagator_server.conftest import Api, only

MISSING = "0b54a3f6-0000-4000-8000-000000000000"


def policy(api: Api, **changes: object) -> dict:
    pod = api.backend.add_pod(api.new_id("/v2/cluster", cluster_name="e2e"))
    return {"cluster_id": pod.cluster_id, "heartbeat_time": 1, "resource_ids": [pod.uid]} | changes


def listed(api: Api) -> list[dict]:
    body = api.get("/v2/policy/list")
    return body if isinstance(body, list) else body["policies"]


@only("seed")
def test_the_oldest_era_has_none(api: Api):
    assert api.ask("GET", "/v2/policy/list").status_code == 404
    assert api.ask("POST", "/v2/policy/create", json=policy(api)).status_code == 404


@only("jan26", "next")
def test_a_policy_checkpoints_its_pods_until_it_is_deleted(api: Api):
    body = policy(api)
    api.backend.add_pod(body["cluster_id"], "other")
    policy_id = api.new_id("/v2/policy/create", **body)
    (row,) = listed(api)
    assert (row["id"], row["input"], row["pod_count"], row["status"]) == (policy_id, 1, 1, "active")
    api.eventually(lambda: bool(api.get("/v2/actions")))
    action = api.get("/v2/actions")[0]
    assert action["reason"] == "heartbeat"
    assert action["type"] == ("heartbeat" if api.era == "next" else "checkpoint_pod")
    assert action["details"]["pod_id"] == body["resource_ids"][0]
    api.ended(action["action_id"])
    api.new_id("/v2/restore/pod", action_id=action["action_id"], reason="manual")
    assert api.ask("DELETE", "/v2/policy/delete", json={"id": policy_id}).status_code == 200
    assert listed(api) == []
    assert api.ask("DELETE", "/v2/policy/delete", json={"id": policy_id}).status_code in (400, 404)


@only("jan26", "next")
def test_a_policy_may_be_about_a_namespace_and_may_change(api: Api):
    body = policy(api, resource="namespace", resource_name="shop", resource_ids=[], heartbeat_time=3600)
    policy_id = api.new_id("/v2/policy/create", **body)
    assert [(row["pod_count"], row["resource_list"]) for row in listed(api)] == [(1, ["shop"])]
    assert api.new_id("/v2/policy/update", **body, id=policy_id) == policy_id
    assert api.new_id("/v2/policy/update", **(body | {"resource_name": "none"}), id=policy_id) == policy_id
    assert [row["pod_count"] for row in listed(api)] == [0]


@only("jan26")
@pytest.mark.parametrize(
    "wrong",
    [{"cluster_id": MISSING}, {"heartbeat_time": 0}, {"heartbeat_time": "1"}, {"resource_ids": "x"},
     {"resource_ids": ["x"]}, {"resource": "jobs"}, {"policy_type": "x"}, {"resource": "namespace"}],
)  # fmt: skip
def test_a_wrong_policy_is_refused(api: Api, wrong: dict):
    assert api.ask("POST", "/v2/policy/create", json=policy(api) | wrong).status_code == 400
    assert listed(api) == []


@only("jan26")
def test_a_beat_passes_over_pods_that_do_not_run_or_whose_last_beat_is_not_done(api: Api):
    api.backend.hold()
    body = policy(api, resource="namespace", resource_name="shop", resource_ids=[])
    (busy,) = api.backend.known
    waiting = api.backend.add_pod(body["cluster_id"], "waiting")
    api.backend.known[waiting.uid] = replace(waiting, status="Pending")
    api.new_id("/v2/policy/create", **body)

    def beaten() -> list[str]:
        return [row["details"]["pod_id"] for row in api.get("/v2/actions")]

    api.eventually(lambda: beaten() == [busy])
    later = api.backend.add_pod(body["cluster_id"], "later")
    api.eventually(lambda: later.uid in beaten())
    assert beaten() == [busy, later.uid]
    api.backend.let_go()
