"""A verdict that was not wanted, in three parts that need no second run to be understood."""

from __future__ import annotations

import pytest

from ContinuityLibrary.verdict import Kind, Verdict
from ContinuityLibrary.wording import expected, failure
from harness.causes import CAUSES, Blame
from harness.failures import NotAsExpected

CAUSE = {
    Kind.RESTARTED: "process-restarted",
    Kind.REWOUND: "process-rewound",
    Kind.AHEAD: "process-ahead",
    Kind.FOREIGN: "process-foreign",
    Kind.BROKEN_CHAIN: "process-broken",
    Kind.SILENT: "process-silent",
    Kind.ORIGINAL: "not-restored",
    Kind.INCONCLUSIVE: "evidence-missing",
}


@pytest.mark.parametrize("kind", CAUSE)
def test_every_other_verdict_than_continued_has_a_failure_text(kind: Kind) -> None:
    wording = failure(Verdict(kind, "this and that", nonce="5f3a" + "0" * 12, b=12, r=16), Kind.CONTINUED)
    assert wording is not None
    assert wording.cause == CAUSE[kind]
    assert wording.expected == (
        "verdict continued: the process goes on with nonce 5f3a.., first a step after 12 and not after 17, "
        "and its steps keep coming"
    )
    assert wording.seen == f"{kind}: this and that"
    assert wording.look
    text = str(NotAsExpected(wording.expected, wording.seen, wording.look, cause=wording.cause))
    assert [part.split(":")[0] for part in text.splitlines()] == ["Expected", "Seen", "Look next", "Cause"]


def test_each_verdict_of_the_process_is_the_products_fault() -> None:
    for kind, name in CAUSE.items():
        assert CAUSES[name].blame is (Blame.UNKNOWN if kind is Kind.INCONCLUSIVE else Blame.PRODUCT)


def test_each_verdict_says_something_else_to_look_at() -> None:
    looks = {kind: failure(Verdict(kind, ""), Kind.CONTINUED) for kind in CAUSE}
    assert len({wording.look for wording in looks.values() if wording}) == len(CAUSE)


@pytest.mark.parametrize("kind", [kind for kind in Kind if kind is not Kind.RESTARTED])
def test_when_a_restart_was_wanted_every_other_verdict_breaks_the_check(kind: Kind) -> None:
    wording = failure(Verdict(kind, "x", nonce="5f3a" + "0" * 12), Kind.RESTARTED)
    assert wording is not None
    assert wording.cause == "check-broken"
    assert wording.expected == "verdict restarted: a fresh process with another nonce than 5f3a.."


@pytest.mark.parametrize("kind", [Kind.CONTINUED, Kind.RESTARTED])
def test_the_wanted_verdict_is_no_failure(kind: Kind) -> None:
    assert failure(Verdict(kind, "x"), kind) is None


def test_what_is_not_known_is_not_said() -> None:
    wording = failure(Verdict(Kind.INCONCLUSIVE, "nothing was read", pending="a look"), Kind.CONTINUED)
    assert wording is not None
    assert wording.expected == (
        "verdict continued: the process goes on with the source's nonce, and its steps keep coming"
    )
    assert wording.seen == "inconclusive: nothing was read (still waited for: a look)"


def test_verdict_names_are_those_of_the_table() -> None:
    assert {str(kind) for kind in Kind} == {
        "continued", "restarted", "rewound", "ahead", "foreign", "broken chain", "silent", "original", "inconclusive",
    }  # fmt: skip


def test_a_process_that_went_on_where_none_should_have_is_a_broken_check() -> None:
    wording = failure(Verdict(Kind.CONTINUED, "step 1 -> 2"), Kind.FOREIGN)
    assert wording is not None
    assert wording.cause == "check-broken"


def test_a_window_is_told_only_where_both_its_ends_are_known() -> None:
    assert ", first a step after" not in expected(Verdict(Kind.INCONCLUSIVE, "", b=3), Kind.CONTINUED)
    assert ", first a step after 3 and not after 6" in expected(Verdict(Kind.AHEAD, "", b=3, r=5), Kind.CONTINUED)
