"""A failure's text has its parts, its cause can be read back from it, and every cause is one of the catalogue."""

from __future__ import annotations

import pytest

from harness.causes import CAUSES, Blame
from harness.failures import BadInput, E2EFailure, NotAsExpected, OperationFailed, WaitTimedOut, cause_of_text
from harness.remedies import REMEDIES


def test_the_three_parts_and_the_cause() -> None:
    failure = NotAsExpected("the sun to shine", "rain", "out of the window", cause="quota")
    assert str(failure).splitlines() == [
        "Expected: the sun to shine",
        "Seen: rain",
        "Look next: out of the window",
        "Cause: quota (environment)",
    ]


@pytest.mark.parametrize("name", CAUSES)
def test_the_cause_can_be_read_from_the_text(name: str) -> None:
    assert cause_of_text(str(OperationFailed("a", "b", cause=name))) == CAUSES[name]
    assert cause_of_text("no failure of ours") is None


def test_bad_input_is_one_sentence_with_name_value_and_what_is_allowed() -> None:
    failure = BadInput("KEEP", "perhaps", "one of never, always")
    assert str(failure) == "KEEP is 'perhaps'; it must be one of never, always.\nCause: bad-settings (environment)"
    assert "KEEP is empty; it must be" in str(BadInput("KEEP", "", "given"))


def test_checks_are_assertions_and_the_others_are_not() -> None:
    assert issubclass(NotAsExpected, AssertionError)
    assert issubclass(WaitTimedOut, AssertionError)
    assert not issubclass(OperationFailed, AssertionError)
    assert all(kind.ROBOT_SUPPRESS_NAME for kind in (NotAsExpected, WaitTimedOut, BadInput, OperationFailed))


def test_a_cause_that_is_in_no_catalogue_is_an_error_of_ours() -> None:
    with pytest.raises(LookupError, match="no cause is named 'bad luck'"):
        E2EFailure("a", "b", cause="bad luck")


def test_every_cause_says_whose_fault_it_is_in_a_sentence() -> None:
    assert {cause.blame for cause in CAUSES.values()} == set(Blame)
    assert all(cause.meaning.endswith(".") and name == cause.name for name, cause in CAUSES.items())


def test_for_every_cause_it_is_said_what_to_do_next() -> None:
    assert list(REMEDIES) == list(CAUSES)
    assert [name for name, remedy in REMEDIES.items() if not remedy.endswith((".", "?"))] == []
