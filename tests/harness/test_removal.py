"""Removal goes in reverse, past failures, within its budget, and lists what is left."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path

import pytest

from harness import removal
from harness.failures import OperationFailed, WaitTimedOut, WrongPlace
from harness.ledger import Entry, Ledger, ReadLedger
from harness.removal import REMOVERS, remove_all, remover_of
from harness.waiting import Pending, wait_until


class Things:
    """A world of things, and the remover for them."""

    def __init__(self) -> None:
        self.there: set[str] = set()
        self.removed: list[str] = []
        self.budgets: list[float] = []
        self.trouble: dict[str, Callable[[], None]] = {}

    def exists(self, entry: Entry) -> bool:
        if trouble := self.trouble.get(f"exists {entry.name}"):
            trouble()
        return entry.name in self.there

    def remove(self, entry: Entry, budget: float) -> None:
        self.budgets.append(budget)
        if trouble := self.trouble.get(f"remove {entry.name}"):
            trouble()
        self.removed.append(entry.name)
        self.there.discard(entry.name)


@pytest.fixture
def things(monkeypatch: pytest.MonkeyPatch) -> Things:
    world = Things()
    monkeypatch.setattr(removal, "remover_of", lambda _: world)
    monkeypatch.setattr(removal, "PATIENCE", 0.05)
    monkeypatch.setattr(removal, "PAUSE", 0.01)
    return world


@pytest.fixture
def ledger(tmp_path: Path, things: Things) -> Ledger:
    made = Ledger(tmp_path, "run")
    for name in ("first", "second", "third"):
        made.made(made.intend("thing", name, place="here"))
        things.there.add(name)
    return made


def refuse(text: str = "no", cause: str = "cluster-refused") -> Callable[[], None]:
    def trouble() -> None:
        raise OperationFailed("it to go", text, cause=cause)

    return trouble


def test_the_newest_goes_first_and_the_file_goes_last(ledger: Ledger, things: Things, tmp_path: Path) -> None:
    removals = list(remove_all(ledger, budget=60, each=30))
    assert things.removed == ["third", "second", "first"]
    assert not any(one.left for one in removals)
    assert not (tmp_path / "run.jsonl").exists()


def test_a_failing_one_does_not_keep_the_others_from_theirs(ledger: Ledger, things: Things, tmp_path: Path) -> None:
    things.trouble["remove second"] = refuse("it has a finalizer")
    removals = list(remove_all(ledger, budget=60, each=30))
    assert [str(one.entry) for one in removals if one.left] == ["thing second"]
    assert "thing second: it has a finalizer" in str(removals[-1])
    assert [entry.name for entry in ReadLedger(tmp_path / "run.jsonl").owed()] == ["second"]
    del things.trouble["remove second"]
    assert not any(one.left for one in remove_all(ledger, budget=60, each=30))
    assert things.removed == ["third", "first", "second"]


def test_any_error_of_a_remover_is_told_and_passed_by(ledger: Ledger, things: Things) -> None:
    def broken() -> None:
        raise ZeroDivisionError("odd")

    things.trouble["exists third"] = broken
    problems = [one.problem for one in remove_all(ledger, budget=60, each=30) if one.left]
    assert problems == ["ZeroDivisionError: odd"]


def test_what_is_gone_already_is_not_removed(ledger: Ledger, things: Things) -> None:
    things.there = {"first"}
    assert not any(one.left for one in remove_all(ledger, budget=60, each=30))
    assert things.removed == ["first"]


def test_what_says_to_be_removed_and_is_still_there_is_left(
    ledger: Ledger, things: Things, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(things, "remove", lambda *_: None)
    problems = {one.problem for one in remove_all(ledger, budget=60, each=30)}
    assert problems == {"still there after its removal"}


def test_what_lived_in_a_place_that_was_removed_is_gone_with_it(tmp_path: Path, things: Things) -> None:
    ledger = Ledger(tmp_path, "run")
    ledger.made(ledger.intend("thing", "cluster"), places=["here"])
    ledger.made(ledger.intend("thing", "pod", place="here"))
    ledger.made(ledger.intend("thing", "elsewhere", place="there"))
    things.there = {"cluster"}
    things.trouble["exists pod"] = things.trouble["exists elsewhere"] = refuse("no answer", "cluster-unreachable")
    left = [one.entry.name for one in remove_all(ledger, budget=60, each=30) if one.left]
    assert left == ["elsewhere"]


def test_each_gets_its_share_and_none_more_than_all(ledger: Ledger, things: Things) -> None:
    list(remove_all(ledger, budget=10, each=3))
    assert things.budgets == [3, 3, 3]


def test_without_a_budget_everything_is_still_told_to_go(ledger: Ledger, things: Things) -> None:
    assert not any(one.left for one in remove_all(ledger, budget=0, each=30))
    assert things.budgets == [0, 0, 0]


def silent(times: int = 1000) -> tuple[list[float], Callable[[], None]]:
    """Nobody answers so many times; when it was asked, and the trouble."""
    asked: list[float] = []

    def trouble() -> None:
        asked.append(time.monotonic())
        if len(asked) <= times:
            refuse("no answer", "cluster-unreachable")()

    return asked, trouble


def test_a_place_that_does_not_answer_is_asked_once_when_the_time_is_up(ledger: Ledger, things: Things) -> None:
    asked, trouble = silent()
    things.trouble |= {f"exists {name}": trouble for name in things.there}
    removals = list(remove_all(ledger, budget=0, each=30))
    assert len(asked) == 1
    assert len([one for one in removals if one.left]) == 3


def test_a_place_that_does_not_answer_is_borne_with_once(ledger: Ledger, things: Things, tmp_path: Path) -> None:
    asked, trouble = silent()
    things.trouble |= {"exists third": trouble, "exists first": pytest.fail, "exists second": pytest.fail}
    ledger.made(ledger.intend("thing", "elsewhere", place="there"))
    things.there.add("elsewhere")
    removals = {one.entry.name: one.problem for one in remove_all(ledger, budget=60, each=30)}
    assert len(asked) > 1
    assert asked[-1] - asked[0] >= 0.05
    untried = "not tried: nobody answers where it is"
    assert removals == {"elsewhere": "", "third": "no answer", "second": untried, "first": untried}
    assert [entry.name for entry in ReadLedger(tmp_path / "run.jsonl").owed()] == ["first", "second", "third"]


def test_a_place_that_answers_again_is_gone_on_with(
    ledger: Ledger, things: Things, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(removal, "PATIENCE", 60)
    asked, things.trouble["exists third"] = silent(times=3)
    assert not any(one.left for one in remove_all(ledger, budget=60, each=30))
    assert len(asked) == 5
    assert things.removed == ["third", "second", "first"]


def test_a_place_that_is_to_be_removed_itself_is_not_waited_for(tmp_path: Path, things: Things) -> None:
    ledger = Ledger(tmp_path, "run")
    ledger.made(ledger.intend("thing", "cluster"), places=["here"])
    ledger.made(ledger.intend("thing", "pod", place="here"))
    things.there = {"cluster"}
    asked, things.trouble["exists pod"] = silent()
    assert not any(one.left for one in remove_all(ledger, budget=60, each=30))
    assert len(asked) == 1


def test_where_something_else_answers_all_is_asked_for(ledger: Ledger, things: Things) -> None:
    def other() -> None:
        raise WrongPlace("it to answer", "another one does", cause="cluster-unreachable")

    things.trouble |= {f"exists {name}": other for name in things.there}
    assert {one.problem for one in remove_all(ledger, budget=60, each=30)} == {"another one does"}


def test_a_removal_that_nobody_answers_to_ends_before_its_time(ledger: Ledger, things: Things) -> None:
    def waits() -> None:
        look = lambda: Pending("nobody answers", "cluster-unreachable")  # noqa: E731
        wait_until(look, timeout=1000, expected="it to be gone")

    things.trouble["remove third"] = waits
    left = [one for one in remove_all(ledger, budget=1000, each=1000) if one.left]
    assert [one.entry.name for one in left] == ["third", "second", "first"]
    assert "nobody answers" in left[0].problem


@pytest.mark.parametrize("kind", REMOVERS)
def test_every_kind_that_is_named_has_a_remover(kind: str) -> None:
    remover = remover_of(kind)
    assert callable(remover.exists)
    assert callable(remover.remove)


def test_a_removal_that_a_signal_broke_off_is_taken_up_again_in_its_turn(ledger: Ledger, things: Things) -> None:
    def signalled() -> None:
        del things.trouble["remove second"]
        raise InterruptedError("Execution terminated by signal")

    things.trouble["remove second"] = signalled
    assert not any(one.left for one in remove_all(ledger, budget=60, each=30))
    assert things.removed == ["third", "second", "first"]


def test_what_goes_away_late_is_not_left(ledger: Ledger, things: Things) -> None:
    def slow() -> None:
        things.there.discard("third")
        raise WaitTimedOut("it to be gone", "it is being deleted", cause="stuck-terminating")

    things.trouble["remove third"] = slow
    assert not any(one.left for one in remove_all(ledger, budget=60, each=30))


def test_what_a_removal_itself_makes_is_removed_too(ledger: Ledger, things: Things, tmp_path: Path) -> None:
    def needs_a_file() -> None:
        ledger.intend("thing", "file of the removal")
        things.there.add("file of the removal")

    things.trouble["remove first"] = needs_a_file
    assert not any(one.left for one in remove_all(ledger, budget=60, each=30))
    assert things.there == set()
    assert not (tmp_path / "run.jsonl").exists()
