"""The oddities of the real service: each shows what it says, at the start and when it is switched while it runs."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import fields
from pathlib import Path

import pytest
from tests.propagator_server.conftest import Api
from tests.propagator_server.fake import TOKEN, FakeBackend, served

from propagator_server.app import create_app
from propagator_server.backend import BackendError
from propagator_server.quirks import QuirkError, Quirks, described, parsed
from propagator_server.service import SERVICE, Service

MISSING = "0b54a3f6-0000-4000-8000-000000000000"


@contextmanager
def odd(era: str = "jan26", **quirks: object) -> Iterator[tuple[Api, Service]]:
    backend = FakeBackend()
    named = {name.replace("_", "-"): value for name, value in quirks.items()}
    app = create_app(backend, era=era, token=TOKEN, quirks=named)
    with served(app) as url:
        yield Api(url, backend, era), app[SERVICE]


def cluster(api: Api) -> str:
    return api.new_id("/v2/cluster", cluster_name="e2e")


def test_the_status_may_be_hidden_while_the_actions_have_it():
    with odd(status_404="always") as (api, _):
        pod = api.backend.add_pod(cluster(api))
        action = api.new_id("/v2/checkpoint/pod", pod_id=pod.uid)
        assert api.ask("GET", f"/v2/checkpoint/status/{action}").status_code == 404
        api.eventually(lambda: [row["status"] for row in api.get("/v2/actions")] == ["ready"])


def test_the_status_may_be_hidden_of_restores_only():
    with odd(status_404="restores") as (api, _):
        source = api.checkpointed()
        restore = api.new_id("/v2/restore/pod", action_id=source, reason="manual")
        assert api.ask("GET", f"/v2/checkpoint/status/{restore}").status_code == 404
        assert {row["action_id"] for row in api.get("/v2/actions")} == {source, restore}


def test_an_unknown_operation_may_be_not_found_with_200():
    with odd(not_found_status=True) as (api, _):
        assert api.get(f"/v2/checkpoint/status/{MISSING}") == {"status": "not_found", "details": None}


def test_an_action_may_have_one_row_only():
    with odd(several_rows=False) as (api, _):
        action = api.checkpointed(containers=("one", "two"))
        assert [row["action_id"] for row in api.get("/v2/actions")] == [action]


def test_checkpoint_ids_may_come_late():
    with odd(late_checkpoint_ids=True) as (api, _):
        api.backend.fail = BackendError("criu failed")
        api.backend.hold()
        pod = api.backend.add_pod(cluster(api))
        action = api.new_id("/v2/checkpoint/pod", pod_id=pod.uid)
        assert [row["checkpoint_id"] for row in api.get("/v2/actions")] == [None]
        api.backend.let_go()
        api.ended(action)
        assert all(row["checkpoint_id"] for row in api.get("/v2/actions"))


def test_pods_and_clusters_may_be_registered_late():
    with odd(late_registration=300) as (api, service):
        pod = api.backend.add_pod(cluster(api))
        assert api.get("/v2/cluster") == api.get("/v2/pods") == []
        assert api.get("/v2/cluster/count") == {"total_count": 0}
        body = {"pod_id": pod.uid}
        assert api.ask("POST", "/v2/checkpoint/pod", json=body).status_code == 404
        service.change({"quirks": {"late-registration": 0}})
        assert len(api.get("/v2/cluster")) == len(api.get("/v2/pods")) == 1
        assert api.ask("POST", "/v2/checkpoint/pod", json=body).status_code == 200


def test_deletes_are_soft_in_the_oldest_era_or_by_a_switch():
    for era, quirks, rows in [
        ("seed", {}, 1),
        ("seed", {"soft_deletes": False}, 0),
        ("jan26", {"soft_deletes": True}, 1),
    ]:
        with odd(era, **quirks) as (api, _):
            pod = api.backend.add_pod(cluster(api))
            assert [row["status"] for row in api.get("/v2/pods")] == ["Running"]
            del api.backend.known[pod.uid]
            assert [row["status"] for row in api.get("/v2/pods")] == ["deleted"] * rows
            assert api.ask("DELETE", f"/v2/cluster/{pod.cluster_id}").status_code == 200
            assert [row["status"] for row in api.get("/v2/cluster")] == ["deleted"] * rows


def test_paging_may_be_switched():
    with odd("seed", paging=True) as (api, service):
        api.backend.add_pod(cluster(api))
        assert api.get("/v2/pods?limit=1")["total_count"] == 1
        assert api.get("/v2/checkpoints") == {"checkpoints": [], "total_count": 0}
        service.change({"era": "next", "quirks": {"paging": "off"}})
        assert isinstance(api.get("/v2/pods"), list)
        service.change({"quirks": {"paging": "era"}})
        assert isinstance(api.get("/v2/pods"), dict)


def test_lists_may_lag_while_single_rows_do_not():
    with odd(lagging_lists=300) as (api, service):
        action = api.checkpointed()
        assert api.get("/v2/actions") == api.get("/v2/checkpoints") == api.get("/v2/cluster") == []
        assert api.get(f"/v2/checkpoint/status/{action}")["status"] == "ready"
        pods = len(api.get("/v2/pods"))
        api.backend.add_pod(cluster(api), "later")
        assert len(api.get("/v2/pods")) == pods
        service.change({"quirks": {"lagging-lists": 0}})
        assert len(api.get("/v2/actions")) == len(api.get("/v2/checkpoints")) == 1
        assert len(api.get("/v2/pods")) == pods + 1


def test_a_checkpoint_may_be_ready_before_it_can_be_restored():
    with odd(async_upload=0.2) as (api, _):
        action = api.checkpointed()
        assert api.get(f"/v2/checkpoint/status/{action}")["status"] == "ready"
        assert [row["status"] for row in api.get("/v2/checkpoints")] == ["possibly_uploaded"]
        body = {"action_id": action, "reason": "manual"}
        refused = api.ask("POST", "/v2/restore/pod", json=body)
        assert (refused.status_code, "possibly_uploaded" in refused.text) == (400, True)
        api.eventually(lambda: [row["status"] for row in api.get("/v2/checkpoints")] == ["ready"])
        assert api.ask("POST", "/v2/restore/pod", json=body).status_code == 200


def test_a_reason_may_be_asked_for_or_not_whatever_the_era():
    for era, required, code in [("seed", True, 400), ("jan26", False, 200)]:
        with odd(era, reason_required=required) as (api, _):
            assert api.ask("POST", "/v2/restore/pod", json={"action_id": api.checkpointed()}).status_code == code


def test_a_failure_may_be_kept_silent():
    with odd(silent_failures=True) as (api, service):
        api.backend.fail = BackendError("criu failed")
        pod = api.backend.add_pod(cluster(api))
        action = api.new_id("/v2/checkpoint/pod", pod_id=pod.uid)
        api.eventually(lambda: not service.operations.is_running(action))
        assert api.get(f"/v2/checkpoint/status/{action}") == {"status": "processing", "details": None}


@pytest.mark.parametrize(("only_prefix", "served", "not_served"), [("v2", "/v2", "/v1"), ("v1", "/v1", "/v2")])
def test_one_prefix_may_be_all_there_is(only_prefix: str, served: str, not_served: str):
    with odd(prefix=only_prefix) as (api, _):
        assert api.ask("GET", f"{served}/actions").status_code == 200
        assert api.ask("GET", f"{not_served}/actions").status_code == 404
        assert api.ask("GET", "/v1/user").status_code == 200
        assert api.ask("GET", "/v1/cluster").status_code == 200


def test_ids_may_be_bare_at_any_moment():
    with odd() as (api, service):
        assert api.ask("GET", "/v2/user").text == f'"{service.user_id}"'
        service.change({"quirks": {"quoted-ids": "off"}})
        assert api.ask("GET", "/v2/user").text == service.user_id


def test_the_era_may_change_while_it_runs():
    with odd("seed") as (api, service):
        action = api.checkpointed()
        assert api.get("/v2/actions")[0]["status"] == "success"
        service.change({"era": "next"})
        assert api.get("/v2/actions")[0]["status"] == "completed"
        assert api.get(f"/v1/actions/{action}")["action_id"] == action
        assert service.settings()["era"] == "next"


@pytest.mark.parametrize(
    ("settings", "word"),
    [({"era": "2024"}, "seed, jan26, next"), ({"quirks": {"magic": 1}}, "quoted-ids"), ({"quirks": [1]}, "by name"),
     ({"quirks": {"late-registration": -1}}, "0 to 300"), ({"quirks": {"paging": "x"}}, "era"), ([], "object"),
     ({"quirks": {"status-404": "maybe"}}, "never or restores or always"), ({"mood": 1}, "object"),
     ({"era": "next", "quirks": {"quoted-ids": 3}}, "true or false"), ({"era": []}, "seed, jan26, next")],
)  # fmt: skip
def test_wrong_settings_change_nothing_and_are_named(settings: object, word: str):
    with odd() as (_, service):
        before = service.settings()
        with pytest.raises(QuirkError, match=word):
            service.change(settings)
        assert service.settings() == before


def test_quirks_are_read_from_texts():
    assert parsed([]) == Quirks()
    assert parsed(["quoted-ids=false", "status-404", "async-upload", "lagging-lists=1.5", "paging=on"]) == Quirks(
        quoted_ids=False, status_404="always", async_upload=2.0, lagging_lists=1.5, paging=True
    )
    with pytest.raises(QuirkError, match="no quirk 'x'; there are quoted-ids"):
        parsed(["x"])


def test_every_quirk_says_what_it_does_and_its_name_alone_means_something():
    assert len(described()) == len(fields(Quirks))
    for name, what in described().items():
        assert what
        parsed([name])


def test_the_sandboxs_page_names_every_quirk():
    page = (Path(__file__).parents[2] / "libraries" / "sandbox" / "README.md").read_text()
    assert [name for name in described() if f"| `{name}` |" not in page] == []
