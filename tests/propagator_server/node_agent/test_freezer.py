"""Cgroups of both versions are frozen and thawed, and what nobody attends to is thawed by whoever finds it."""

from __future__ import annotations

import json
import os
import time
from pathlib import Path

import pytest

from propagator_server.stock.chart.node_agent.freezer import (
    LEFT_ALONE,
    Cgroup,
    FreezeError,
    Freezer,
    thaw_what_is_left,
)

ID = "0123abcd" * 8


def first(root: Path, name: str = ID) -> Path:
    """A cgroup of version 1; what is written is at once the state."""
    folder = root / "freezer" / "kubepods" / "pod1" / name
    folder.mkdir(parents=True)
    (folder / "freezer.state").write_text("THAWED\n")
    return folder


def second(root: Path, frozen: str = "1") -> Path:
    """A cgroup of version 2 whose processes stand, or never do."""
    folder = root / "kubepods.slice" / f"cri-containerd-{ID}.scope"
    folder.mkdir(parents=True)
    (folder / "cgroup.freeze").write_text("0")
    (folder / "cgroup.events").write_text(f"populated 1\nfrozen {frozen}\n")
    return folder


@pytest.mark.parametrize("make", [first, second])
def test_a_container_is_found_by_its_id_and_held_within_the_block(make, tmp_path: Path) -> None:
    folder, notes = make(tmp_path), tmp_path / "frozen.json"
    freezer = Freezer(tmp_path, notes)
    cgroup = freezer.find(ID)
    assert cgroup.folder == folder
    file = next(path for path in folder.iterdir() if path.name in ("freezer.state", "cgroup.freeze"))
    with pytest.raises(ZeroDivisionError), freezer.attending([cgroup]):
        assert json.loads(notes.read_text())["folders"] == [str(folder)], "it was not noted before"
        cgroup.freeze()
        assert file.read_text() in ("FROZEN", "1")
        raise ZeroDivisionError
    assert file.read_text() in ("THAWED", "0")
    assert not notes.exists()


def test_processes_that_do_not_stand_are_an_error(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("propagator_server.stock.chart.node_agent.freezer._SETTLE", 0.02)
    with pytest.raises(FreezeError, match="do not stand still"):
        Cgroup(second(tmp_path, frozen="0")).freeze()


def test_a_container_that_is_not_there_is_an_error(tmp_path: Path) -> None:
    first(tmp_path)
    for name in ("", "f" * 64):
        with pytest.raises(FreezeError, match="no cgroup"):
            Freezer(tmp_path, tmp_path / "frozen.json").find(name)


def test_what_is_attended_to_is_left_and_what_is_not_is_thawed(tmp_path: Path) -> None:
    folder, notes = first(tmp_path), tmp_path / "frozen.json"
    (folder / "freezer.state").write_text("FROZEN")
    notes.write_text(json.dumps({"folders": [str(tmp_path / "gone"), str(folder)], "until": time.time() + 60}))
    assert thaw_what_is_left(notes, now=False) == []
    assert (folder / "freezer.state").read_text() == "FROZEN"
    old = time.time() - LEFT_ALONE - 0.1
    os.utime(notes, (old, old))
    assert folder in thaw_what_is_left(notes, now=False)
    assert (folder / "freezer.state").read_text() == "THAWED" and not notes.exists()
    assert thaw_what_is_left(notes, now=True) == []


def test_nothing_is_frozen_for_ever(tmp_path: Path) -> None:
    folder, notes = first(tmp_path), tmp_path / "frozen.json"
    notes.write_text(json.dumps({"folders": [str(folder)], "until": time.time() - 1}))
    assert thaw_what_is_left(notes, now=False) == [folder]
