"""The one waiter: what it says when the time runs out, and how often it looks."""

from __future__ import annotations

from itertools import count

import pytest

from harness import waiting
from harness.failures import WaitTimedOut
from harness.waiting import LOCAL, REMOTE, Done, Look, Pace, Pending, bearing_silence, wait_until


class Clock:
    """A clock that only sleeping moves."""

    def __init__(self) -> None:
        self.now, self.sleeps = 100.0, list[float]()

    def monotonic(self) -> float:
        return self.now

    def sleep(self, seconds: float) -> None:
        assert seconds >= 0
        self.sleeps.append(seconds)
        self.now += seconds


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    fake = Clock()
    monkeypatch.setattr(waiting, "time", fake)
    return fake


def test_the_value_is_returned_at_once(clock: Clock) -> None:
    assert wait_until(lambda: Done("it"), timeout=5, expected="it") == "it"
    assert clock.sleeps == []


def test_running_out_names_the_last_thing_seen_and_how_long_it_lasted(clock: Clock) -> None:
    def look() -> Look[None]:
        return Pending("green" if clock.now < 104 else "blue")

    with pytest.raises(WaitTimedOut) as failure:
        wait_until(look, timeout=10, expected="red", look_next="the lamp", cause="not-ready", pace=Pace(1, 0, 1))
    assert failure.value.expected == "red within 10 s"
    assert failure.value.seen == "blue (so for the last 6 s of 10 s)"
    assert failure.value.look == "the lamp"
    assert failure.value.cause.name == "not-ready"


def test_what_was_seen_last_can_tell_a_better_cause(clock: Clock) -> None:
    with pytest.raises(WaitTimedOut) as failure:
        wait_until(lambda: Pending("no image", "image-pull"), timeout=1, expected="a pod", cause="not-ready")
    assert failure.value.cause.name == "image-pull"


def test_one_look_is_taken_without_time_and_one_when_it_is_up(clock: Clock) -> None:
    looks = count(1)

    def look() -> Look[int]:
        number = next(looks)
        return Done(number) if number == 2 else Pending("not yet")

    assert wait_until(look, timeout=1, expected="it", pace=Pace(60, 0, 60)) == 2
    assert clock.sleeps == [1]
    with pytest.raises(WaitTimedOut):
        wait_until(lambda: Pending("no"), timeout=0, expected="it")


def test_pauses_grow_with_the_time_waited(clock: Clock) -> None:
    with pytest.raises(WaitTimedOut):
        wait_until(lambda: Pending("no"), timeout=60, expected="it", pace=Pace(least=0.1, share=0.05, most=2))
    assert clock.sleeps[0] == 0.1
    assert clock.sleeps == sorted(clock.sleeps[:-1]) + clock.sleeps[-1:]
    assert max(clock.sleeps) == 2
    assert sum(clock.sleeps) == pytest.approx(60)


@pytest.mark.parametrize(
    ("pace", "looks"), [(LOCAL, [22, 81, 139, 379]), (REMOTE, [12, 63, 109, 162])], ids=["near", "far"]
)
def test_a_longer_wait_takes_few_looks_more(clock: Clock, pace: Pace, looks: list[int]) -> None:
    """As many as the logarithm of its length, until the pauses reach their cap."""
    for wait, most in zip((1, 10, 60, 300), looks, strict=True):
        clock.sleeps.clear()
        with pytest.raises(WaitTimedOut):
            wait_until(lambda: Pending("no"), timeout=wait, expected="it", pace=pace)
        assert 0.8 * most < len(clock.sleeps) + 1 <= pace.most_looks(wait) == most


def test_a_wait_of_no_time_takes_two_looks_and_a_short_one_of_small_steps_many() -> None:
    assert Pace().most_looks(0) == 2
    assert Pace(least=0.01).most_looks(0.8) > 40, "20 to the first fifth of a second, then ever fewer"


def test_the_server_may_ask_for_a_longer_pause_but_not_beyond_the_timeout(clock: Clock) -> None:
    with pytest.raises(WaitTimedOut):
        wait_until(lambda: Pending("busy", retry_after=7), timeout=10, expected="it")
    assert clock.sleeps == [7, 3]


def test_what_a_look_raises_ends_the_wait(clock: Clock) -> None:
    def look() -> Look[None]:
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        wait_until(look, timeout=10, expected="it")


def test_a_wait_that_was_told_nothing_more_says_nothing_more(clock: Clock) -> None:
    with pytest.raises(WaitTimedOut) as failure:
        wait_until(lambda: Pending("no"), timeout=1, expected="it")
    assert (failure.value.look, failure.value.cause.name) == ("", "unknown")
    assert waiting.LastSeen().timed_out("it", 1.0, "", "image-pull").cause.name == "image-pull"


@pytest.mark.parametrize("cause", ["cluster-unreachable", "propagator-unreachable"])
def test_silence_ends_a_wait_where_it_is_borne_only_for_a_while(clock: Clock, cause: str) -> None:
    pace = Pace(1, 0, 1)
    with bearing_silence(5), pytest.raises(WaitTimedOut, match="no answer") as failure:
        wait_until(lambda: Pending("no answer", cause), timeout=60, expected="it to go", pace=pace)
    assert failure.value.cause.name == cause
    assert len(clock.sleeps) == 5
    with pytest.raises(WaitTimedOut):
        wait_until(lambda: Pending("no answer", cause), timeout=60, expected="it to go", pace=pace)
    assert len(clock.sleeps) == 5 + 60


def test_an_answer_amid_silence_lets_the_wait_go_on(clock: Clock) -> None:
    def look() -> Look[None]:
        return Pending("it is there") if clock.now % 5 == 0 else Pending("no answer", "cluster-unreachable")

    with bearing_silence(5), pytest.raises(WaitTimedOut):
        wait_until(look, timeout=60, expected="it to go", pace=Pace(1, 0, 1))
    assert len(clock.sleeps) == 60
