"""What was asked of a service over HTTP and what it answered, kept for reports: without headers, secrets masked."""

from __future__ import annotations

import threading
from collections import deque
from dataclasses import dataclass

from .secrets import SECRETS

MOST = 2000
"""Exchanges that are kept; older ones are forgotten."""
LONGEST_BODY = 4000
"""Characters of a body that are kept."""


@dataclass(frozen=True)
class Exchange:
    """One request and its answer.

    Attributes:
        number: counts the exchanges of a run.
        status: of HTTP; 0 where no answer came, which `answer` then tells of.
        seconds: from the request until its answer was read, or was known not to come.
    """

    number: int
    method: str
    path: str
    status: int
    seconds: float
    sent: str = ""
    answer: str = ""


class Exchanges:
    """The newest exchanges of a run. Thread-safe."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._kept: deque[Exchange] = deque(maxlen=MOST)
        self._count = 0

    @property
    def count(self) -> int:
        """How many there were so far."""
        return self._count

    def note(self, method: str, path: str, status: int, seconds: float, *, sent: str = "", answer: str = "") -> None:
        """Keeps one, with bodies as texts; of longer ones the beginning."""
        texts = (beginning(SECRETS.redact(text), LONGEST_BODY) for text in (sent, answer))
        with self._lock:
            self._count += 1
            self._kept.append(Exchange(self._count, method, SECRETS.redact(path), status, seconds, *texts))

    def since(self, count: int) -> list[Exchange]:
        """Those that came after so many."""
        with self._lock:
            return [one for one in self._kept if one.number > count]


def beginning(text: str, most: int) -> str:
    """A text, or so many characters of it and how many are left out."""
    left_out = len(text) - most
    return text if left_out <= 0 else f"{text[:most]} and {left_out} characters more"


EXCHANGES = Exchanges()
