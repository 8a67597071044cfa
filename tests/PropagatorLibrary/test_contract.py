"""What a tester does, against every era of the API on a real socket."""

import threading

import pytest
from tests.propagator_server.fake import FakeBackend, propagator, silent
from tests.PropagatorLibrary.conftest import connect, eventually

from harness.failures import WaitTimedOut
from propagator_server.backend import BackendError
from PropagatorLibrary.client import PropagatorClient
from PropagatorLibrary.errors import ActionFailed, PropagatorError, Refused, Unauthorized
from PropagatorLibrary.ids import is_id
from PropagatorLibrary.models import Outcome
from PropagatorLibrary.references import PodRef

MISSING = "0b54a3f6-0000-4000-8000-000000000000"


@pytest.fixture
def cluster_id(client: PropagatorClient) -> str:
    return client.register_cluster("e2e-1")


def test_the_era_of_the_api_is_told(client: PropagatorClient, era: str):
    assert client.era() == era


def test_an_era_that_cannot_be_told():
    assert connect("http://127.0.0.1:1").era() == ""


def checkpointed(client: PropagatorClient, pod: PodRef) -> str:
    action_id = client.checkpoint_pod(pod)
    client.wait_until_action_completes(action_id, "checkpoint", timeout=60)
    return action_id


def test_a_pods_life_from_checkpoint_to_restore(client: PropagatorClient, backend: FakeBackend, cluster_id: str):
    pod = backend.add_pod(cluster_id)
    action_id = checkpointed(client, PodRef(uid=pod.uid))
    assert backend.saved[action_id].pod == pod
    assert client.latest_action_of_pod(pod.uid) == action_id

    restore_id = client.restore_pod(action_id, cluster_id=cluster_id, pod_name="web-again")
    ended = client.wait_until_action_completes(restore_id, "restore", timeout=60)
    assert ended.outcome is Outcome.SUCCEEDED
    assert restore_id != action_id
    assert [request.pod_name for request in backend.restored] == ["web-again"]
    assert [action.id for action in client.list_actions("restore_pod")] == [restore_id]

    (checkpoint_id,) = client.find_action(action_id).checkpoint_ids
    client.deprecate_checkpoint(checkpoint_id)
    assert client.find_checkpoint(checkpoint_id).deprecated
    assert backend.forgotten == [checkpoint_id]


def test_every_status_is_seen_on_the_way(client: PropagatorClient, backend: FakeBackend, cluster_id: str):
    backend.gates = [threading.Event(), threading.Event()]
    action_id = client.checkpoint_pod(PodRef(uid=backend.add_pod(cluster_id).uid))

    def wait_for(status: str) -> None:
        eventually(lambda: client.action_status(action_id).status == status)

    for gate, status in zip(backend.gates, ("processing", "checkpoint_created"), strict=True):
        wait_for(status)
        assert client.action_status(action_id).outcome is Outcome.RUNNING
        assert client.find_action(action_id).outcome is Outcome.RUNNING
        gate.set()
    wait_for("ready")
    assert client.find_action(action_id).outcome is Outcome.SUCCEEDED


def test_a_pod_is_named_by_name_and_namespace(client: PropagatorClient, backend: FakeBackend, cluster_id: str):
    backend.add_pod(cluster_id, "other")
    pod = backend.add_pod(cluster_id, "web")
    action_id = checkpointed(client, PodRef(name="web", namespace="shop", cluster_id=cluster_id))
    assert backend.saved[action_id].pod.uid == pod.uid


def test_a_pod_of_two_containers_is_one_action_with_two_checkpoints(client, backend, cluster_id):
    pod = backend.add_pod(cluster_id, containers=("web", "sidecar"))
    action_id = checkpointed(client, PodRef(uid=pod.uid))
    (action,) = client.list_actions("checkpoint_pod")
    assert action.id == action_id
    assert len(set(action.checkpoint_ids)) == 2


def test_an_unknown_pod_is_refused(client: PropagatorClient, cluster_id: str):
    with pytest.raises(Refused) as refused:
        client.checkpoint_pod(PodRef(uid=MISSING))
    assert refused.value.status == 404
    assert refused.value.cause.name == "propagator-refused"
    assert "POST /v2/checkpoint/pod" in str(refused.value)
    assert "Failed to find checkpointable resource" in refused.value.message


def test_a_pod_may_become_known_a_little_later(client: PropagatorClient, backend: FakeBackend, cluster_id: str):
    pod = backend.add_pod(cluster_id)
    del backend.known[pod.uid]
    learns = threading.Timer(0.2, backend.known.__setitem__, (pod.uid, pod))
    learns.start()
    client.checkpoint_pod(PodRef(uid=pod.uid), known_within=10)
    learns.join()
    assert len(client.list_actions()) == 1


def test_a_pod_of_a_cluster_that_is_not_registered_is_unknown(client: PropagatorClient, backend: FakeBackend):
    pod = backend.add_pod(MISSING)
    with pytest.raises(Refused):
        client.checkpoint_pod(PodRef(uid=pod.uid))
    assert client.list_pods() == []


def test_a_failed_checkpoint_is_the_products_fault(client, backend, cluster_id):
    backend.fail = BackendError("Error (criu/tcp.c:81): connected TCP socket")
    action_id = client.checkpoint_pod(PodRef(uid=backend.add_pod(cluster_id).uid))
    with pytest.raises(ActionFailed, match=r"criu/tcp\.c") as failed:
        client.wait_until_action_completes(action_id, "checkpoint", timeout=60)
    assert failed.value.cause.name == "checkpoint-failed"
    assert client.find_action(action_id).outcome is Outcome.FAILED
    with pytest.raises(Refused):
        client.restore_pod(action_id)


def test_a_checkpoint_that_is_uploaded_late_is_waited_for(backend: FakeBackend, era: str):
    for upload in (60.0, 0.3):
        with propagator(backend, era, quirks={"async-upload": upload}) as url:
            client = connect(url)
            cluster_id = client.register_cluster("late")
            action_id = checkpointed(client, PodRef(uid=backend.add_pod(cluster_id).uid))
            if upload > 1:
                with pytest.raises(Refused, match="not ready"):
                    client.restore_pod(action_id)
                continue
            restore_id = client.restore_pod(action_id, ready_within=60)
            assert client.wait_until_action_completes(restore_id, "restore", timeout=60).outcome is Outcome.SUCCEEDED
            assert len(client.list_actions("restore_pod")) == 1


def test_a_refusal_of_anything_else_is_not_borne(client, backend, cluster_id):
    action_id = checkpointed(client, PodRef(uid=backend.add_pod(cluster_id).uid))
    for checkpoint_id in client.find_action(action_id).checkpoint_ids:
        client.deprecate_checkpoint(checkpoint_id)
    for unknown in (action_id, MISSING):
        with pytest.raises(Refused):
            client.restore_pod(unknown, ready_within=3600)


def test_a_failed_restore_ends_in_an_error(client, backend, cluster_id):
    action_id = checkpointed(client, PodRef(uid=backend.add_pod(cluster_id).uid))
    backend.fail = BackendError('pods "web-restored" already exists')
    restore_id = client.restore_pod(action_id)
    with pytest.raises(ActionFailed, match="already exists") as failed:
        client.wait_until_action_completes(restore_id, "restore", timeout=60)
    assert failed.value.cause.name == "restore-failed"


def test_an_action_that_nobody_takes_up_never_ends(client, backend, cluster_id):
    backend.fail = silent()
    action_id = client.checkpoint_pod(PodRef(uid=backend.add_pod(cluster_id).uid))
    with pytest.raises(WaitTimedOut, match="status processing") as late:
        client.wait_until_action_completes(action_id, "checkpoint", timeout=0.3)
    assert late.value.cause.name == "checkpoint-timeout"


def test_an_action_that_stays_unknown_has_a_cause_of_its_own(client: PropagatorClient):
    with pytest.raises(ActionFailed) as failed:
        client.wait_until_action_completes(MISSING, "checkpoint", timeout=60, unknown_for=0.2)
    assert failed.value.cause.name == "action-unknown"


def test_clusters_are_registered_once_and_deregistered(client: PropagatorClient, cluster_id: str):
    assert is_id(cluster_id)
    assert client.register_cluster("e2e-1") == cluster_id
    assert client.register_cluster("e2e-2") != cluster_id
    assert client.find_cluster("e2e-1").id == cluster_id
    client.deregister_cluster(cluster_id)
    client.deregister_cluster(cluster_id)
    assert [row.name for row in client.list_clusters()] == ["e2e-2"]


def test_deprecating_twice_is_no_error_but_an_unknown_checkpoint_is(client, backend, cluster_id):
    action_id = checkpointed(client, PodRef(uid=backend.add_pod(cluster_id).uid))
    (checkpoint_id,) = client.find_action(action_id).checkpoint_ids
    client.deprecate_checkpoint(checkpoint_id)
    client.deprecate_checkpoint(checkpoint_id)
    with pytest.raises(Refused):
        client.deprecate_checkpoint(MISSING)


def test_lists_are_whole_however_long(client, backend, cluster_id):
    for number in range(70):
        backend.add_pod(cluster_id, f"web-{number}")
    assert {row.name for row in client.list_pods()} == {f"web-{number}" for number in range(70)}
    assert [row.name for row in client.list_nodes()] == ["node-1"]
    assert client.list_pods()[0].ready == "1/1"


def test_an_unknown_pod_has_no_latest_action(client: PropagatorClient):
    assert client.latest_action_of_pod(MISSING) is None


@pytest.mark.parametrize("token", ["wrong", "fake-token-0123456789abcde"])
def test_a_wrong_token_ends_at_once(backend: FakeBackend, era: str, token: str):
    with propagator(backend, era) as url, pytest.raises(Unauthorized) as refused:
        connect(url, token).check_token()
    assert refused.value.cause.name == "auth"
    assert refused.value.status == 401
    assert token not in str(refused.value)


def test_the_token_is_checked_by_the_user(client: PropagatorClient):
    assert is_id(client.check_token())


def test_bare_ids_do_as_well_as_quoted_ones(backend: FakeBackend, era: str):
    with propagator(backend, era, quirks={"quoted-ids": False}) as url:
        client = connect(url)
        cluster_id = client.register_cluster("e2e-1")
        checkpointed(client, PodRef(uid=backend.add_pod(cluster_id).uid))


def test_a_service_that_has_only_v1_is_noticed(backend: FakeBackend):
    with propagator(backend, "next", prefixes=["/v1"]) as url:
        client = connect(url)
        client.check_token()
        cluster_id = client.register_cluster("e2e-1")
        checkpointed(client, PodRef(uid=backend.add_pod(cluster_id).uid))


def test_neither_prefix_is_an_error(backend: FakeBackend):
    with propagator(backend, prefixes=["/v3"]) as url, pytest.raises(PropagatorError, match="/v2/user"):
        connect(url).check_token()


@pytest.mark.parametrize("era", ["jan26", "next"])
def test_heartbeat_policies_are_made_listed_and_ended(client: PropagatorClient, backend: FakeBackend, cluster_id: str):
    pods = [backend.add_pod(cluster_id, f"web-{number}").uid for number in range(2)]
    policy_id = client.create_policy(pods, cluster_id=cluster_id, interval=3600)
    client.create_policy(pods[:1], cluster_id=cluster_id, interval=1800)
    assert {(row.id == policy_id, row.interval, row.pod_count) for row in client.list_policies()} == {
        (True, 3600, 2), (False, 1800, 1),
    }  # fmt: skip
    client.delete_policy(policy_id)
    client.delete_policy(policy_id)
    assert [row.interval for row in client.list_policies()] == [1800]


@pytest.mark.parametrize("era", ["seed"])
def test_the_oldest_services_have_no_policies(client: PropagatorClient, backend: FakeBackend, cluster_id: str):
    with pytest.raises(Refused) as refused:
        client.create_policy([backend.add_pod(cluster_id).uid], cluster_id=cluster_id, interval=60)
    assert refused.value.status == 404
