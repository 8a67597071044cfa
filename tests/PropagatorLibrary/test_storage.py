"""What a run's checkpoints take, on a propagator of each era."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.propagator_server.fake import FakeBackend
from tests.PropagatorLibrary.conftest import eventually

from harness.ledger import Entry, Ledger
from PropagatorLibrary.client import PropagatorClient
from PropagatorLibrary.models import actions_of
from PropagatorLibrary.references import PodRef
from PropagatorLibrary.storage import Storage, storage_of


@pytest.fixture
def ledger(tmp_path: Path) -> Iterator[Ledger]:
    yield Ledger(tmp_path)


@pytest.fixture
def cluster_id(client: PropagatorClient) -> str:
    return client.register_cluster("e2e-1")


def taken(client: PropagatorClient, backend: FakeBackend, ledger: Ledger, cluster_id: str, pod: str) -> Entry:
    uid = backend.add_pod(cluster_id, name=pod).uid
    entry = ledger.intend("checkpoint", pod, place=client.base_url)
    action = client.checkpoint_pod(PodRef(uid=uid))
    client.wait_until_action_completes(action, "checkpoint", timeout=60)
    ledger.made(entry, action_id=action)
    return entry


def test_the_runs_own_checkpoints_are_counted(client, backend, era, ledger, cluster_id) -> None:
    mine = [taken(client, backend, ledger, cluster_id, name) for name in ("a", "b")]
    taken(client, backend, Ledger(), cluster_id, "of another run")
    both = storage_of(client, ledger.owed())
    assert (both.made, both.kept) == (2, 2)
    if era == "seed":
        assert both.size is None
    else:
        one = storage_of(client, mine[:1])
        assert both.size == 2 * one.size > 0
    (checkpoint,) = client.find_action(mine[0].find["action_id"]).checkpoint_ids
    client.deprecate_checkpoint(checkpoint)
    assert storage_of(client, ledger.owed()) == Storage(2, both.size, 1)


def test_those_of_a_policy_are_counted_but_for_earlier_ones(client, backend, era, ledger, cluster_id) -> None:
    if era == "seed":
        pytest.skip("the seed era has no policies")
    uid = backend.add_pod(cluster_id).uid
    entry = ledger.intend("heartbeat-policy", "every second", place=client.base_url, pod_uids=[uid], known=[])
    policy = client.create_policy([uid], cluster_id=cluster_id, interval=1)
    eventually(lambda: storage_of(client, [entry]).made > 0)
    client.delete_policy(policy)

    def of_others() -> Entry:
        known = [action.id for action in client.list_actions()]
        return Entry(1, "heartbeat-policy", "", place=client.base_url, find={"pod_uids": [uid], "known": known})

    eventually(lambda: storage_of(client, [of_others()]).made == 0)
    assert storage_of(client, []) == Storage(0, 0, 0)


def test_nothing_is_counted_at_another_propagator(client, ledger) -> None:
    ledger.intend("checkpoint", "a", place="https://elsewhere.example.com", action_id="1")
    assert storage_of(client, ledger.owed()) == Storage(0, 0, 0)


@pytest.mark.parametrize(
    ("told", "size"), [([5, 7], 12), ([5, None], None), ([None, None], None), ([0, 3], None), ([5], 5), (["5"], None)]
)
def test_an_actions_size_is_that_of_all_its_checkpoints(told: list[object], size: int | None) -> None:
    rows = [{"action_id": "a", "checkpoint_id": str(n), "total_io": each} for n, each in enumerate(told)]
    assert actions_of([*rows, rows[0]])[0].size == size


def test_it_reads_as_a_sentence() -> None:
    assert str(Storage(2, 3_500_000, 1)) == "2 checkpoints of 3.5 MB, 1 of them not deprecated"
    assert "does not tell" in str(Storage(1, None, 0))
