"""What the propagator tells when something has failed, for a report."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from operator import attrgetter
from typing import Any

from harness.sources import SOURCES, Tale

from .client import PropagatorClient

KEY = "propagator"
MOST = 200
"""Rows of each kind; of actions the newest."""


def offer(client: PropagatorClient) -> None:
    """Offers the rows of the propagator. The client should be one of its own: it is used in other threads."""
    SOURCES.offer(
        KEY,
        Tale("actions at the propagator", _telling(client.base_url, client.list_actions, _actions)),
        Tale("checkpoints at the propagator", _telling(client.base_url, client.list_checkpoints, _plain)),
        Tale("clusters at the propagator", _telling(client.base_url, client.list_clusters, _plain)),
        Tale("pods at the propagator", _telling(client.base_url, client.list_pods, _plain)),
    )


def _telling(
    url: str, read: Callable[[], Sequence[Any]], lines: Callable[[Sequence[Any]], Iterable[str]]
) -> Callable[[], str]:
    def tell() -> str:
        rows = read()
        shown = list(lines(rows))
        more = [f"and {len(rows) - len(shown)} more"] if len(rows) > len(shown) else []
        return "\n".join([f"{len(rows)} at {url}", *shown, *more]) + "\n"

    return tell


def _plain(rows: Sequence[Any]) -> Iterable[str]:
    return map(str, rows[:MOST])


def _actions(rows: Sequence[Any]) -> Iterable[str]:
    """The newest first, each with what it is about and its error."""
    for action in sorted(rows, key=attrgetter("started"), reverse=True)[:MOST]:
        facts = {
            "started": action.started,
            "completed": action.completed,
            "reason": action.reason,
            "checkpoints": ", ".join(action.checkpoint_ids),
            "error": action.error,
        }
        yield "; ".join([str(action), *(f"{name} {value}" for name, value in facts.items() if value)])
