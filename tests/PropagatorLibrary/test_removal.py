"""What a run made at the propagator is found again from its ledger, even when the run was killed half way."""

import threading
from pathlib import Path

import pytest
from tests.propagator_server.fake import TOKEN, FakeBackend, propagator
from tests.PropagatorLibrary.conftest import connect, eventually

from harness.exchanges import EXCHANGES
from harness.failures import WaitTimedOut
from harness.ledger import Entry, Ledger
from harness.removal import remove_all
from propagator_server.quirks import Quirks
from PropagatorLibrary.client import PropagatorClient
from PropagatorLibrary.connections import remember
from PropagatorLibrary.lookups import heartbeats_of
from PropagatorLibrary.models import Action, Outcome
from PropagatorLibrary.references import PodRef
from PropagatorLibrary.removal import CheckpointRemover, PolicyRemover, RegistrationRemover, RestoreRemover


@pytest.fixture
def ledger(tmp_path: Path) -> Ledger:
    return Ledger(tmp_path)


def registration(ledger: Ledger, client: PropagatorClient, name: str) -> Entry:
    return ledger.intend("cluster-registration", name, place=client.base_url, cluster_name=name)


def test_a_registration_is_removed_by_its_id(ledger: Ledger, client: PropagatorClient):
    remember(client)
    entry = registration(ledger, client, "e2e-1")
    ledger.made(entry, cluster_id=client.register_cluster("e2e-1"))
    client.register_cluster("e2e-2")
    assert RegistrationRemover().exists(entry)
    RegistrationRemover().remove(entry, 10)
    assert not RegistrationRemover().exists(entry)
    RegistrationRemover().remove(entry, 10)
    assert [row.name for row in client.list_clusters()] == ["e2e-2"]


def test_a_registration_whose_id_was_never_learnt_is_found_by_its_name(ledger: Ledger, client: PropagatorClient):
    remember(client)
    entry = registration(ledger, client, "e2e-1")
    assert not RegistrationRemover().exists(entry)
    client.register_cluster("e2e-1")
    assert RegistrationRemover().exists(entry)
    RegistrationRemover().remove(entry, 10)
    assert client.list_clusters() == []


@pytest.mark.parametrize("learnt", [True, False])
def test_a_checkpoint_is_deprecated(ledger: Ledger, client: PropagatorClient, backend: FakeBackend, learnt: bool):
    remember(client)
    pod = backend.add_pod(client.register_cluster("e2e-1"), containers=("one", "two"))
    earlier = client.checkpoint_pod(PodRef(uid=pod.uid))
    trace = client.note_checkpoints(PodRef(uid=pod.uid))
    facts = {"pod_uid": pod.uid, "pod_name": "", "namespace": "", "before": trace.before}
    entry = ledger.intend("checkpoint", "of pod web", place=client.base_url, **facts)
    assert not CheckpointRemover().exists(entry)
    action_id = client.checkpoint_pod(PodRef(uid=pod.uid))
    client.wait_until_action_completes(action_id, "checkpoint", timeout=60)
    if learnt:
        ledger.made(entry, action_id=action_id)
    assert CheckpointRemover().exists(entry)
    CheckpointRemover().remove(entry, 10)
    assert not CheckpointRemover().exists(entry)
    states = {action.id: [client.find_checkpoint(each).status for each in action.checkpoint_ids]
              for action in client.list_actions()}  # fmt: skip
    assert states[action_id] == ["deprecated", "deprecated"]
    assert "deprecated" not in states[earlier]


def test_a_checkpoint_that_has_named_nothing_yet_is_waited_for(ledger: Ledger, backend: FakeBackend):
    with propagator(backend, "jan26", quirks=Quirks(late_checkpoint_ids=True)) as url:
        client = connect(url)
        remember(client)
        pod = backend.add_pod(client.register_cluster("e2e-1"))
        backend.hold()
        entry = ledger.intend("checkpoint", "of pod web", place=url)
        ledger.made(entry, action_id=client.checkpoint_pod(PodRef(uid=pod.uid)))
        assert CheckpointRemover().exists(entry)
        with pytest.raises(WaitTimedOut, match="without a checkpoint's id"):
            CheckpointRemover().remove(entry, 0)
        backend.let_go()
        CheckpointRemover().remove(entry, 20)
        assert not CheckpointRemover().exists(entry)
        assert [row.deprecated for row in client.list_checkpoints()] == [True]


@pytest.mark.parametrize(("status", "told"), [("ready", False), ("not_found", False), ("error", True)])
def test_a_checkpoint_that_ended_and_names_nothing_is_not_called_gone(
    ledger: Ledger, client: PropagatorClient, monkeypatch: pytest.MonkeyPatch, status: str, told: bool
):
    remember(client)
    entry = ledger.intend("checkpoint", "of pod web", place=client.base_url)
    ledger.made(entry, action_id="a1")
    monkeypatch.setattr(PropagatorClient, "find_action", lambda *_: Action("a1", "checkpoint_pod", status))
    (removal,) = remove_all(ledger, budget=10, each=5)
    assert removal.left is not told
    assert told or removal.problem == f"cannot be told: checkpoint_pod a1: {status}, and it names no checkpoint"


def test_a_checkpoint_that_went_with_its_cluster_is_gone(ledger: Ledger, backend: FakeBackend):
    with propagator(backend) as url:
        client = connect(url)
        remember(client)
        cluster_id = client.register_cluster("e2e-1")
        action_id = client.checkpoint_pod(PodRef(uid=backend.add_pod(cluster_id).uid))
        entry = ledger.intend("checkpoint", "of pod web", place=url)
        ledger.made(entry, action_id=action_id)
        client.deregister_cluster(cluster_id)
        assert not CheckpointRemover().exists(entry)


def test_another_process_takes_the_token_from_the_environment(
    ledger: Ledger, backend: FakeBackend, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
):
    file = tmp_path / "token"
    file.touch(0o600)
    file.write_text(TOKEN + "\n")
    monkeypatch.delenv("CEDANA_AUTH_TOKEN", raising=False)
    monkeypatch.setenv("CEDANA_AUTH_TOKEN_FILE", str(file))
    with propagator(backend, "next", prefixes=["/v1"]) as url:
        client = connect(url)
        client.check_token()
        entry = registration(ledger, client, "e2e-1")
        client.register_cluster("e2e-1")
        RegistrationRemover().remove(entry, 10)
        assert not RegistrationRemover().exists(entry)
    assert TOKEN not in ledger.file.read_text()


@pytest.mark.parametrize("era", ["jan26", "next"])
@pytest.mark.parametrize("learnt", [True, False])
def test_a_policy_is_ended(ledger: Ledger, client: PropagatorClient, backend: FakeBackend, learnt: bool):
    remember(client)
    pod = backend.add_pod(client.register_cluster("e2e-1"))
    entry = ledger.intend("heartbeat-policy", "for 1 pods", place=client.base_url, pod_uids=[pod.uid])
    assert not PolicyRemover().exists(entry)
    policy_id = client.create_policy([pod.uid], cluster_id=pod.cluster_id, interval=3600)
    if learnt:
        ledger.made(entry, policy_id=policy_id)
    PolicyRemover().remove(entry, 10)
    assert not PolicyRemover().exists(entry)
    assert client.list_policies() == []


@pytest.mark.parametrize("era", ["jan26", "next"])
def test_the_checkpoints_of_a_policy_go_with_it_and_those_of_others_stay(
    ledger: Ledger, client: PropagatorClient, backend: FakeBackend
):
    remember(client)
    cluster_id = client.register_cluster("e2e-1")
    pod, other = backend.add_pod(cluster_id), backend.add_pod(cluster_id, name="other")
    theirs = client.create_policy([pod.uid, other.uid], cluster_id=cluster_id, interval=1)
    eventually(lambda: len(done(client, pod.uid)) > 0 and len(done(client, other.uid)) > 0)
    client.delete_policy(theirs)
    known = [action.id for action in heartbeats_of(client.list_actions(), [pod.uid])]
    entry = ledger.intend("heartbeat-policy", "x", place=client.base_url, pod_uids=[pod.uid], known=known)
    ledger.made(entry, policy_id=client.create_policy([pod.uid], cluster_id=cluster_id, interval=1))
    eventually(lambda: len(done(client, pod.uid)) > len(known))

    def ended() -> bool:
        PolicyRemover().remove(entry, 10)  # again for a heartbeat that was going on
        return not PolicyRemover().exists(entry)

    eventually(ended)
    states = {row.id: row.deprecated for row in client.list_checkpoints()}
    for action in heartbeats_of(client.list_actions(), [pod.uid, other.uid]):
        ours = action.id not in known and action in heartbeats_of([action], [pod.uid])
        assert {states[each] for each in action.checkpoint_ids} == {ours}


@pytest.mark.parametrize("era", ["jan26", "next"])
def test_a_heartbeat_that_goes_on_and_has_named_nothing_is_waited_for(ledger: Ledger, backend: FakeBackend, era: str):
    with propagator(backend, era, quirks={"late-checkpoint-ids": True}) as url:
        client = connect(url)
        remember(client)
        pod = backend.add_pod(client.register_cluster("e2e-1"))
        entry = ledger.intend("heartbeat-policy", "x", place=url, pod_uids=[pod.uid])
        backend.hold()
        ledger.made(entry, policy_id=client.create_policy([pod.uid], cluster_id=pod.cluster_id, interval=1))
        eventually(lambda: len(client.heartbeats([pod.uid])) > 0)
        with pytest.raises(WaitTimedOut, match="without a checkpoint's id"):
            PolicyRemover().remove(entry, 0.4)
        assert client.list_policies() == []
        assert PolicyRemover().exists(entry)
        backend.let_go()
        PolicyRemover().remove(entry, 20)
        assert not PolicyRemover().exists(entry)
        assert {row.deprecated for row in client.list_checkpoints()} == {True}


def done(client: PropagatorClient, pod_uid: str) -> list[Action]:
    """The pod's heartbeats that have ended well."""
    beats = heartbeats_of(client.list_actions(), [pod_uid])
    return [action for action in beats if action.outcome is Outcome.SUCCEEDED]


@pytest.mark.parametrize("learnt", [True, False])
def test_the_end_of_a_restore_is_waited_for(
    ledger: Ledger, client: PropagatorClient, backend: FakeBackend, learnt: bool
):
    remember(client)
    pod = backend.add_pod(client.register_cluster("e2e-1"))
    source, other = client.checkpoint_pod(PodRef(uid=pod.uid)), client.checkpoint_pod(PodRef(uid=pod.uid))
    for action_id in (source, other):
        client.wait_until_action_completes(action_id, "checkpoint", timeout=60)
    entry = ledger.intend("restore", "of it", place=client.base_url, source=source)
    assert not RestoreRemover().exists(entry)
    backend.restore_gate = threading.Event()
    restore_id = client.restore_pod(source)
    client.restore_pod(other)
    if learnt:
        ledger.made(entry, action_id=restore_id)
    assert RestoreRemover().exists(entry)
    with pytest.raises(WaitTimedOut, match=f"restore_pod {restore_id}"):
        RestoreRemover().remove(entry, 0.2)
    threading.Timer(0.2, backend.restore_gate.set).start()
    RestoreRemover().remove(entry, 10)
    assert not RestoreRemover().exists(entry)


def test_the_lists_are_not_read_for_each_entry_of_many_that_leave_nothing(ledger: Ledger, backend: FakeBackend):
    with propagator(backend) as url:
        client = connect(url)
        remember(client)
        cluster_id = client.register_cluster("e2e-1")
        for _ in range(10):
            action_id = client.checkpoint_pod(PodRef(uid=backend.add_pod(cluster_id).uid))
            client.wait_until_action_completes(action_id, "checkpoint", timeout=60)
            restore_id = client.restore_pod(action_id)
            client.wait_until_action_completes(restore_id, "restore", timeout=60)
            ledger.made(ledger.intend("checkpoint", "of pod web", place=url), action_id=action_id)
            ledger.made(ledger.intend("restore", "of it", place=url, source=action_id), action_id=restore_id)
        kept, *others = client.list_checkpoints()
        for row in others:
            client.deprecate_checkpoint(row.id)
        before = EXCHANGES.count
        removals = list(remove_all(ledger, budget=60, each=30))
        asked = [one.path for one in EXCHANGES.since(before) if one.method == "GET"]
        assert [removal.left for removal in removals] == [False] * 20
        assert client.find_checkpoint(kept.id).deprecated
        assert len(asked) <= 12, "those of one entry that is there, and each list once"
