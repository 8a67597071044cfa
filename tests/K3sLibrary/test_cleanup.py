"""The end of a run: how long it may take."""

from __future__ import annotations

from pathlib import Path

import pytest

from harness import removal
from harness.ledger import Entry, Ledger
from K3sLibrary import cleanup
from K3sLibrary.cleanup import CleanUp


class Slow:
    """Something that takes as long as it is given."""

    def __init__(self) -> None:
        self.given: list[float] = []

    def exists(self, _: Entry) -> bool:
        return not self.given

    def remove(self, _: Entry, budget: float) -> None:
        self.given.append(budget)


def test_one_thing_may_take_all_the_time_that_there_is(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    ledger, slow = Ledger(tmp_path), Slow()
    ledger.intend("object", "slow")
    monkeypatch.setattr(cleanup, "LEDGER", ledger)
    monkeypatch.setattr(removal, "remover_of", lambda _: slow)
    CleanUp().run(3600, lambda _: None)
    assert slow.given == [pytest.approx(3600, abs=60)]
    assert ledger.owed() == []
