"""Child processes are owed while they may run, and found again by the mark that they and their children carry."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable

import pytest

from harness.children import MARK, ProcessRemover, marked, owed
from harness.ledger import LEDGER, Entry
from harness.waiting import Done, Pending, wait_until

SLEEPER = [sys.executable, "-c", "import time; print('up', flush=True); time.sleep(60)"]
PARENT = [sys.executable, "-c", f"import subprocess; subprocess.Popen({SLEEPER!r})"]


def _entries() -> list[Entry]:
    return [entry for entry in LEDGER.owed() if entry.kind == "process"]


def _eventually(so: Callable[[], bool]) -> None:
    wait_until(lambda: Done(None) if so() else Pending("not so"), timeout=60, expected="it to become so")


def test_one_that_has_ended_is_owed_no_more() -> None:
    with owed("a child") as mark:
        (entry,) = _entries()
        assert (entry.name, entry.find["mark"]) == ("a child", mark[MARK])
    assert _entries() == []


def test_one_that_goes_on_after_its_parent_is_found_and_ended() -> None:
    with pytest.raises(RuntimeError), owed("a child") as mark:
        subprocess.run(PARENT, env=os.environ | mark, check=True, stdout=subprocess.DEVNULL)
        raise RuntimeError("a signal")
    (entry,) = _entries()
    assert len(marked(entry.find["mark"])) == 1
    remover = ProcessRemover()
    assert remover.exists(entry)
    remover.remove(entry, 10)
    _eventually(lambda: not remover.exists(entry))
    LEDGER.gone(entry)


def test_others_are_left_alone() -> None:
    with subprocess.Popen(SLEEPER, env=os.environ | {MARK: "of-another-run"}, stdout=subprocess.PIPE) as other:
        assert other.stdout
        other.stdout.readline()
        ProcessRemover().remove(Entry(1, "process", "x", "", {"mark": "of-this-run"}), 10)
        assert other.poll() is None
        other.kill()
