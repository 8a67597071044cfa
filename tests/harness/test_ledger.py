"""What a run made is known after its death: the ledger survives torn lines, kills and full disks."""

from __future__ import annotations

import json
import os
import stat
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from harness import ledger as module
from harness.failures import OperationFailed
from harness.ledger import Entry, Ledger, ReadLedger, all_ledgers, left_behind
from harness.processes import ProcessId

STEPS = st.lists(
    st.tuples(st.sampled_from(["intend", "made", "gone"]), st.integers(0, 20), st.text(max_size=8)), max_size=25
)
FRESH_FOLDERS = settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=60, deadline=None)


@pytest.fixture(autouse=True)
def _no_fsync(monkeypatch: pytest.MonkeyPatch) -> None:
    """These tests do not cut the power."""
    monkeypatch.setattr(module.os, "fsync", lambda _: None)


def write(ledger: Ledger, steps: list[tuple[str, int, str]]) -> None:
    """Plays steps; a number picks one of the entries that there are."""
    entries: list[Entry] = []
    for action, number, text in steps:
        if action == "intend" or not entries:
            entries.append(ledger.intend("object", f"thing {text}", place=text, name=text))
        elif action == "made":
            ledger.made(entries[number % len(entries)], uid=text)
        else:
            ledger.gone(entries[number % len(entries)])


def facts(ledger: Ledger) -> list[tuple[Any, ...]]:
    """What a ledger owes, for comparison."""
    return [(one.number, one.kind, one.name, one.place, one.find, one.state, one.at) for one in ledger.owed()]


@FRESH_FOLDERS
@given(steps=STEPS)
def test_what_is_read_equals_what_was_in_memory(
    tmp_path_factory: pytest.TempPathFactory, steps: list[tuple[str, int, str]]
) -> None:
    ledger = Ledger(tmp_path_factory.mktemp("ledger"))
    write(ledger, [("intend", 0, "first"), *steps])
    assert ledger.file is not None
    assert facts(ReadLedger(ledger.file)) == facts(ledger)


@FRESH_FOLDERS
@given(steps=STEPS, at=st.integers(min_value=0))
def test_a_ledger_that_was_cut_at_any_byte_holds_everything_before_the_cut(
    tmp_path_factory: pytest.TempPathFactory, steps: list[tuple[str, int, str]], at: int
) -> None:
    ledger = Ledger(tmp_path_factory.mktemp("ledger"))
    write(ledger, [("intend", 0, "first"), *steps])
    assert ledger.file is not None
    whole = ledger.file.read_bytes()
    cut = at % (len(whole) + 1)
    torn, intact = ledger.file.with_name("torn.jsonl"), ledger.file.with_name("intact.jsonl")
    torn.write_bytes(whole[:cut])
    lines = whole[:cut].splitlines(keepends=True)
    complete = [line for line in lines if line.endswith(b"\n") or whole[cut : cut + 1] == b"\n"]
    intact.write_bytes(b"".join(complete))
    assert facts(ReadLedger(torn)) == facts(ReadLedger(intact))


def test_what_is_written_after_a_torn_line_counts(tmp_path: Path) -> None:
    ledger = Ledger(tmp_path, "run")
    first, second = ledger.intend("object", "a"), ledger.intend("object", "b")
    file = tmp_path / "run.jsonl"
    file.write_bytes(file.read_bytes() + b'{"op": "ma')
    after_death = ReadLedger(file)
    after_death.gone(after_death.owed()[1])
    again = ReadLedger(file)
    assert [entry.name for entry in again.owed()] == [first.name]
    assert second.number == 2


def test_a_line_that_could_not_be_written_whole_does_not_spoil_the_next(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    ledger = Ledger(tmp_path, "run")
    ledger.intend("object", "a")

    def full(_: Any) -> str:
        with (tmp_path / "run.jsonl").open("a") as file:
            file.write('{"op": "inte')
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as disk:
        disk.setattr(module.json, "dumps", full)
        with pytest.raises(OperationFailed, match="Seen: No space left on device") as failed:
            ledger.intend("object", "never")
    assert failed.value.cause.name == "disk-full"
    ledger.intend("object", "b")
    assert [entry.name for entry in ReadLedger(tmp_path / "run.jsonl").owed()] == ["a", "b"]


def test_a_ledger_that_cannot_be_made_leaves_nothing_and_says_which_setting(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(OperationFailed, match="LEDGER_DIR") as failed:
        Ledger(tmp_path / "file", "run").intend("object", "a")
    assert failed.value.cause.name == "bad-settings"

    def full(_: int) -> None:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as disk, pytest.raises(OperationFailed, match=str(tmp_path)):
        disk.setattr(module.os, "fsync", full)
        Ledger(tmp_path, "run").intend("object", "a")
    assert [path.name for path in tmp_path.iterdir()] == ["file"]


def test_the_intent_is_on_disk_before_anything_is_made(tmp_path: Path) -> None:
    ledger = Ledger(tmp_path, "run")
    ledger.intend("namespace", "ns", place="/k", name="ns")
    last = json.loads((tmp_path / "run.jsonl").read_text().splitlines()[-1])
    assert (last["op"], last["kind"], last["name"], last["place"]) == ("intend", "namespace", "ns", "/k")


def test_the_file_is_private_and_goes_when_nothing_is_owed(tmp_path: Path) -> None:
    folder = tmp_path / "deep" / "ledgers"
    ledger = Ledger(folder)
    entry = ledger.intend("object", "a")
    assert ledger.file is not None
    assert stat.S_IMODE(ledger.file.stat().st_mode) == 0o600
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    ledger.close()
    assert ledger.file.exists()
    ledger.gone(entry)
    ledger.close()
    assert list(folder.iterdir()) == []


def test_a_ledger_that_owes_nothing_from_the_start_makes_no_file(tmp_path: Path) -> None:
    Ledger(tmp_path).close()
    assert list(tmp_path.iterdir()) == []


def test_the_newest_entry_with_these_facts_is_found(tmp_path: Path) -> None:
    ledger = Ledger(tmp_path)
    ledger.intend("object", "a", name="x", uid="1")
    newer = ledger.intend("object", "b", name="x", uid="2")
    assert ledger.find("object", name="x") is newer
    assert ledger.find("object", name="x", uid="3") is None
    assert ledger.find("namespace", name="x") is None


def test_live_runs_are_not_left_behind_and_dead_ones_are(tmp_path: Path) -> None:
    Ledger(tmp_path, "mine").intend("object", "a")
    dead = tmp_path / "dead.jsonl"
    lines = (tmp_path / "mine.jsonl").read_text().splitlines()
    header = json.loads(lines[0]) | {"run": "dead", "started": ProcessId.of(os.getpid()).started - 1}
    dead.write_text("\n".join([json.dumps(header), *lines[1:], ""]))
    assert [ledger.run_id for ledger in left_behind(tmp_path)] == ["dead"]
    assert {ledger.run_id for ledger in all_ledgers(tmp_path)} == {"mine", "dead"}


def test_a_run_that_owes_nothing_has_nothing_to_keep(tmp_path: Path) -> None:
    ledger = Ledger(tmp_path, "run")
    ledger.keep()
    assert not ledger.kept
    assert not list(tmp_path.iterdir())


def test_a_kept_run_says_so_after_its_death(tmp_path: Path) -> None:
    ledger = Ledger(tmp_path, "run")
    ledger.intend("object", "a")
    ledger.keep()
    assert ReadLedger(tmp_path / "run.jsonl").kept


def test_what_another_ledger_is_told_of_an_entry_is_written_in_the_entrys_own(tmp_path: Path) -> None:
    dead, sweeping = Ledger(tmp_path, "dead"), Ledger(tmp_path, "sweeping")
    dead.intend("thing", "one")
    dead.intend("thing", "two")
    read = ReadLedger(tmp_path / "dead.jsonl")
    one, two = read.owed()
    sweeping.made(one, uid="u1")
    sweeping.gone(two)
    assert sweeping.file is None
    again = ReadLedger(tmp_path / "dead.jsonl")
    assert [(entry.name, entry.find) for entry in again.owed()] == [("one", {"uid": "u1"})]
