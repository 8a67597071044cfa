from __future__ import annotations

import pytest

from .floor import Needed, read


def pod(time: float, name: str, state: str = "there", ready: bool = False) -> dict[str, object]:
    return {"kind": "pod", "time": time, "name": name, "state": state, "ready": ready}


JOURNAL = [
    pod(10, "test-nginx"),
    pod(10.5, "test-nginx-control"),
    pod(13, "test-nginx", ready=True),
    {"kind": "action", "time": 14, "id": "a"},
    {"kind": "action", "time": 18, "id": "a"},
    pod(20, "test-nginx-control", ready=True),
    {"kind": "action", "time": 22, "id": "a"},
    pod(23, "test-nginx", "ending", ready=True),
    pod(23.5, "test-nginx", "deleted"),
    {"kind": "action", "time": 24, "id": "b"},
    pod(30, "test-nginx-restored"),
    {"kind": "action", "time": 30, "id": "b"},
    pod(33, "test-nginx-restored", ready=True),
    pod(38, "test-nginx-restored", "ending", ready=True),
]


def test_each_part_of_a_lifecycle_is_told() -> None:
    found = read(JOURNAL)
    assert found == Needed(start=3, checkpoint=8, deletion=0.5, restore=6, ready=3)
    assert found.total == pytest.approx(20.5)


def test_what_did_not_take_place_needed_nothing() -> None:
    assert read(JOURNAL[:3]).total == 3
    assert read([]).total == 0
