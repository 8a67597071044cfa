"""What happened to actions, for `GET /events`.

The specs name the fields of an event and no more; that there is one for the begin and one for the end of each action,
and what stands in them, is inferred.
"""

from __future__ import annotations

from collections import deque
from typing import Any

from .clock import now
from .records import Action, Event

KEPT = 10_000


class Events:
    """The latest events; `changed` is an observer of the store."""

    def __init__(self) -> None:
        self._events: deque[Event] = deque(maxlen=KEPT)
        self._number = 0

    def changed(self, old: Any, new: Any) -> None:
        """Notes the begin and the end of actions."""
        if not isinstance(new, Action):
            return
        begun, ended = old is None, new.ended and not (old and old.status is new.status)
        if begun or ended:
            self._number += 1
            self._events.append(Event(self._number, now(), new))

    def latest(self, seconds: int) -> list[Event]:
        """Those of so many last seconds, oldest first."""
        moment = now()
        return [event for event in self._events if (moment - event.at).total_seconds() <= seconds]
