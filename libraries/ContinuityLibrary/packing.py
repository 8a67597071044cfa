"""Logs at rest: what many observed workloads take while nobody looks at them."""

from __future__ import annotations

from array import array
from collections.abc import Iterator, Sequence
from typing import overload

from . import witness
from .logs import LogLine, Printed
from .witness import Step

NO_STEP = Step(0, "", "0")
FARTHEST_STAMP = 2**63 - 1
"""Of the year 2262."""


class Packed(Sequence[LogLine]):
    """The lines of a log, of which each step of its witness takes 25 bytes instead of four hundred.

    A line that is no step of the first nonce is kept as it is. The lines are made anew whenever they are asked for.
    """

    def __init__(self, lines: Sequence[LogLine]) -> None:
        self._others: dict[int, LogLine] = {}
        self._stamps, self._numbers, self._chains = array("q"), array("q"), array("Q")
        self._right = bytearray()
        self._nonce = next((line.printed.step.nonce for line in lines if line.printed), "")
        for line in lines:
            self._add(line)

    def _add(self, line: LogLine) -> None:
        stamp, step = line.stamp, line.printed.step if line.printed else NO_STEP
        if step.nonce != self._nonce or witness.written(step) != line.text or abs(stamp) > FARTHEST_STAMP:
            self._others[len(self._stamps)] = line
            stamp, step = 0, NO_STEP
        self._stamps.append(stamp)
        self._numbers.append(step.number)
        self._chains.append(int(step.chain, 16))
        self._right.append(step is not NO_STEP and witness.follows(step))

    def __len__(self) -> int:
        return len(self._stamps)

    def __iter__(self) -> Iterator[LogLine]:
        return map(self._line, range(len(self)))

    @overload
    def __getitem__(self, at: int) -> LogLine: ...

    @overload
    def __getitem__(self, at: slice) -> tuple[LogLine, ...]: ...

    def __getitem__(self, at: int | slice) -> LogLine | tuple[LogLine, ...]:
        places = range(len(self))[at]
        return self._line(places) if isinstance(places, int) else tuple(map(self._line, places))

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Sequence) and len(self) == len(other) and tuple(self) == tuple(other)

    def __hash__(self) -> int:
        return hash(tuple(self))

    def _line(self, at: int) -> LogLine:
        if at in self._others:
            return self._others[at]
        step = Step(self._numbers[at], self._nonce, f"{self._chains[at]:016x}")
        witness.know(step, right=bool(self._right[at]))
        return LogLine.of(Printed(self._stamps[at], step))
