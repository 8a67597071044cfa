"""Requests to Kubernetes as reports show them."""

from __future__ import annotations

from functools import partial
from pathlib import Path

import pytest
from kubernetes.client.exceptions import ApiException
from tests.harness.fake_api import FakeApi, pod, refuse, says, serving, stays_open
from urllib3.exceptions import HTTPError

from harness.exchanges import EXCHANGES, KUBERNETES, Exchange, path_of
from harness.kube import Cluster
from harness.kube.pods import wait_until_ready

LIST = "/api/v1/namespaces/ns/pods"


@pytest.fixture
def asked() -> partial[list[Exchange]]:
    """What has been asked since the test began."""
    return partial(EXCHANGES.since, EXCHANGES.count)


def test_a_watch_is_one_line_with_its_events(api: FakeApi, cluster: Cluster, asked: partial[list[Exchange]]) -> None:
    api.pods = [pod("web", "u1", ready=False)]
    events = [("MODIFIED", pod("web", "u1", ready=ready)) for ready in (False, True)]
    api.watches.append(says(*events, then=stays_open))
    wait_until_ready(cluster, "ns", "web", 30.0)
    listed, watched = asked()
    assert (listed.method, listed.status, listed.answer, listed.to) == ("GET", 200, "", KUBERNETES)
    assert (watched.method, watched.status, watched.answer) == ("WATCH", 200, "2 events")
    assert watched.path == listed.path == f"{LIST}?fieldSelector=metadata.name=web"


def test_a_refusal_is_told_in_the_servers_words(api: FakeApi, cluster: Cluster, asked: partial[list[Exchange]]) -> None:
    api.lists.append(refuse(403, "because I say so"))
    with pytest.raises(ApiException):
        cluster.core.list_namespaced_pod("ns")
    (one,) = asked()
    assert (one.method, one.path, one.status, one.good) == ("GET", LIST, 403, False)
    assert one.answer == "because I say so"


def test_who_does_not_answer_is_told(asked: partial[list[Exchange]], tmp_path: Path) -> None:
    with serving(tmp_path) as gone:
        cluster = Cluster("gone", gone.kubeconfig)
    with pytest.raises(HTTPError):
        cluster.core.list_namespaced_pod("ns")
    (one,) = asked()
    assert (one.status, one.good) == (0, False)
    assert "refused" in one.answer


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        (
            "https://127.0.0.1:6443/api/v1/pods?watch=true&resourceVersion=7&labelSelector=a%3Db%2Cc",
            "labelSelector=a=b,c",
        ),
        ("/api/v1/pods?previous=false&container=web&follow=true", "container=web"),
        ("/api/v1/pods?previous=true", "previous=true"),
        ("/api/v1/pods?limit=500", ""),
    ],
)
def test_a_path_has_what_selects(url: str, shown: str) -> None:
    assert path_of(url) == f"/api/v1/pods?{shown}".rstrip("?")
