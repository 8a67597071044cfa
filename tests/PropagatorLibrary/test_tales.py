"""What is told of the propagator in a report."""

import pytest
from tests.propagator_server.fake import FakeBackend
from tests.PropagatorLibrary.conftest import eventually

from harness.sources import Sources
from PropagatorLibrary import tales
from PropagatorLibrary.client import PropagatorClient
from PropagatorLibrary.errors import Unreachable
from PropagatorLibrary.references import PodRef
from PropagatorLibrary.transport import open_session


@pytest.fixture(autouse=True)
def offered(client: PropagatorClient, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(tales, "SOURCES", Sources())
    tales.offer(client)


def told() -> dict[str, str]:
    return {tale.title: tale.tell() for tale in tales.SOURCES.all()}


def test_its_rows_are_told(client: PropagatorClient, backend: FakeBackend):
    cluster = client.register_cluster("e2e-1")
    pod = backend.add_pod(cluster)
    action = client.checkpoint_pod(PodRef(pod.uid), runc_root="/run/runc")
    eventually(lambda: bool(client.find_action(action) and client.find_action(action).checkpoint_ids))  # type: ignore[union-attr]
    texts = told()
    assert action in texts["actions at the propagator"]
    assert f"cluster e2e-1 ({cluster})" in texts["clusters at the propagator"]
    assert pod.name in texts["pods at the propagator"]
    assert "1 at http://" in texts["checkpoints at the propagator"]


def test_the_newest_actions_are_told_and_how_many_there_are(client: PropagatorClient, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(tales, "MOST", 1)
    for name in ("a", "b"):
        client.register_cluster(name)
    lines = told()["clusters at the propagator"].splitlines()
    assert len(lines) == 3
    assert lines[-1] == "and 1 more"


def test_a_service_that_is_gone_is_a_failure_with_words():
    tales.offer(
        PropagatorClient(open_session("http://127.0.0.1:9", "t0ken"), "http://127.0.0.1:9").beside(
            open_session("http://127.0.0.1:9", "t0ken")
        )
    )
    with pytest.raises(Unreachable):
        told()
