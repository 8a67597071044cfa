"""Lists that are taken apart while they come: of a long one no more is held than a piece, and what is kept of its rows.

A propagator lists all that was ever done there, and each of many threads may read such a list at the same time.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from itertools import chain
from typing import Any, Generic, TypeVar

import ijson

T = TypeVar("T")
Row = dict[str, Any]
Take = Callable[[Row], T | None]
"""What is kept of a row; nothing where it gives None."""
Event = tuple[str, Any]
"""What begins, ends or stands there, and its value."""

_DEEPER = {"start_map": 1, "start_array": 1, "end_map": -1, "end_array": -1}


class NotAList(Exception):
    """The text is something else than `wanted`, which are words."""

    def __init__(self, wanted: str) -> None:
        super().__init__(wanted)
        self.wanted = wanted


@dataclass
class Listed(Generic[T]):
    """What an array or a page held: how many rows, and how many there are in all (None: these)."""

    kept: list[T] = field(default_factory=list)
    count: int = 0
    total: int | None = None


def read_list(pieces: Iterable[str], name: str, take: Take[T]) -> Listed[T]:
    """Rows of an array or of a page `{name: [...], total_count}`; what is no object among them is passed over.

    Raises:
        NotAList: neither, or no JSON.
    """
    listed, pieces = Listed[T](), iter(pieces)
    text = ijson.from_iter(piece.encode() for piece in pieces if piece)
    events = ijson.basic_parse(text, use_float=True)
    try:
        first = next(events)
        if found := first[0] == "start_array":
            _take(_items(events), take, listed)
        elif first[0] == "start_map":
            found = _read_page(events, name, take, listed)
        for _ in events:  # what follows is an error
            pass
    except ijson.JSONError:
        deque(pieces, maxlen=0)  # who reads the answer tells how long it was
        raise NotAList("JSON") from None
    if not found:
        raise NotAList(f"an array or a page of {name}")
    return listed


def _read_page(events: Iterator[Event], name: str, take: Take[T], listed: Listed[T]) -> bool:
    """Reads it to its end; whether it had rows."""
    found = False
    for event, key in events:
        if event == "end_map":
            break
        first = next(events)
        if key == name and first[0] == "start_array":
            found = True
            _take(_items(events), take, listed)
            continue
        value = _value(first, events)
        if key == "total_count":
            listed.total = value if isinstance(value, int) else None
    return found


def _take(rows: Iterable[Any], take: Take[T], listed: Listed[T]) -> None:
    for row in rows:
        if isinstance(row, dict):
            listed.count += 1
            if (kept := take(row)) is not None:
                listed.kept.append(kept)


def _items(events: Iterator[Event]) -> Iterator[Any]:
    """The values of an array that has begun, to its end."""
    for first in events:
        if first[0] == "end_array":
            return
        yield _value(first, events)


def _value(first: Event, events: Iterator[Event]) -> Any:
    """The value that begins with that event."""
    builder, depth = ijson.ObjectBuilder(), 0
    for event in chain([first], events):
        builder.event(*event)
        depth += _DEEPER.get(event[0], 0)
        if not depth:
            break
    return builder.value
