"""An archive is moved out of the kubelet's way, and what nobody finished is removed, whoever died."""

from __future__ import annotations

import os
import stat
import time
from pathlib import Path

from propagator_server.stock.chart.node_agent.shelf import LONGEST_DUMP, Shelf

A, B = (f"{digit * 8}-0000-4000-8000-000000000000" for digit in "ab")
NAME = "checkpoint-w_test-main-2026-11-24T21:36:20Z.tar"
PATTERN = "checkpoint-w_test-main-*.tar"


def archive(folder: Path, data: bytes = b"archive") -> str:
    """What a kubelet writes."""
    (folder / NAME).write_bytes(data)
    return NAME


def test_two_archives_of_one_second_are_two_files(tmp_path: Path) -> None:
    shelf = Shelf(tmp_path)
    for id_, data in ((A, b"first"), (B, b"second")):
        shelf.intend(id_, PATTERN)
        shelf.take(id_, archive(tmp_path, data))
        shelf.keep({"id": id_})
        shelf.done(id_)
    assert [shelf.archive(id_).read_bytes() for id_ in (A, B)] == [b"first", b"second"]
    assert [record["id"] for record in shelf.records()] == [A, B]
    assert {stat.S_IMODE(path.stat().st_mode) for path in (tmp_path / "node-agent").iterdir()} == {0o600}
    assert shelf.sweep(set()) == []


def test_what_an_agent_before_left_half_done_is_removed(tmp_path: Path) -> None:
    before = tmp_path / "checkpoint-w_test-main-2026-01-01T00:00:00Z.tar"
    before.write_bytes(b"somebody else's")
    shelf = Shelf(tmp_path)
    shelf.intend(A, PATTERN)
    archive(tmp_path)
    shelf.intend(B, PATTERN)
    (tmp_path / "node-agent" / f"{B}.tar").write_bytes(b"moved, and not written down")
    again = Shelf(tmp_path)
    assert NAME not in again.sweep({A, B}), "what is being made was removed"
    assert sorted(again.sweep(set())) == sorted([NAME, f"{B}.tar"])
    archive(tmp_path)
    assert again.sweep(set()) == [NAME], "what the kubelet writes later was left"
    assert before.exists()
    old = time.time() - LONGEST_DUMP - 1
    for path in (tmp_path / "node-agent").glob("*.intent"):
        os.utime(path, (old, old))
    again.sweep(set())
    assert list((tmp_path / "node-agent").iterdir()) == []


def test_a_failed_one_leaves_nothing(tmp_path: Path) -> None:
    shelf = Shelf(tmp_path)
    shelf.intend(A, PATTERN)
    archive(tmp_path)
    shelf.give_up(A)
    assert not (tmp_path / NAME).exists() and list((tmp_path / "node-agent").iterdir()) == []


def test_only_ids_are_paths(tmp_path: Path) -> None:
    (tmp_path / "secret.json").write_text("{}")
    (tmp_path / "secret.tar").write_text("")
    shelf = Shelf(tmp_path)
    assert shelf.record("../secret") is None and not shelf.remove("../secret")
    assert (tmp_path / "secret.tar").exists()


def test_at_the_end_everything_goes(tmp_path: Path) -> None:
    shelf = Shelf(tmp_path)
    shelf.intend(A, PATTERN)
    shelf.take(A, archive(tmp_path))
    shelf.keep({"id": A})
    shelf.intend(B, PATTERN)
    archive(tmp_path)
    shelf.clear()
    assert list(tmp_path.iterdir()) == []
