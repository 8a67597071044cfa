"""Rows by id, with what they were a while ago: lists of the real service may lag behind."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from typing import Any, Generic, TypeVar

from .quirks import LONGEST

Row = TypeVar("Row")


class Table(Generic[Row]):
    """Rows of one kind in the order of creation. `changed` is called after each change, with None for a removal."""

    def __init__(
        self, clock: Callable[[], float] = time.monotonic, changed: Callable[[Any, Any], None] = lambda _old, _new: None
    ) -> None:
        self._clock, self._changed = clock, changed
        self._rows: dict[str, Row] = {}
        self._versions: dict[str, list[tuple[float, Row | None]]] = {}

    def get(self, key: str) -> Row | None:
        return self._rows.get(key)

    def put(self, key: str, row: Row) -> Row:
        """Adds a row, or puts it in the place of the one with the same id."""
        old = self._rows.get(key)
        self._rows[key] = row
        self._note(key, row)
        self._changed(old, row)
        return row

    def remove(self, key: str) -> None:
        old = self._rows.pop(key)
        self._note(key, None)
        self._changed(old, None)

    def rows(self, ago: float = 0.0) -> Sequence[Row]:
        """Every row, as of so many seconds ago."""
        if ago <= 0:
            return list(self._rows.values())
        then = self._clock() - ago
        found = (_at(versions, then) for versions in self._versions.values())
        return [row for row in found if row is not None]

    def _note(self, key: str, row: Row | None) -> None:
        now = self._clock()
        versions = self._versions.setdefault(key, [])
        versions.append((now, row))
        while len(versions) > 1 and versions[1][0] < now - LONGEST:
            versions.pop(0)
        if row is None:
            for gone in [each for each, past in self._versions.items() if past[-1][0] < now - LONGEST]:
                if gone not in self._rows:
                    del self._versions[gone]


def _at(versions: Sequence[tuple[float, Row | None]], then: float) -> Row | None:
    return next((row for moment, row in reversed(versions) if moment <= then), None)
