"""What was asked of a service and what it answered, kept for reports: without headers, secrets masked."""

from __future__ import annotations

import threading
from collections import deque
from dataclasses import dataclass
from urllib.parse import parse_qsl, urlencode, urlsplit

from .secrets import SECRETS

PROPAGATOR, KUBERNETES, HELM = "the propagator", "Kubernetes", "Helm"
"""Who is asked."""
MOST = 4000
"""Exchanges that are kept; older ones are forgotten."""
MOST_CHARACTERS = 2_000_000
"""Characters of bodies that are kept of all of them together."""
LONGEST_BODY = 4000
"""Characters of a body that are kept."""
LONGEST_PATH = 300
TELLING = ("labelSelector", "fieldSelector", "container", "previous", "command")
"""What is kept of a query to Kubernetes; the rest is about versions, timeouts and the form of the answer."""


@dataclass(frozen=True)
class Exchange:
    """One request and its answer.

    Attributes:
        number: counts the exchanges of a run.
        status: of HTTP, 0 where no answer came, which `answer` then tells of; of Helm `ok` or `failed`.
        seconds: from the request until its answer was read, or was known not to come.
        to: who was asked: one of `PROPAGATOR`, `KUBERNETES`, `HELM`.
    """

    number: int
    method: str
    path: str
    status: int | str
    seconds: float
    sent: str = ""
    answer: str = ""
    to: str = PROPAGATOR

    @property
    def good(self) -> bool:
        """Whether it was answered, and not with an error."""
        return self.status == "ok" or (isinstance(self.status, int) and 100 < self.status < 300)


class Exchanges:
    """The newest exchanges of a run. Thread-safe."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._kept: deque[Exchange] = deque()
        self._count = self._characters = 0

    @property
    def count(self) -> int:
        """How many there were so far."""
        return self._count

    def note(
        self,
        method: str,
        path: str,
        status: int | str,
        seconds: float,
        *,
        sent: str = "",
        answer: str = "",
        unsaid: int = 0,
        to: str = PROPAGATOR,
    ) -> None:
        """Keeps one, with bodies as texts; of longer ones the beginning. `unsaid` characters followed the answer's."""
        body = beginning(SECRETS.redact(sent), LONGEST_BODY)
        said = beginning(SECRETS.redact(answer), LONGEST_BODY, unsaid)
        shown = beginning(SECRETS.redact(path), LONGEST_PATH)
        with self._lock:
            self._count += 1
            self._kept.append(Exchange(self._count, method, shown, status, seconds, body, said, to))
            self._characters += len(body) + len(said)
            while len(self._kept) > MOST or self._characters > MOST_CHARACTERS:
                oldest = self._kept.popleft()
                self._characters -= len(oldest.sent) + len(oldest.answer)

    def since(self, count: int) -> list[Exchange]:
        """Those that came after so many."""
        with self._lock:
            return [one for one in self._kept if one.number > count]


def path_of(url: str) -> str:
    """What tells a request to Kubernetes from others: its path, and of the query what selects."""
    parts = urlsplit(url)
    query = [(name, value) for name, value in parse_qsl(parts.query) if name in TELLING and value != "false"]
    return f"{parts.path}?{urlencode(query, safe='=,/:!() ')}" if query else parts.path


def beginning(text: str, most: int, unsaid: int = 0) -> str:
    """A text, or so many characters of it and how many are left out, with those `unsaid` that are not in it."""
    left_out = max(0, len(text) - most) + unsaid
    return text if not left_out else f"{text[:most]} and {left_out} characters more"


EXCHANGES = Exchanges()
