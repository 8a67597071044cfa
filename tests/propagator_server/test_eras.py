"""Where the eras differ."""

from datetime import UTC, datetime

import pytest
from tests.propagator_server.conftest import Api, only

from propagator_server.eras import by_name

MISSING = "0b54a3f6-0000-4000-8000-000000000000"


def test_an_error_body_has_the_shape_of_its_era(api: Api):
    answer = api.ask("GET", f"/v2/checkpoint/status/{MISSING}")
    body = answer.json()
    assert answer.status_code == 404
    assert MISSING in body.pop("message")
    assert body == {"seed": {"cedana_error_code": 404}, "jan26": {"code": "404", "details": None}, "next": {}}[api.era]


@pytest.mark.parametrize(
    "header", [{}, {"Authorization": "Bearer wrong"}, {"Authorization": "bearer"}, {"Authorization": ""}]
)
def test_a_bad_token_is_401_whatever_the_path(api: Api, header: dict[str, str]):
    for path in ("/v2/user", "/v2/nothing", "/v1/user"):
        answer = api.ask("GET", path, headers={"Authorization": "none"} | header)
        assert answer.status_code == 401
        assert answer.json()["message"]


def test_clusters_are_deleted_softly_only_in_the_oldest_era(api: Api):
    cluster_id = api.new_id("/v2/cluster", cluster_name="e2e")
    answer = api.ask("DELETE", f"/v2/cluster/{cluster_id}")
    assert (answer.status_code, answer.text) == (200, "" if api.era == "seed" else "OK")
    assert [row["status"] for row in api.get("/v2/cluster")] == (["deleted"] if api.era == "seed" else [])
    assert api.ask("DELETE", f"/v2/cluster/{cluster_id}").status_code == 404
    assert api.new_id("/v2/cluster", cluster_name="e2e") != cluster_id


def test_a_restore_needs_a_reason_since_late_2025(api: Api):
    answer = api.ask("POST", "/v2/restore/pod", json={"action_id": api.checkpointed()})
    assert answer.status_code == (200 if api.era == "seed" else 400)


@pytest.mark.parametrize(("api", "status"), [("seed", 404), ("jan26", 400), ("next", 404)], indirect=["api"])
def test_an_unknown_checkpoint_cannot_be_restored(api: Api, status: int):
    body = {"action_id": MISSING, "reason": "manual"}
    assert api.ask("POST", "/v2/restore/pod", json=body).status_code == status


@pytest.mark.parametrize(("api", "status"), [("seed", 404), ("jan26", 400), ("next", 400)], indirect=["api"])
def test_a_pod_that_is_not_named_is_refused(api: Api, status: int):
    assert api.ask("POST", "/v2/checkpoint/pod", json={"runc_root": "/run"}).status_code == status


@pytest.mark.parametrize(
    ("api", "word"), [("seed", "success"), ("jan26", "ready"), ("next", "completed")], indirect=["api"]
)
def test_a_finished_action_has_the_word_of_its_era(api: Api, word: str):
    action_id = api.checkpointed()
    (row,) = api.get("/v2/actions")
    assert (row["action_id"], row["type"], row["status"]) == (action_id, "checkpoint_pod", word)
    assert api.get(f"/v2/checkpoint/status/{action_id}") == {"status": "ready", "details": None}


def test_an_action_has_the_fields_of_its_era(api: Api):
    api.checkpointed()
    (row,) = api.get("/v2/actions")
    assert tuple(row) == by_name(api.era).action_fields
    assert isinstance(row["total_duration"], str if api.era == "seed" else int)
    assert datetime.fromisoformat(row["action_timestamp"]) <= datetime.now(UTC)


@pytest.mark.parametrize("path", ["/v2/checkpoints", "/v2/pods"])
def test_lists_come_in_pages_only_in_the_newest_era(api: Api, path: str):
    api.checkpointed()
    body = api.get(path)
    name = path.rpartition("/")[2]
    rows = body[name] if api.era == "next" else body
    assert len(rows) == 1
    assert api.era != "next" or body["total_count"] == 1


@only("next")
def test_pages_have_a_limit_an_offset_and_an_order(api: Api):
    cluster_id = api.new_id("/v2/cluster", cluster_name="e2e")
    for number in range(3):
        api.backend.add_pod(cluster_id, f"web-{number}")

    def names(query: str) -> list[str]:
        body = api.get(f"/v2/pods?{query}")
        assert body["total_count"] == 3
        return [row["name"] for row in body["pods"]]

    assert names("") == ["web-2", "web-1", "web-0"]
    assert names("ascending=true&limit=2") == ["web-0", "web-1"]
    assert names("ascending=true&limit=2&offset=2") == ["web-2"]
    assert names("offset=9") == []


@only("next")
@pytest.mark.parametrize(
    "query", ["limit=0", "limit=501", "limit=x", "offset=-1", "sort=colour", "ascending=maybe", "limit=²"]
)
def test_a_bad_page_is_refused(api: Api, query: str):
    assert api.ask("GET", f"/v2/pods?{query}").status_code == 400


@only("next")
def test_deprecating_twice_finds_nothing_the_second_time(api: Api):
    api.checkpointed()
    checkpoint_id = api.get("/v2/checkpoints")["checkpoints"][0]["id"]
    codes = [api.ask("PATCH", f"/v2/checkpoints/deprecate/{checkpoint_id}").status_code for _ in range(2)]
    assert codes == [200, 404]


@only("jan26", "next")
def test_one_row_of_an_action_is_only_there_in_the_newest_era(api: Api):
    action_id = api.checkpointed()
    answer = api.ask("GET", f"/v1/actions/{action_id}")
    assert answer.status_code == (200 if api.era == "next" else 404)
    if api.era == "next":
        row = answer.json()
        assert row["details"]["pod_id"]
        assert row["restore_path"].startswith("cedana://")
        assert row["checkpoint_size"] == 4096
        assert api.ask("GET", "/v1/actions/nonsense").status_code == 400
        assert api.ask("GET", f"/v1/actions/{MISSING}").status_code == 404


def test_there_is_no_other_era():
    with pytest.raises(ValueError, match="seed, jan26, next"):
        by_name("2024")
