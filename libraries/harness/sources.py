"""What keyword libraries offer to tell when something has failed, so that a report has it without importing them."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass


@dataclass(frozen=True)
class Tale:
    """Something that can be told about a failure.

    Attributes:
        title: what it is; also the name of its file.
        tell: gives it as text for people, without secrets. It is called in a thread of its own, may raise, and should
            end by itself within some seconds: what takes longer than the diagnosis is left out.
    """

    title: str
    tell: Callable[[], str]


class Sources:
    """Everything that was offered, in the order of the first offer. Thread-safe."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._tales: dict[str, tuple[Tale, ...]] = {}

    def offer(self, key: str, *tales: Tale) -> None:
        """Offers what there is to tell about `key`, in place of what was offered before."""
        with self._lock:
            self._tales[key] = tales

    def withdraw(self, key: str) -> None:
        """There is nothing to tell about `key` any more."""
        with self._lock:
            self._tales.pop(key, None)

    def all(self) -> list[Tale]:
        """All of them."""
        with self._lock:
            return [tale for tales in self._tales.values() for tale in tales]


SOURCES = Sources()
