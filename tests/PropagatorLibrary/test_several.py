"""Many checkpoints and restores at once: each is told for itself, and each thread has a connection of its own."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from robot.api.types import Secret
from tests.propagator_server.fake import TOKEN, FakeBackend, propagator

from harness.failures import BadInput, NotAsExpected
from harness.ledger import LEDGER
from harness.removal import remove_all
from PropagatorLibrary import PropagatorLibrary
from PropagatorLibrary.client import PropagatorClient

QUICK = timedelta(seconds=60)


@pytest.fixture
def library(backend: FakeBackend, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[PropagatorLibrary]:
    """The keywords; what the test made is removed as long as the propagator is there."""
    monkeypatch.setenv("LEDGER_DIR", str(tmp_path / "ledger"))
    with propagator(backend) as url:
        library = PropagatorLibrary()
        library.connect_to_propagator(url, Secret(TOKEN))
        yield library
        monkeypatch.undo()
        assert [str(removal) for removal in remove_all(LEDGER, budget=20, each=10) if removal.left] == []


@pytest.fixture
def uids(backend: FakeBackend, library: PropagatorLibrary) -> list[str]:
    cluster = library.connected().register_cluster("e2e-0")
    return [backend.add_pod(cluster, name=f"web-{number}").uid for number in range(5)]


def test_all_of_them_are_done_in_order(library: PropagatorLibrary, uids: list[str]) -> None:
    done = library.checkpoint_pods(uids, timeout=QUICK, at_once=3)
    assert [one.of for one in done] == uids
    actions = library.all_should_be_complete(done)
    assert len(set(actions)) == 5
    restores = library.restore_pods(actions, timeout=QUICK, at_once=3)
    assert [one.of for one in restores] == actions
    assert library.all_should_be_complete(restores)
    owed = [entry.find.get("action_id") for entry in LEDGER.owed() if entry.kind == "checkpoint"]
    assert set(owed) >= set(actions), "the run's end owes their removal"


def test_what_many_checkpoints_saved_is_given_up_at_once(library: PropagatorLibrary, uids: list[str]) -> None:
    actions = library.all_should_be_complete(library.checkpoint_pods(uids, timeout=QUICK, at_once=5))
    saved = library.deprecate_checkpoints_of_actions(actions[:3], at_once=2)
    rows = {row.id: row.deprecated for row in library.list_checkpoints()}
    assert len(rows) == 5
    assert {id_ for id_, deprecated in rows.items() if deprecated} == set(saved)
    assert len(saved) == 3
    assert set(library.deprecate_checkpoints_of_actions(actions)) == set(rows)


def test_what_was_not_given_up_is_named(library: PropagatorLibrary, uids: list[str]) -> None:
    (action,) = library.all_should_be_complete(library.checkpoint_pods(uids[:1], timeout=QUICK))
    with pytest.raises(NotAsExpected, match="there is none of no-such-action"):
        library.deprecate_checkpoints_of_actions([action, "no-such-action"])
    assert not any(row.deprecated for row in library.list_checkpoints())


def test_a_failure_of_one_keeps_no_other_from_being_done(library: PropagatorLibrary, uids: list[str]) -> None:
    missing = "00000000-0000-4000-8000-000000000000"
    original = library.checkpoint_pod

    def at_once(uid: str, **options: object) -> str:
        return original(uid, known_within=timedelta(0), **options)  # type: ignore[arg-type]

    library.checkpoint_pod = at_once  # type: ignore[method-assign, assignment]
    done = library.checkpoint_pods([uids[0], missing, *uids[1:]], timeout=QUICK)
    assert [one.good for one in done] == [True, False, True, True, True, True]
    assert done[1].cause == "propagator-refused"
    with pytest.raises(NotAsExpected) as raised:
        library.all_should_be_complete(done)
    assert raised.value.cause.name == "propagator-refused"
    assert missing in raised.value.seen
    assert raised.value.seen.startswith("5 of 6 are")


def test_no_thread_uses_another_ones_connection(
    library: PropagatorLibrary, uids: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    users: dict[int, set[int]] = {}
    full, main = threading.Barrier(3), library.connected()

    def note(self: PropagatorClient, pod: object, **_: object) -> str:
        users.setdefault(id(self), set()).add(threading.get_ident())
        full.wait(60)
        assert self is not main
        return f"action-{pod}"

    monkeypatch.setattr(PropagatorClient, "checkpoint_pod", note)
    monkeypatch.setattr(library, "wait_until_action_completes", lambda *_, **__: None)
    done = library.checkpoint_pods(uids[:3], timeout=QUICK, at_once=3)
    assert all(one.good for one in done), done
    assert len(users) == 3
    assert library.connected() is main


def test_wrong_lists_are_refused_before_anything_is_asked(library: PropagatorLibrary, uids: list[str]) -> None:
    with pytest.raises(BadInput, match="one pod or more"):
        library.checkpoint_pods([])
    with pytest.raises(BadInput, match="at_once"):
        library.checkpoint_pods(uids, at_once=0)
