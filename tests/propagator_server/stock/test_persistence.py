"""What a propagator knew is there again after it was killed, and what went on then has ended in an error."""

from __future__ import annotations

import sqlite3
import stat
from dataclasses import replace
from pathlib import Path

import pytest

from propagator_server.clock import now
from propagator_server.persistence import INTERRUPTED, Database, Kept, interrupted, kept_store
from propagator_server.records import Action, ActionStatus, ActionType, Checkpoint, CheckpointStatus, Policy, Resource


def action(id_: str, **more: object) -> Action:
    """An action of a pod."""
    known = Action(id_, ActionType.CHECKPOINT_POD, "c", "pod", "n", now(), ("k1", "k2"), {"pod_id": "pod"})
    return replace(known, **more)  # type: ignore[arg-type]


def test_every_row_is_back_as_it_was(tmp_path: Path) -> None:
    first = Database(tmp_path / "state.db")
    store = kept_store(first)
    cluster = store.register_cluster("a", "kubernetes")
    ended = action("1", status=ActionStatus.READY, completed=now(), uploaded={"pod_spec": {"x": [1]}})
    store.add_action(ended)
    store.add_checkpoint(Checkpoint("k1", CheckpointStatus.READY, "1", cluster.id, size=3, info={"container": "main"}))
    store.put_policy(Policy("p", cluster.id, 5, Resource.PODS, ("pod",), "", now(), pipeline={"name": "x"}))
    first.close()
    second = Database(tmp_path / "state.db")
    again = kept_store(second)
    assert again.clusters() == store.clusters()
    assert again.actions() == [ended]
    assert again.checkpoints() == store.checkpoints()
    assert again.policies() == store.policies()
    second.close()


def test_what_was_removed_stays_so_and_the_order_stays(tmp_path: Path) -> None:
    first = Database(tmp_path / "state.db")
    store = kept_store(first)
    for name in "321":
        store.add_action(action(name))
    store.change_action("3", node="m")
    store.register_cluster("a", "kubernetes")
    store.remove_cluster(store.clusters()[0].id)
    first.close()
    second = Database(tmp_path / "state.db")
    again = kept_store(second)
    assert [row.id for row in again.actions()] == ["3", "2", "1"]
    assert again.clusters() == []
    second.close()


def test_what_went_on_ends_in_an_error_and_the_rest_is_left(tmp_path: Path) -> None:
    database = Database(tmp_path / "state.db")
    store = kept_store(database)
    store.add_action(action("1", status=ActionStatus.PROCESSING))
    store.add_action(action("2", status=ActionStatus.READY))
    assert [row.id for row in interrupted(store)] == ["1"]
    first, second = store.actions()
    assert (first.status, first.error) == (ActionStatus.ERROR, INTERRUPTED) and first.completed
    assert (second.status, second.error) == (ActionStatus.READY, None)
    assert interrupted(store) == []
    database.close()


def test_a_kept_dictionary_is_back(tmp_path: Path) -> None:
    first = Database(tmp_path / "state.db")
    kept: Kept[int] = Kept(first, "number", lambda value: {"n": value}, lambda value: value["n"])
    kept["a"], kept["b"], kept["a"] = 1, 2, 3
    del kept["b"]
    first.close()
    second = Database(tmp_path / "state.db")
    assert dict(Kept(second, "number", lambda value: {"n": value}, lambda value: value["n"])) == {"a": 3}
    second.close()


def test_the_file_is_for_one_propagator_and_one_user(tmp_path: Path) -> None:
    file = tmp_path / "state.db"
    first = Database(file)
    first.put("a", "b", 1)
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    with pytest.raises(sqlite3.OperationalError, match="locked"):
        Database(file, patience=0.05)
    first.close()
