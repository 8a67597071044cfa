"""The sandbox's journal as a trigger: a moment of a run is the n-th request of a kind, answered."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Any

import requests

from harness.waiting import Done, Look, Pace, Pending, wait_until

PACE = Pace(least=0.01, share=0.0, most=0.01)


@dataclass(frozen=True)
class Request:
    """A kind of request, and which one of them is meant.

    Attributes:
        verb: HTTP method.
        path: regular expression for the whole path.
        query: regular expression for a part of the query.
        client: what the user agent begins with.
        nth: counted from 1, after the requests that stand before this one in a `Moment`.
    """

    verb: str
    path: str
    query: str = ""
    client: str = ""
    nth: int = 1

    def fits(self, entry: dict[str, Any]) -> bool:
        """Whether a journal's entry is of this kind."""
        return (
            entry["verb"] == self.verb
            and entry["client"].startswith(self.client)
            and re.fullmatch(self.path, entry["path"]) is not None
            and re.search(self.query, entry["query"]) is not None
        )

    def __str__(self) -> str:
        return f"{self.verb} {self.path}{f'?{self.query}' if self.query else ''} number {self.nth}"


@dataclass(frozen=True)
class Moment:
    """A moment of a run: these requests have been answered, each after the one before it."""

    name: str
    requests: tuple[Request, ...]

    def reached(self, entries: Sequence[dict[str, Any]]) -> bool:
        """Whether the entries, in the order of their answers, have got there."""
        rest = iter(entries)
        return all(len(list(islice(filter(each.fits, rest), each.nth))) == each.nth for each in self.requests)

    def __str__(self) -> str:
        return f"{self.name} ({', then '.join(map(str, self.requests))})"


class Journal:
    """The journal of one sandbox."""

    def __init__(self, admin_url: str) -> None:
        self._url = f"{admin_url}/journal"
        self._session = requests.Session()
        self._session.trust_env = False

    def since(self, began: float) -> list[dict[str, Any]]:
        """The requests that came at or after that Unix time."""
        entries = self._session.get(self._url, params={"since": began, "kinds": "request"}, timeout=60).json()
        return [entry for entry in entries if entry["time"] >= began and entry.get("kind", "request") == "request"]

    def wait_for(self, moment: Moment, *, began: float, timeout: float) -> None:
        """Waits until a run that began then, as a Unix time, has got there; `timeout` in seconds."""

        def look() -> Look[None]:
            entries = self.since(began)
            return Done(None) if moment.reached(entries) else Pending(f"{len(entries)} requests")

        wait_until(look, timeout=timeout, expected=f"the run to reach: {moment}", pace=PACE)
