"""Many pieces of work, a few at a time: all are done, in order of their items, whatever becomes of the others."""

from __future__ import annotations

import threading

import pytest

from harness.side_by_side import each


def test_what_became_of_each_comes_in_the_order_of_the_items() -> None:
    def work(number: int) -> int:
        if number % 3 == 0:
            raise ValueError(str(number))
        return number * 10

    outcomes = each(work, range(1, 8), at_once=3)
    assert [one.item for one in outcomes] == list(range(1, 8))
    assert [one.value for one in outcomes] == [10, 20, None, 40, 50, None, 70]
    assert [str(one.failure) for one in outcomes if not one.good] == ["3", "6"]


@pytest.mark.parametrize("at_once", [1, 3])
def test_no_more_are_at_work_than_may_be_and_no_fewer(at_once: int) -> None:
    full, lock, now, most = threading.Barrier(at_once), threading.Lock(), [0], [0]

    def work(_: int) -> None:
        with lock:
            now[0] += 1
            most[0] = max(most[0], now[0])
        full.wait(60)
        with lock:
            now[0] -= 1

    each(work, range(2 * at_once), at_once=at_once)
    assert most == [at_once]


def test_nothing_to_do_is_done() -> None:
    assert each(int, []) == []
