"""What is kept of exchanges, and what never is."""

import pytest

from harness import exchanges
from harness.exchanges import LONGEST_BODY, Exchanges
from harness.secrets import SECRETS


def test_exchanges_since_a_moment():
    kept = Exchanges()
    kept.note("GET", "/v2/a", 200, 0.1)
    mark = kept.count
    kept.note("POST", "/v2/b", 0, 0.2, sent="{}", answer="no answer")
    assert [(one.method, one.path, one.status, one.answer) for one in kept.since(mark)] == [
        ("POST", "/v2/b", 0, "no answer")
    ]


def test_no_secret_is_kept_and_bodies_are_cut():
    SECRETS.add("tok-exchange-s3cret")
    kept = Exchanges()
    kept.note("GET", "/x?t=tok-exchange-s3cret", 200, 0.1, sent="tok-exchange-s3cret", answer="a" * (LONGEST_BODY + 5))
    [one] = kept.since(0)
    assert "s3cret" not in repr(one)
    assert one.answer.endswith("a and 5 characters more")


def test_the_oldest_are_forgotten_when_there_are_too_many_or_they_are_too_long(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(exchanges, "MOST", 3)
    monkeypatch.setattr(exchanges, "MOST_CHARACTERS", 10)
    kept = Exchanges()
    for body in ("a", "b", "c", "d"):
        kept.note("GET", "/x", 200, 0.1, sent=body)
    assert [one.sent for one in kept.since(0)] == ["b", "c", "d"]
    kept.note("GET", "/x", 200, 0.1, sent="1234", answer="56789")
    assert [one.sent for one in kept.since(0)] == ["d", "1234"]
    kept.note("GET", "/x", 200, 0.1, answer="e")
    assert [one.number for one in kept.since(0)] == [5, 6]
    assert kept.count == 6
