from __future__ import annotations

import pytest

from .figures import Figure, table


@pytest.mark.parametrize(("which", "value"), [("min", 1), ("median", 50.5), ("p95", 95), ("p99", 99), ("max", 100)])
def test_the_values_that_a_figure_shows(which: str, value: float) -> None:
    assert Figure("lag", range(1, 101)).at(which) == value


@pytest.mark.parametrize("which", ["min", "median", "p95", "p99", "max"])
def test_one_value_is_all_of_them(which: str) -> None:
    assert Figure("lag", [7.0]).at(which) == 7.0


def test_a_target_is_for_the_value_that_it_names() -> None:
    values = [1.0] * 9 + [5.0]
    assert Figure("lag", values, target=2.0).verdict == "met"
    assert Figure("lag", values, target=2.0, of="max").verdict == "MISSED"
    assert Figure("rate", values, target=2.0, least=True).verdict == "MISSED"
    assert Figure("told only", values).verdict == ""


def test_what_was_not_measured_says_so() -> None:
    lines = table([Figure("lag", [1.0], "ms"), Figure("gone", [], "ms")]).splitlines()
    assert len({len(line) for line in lines}) == 1
    assert "not measured" in lines[-1]
