"""Before, during and after a checkpoint or restore, as seen by one activation: from its beginning on."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field

Begin = Callable[[], Callable[[], None]]


@dataclass(frozen=True)
class Moment:
    """A checkpoint or restore (`work`) of a pod has begun, or ended."""

    work: str
    ended: bool
    namespace: str
    pod: str


@dataclass
class Phase:
    """Whether a phase holds: before = none was asked for, during = one runs, after = one has ended and none runs."""

    name: str
    concerns: Callable[[str, str], bool]
    _begun: Counter[str] = field(default_factory=Counter)
    _ended: Counter[str] = field(default_factory=Counter)
    _watchers: list[Callable[[], None]] = field(default_factory=list)

    def note(self, moment: Moment) -> None:
        """Takes a moment in."""
        if self.concerns(moment.namespace, moment.pod):
            (self._ended if moment.ended else self._begun)[moment.work] += 1
            for watcher in list(self._watchers):
                watcher()

    @property
    def holds(self) -> bool:
        """Whether it is now; an unnamed phase is always."""
        if not self.name:
            return True
        when, _, work = self.name.partition("-")
        running = self._begun[work] - self._ended[work]
        return {"before": self._begun[work] == 0, "during": running > 0}.get(
            when, self._ended[work] > 0 and running == 0
        )

    def whenever(self, begin: Begin) -> Callable[[], None]:
        """Calls `begin` each time the phase comes and what it returned when it goes; returns what ends it all."""
        undo: list[Callable[[], None]] = []

        def look() -> None:
            if self.holds and not undo:
                undo.append(begin())
            elif not self.holds and undo:
                undo.pop()()

        def end() -> None:
            self._watchers.remove(look)
            if undo:
                undo.pop()()

        self._watchers.append(look)
        look()
        return end
