"""Lists that are taken apart while they come: of a long one no more is held than a piece, and what is kept of its rows.

A propagator lists all that was ever done there, and each of many threads may read such a list at the same time.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any, Generic, TypeVar

T = TypeVar("T")
Row = dict[str, Any]
Take = Callable[[Row], T | None]
"""What is kept of a row; nothing where it gives None."""

_DECODER = json.JSONDecoder()
_ENDS = frozenset(",:]} \t\n\r")
"""What may follow a value."""
_SPACE = re.compile(r"[ \t\n\r]*")


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
    text, listed = _Text(pieces), Listed[T]()
    try:
        if found := text.next_is("["):
            _take(text.items(), take, listed)
        elif text.next_is("{"):
            found = _read_page(text, name, take, listed)
        else:
            text.value()
        text.end()
    except (ValueError, RecursionError):
        raise NotAList("JSON") from None
    if not found:
        raise NotAList(f"an array or a page of {name}")
    return listed


def _read_page(text: _Text, name: str, take: Take[T], listed: Listed[T]) -> bool:
    """Reads it to its end; whether it had rows."""
    found = False
    for key in text.members():
        if key == name and text.next_is("["):
            found = True
            _take(text.items(), take, listed)
        elif key == "total_count":
            value = text.value()
            listed.total = value if isinstance(value, int) else None
        else:
            text.value()
    return found


def _take(rows: Iterable[Any], take: Take[T], listed: Listed[T]) -> None:
    for row in rows:
        if isinstance(row, dict):
            listed.count += 1
            if (kept := take(row)) is not None:
                listed.kept.append(kept)


class _Text:
    """JSON that comes in pieces; what is not read yet is held. Each method raises ValueError where it is none."""

    def __init__(self, pieces: Iterable[str]) -> None:
        self._pieces, self._text, self._at = iter(pieces), "", 0

    def next_is(self, mark: str) -> bool:
        """Whether that character comes next, which is passed then."""
        found = self._next() == mark
        self._at += found
        return found

    def value(self) -> Any:
        """The value that comes next."""
        self._next()
        while True:
            try:
                value, end = _DECODER.raw_decode(self._text, self._at)
            except ValueError:
                if not self._more():
                    raise
                continue
            # A number may go on in the next piece.
            if self._text[end : end + 1] in _ENDS or not self._more():
                self._at = end
                return value

    def items(self) -> Iterator[Any]:
        """The values of an array that has begun, to its end."""
        return self._until("]", self.value)

    def members(self) -> Iterator[str]:
        """The keys of an object that has begun, to its end; who gets one reads the value that follows."""
        return self._until("}", self._key)

    def end(self) -> None:
        """Nothing may follow."""
        if self._next():
            raise ValueError

    def _until(self, last: str, read: Callable[[], Any]) -> Iterator[Any]:
        if self.next_is(last):
            return
        while True:
            yield read()
            if self.next_is(last):
                return
            self._pass(",")

    def _key(self) -> str:
        if self._next() != '"':
            raise ValueError
        key = str(self.value())
        self._pass(":")
        return key

    def _pass(self, mark: str) -> None:
        if not self.next_is(mark):
            raise ValueError

    def _next(self) -> str:
        """The next character that is no space, or nothing at the end."""
        while True:
            space = _SPACE.match(self._text, self._at)
            self._at = space.end() if space else self._at
            if self._at < len(self._text):
                return self._text[self._at]
            if not self._more():
                return ""

    def _more(self) -> bool:
        """Takes as much again as is held, so that a long value is not begun anew with each of its pieces."""
        held = [self._text[self._at :]]
        least, came = len(held[0]), 0
        for piece in self._pieces:
            held.append(piece)
            came += len(piece)
            if came > least:
                break
        if came:
            self._text, self._at = "".join(held), 0
        return came > 0
