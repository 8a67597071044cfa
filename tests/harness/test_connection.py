"""Connections: by alias, with timeouts, one client a thread, no files outside the run's own directory."""

from __future__ import annotations

import base64
import threading
from pathlib import Path

import pytest
import yaml
from kubernetes.client.exceptions import ApiException
from tests.harness.fake_api import FakeApi, cut, pods_now, refuse, stays_open
from urllib3.exceptions import HTTPError, ReadTimeoutError

from harness.failures import BadInput, OperationFailed
from harness.kube import Cluster, connection, recorded
from harness.kube.connection import AWAY, PAUSES, Clusters
from harness.ledger import Entry
from harness.rundir import private_directory


def test_clusters_are_known_by_alias_and_the_first_is_the_default(tmp_path: Path) -> None:
    clusters = Clusters()
    with pytest.raises(OperationFailed, match="start one with `Start Cluster`"):
        clusters.get()
    first, second = clusters.add(Cluster("one", tmp_path)), clusters.add(Cluster("two", tmp_path))
    assert (clusters.get(), clusters.get("two"), clusters.all()) == (first, second, [first, second])
    with pytest.raises(BadInput, match="cluster is 'three'; it must be one of one, two"):
        clusters.get("three")
    clusters.discard("one")
    clusters.discard("one")
    assert clusters.get() is second


@pytest.mark.parametrize("text", ["", "not: a kubeconfig\n", "[]\n", "a: [\n", "clusters: 3\n", "\x00"])
def test_a_kubeconfig_that_is_none_is_told(tmp_path: Path, text: str) -> None:
    file = tmp_path / "config"
    file.write_text(text)
    with pytest.raises(BadInput, match=r"KUBECONFIG is '.*config'; it must be a usable kubeconfig"):
        _ = Cluster("x", file).core


def test_a_context_that_is_not_in_it_is_told(api: FakeApi) -> None:
    with pytest.raises(BadInput, match="nowhere"):
        _ = Cluster("x", api.kubeconfig, "nowhere").core


def test_every_thread_has_a_client_of_its_own(cluster: Cluster) -> None:
    clients = [cluster.api_client, cluster.api_client]
    thread = threading.Thread(target=lambda: clients.append(cluster.api_client))
    thread.start()
    thread.join()
    assert clients[0] is clients[1]
    assert clients[2] is not clients[0]


def test_a_cut_connection_is_tried_once_more(api: FakeApi, cluster: Cluster) -> None:
    api.lists += [lambda handler: setattr(handler, "close_connection", True), pods_now]
    assert cluster.core.list_namespaced_pod("ns").items == []
    assert len(api.calls) == 2


def test_a_call_that_creates_is_not_sent_twice(api: FakeApi, cluster: Cluster) -> None:
    api.lists += [lambda handler: setattr(handler, "close_connection", True), pods_now]
    with pytest.raises(HTTPError):
        cluster.core.create_namespaced_pod("ns", {"metadata": {"name": "x"}})
    assert len(api.calls) == 1


def test_a_timeout_is_not_paid_twice(api: FakeApi, cluster: Cluster) -> None:
    api.lists += [stays_open] * 3
    with pytest.raises(ReadTimeoutError):
        cluster.core.list_namespaced_pod("ns", _request_timeout=0.2)
    assert len(api.calls) == 1


@pytest.mark.parametrize("code", AWAY)
def test_a_get_that_finds_the_server_away_is_repeated(api: FakeApi, cluster: Cluster, code: int) -> None:
    api.lists += [refuse(code), refuse(code), pods_now]
    assert cluster.core.list_namespaced_pod("ns").items == []
    assert len(api.calls) == 3


def test_a_server_that_stays_away_is_told(api: FakeApi, cluster: Cluster) -> None:
    api.lists += [refuse(503)] * 9
    with pytest.raises(ApiException) as failure:
        cluster.core.list_namespaced_pod("ns")
    assert failure.value.status == 503
    assert len(api.calls) == 1 + len(PAUSES)


@pytest.mark.parametrize("call", ["create_namespaced_pod", "delete_namespaced_pod"])
def test_a_call_that_changes_something_is_not_repeated_after_an_answer(
    api: FakeApi, cluster: Cluster, call: str
) -> None:
    api.lists += [refuse(503), pods_now]
    arguments = ("ns", {}) if call.startswith("create") else ("x", "ns")
    with pytest.raises(ApiException):
        getattr(cluster.core, call)(*arguments)
    assert len(api.calls) == 1


@pytest.mark.parametrize("call", ["create_namespaced_pod", "delete_namespaced_pod", "list_namespaced_pod"])
def test_a_call_that_was_refused_for_a_while_was_not_done_and_is_sent_again(
    api: FakeApi, cluster: Cluster, call: str
) -> None:
    api.lists += [refuse(429, Retry_After="0"), pods_now]
    arguments = {"create": ("ns", {}), "delete": ("x", "ns"), "list": ("ns",)}[call.split("_", maxsplit=1)[0]]
    getattr(cluster.core, call)(*arguments, _preload_content=False)
    assert len(api.calls) == 2


@pytest.mark.parametrize(
    ("call", "headers"),
    [
        ("create", {}),
        ("create", {"Retry_After": "3600"}),
        ("create", {"Retry_After": "soon"}),
        ("list", {"Retry_After": "3600"}),
    ],
)
def test_a_refusal_that_names_no_time_or_too_long_a_one_stands(
    api: FakeApi, cluster: Cluster, call: str, headers: dict[str, str]
) -> None:
    api.lists += [refuse(429, **headers), pods_now]
    with pytest.raises(ApiException, match="429"):
        if call == "create":
            cluster.core.create_namespaced_pod("ns", {})
        else:
            cluster.core.list_namespaced_pod("ns")
    assert len(api.calls) == 1


def test_the_time_that_the_server_asks_for_is_waited(
    api: FakeApi, cluster: Cluster, monkeypatch: pytest.MonkeyPatch
) -> None:
    pauses: list[float] = []
    monkeypatch.setattr(connection.time, "sleep", pauses.append)
    api.lists += [refuse(503, Retry_After="7"), refuse(503), pods_now]
    cluster.core.list_namespaced_pod("ns")
    assert pauses == [7.0, PAUSES[1]]


def test_what_a_service_answers_stands(api: FakeApi, cluster: Cluster) -> None:
    api.lists += [refuse(503, Retry_After="0"), pods_now]
    with pytest.raises(ApiException, match="503"):
        cluster.core.connect_get_namespaced_service_proxy("web", "ns")
    assert len(api.calls) == 1


def test_an_answer_that_breaks_off_is_asked_for_again(api: FakeApi, cluster: Cluster) -> None:
    api.lists += [cut, pods_now]
    assert cluster.core.list_namespaced_pod("ns").items == []
    assert len(api.calls) == 2


def test_an_answer_that_always_breaks_off_is_an_error(api: FakeApi, cluster: Cluster) -> None:
    api.lists += [cut] * 9
    with pytest.raises(HTTPError):
        cluster.core.list_namespaced_pod("ns")
    assert len(api.calls) == 1 + len(PAUSES)


def test_certificates_in_a_kubeconfig_stay_in_the_runs_directory(tmp_path: Path) -> None:
    data = base64.b64encode(b"a certificate").decode()
    file = tmp_path / "config"
    file.write_text(
        yaml.safe_dump(
            {
                "current-context": "c",
                "contexts": [{"name": "c", "context": {"cluster": "c", "user": "c"}}],
                "clusters": [
                    {"name": "c", "cluster": {"server": "https://127.0.0.1:1", "certificate-authority-data": data}}
                ],
                "users": [{"name": "c", "user": {"client-certificate-data": data, "client-key-data": data}}],
            }
        )
    )
    settings = Cluster("x", file).api_client.configuration
    for made in (settings.ssl_ca_cert, settings.cert_file, settings.key_file):
        assert Path(made).parent == private_directory()
        assert Path(made).stat().st_mode & 0o077 == 0


SYSTEM = "/api/v1/namespaces/kube-system"


def entry_in(cluster: Cluster) -> Entry:
    where = cluster.where
    return Entry(1, "namespace", "of-a-run", where.pop("place"), where)


def answers_with(uid: str) -> tuple[int, dict[str, object]]:
    return 200, {"kind": "Namespace", "metadata": {"name": "kube-system", "uid": uid}}


def test_an_entry_lies_in_the_cluster_that_it_was_made_in_and_no_other(api: FakeApi, cluster: Cluster) -> None:
    api.others[SYSTEM] = answers_with("first")
    entry = entry_in(cluster)
    assert recorded(entry).kubeconfig == cluster.kubeconfig
    api.others[SYSTEM] = answers_with("rebuilt")
    with pytest.raises(OperationFailed, match=r"another one answers there, with id rebuilt") as caught:
        recorded(entry)
    assert caught.value.cause.name == "cluster-unreachable"


@pytest.mark.parametrize("status", [403, 404])
def test_a_cluster_that_does_not_show_its_id_is_taken_for_the_one(api: FakeApi, cluster: Cluster, status: int) -> None:
    api.others[SYSTEM] = status, {"kind": "Status", "code": status}
    assert cluster.uid == ""
    assert recorded(entry_in(cluster)).kubeconfig == cluster.kubeconfig
    api.others[SYSTEM] = answers_with("first")
    entry = entry_in(Cluster("again", cluster.kubeconfig))
    api.others[SYSTEM] = status, {"kind": "Status", "code": status}
    assert recorded(entry).kubeconfig == cluster.kubeconfig


def test_an_id_that_could_not_be_read_is_asked_for_again(api: FakeApi, cluster: Cluster) -> None:
    api.others[SYSTEM] = 500, {"kind": "Status", "code": 500}
    assert cluster.uid == ""
    api.others[SYSTEM] = answers_with("first")
    assert cluster.uid == "first"
