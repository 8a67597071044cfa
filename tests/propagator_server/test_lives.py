"""How actions and checkpoints live: what is told of them, how they are given up, and who is heard of."""

from datetime import UTC, datetime, timedelta

import pytest
from tests.propagator_server.conftest import Api, only
from tests.propagator_server.fake import silent

from propagator_server.backend import BackendError

MISSING = "0b54a3f6-0000-4000-8000-000000000000"
SPEC = {"containers": [{"name": "web", "image": "busybox"}]}


def rows(api: Api, path: str = "checkpoints") -> list[dict]:
    body = api.get(f"/v2/{path}")
    return body if isinstance(body, list) else body[path]


def restore(api: Api, action: str) -> int:
    return api.ask("POST", "/v2/restore/pod", json={"action_id": action, "reason": "manual"}).status_code


def test_a_controller_tells_of_an_action_that_nobody_else_answered(api: Api):
    api.backend.fail = silent()
    action = api.checkpointed_without_answer()
    body = {"action_id": action, "status": "success", "pod_spec": SPEC, "pod_metadata_spec": {"labels": {"a": "b"}}}
    answer = api.ask("POST", "/v2/actions/upload", json=body)
    assert (answer.status_code, answer.text) == (200, "Success")
    assert api.get(f"/v2/checkpoint/status/{action}")["status"] == "ready"
    assert api.ask("POST", "/v2/actions/upload", json=body | {"status": "processing"}).status_code == 200
    assert api.get(f"/v2/checkpoint/status/{action}")["status"] == "ready"


def test_what_has_ended_in_error_stays_so(api: Api):
    api.backend.hold()
    pod = api.backend.add_pod(api.new_id("/v2/cluster", cluster_name="e2e"))
    action = api.new_id("/v2/checkpoint/pod", pod_id=pod.uid)
    assert api.ask("POST", "/v2/actions/upload", json={"action_id": action, "status": "error"}).status_code == 200
    api.backend.let_go()
    api.eventually(lambda: not api.service.operations.is_running(action))
    assert api.get(f"/v2/checkpoint/status/{action}")["status"] == "error"


def test_what_a_controller_has_told_is_what_is_restored(api: Api):
    action = api.checkpointed()
    body = {"action_id": action, "status": "ready", "pod_spec": SPEC}
    assert api.ask("POST", "/v2/actions/upload", json=body).status_code == 200
    api.ended(api.new_id("/v2/restore/pod", action_id=action, reason="manual"))
    assert api.backend.restored[0].uploaded == {"pod_spec": SPEC}


@pytest.mark.parametrize(
    ("wrong", "code"),
    [({"action_id": MISSING}, 404), ({"action_id": None}, 400), ({"status": "splendid"}, 400), ({"status": None}, 400),
     ({"pod_spec": "x"}, 400), ({"pod_id": 3}, 400), ({"persistent_volume_claim": []}, 400)],
)  # fmt: skip
def test_a_wrong_upload_is_refused(api: Api, wrong: dict, code: int):
    body = {"action_id": api.checkpointed(), "status": "error"} | wrong
    assert api.ask("POST", "/v2/actions/upload", json=body).status_code == code


@only("jan26")
def test_a_helper_tells_the_figures_of_a_restore(api: Api):
    source = api.checkpointed()
    action = api.ended(api.new_id("/v2/restore/pod", action_id=source, reason="manual"))
    body = {"total_duration": 12, "total_io": 34, "error": "late", "profiling": {}}
    assert api.ask("PUT", f"/v2/restores/info/{action}", json=body).json() == action
    (row,) = api.get("/v2/actions?type=restore_pod")
    assert (row["total_duration"], row["total_io"]) == (12, 34)
    assert row["details"]["error"] == "late"
    for wrong in (source, MISSING, "x"):
        assert api.ask("PUT", f"/v2/restores/info/{wrong}", json={}).status_code == 500
    assert api.ask("PUT", f"/v2/restores/info/{action}", json={"total_io": -1}).status_code == 400


@pytest.mark.parametrize(("api", "code"), [("seed", 404), ("jan26", 400), ("next", 404)], indirect=["api"])
def test_what_is_deprecated_cannot_be_restored(api: Api, code: int):
    action = api.checkpointed(containers=("one", "two"))
    checkpoint = rows(api)[1]["id"]
    assert api.ask("PATCH", f"/v2/checkpoints/deprecate/{checkpoint}").status_code == 200
    assert api.backend.forgotten == [checkpoint]
    assert restore(api, action) == code
    assert api.backend.restored == []


def test_what_has_not_ended_cannot_be_restored(api: Api):
    api.backend.hold()
    pod = api.backend.add_pod(api.new_id("/v2/cluster", cluster_name="e2e"))
    action = api.new_id("/v2/checkpoint/pod", pod_id=pod.uid)
    assert restore(api, action) == 400
    api.backend.let_go()
    assert restore(api, api.ended(action)) == 200


@pytest.mark.parametrize(
    ("api", "failed", "unanswered"), [("seed", 500, 500), ("jan26", 500, 500), ("next", 502, 504)], indirect=["api"]
)
def test_a_removal_that_fails_changes_nothing(api: Api, failed: int, unanswered: int):
    action = api.checkpointed()
    (row,) = rows(api)
    for problem, code in [(BackendError("disk full"), failed), (silent(), unanswered)]:
        api.backend.removal = problem
        answer = api.ask("PATCH", f"/v2/checkpoints/deprecate/{row['id']}")
        assert (answer.status_code, answer.json()["message"]) == (code, str(problem))
        assert rows(api)[0]["status"] == "ready"
    assert restore(api, action) == 200


@only("next")
def test_files_that_no_cluster_can_remove_are_kept(api: Api):
    service_quirk_cluster = api.new_id("/v2/cluster", cluster_name="e2e")
    api.switch({"quirks": {"soft-deletes": True}})
    api.checkpointed()
    (row,) = rows(api)
    assert api.ask("DELETE", f"/v2/cluster/{service_quirk_cluster}").status_code == 200
    assert api.ask("PATCH", f"/v2/checkpoints/deprecate/{row['id']}").status_code == 409
    assert rows(api)[0]["status"] == "ready"


def test_a_checkpoint_of_a_cluster_that_is_gone_cannot_be_restored(api: Api):
    action = api.checkpointed()
    cluster = api.get("/v2/cluster")[0]["id"]
    assert api.ask("DELETE", f"/v2/cluster/{cluster}").status_code == 200
    assert restore(api, action) in (400, 404)
    assert api.backend.restored == []


def test_nodes_that_are_silent_for_long_are_not_listed_nor_their_pods(api: Api):
    api.backend.add_pod(api.new_id("/v2/cluster", cluster_name="e2e"))
    api.backend.heard = datetime.now(UTC) - timedelta(minutes=4)
    assert len(api.get("/v2/nodes")) == len(rows(api, "pods")) == 1
    api.backend.heard = datetime.now(UTC) - timedelta(minutes=6)
    assert len(api.get("/v2/nodes")) == len(rows(api, "pods")) == 0


@pytest.mark.parametrize(("api", "code"), [("seed", 500), ("jan26", 404), ("next", 404)], indirect=["api"])
def test_a_service_that_is_not_there(api: Api, code: int):
    assert api.ask("GET", "/v2/discover/rabbitmq").status_code == code


def test_fifty_checkpoints_at_once_have_fifty_actions(api: Api):
    cluster = api.new_id("/v2/cluster", cluster_name="e2e")
    pods = [api.backend.add_pod(cluster, f"web-{number}") for number in range(50)]
    actions = [api.new_id("/v2/checkpoint/pod", pod_id=pod.uid) for pod in pods]
    api.eventually(lambda: len({row["action_id"] for row in api.get("/v2/actions")}) == 50)
    for pod, action in zip(pods, actions, strict=True):
        assert api.get(f"/v2/actions/from_pod/{pod.uid}") == action
