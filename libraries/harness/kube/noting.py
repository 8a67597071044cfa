"""Requests to Kubernetes as reports show them: no bodies, as Secrets are among them, but the server's refusals."""

from __future__ import annotations

import json
import re
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from typing import Any

from ..exchanges import EXCHANGES, KUBERNETES, path_of
from .errors import plain

STREAM = "open"
"""Stands for the status of a websocket, as of exec and port-forward: the client tells none that went well."""
_WATCH = re.compile(r"[?&]watch=true", re.IGNORECASE)


@contextmanager
def noted(method: str, url: str) -> Iterator[Callable[[Any], None]]:
    """Around a call, which is noted when it has an answer, or fails; a watch is noted at its end, by who reads it."""
    begun = time.monotonic()
    watch = bool(_WATCH.search(url))

    def note(status: int | str, words: str = "") -> None:
        seconds = time.monotonic() - begun
        EXCHANGES.note("WATCH" if watch else method, path_of(url), status, seconds, answer=words, to=KUBERNETES)

    def answered(answer: Any) -> None:
        status = getattr(answer, "status", STREAM)
        if not (watch and status == 200):
            note(status, _words(answer) if isinstance(status, int) and status >= 400 else "")

    try:
        yield answered
    except Exception as failed:
        note(getattr(failed, "status", None) or 0, plain(failed))
        raise


class Watched:
    """A list call that is watched, which comes to one line: with how many events there were.

    Args:
        list_call: a list method of the official client with its arguments bound.
    """

    def __init__(self, list_call: Callable[..., Any]) -> None:
        self._list_call, self._begun = list_call, time.monotonic()
        self._answer: Any = None
        self._events = 0

    def __call__(self, **options: Any) -> Any:
        """The call."""
        self._answer = self._list_call(**options)
        return self._answer

    def counted(self, events: Iterable[Any]) -> Iterator[Any]:
        """The events as they come."""
        for event in events:
            self._events += 1
            yield event

    def note(self) -> None:
        """The watch is over; one that was refused is noted already."""
        if self._answer is not None:
            told = f"{self._events} event{'' if self._events == 1 else 's'}"
            path, seconds = path_of(self._answer.url or ""), time.monotonic() - self._begun
            EXCHANGES.note("WATCH", path, self._answer.status, seconds, answer=told, to=KUBERNETES)


def _words(answer: Any) -> str:
    """The message of a refusal, where it was read already: who asked is to find it as it came."""
    try:
        return str(json.loads(getattr(answer, "data", None) or "{}").get("message", ""))
    except (ValueError, AttributeError):
        return ""
