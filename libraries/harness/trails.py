"""The steps of a witness as they go from its verdict to reports: a run may have hundreds of thousands of them."""

from __future__ import annotations

from array import array
from collections.abc import Iterable, Iterator, Sequence
from typing import overload

TrailStep = tuple[float, int, str]
"""When a step was printed (seconds since 1970, node's clock), its number, and whose it is."""
SOURCE, OWN, OTHER = WHOSE = ("source", "own", "other")


class Trail(Sequence[TrailStep]):
    """Steps in the order of time, each of which takes 17 bytes. Equal to any sequence of the same steps.

    Args:
        steps: each is the source's, the restored process's own, or one of another nonce: `source`, `own`, `other`.
    """

    def __init__(self, steps: Iterable[TrailStep] = ()) -> None:
        self._moments, self._numbers, self._whose = array("d"), array("q"), bytearray()
        for moment, number, whose in steps:
            self._moments.append(moment)
            self._numbers.append(number)
            self._whose.append(WHOSE.index(whose))

    def __len__(self) -> int:
        return len(self._numbers)

    def __iter__(self) -> Iterator[TrailStep]:
        names = (WHOSE[one] for one in self._whose)
        return zip(self._moments, self._numbers, names, strict=True)

    @overload
    def __getitem__(self, at: int) -> TrailStep: ...

    @overload
    def __getitem__(self, at: slice) -> list[TrailStep]: ...

    def __getitem__(self, at: int | slice) -> TrailStep | list[TrailStep]:
        if isinstance(at, slice):
            return list(self)[at]
        return self._moments[at], self._numbers[at], WHOSE[self._whose[at]]

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Sequence) and list(self) == list(other)

    def __hash__(self) -> int:
        return hash(tuple(self))

    def __repr__(self) -> str:
        return f"<{len(self)} steps>"  # Robot Framework shows each argument
