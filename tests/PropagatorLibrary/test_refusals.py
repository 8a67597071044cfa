"""What must be refused, and a service that is cut off: keywords that are right only when something goes wrong."""

from collections.abc import Iterator
from datetime import timedelta

import pytest
from robot.api import SkipExecution
from robot.api.types import Secret
from tests.propagator_server.fake import TOKEN, FakeBackend, propagator

from harness.failures import NotAsExpected, WaitTimedOut
from harness.ledger import LEDGER
from propagator_server.backend import BackendError
from PropagatorLibrary import PropagatorLibrary
from PropagatorLibrary.errors import Unreachable

MISSING = "0b54a3f6-0000-4000-8000-000000000000"
SOON, LONG = timedelta(seconds=0.3), timedelta(seconds=60)


@pytest.fixture
def library(backend: FakeBackend, era: str) -> Iterator[PropagatorLibrary]:
    with propagator(backend, era) as url:
        library = PropagatorLibrary()
        library.connect_to_propagator(url, Secret(TOKEN))
        yield library
        library.mend_connection_to_propagator()
        for entry in LEDGER.owed():
            LEDGER.gone(entry)


@pytest.fixture
def pod(library: PropagatorLibrary, backend: FakeBackend) -> str:
    return backend.add_pod(library.register_cluster("e2e-1")).uid


def test_a_request_that_is_refused_is_right(library: PropagatorLibrary) -> None:
    refusal = library.checkpoint_should_be_refused(MISSING, timeout=SOON)
    assert refusal.how == "the request was refused with 404"
    assert "Failed to find checkpointable resource" in refusal.message
    assert "4" in library.restore_should_be_refused(MISSING, timeout=SOON).how


def test_an_action_that_ends_in_an_error_is_right(library: PropagatorLibrary, backend: FakeBackend, pod: str) -> None:
    backend.fail = BackendError("no container of it runs")
    refusal = library.checkpoint_should_be_refused(pod, timeout=LONG)
    assert refusal.how.endswith("ended in an error")
    assert "no container of it runs" in str(refusal)
    assert refusal.cause == "checkpoint-failed"


def test_a_success_is_wrong(library: PropagatorLibrary, pod: str) -> None:
    with pytest.raises(NotAsExpected, match=r"a checkpoint of pod .* to be refused") as wrong:
        library.checkpoint_should_be_refused(pod, timeout=LONG)
    assert wrong.value.cause.name == "false-success"
    action_id = library.checkpoint_pod(pod)
    library.wait_until_action_completes(action_id)
    with pytest.raises(NotAsExpected, match=r"restore action .* ended well") as wrong:
        library.restore_should_be_refused(action_id, timeout=LONG)
    assert wrong.value.cause.name == "false-success"


def test_a_checkpoint_that_was_complete_too_soon_tells_nothing(library: PropagatorLibrary, pod: str) -> None:
    action_id = library.checkpoint_pod(pod)
    library.wait_until_action_completes(action_id)
    with pytest.raises(SkipExecution, match="was complete before its restore was answered"):
        library.restore_of_running_checkpoint_should_be_refused(action_id, timeout=LONG)


def test_a_checkpoint_that_is_being_taken_cannot_be_restored(
    library: PropagatorLibrary, backend: FakeBackend, pod: str
) -> None:
    backend.hold()
    refusal = library.restore_of_running_checkpoint_should_be_refused(library.checkpoint_pod(pod), timeout=LONG)
    backend.let_go()
    assert "not ready" in refusal.message


def test_no_end_is_wrong(library: PropagatorLibrary, backend: FakeBackend, pod: str) -> None:
    backend.hold()
    with pytest.raises(WaitTimedOut) as wrong:
        library.checkpoint_should_be_refused(pod, timeout=SOON)
    assert wrong.value.cause.name == "checkpoint-timeout"
    backend.let_go()


def test_nothing_gets_through_until_the_connection_is_mended(library: PropagatorLibrary, pod: str) -> None:
    action_id = library.checkpoint_pod(pod)
    library.cut_connection_to_propagator(repeat_for=SOON)
    for call in (library.list_clusters, lambda: library.checkpoint_pod(pod), lambda: library.restore_pod(action_id)):
        with pytest.raises(Unreachable) as away:
            call()
        assert away.value.cause.name == "propagator-unreachable"
        assert not away.value.sent
    with pytest.raises(WaitTimedOut) as waited:
        library.wait_until_action_completes(action_id, kind="checkpoint", timeout=SOON)
    assert waited.value.cause.name == "propagator-unreachable"
    library.cut_connection_to_propagator(repeat_for=SOON)
    library.mend_connection_to_propagator()
    library.mend_connection_to_propagator()
    library.wait_until_action_completes(action_id)
    assert len(library.list_actions()) == 1


def test_without_a_connection_there_is_nothing_to_mend() -> None:
    PropagatorLibrary().mend_connection_to_propagator()
