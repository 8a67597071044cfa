"""What holds in every era, as raw HTTP."""

import pytest
from tests.propagator_server.conftest import Api, only
from tests.propagator_server.fake import FakeBackend, propagator

from propagator_server.backend import BackendError

MISSING = "0b54a3f6-0000-4000-8000-000000000000"


def test_an_id_is_text_in_quotes(api: Api):
    answer = api.ask("GET", "/v2/user")
    assert answer.headers["Content-Type"].startswith("text/plain")
    assert answer.text == f'"{answer.json()}"'
    assert api.ask("GET", "/v1/user").text == answer.text


def test_an_id_may_be_bare():
    with propagator(FakeBackend(), quirks={"quoted-ids": False}) as url:
        assert '"' not in Api(url, FakeBackend(), "jan26").ask("GET", "/v2/user").text


def test_a_cluster_is_registered_by_name(api: Api):
    first = api.new_id("/v2/cluster", cluster_name="e2e")
    assert api.new_id("/v2/cluster", cluster_name="e2e", kind="kubernetes") == first
    assert [(row["id"], row["name"], row["status"]) for row in api.get("/v2/cluster")] == [(first, "e2e", "active")]
    if api.era != "seed":
        assert api.get("/v2/cluster/count") == {"total_count": 1}


@pytest.mark.parametrize("body", ["", "{", "[]", "3", '{"cluster_name": 3}', '{"cluster_name": ""}', "{}", "\xff"])
def test_a_bad_body_is_refused(api: Api, body: str):
    answer = api.ask("POST", "/v2/cluster", data=body.encode("latin-1"))
    assert answer.status_code == 400
    assert answer.json()["message"].startswith("Invalid request parameters")


@pytest.mark.parametrize(
    "wrong",
    [{"kind": "magic"}, {"reason": "because"}, {"overrides": 3}, {"overrides": {"streams": "two"}},
     {"overrides": {"streams": True}}, {"overrides": {"asynchronous": 1}}, {"pod_id": 7}],
)  # fmt: skip
def test_a_wrong_value_is_named(api: Api, wrong: dict):
    pod = api.backend.add_pod(api.new_id("/v2/cluster", cluster_name="e2e"))
    answer = api.ask("POST", "/v2/checkpoint/pod", json={"pod_id": pod.uid} | wrong)
    assert answer.status_code == 400
    assert next(iter(wrong)) in answer.json()["message"]
    assert api.get("/v2/actions") == []


def test_fields_of_other_eras_are_borne(api: Api):
    pod = api.backend.add_pod(api.new_id("/v2/cluster", cluster_name="e2e"))
    overrides = {"streams": 2, "unheard-of": {}}
    api.new_id("/v2/checkpoint/pod", pod_id=pod.uid, runc_root="/run", novelty=1, overrides=overrides, kind=None)


def test_a_restore_has_an_action_of_its_own_at_once(api: Api):
    source = api.checkpointed()
    restore = api.new_id("/v2/restore/pod", action_id=source, reason="manual")
    assert restore != source
    rows = api.get("/v2/actions?type=restore_pod")
    assert [row["action_id"] for row in rows] == [restore]
    assert rows[0]["checkpoint_id"]
    api.ended(restore)


def test_a_restore_is_no_checkpoint_to_restore(api: Api):
    source = api.checkpointed()
    restore = api.ended(api.new_id("/v2/restore/pod", action_id=source, reason="manual"))
    assert api.ask("POST", "/v2/restore/pod", json={"action_id": restore, "reason": "manual"}).status_code in (400, 404)


@pytest.mark.parametrize(
    "wrong", [{"action_id": "x"}, {"reason": "why"}, {"overrides": {"pod_name": 1}}, {"cluster_id": MISSING}]
)
def test_a_wrong_restore_is_refused(api: Api, wrong: dict):
    body = {"action_id": api.checkpointed(), "reason": "manual"} | wrong
    assert api.ask("POST", "/v2/restore/pod", json=body).status_code == 400


def test_an_action_with_two_containers_has_two_rows(api: Api):
    action_id = api.checkpointed(containers=("one", "two"))
    rows = api.get("/v2/actions")
    assert [row["action_id"] for row in rows] == [action_id] * 2
    assert len({row["checkpoint_id"] for row in rows}) == 2


def test_a_failure_shows_its_text(api: Api):
    api.backend.fail = BackendError("criu failed")
    action_id = api.checkpointed()
    assert api.get(f"/v2/checkpoint/status/{action_id}") == {"status": "error", "details": "criu failed"}
    assert api.get("/v2/actions")[0]["status"] in ("failed", "error")


def test_checkpoints_are_asked_for_by_ids(api: Api):
    api.checkpointed(containers=("one", "two", "three"))
    ids = [row["checkpoint_id"] for row in api.get("/v2/actions")]

    def asked(query: str) -> set[str]:
        body = api.get(f"/v2/checkpoints?{query}")
        return {row["id"] for row in (body if isinstance(body, list) else body["checkpoints"])}

    assert asked(f"ids={ids[0]},{ids[1]}") == set(ids[:2])
    assert asked(f"ids={ids[0]}&ids={ids[2]}") == {ids[0], ids[2]}
    assert asked(f"ids={MISSING}") == set()
    assert api.ask("GET", "/v2/checkpoints?ids=x").status_code == 400


def test_a_helpers_checkpoint_goes_its_way(api: Api):
    checkpoint_id = api.new_id("/v2/checkpoints")

    def status() -> str:
        body = api.get(f"/v2/checkpoints?ids={checkpoint_id}")
        return (body if isinstance(body, list) else body["checkpoints"])[0]["status"]

    assert status() == "initializing"
    path = f"/v2/checkpoints/info/{checkpoint_id}"
    assert api.ask("PUT", path, json={"gpu": "none"}).status_code == 400
    assert api.ask("PUT", path, json={"gpu": "none", "platform": "linux"}).json() == checkpoint_id
    assert status() == "updated_info"
    body = {"restore_path": "cedana://x"}
    assert api.ask("POST", f"/v2/checkpoints/uploaded/{checkpoint_id}", json=body).json() == checkpoint_id
    assert status() == "ready"
    assert api.ask("PATCH", f"/v2/checkpoints/deprecate/{checkpoint_id}").json() == checkpoint_id
    assert status() == "deprecated"
    assert api.ask("PATCH", "/v2/checkpoints/deprecate/x").status_code in (400, 404)


def test_a_named_checkpoint_has_a_path(api: Api):
    api.checkpointed()
    assert api.ask("GET", "/v2/checkpoint/path?name=nightly").status_code in (400, 404)


def test_pods_are_those_of_registered_clusters(api: Api):
    cluster_id = api.new_id("/v2/cluster", cluster_name="e2e")
    pod = api.backend.add_pod(cluster_id)
    api.backend.add_pod(MISSING, "elsewhere")
    body = api.get("/v2/pods")
    (row,) = body if isinstance(body, list) else body["pods"]
    assert (row["id"], row["name"], row["namespace"], row["ready"]) == (pod.uid, "web", "shop", "1/1")
    assert [row["name"] for row in api.get("/v2/nodes")] == ["node-1"]
    assert api.get("/v2/nodes?id=none") == []


@only("jan26", "next")
def test_pods_and_nodes_are_counted_and_filtered(api: Api):
    api.backend.add_pod(api.new_id("/v2/cluster", cluster_name="e2e"))
    assert api.get("/v2/pods/count") == {"total_count": 1}
    assert api.get("/v2/pods/namespaces") == {"namespaces": ["shop"]}
    assert api.get("/v2/pods/statuses") == {"statuses": ["Running"]}
    body = api.get("/v2/pods/paginated?pod_name=WE&status=Running")
    assert body["total_count"] == 1
    assert body["available_filters"] == {"statuses": ["Running"], "namespaces": ["shop"]}
    assert api.get("/v2/pods/paginated?namespace=none")["total_count"] == 0
    assert api.get("/v2/nodes/count") == {"total_count": 1}


@only("next")
def test_the_pods_of_a_cluster(api: Api):
    cluster_id = api.new_id("/v2/cluster", cluster_name="e2e")
    api.backend.add_pod(cluster_id)
    assert api.get(f"/v1/cluster/{cluster_id}/pods") == [{"name": "web", "namespace": "shop"}]


def test_the_latest_action_of_a_pod(api: Api):
    pod = api.backend.add_pod(api.new_id("/v2/cluster", cluster_name="e2e"))
    assert api.ask("GET", f"/v2/actions/from_pod/{pod.uid}").status_code == 404
    actions = [api.ended(api.new_id("/v2/checkpoint/pod", pod_id=pod.uid)) for _ in range(2)]
    assert api.get(f"/v2/actions/from_pod/{pod.uid}") == actions[-1]


@pytest.mark.parametrize(
    ("method", "path"),
    [("POST", "/v2/cluster/sync"), ("POST", "/v2/cluster/workload"), ("GET", "/v2/secrets"), ("GET", "/v2/jobs"),
     ("GET", "/v2/files/a/b"), ("GET", "/v1/plugins"), ("POST", "/v2/slurm/checkpoint/job"), ("GET", "/v1/restores"),
     ("GET", "/v1/operations/x")],
)  # fmt: skip
def test_what_is_not_served_is_said_to_be_so(api: Api, method: str, path: str):
    answer = api.ask(method, path)
    assert answer.status_code == 501
    assert path in answer.json()["message"]


def test_another_method_is_not_allowed(api: Api):
    for method, path, allowed in [
        ("GET", "checkpoint/pod", "POST"),
        ("POST", "user", "GET"),
        ("PUT", "cluster", "GET, POST"),
    ]:
        answer = api.ask(method, f"/v2/{path}")
        assert answer.status_code == 405
        assert answer.json()["message"].endswith(f"allowed are {allowed}")


def test_a_head_is_answered_as_a_get_without_its_body(api: Api):
    answer = api.ask("HEAD", "/v1/user")
    assert (answer.status_code, answer.content) == (200, b"")


def test_a_refusal_says_why(api: Api):
    assert (
        api.ask("POST", "/v2/cluster/sync").json()["message"].endswith("reads pods and nodes from its clusters itself")
    )


def test_paths_that_nobody_knows_are_404(api: Api):
    for path in ("/v2/nothing", "/v2", "/", "/v3/user"):
        answer = api.ask("GET", path)
        assert answer.status_code == 404
        assert answer.json()["message"]


def test_services_are_found_by_name():
    with propagator(FakeBackend(), discoverable={"rabbitmq": "amqp://x"}) as url:
        api = Api(url, FakeBackend(), "jan26")
        assert api.ask("GET", "/v2/discover/rabbitmq").text == "amqp://x"
        assert api.ask("GET", "/v2/discover/other").status_code == 404
