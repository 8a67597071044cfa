"""How times are told."""

import pytest

from harness.durations import lasting


@pytest.mark.parametrize(
    ("seconds", "words"),
    [
        (0, "0 s"),
        (0.004, "0 s"),
        (0.254, "0.25 s"),
        (0.3, "0.3 s"),
        (0.999, "1 s"),
        (3.81, "3.8 s"),
        (9.96, "10 s"),
        (15.0, "15 s"),
        (24.2795, "24 s"),
        (120, "120 s"),
    ],
)
def test_a_time_has_as_many_figures_as_tell_something(seconds, words):
    assert lasting(seconds) == words
