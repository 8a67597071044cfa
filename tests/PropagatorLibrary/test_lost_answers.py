"""A request that changes something is never sent twice unless it is certain that the first did nothing."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from tests.propagator_server.fake import FakeBackend, propagator
from tests.PropagatorLibrary.conftest import connect, eventually
from tests.PropagatorLibrary.faults import Fault

from propagator_server.backend import Pod
from PropagatorLibrary.answers import Answer
from PropagatorLibrary.client import PropagatorClient
from PropagatorLibrary.errors import AnswerLost, NotUnderstood, PropagatorError, Refused, ServiceFailed, Unreachable
from PropagatorLibrary.lost import Caution, send_carefully
from PropagatorLibrary.references import PodRef

DONE_BUT_LOST = [
    {"how": "cut_after"},
    {"how": "half"},
    {"how": "after", "status": 502},
    {"how": "after", "status": 504},
    {"how": "after", "status": 200, "body": ""},
    {"how": "after", "status": 200, "body": "<html>hello</html>"},
    {"how": "stall_after", "delay": 1.0},
]
NOT_DONE = [{"how": "cut_before"}, {"how": "before", "status": 502}, {"how": "before", "status": 503}]


@contextmanager
def faulty(backend: FakeBackend, fault: Fault) -> Iterator[tuple[PropagatorClient, Pod]]:
    with propagator(backend, middlewares=[fault.middleware]) as url:
        late = fault.how in ("late", "stall_after")
        client = connect(url, timeouts=(5.0, 0.5 if late else 60.0))
        yield client, backend.add_pod(client.register_cluster("e2e-1"))


def finished(client: PropagatorClient, action_id: str, kind: str = "checkpoint") -> str:
    client.wait_until_action_completes(action_id, kind, timeout=60)
    return action_id


@pytest.mark.parametrize("fault", DONE_BUT_LOST)
@pytest.mark.parametrize("address", ["uid", "name"])
def test_a_checkpoint_that_was_begun_is_found(backend: FakeBackend, fault: dict, address: str):
    broken = Fault("POST", "/checkpoint/pod", **fault)
    with faulty(backend, broken) as (client, pod):
        ref = PodRef(uid=pod.uid) if address == "uid" else PodRef(name=pod.name, namespace=pod.namespace)
        action_id = finished(client, client.checkpoint_pod(ref))
        assert [action.id for action in client.list_actions()] == [action_id]
    assert len(broken.seen) == 1


@pytest.mark.parametrize("fault", DONE_BUT_LOST)
def test_a_restore_that_was_begun_is_found(backend: FakeBackend, fault: dict):
    broken = Fault("POST", "/restore/pod", **fault)
    with faulty(backend, broken) as (client, pod):
        source = finished(client, client.checkpoint_pod(PodRef(uid=pod.uid)))
        other = finished(client, client.checkpoint_pod(PodRef(uid=pod.uid)))
        restore = finished(client, client.restore_pod(source), "restore")
    assert len(broken.seen) == 1
    assert [(request.action_id, request.checkpoint_action_id) for request in backend.restored] == [(restore, source)]
    assert other != source


@pytest.mark.parametrize("fault", NOT_DONE)
def test_what_was_not_begun_is_sent_again(backend: FakeBackend, fault: dict):
    broken = Fault("POST", "/checkpoint/pod", **fault)
    with faulty(backend, broken) as (client, pod):
        finished(client, client.checkpoint_pod(PodRef(uid=pod.uid)))
        assert len(client.list_actions()) == 1
    assert len(broken.seen) == 2


def test_too_many_requests_are_answered_with_patience(backend: FakeBackend):
    broken = Fault("POST", "/checkpoint/pod", "before", times=2, status=429, headers={"Retry-After": "0"})
    with faulty(backend, broken) as (client, pod):
        finished(client, client.checkpoint_pod(PodRef(uid=pod.uid)))
    assert len(broken.seen) == 3


def test_a_service_that_wants_an_hour_is_not_waited_for(backend: FakeBackend):
    broken = Fault("POST", "/checkpoint/pod", "before", status=429, headers={"Retry-After": "3600"})
    with faulty(backend, broken) as (client, pod), pytest.raises(ServiceFailed) as failed:
        client.checkpoint_pod(PodRef(uid=pod.uid))
    assert failed.value.retry_after == 3600
    assert len(broken.seen) == 1


def test_a_request_that_may_still_be_under_way_is_not_sent_again(backend: FakeBackend):
    broken = Fault("POST", "/checkpoint/pod", "late", delay=1.2)
    with faulty(backend, broken) as (client, pod):
        with pytest.raises(AnswerLost, match="may still be under way") as lost:
            client.checkpoint_pod(PodRef(uid=pod.uid))
        assert lost.value.cause.name == "answer-lost"
        eventually(lambda: client.latest_action_of_pod(pod.uid) is not None)
    assert len(broken.seen) == 1


@pytest.mark.parametrize(
    ("path", "look"),
    [("/v2/checkpoint/pod", "the pod's actions at the propagator"), ("/v2/cluster", "what the propagator lists of it")],
)
def test_an_answer_that_stays_lost_says_where_its_work_would_show(path: str, look: str):
    def send() -> Answer:
        raise Unreachable(f"POST {path}", "no answer within the read timeout", sent=True, in_time=False)

    with pytest.raises(AnswerLost, match=f"Look next: {look}, before it is asked for again"):
        send_carefully(send, lambda: None, Caution(settle=0.0))


def test_a_gateway_that_gave_up_leaves_it_open(backend: FakeBackend):
    broken = Fault("POST", "/restore/pod", "before", status=504)
    with faulty(backend, broken) as (client, pod):
        source = finished(client, client.checkpoint_pod(PodRef(uid=pod.uid)))
        with pytest.raises(AnswerLost):
            client.restore_pod(source)
    assert len(broken.seen) == 1


def test_a_service_that_stays_away_is_said_to_be_away(backend: FakeBackend):
    broken = Fault("POST", "/checkpoint/pod", "before", times=9, status=503)
    with faulty(backend, broken) as (client, pod), pytest.raises(ServiceFailed, match="no healthy upstream") as failed:
        client.checkpoint_pod(PodRef(uid=pod.uid))
    assert failed.value.cause.name == "propagator-error"
    assert len(broken.seen) == 3


@pytest.mark.parametrize("status", [400, 404, 409, 422, 500])
def test_a_refusal_is_final(backend: FakeBackend, status: int):
    broken = Fault("POST", "/checkpoint/pod", "before", status=status, body='{"message": "no"}')
    with faulty(backend, broken) as (client, pod), pytest.raises(PropagatorError, match="no") as refused:
        client.checkpoint_pod(PodRef(uid=pod.uid))
    assert refused.value.status == status
    assert len(broken.seen) == 1


def test_nobody_elses_action_is_taken_for_ours(backend: FakeBackend):
    """A heartbeat checkpoints the same pod while our answer is lost before any work was done."""
    broken = Fault("POST", "/checkpoint/pod", "cut_before")
    with faulty(backend, broken) as (client, pod):
        trace = client.note_checkpoints(PodRef(uid=pod.uid))
        broken.times = 0
        heartbeat = client.checkpoint_pod(PodRef(uid=pod.uid), reason="heartbeat")
        broken.times = 2
        ours = client.checkpoint_pod(PodRef(uid=pod.uid), trace=trace)
        assert ours != heartbeat
        assert len(client.list_actions()) == 2


def test_our_action_is_found_behind_a_later_heartbeat(backend: FakeBackend):
    with propagator(backend) as url:
        client = connect(url)
        pod = backend.add_pod(client.register_cluster("e2e-1"))
        trace = client.note_checkpoints(PodRef(uid=pod.uid))
        ours = client.checkpoint_pod(PodRef(uid=pod.uid))
        client.checkpoint_pod(PodRef(uid=pod.uid), reason="heartbeat")
        assert trace.find() == ours


def test_one_of_several_is_not_guessed(backend: FakeBackend):
    with propagator(backend) as url:
        client = connect(url)
        pod = backend.add_pod(client.register_cluster("e2e-1"))
        trace = client.note_checkpoints(PodRef(uid=pod.uid))
        for reason in ("", "", "heartbeat"):
            client.checkpoint_pod(PodRef(uid=pod.uid), reason=reason)
        with pytest.raises(PropagatorError, match="may be one of those"):
            trace.find()


@pytest.mark.parametrize("how", ["cut_after", "cut_before", "half"])
def test_registering_deregistering_and_deprecating_end_well(backend: FakeBackend, how: str):
    faults = [
        Fault(method, part, how) for method, part in (("POST", "/cluster"), ("DELETE", "/cluster/"), ("PATCH", ""))
    ]
    with propagator(backend, middlewares=[fault.middleware for fault in faults]) as url:
        client = connect(url)
        cluster_id = client.register_cluster("e2e-1")
        assert [row.id for row in client.list_clusters()] == [cluster_id]
        pod = backend.add_pod(cluster_id)
        action = client.find_action(finished(client, client.checkpoint_pod(PodRef(uid=pod.uid))))
        client.deprecate_checkpoint(action.checkpoint_ids[0])
        assert client.find_checkpoint(action.checkpoint_ids[0]).deprecated
        client.deregister_cluster(cluster_id)
        assert client.list_clusters() == []


def test_status_404_falls_back_to_the_list_of_actions(backend: FakeBackend):
    missing = Fault("GET", "/checkpoint/status", "before", times=10**6, status=404, body="nope")
    with faulty(backend, missing) as (client, pod):
        ended = client.wait_until_action_completes(client.checkpoint_pod(PodRef(uid=pod.uid)), "checkpoint", timeout=60)
        assert ended.status == "ready"
    assert missing.seen


@pytest.mark.parametrize("fault", [{"how": "before", "status": 503}, {"how": "half"}, {"how": "before", "status": 500}])
def test_a_wait_outlives_a_service_that_is_away_for_a_moment(backend: FakeBackend, fault: dict):
    broken = Fault("GET", "/checkpoint/status", times=3, **fault)
    with faulty(backend, broken) as (client, pod):
        finished(client, client.checkpoint_pod(PodRef(uid=pod.uid)))
    assert len(broken.seen) > 3


def test_a_wait_that_runs_out_while_the_service_is_away_blames_the_service(backend: FakeBackend):
    broken = Fault("GET", "/checkpoint/status", "before", times=10**6)
    with faulty(backend, broken) as (client, pod):
        action_id = client.checkpoint_pod(PodRef(uid=pod.uid))
        with pytest.raises(AssertionError, match="503: no healthy upstream") as late:
            client.wait_until_action_completes(action_id, "checkpoint", timeout=0.3)
    assert late.value.cause.name == "propagator-error"


def test_a_wait_ends_at_once_when_the_token_is_refused(backend: FakeBackend):
    broken = Fault("GET", "/checkpoint/status", "before", status=403)
    with faulty(backend, broken) as (client, pod):
        action_id = client.checkpoint_pod(PodRef(uid=pod.uid))
        with pytest.raises(PropagatorError) as refused:
            client.wait_until_action_completes(action_id, "checkpoint", timeout=60)
    assert refused.value.cause.name == "auth"


@pytest.mark.parametrize("status", [429, 502, 503, 504])
def test_gets_are_repeated(backend: FakeBackend, status: int):
    broken = Fault("GET", "/cluster", "before", times=2, status=status)
    with propagator(backend, middlewares=[broken.middleware]) as url:
        assert connect(url).list_clusters() == []
    assert len(broken.seen) == 3


@pytest.mark.parametrize("status", [400, 500])
def test_gets_that_are_refused_are_not_repeated(backend: FakeBackend, status: int):
    broken = Fault("GET", "/cluster", "before", times=9, status=status)
    with propagator(backend, middlewares=[broken.middleware]) as url, pytest.raises(PropagatorError):
        connect(url).list_clusters()
    assert len(broken.seen) == 1


def test_a_checkpoint_deprecated_while_it_is_made_stays_so(backend: FakeBackend):
    backend.gates = [threading.Event()]
    with propagator(backend) as url:
        client = connect(url)
        pod = backend.add_pod(client.register_cluster("e2e-1"))
        action_id = client.checkpoint_pod(PodRef(uid=pod.uid))
        (checkpoint_id,) = client.find_action(action_id).checkpoint_ids
        client.deprecate_checkpoint(checkpoint_id)
        backend.gates[0].set()
        finished(client, action_id)
        assert client.find_checkpoint(checkpoint_id).deprecated
    assert backend.forgotten == [checkpoint_id, checkpoint_id]


def test_a_restore_that_is_refused_says_why(backend: FakeBackend):
    with faulty(backend, Fault("GET", "never", "before")) as (client, _), pytest.raises(Refused, match="no checkpoint"):
        client.restore_pod("0b54a3f6-0000-4000-8000-000000000000")


def test_a_sign_in_page_is_not_taken_for_a_deprecation(backend: FakeBackend):
    page = Fault("PATCH", "", "before", times=9, status=200, body="<html>Sign in</html>")
    with faulty(backend, page) as (client, pod):
        action = client.find_action(finished(client, client.checkpoint_pod(PodRef(uid=pod.uid))))
        with pytest.raises(NotUnderstood, match="Sign in"):
            client.deprecate_checkpoint(action.checkpoint_ids[0])
        page.times = 0
        client.deprecate_checkpoint(action.checkpoint_ids[0])
        assert client.find_checkpoint(action.checkpoint_ids[0]).deprecated
