"""What all controllers share: a deduplicating queue of keys, worked off on the event loop in small portions."""

from __future__ import annotations

import asyncio
import logging
import time
from collections import deque
from collections.abc import Hashable
from typing import TYPE_CHECKING

from ..api.status import ApiError

if TYPE_CHECKING:
    from ..cluster import Cluster
    from ..kinds import Kind
    from ..store import Change

log = logging.getLogger("sandbox.controllers")

Key = tuple[str, str]
"""Namespace ("" for cluster-scoped objects) and name."""

_PORTION = 0.004
_CHEAP, _COST_SHARE, _LONGEST_GATHERING = 0.002, 4.0, 1.0
_FIRST_RETRY, _LAST_RETRY = 0.05, 10.0


def key_of(obj: dict[str, object]) -> Key:
    """Namespace and name of an object."""
    metadata = obj["metadata"]
    assert isinstance(metadata, dict)
    return metadata.get("namespace") or "", metadata["name"]


class Controller:
    """Brings objects of one kind to where their spec wants them. Subclasses state `kinds` and define `reconcile`."""

    def __init__(self, cluster: Cluster) -> None:
        self.cluster = cluster
        self.store = cluster.store
        self._queue: deque[Hashable] = deque()
        self._queued: set[Hashable] = set()
        self._later: dict[Hashable, asyncio.TimerHandle] = {}
        self._gathering: dict[Hashable, asyncio.TimerHandle] = {}
        self._costs: dict[Hashable, float] = {}
        self._failures: dict[Hashable, int] = {}
        self._draining: asyncio.Handle | None = None

    def kinds(self) -> tuple[Kind, ...]:
        """The kinds whose changes `changed` is called with."""
        raise NotImplementedError

    def changed(self, change: Change) -> None:
        """Queues what a change concerns; by default the object itself."""
        self.enqueue(key_of(change.object))

    def reconcile(self, key: Hashable) -> None:
        """Does what is left to do for a key. What it raises is logged and the key is tried again, ever later."""
        raise NotImplementedError

    def start(self) -> None:
        """Begins to follow the cluster's changes."""
        for kind in self.kinds():
            self.cluster.follow(kind, self.changed)

    def stop(self) -> None:
        """Ends all that is queued."""
        if self._draining:
            self._draining.cancel()
        for timer in (*self._later.values(), *self._gathering.values()):
            timer.cancel()
        self._later.clear()
        self._gathering.clear()
        self._queue.clear()
        self._queued.clear()

    def enqueue(self, key: Hashable) -> None:
        """Reconciles a key soon, once however often it is queued; one that took long waits a while for more changes."""
        if key in self._queued or key in self._gathering:
            return
        cost = self._costs.get(key, 0.0)
        if cost > _CHEAP:
            delay = min(cost * _COST_SHARE, _LONGEST_GATHERING)
            self._gathering[key] = asyncio.get_running_loop().call_later(delay, self._gathered, key)
            return
        self.enqueue_now(key)

    def _gathered(self, key: Hashable) -> None:
        self._gathering.pop(key, None)
        self.enqueue_now(key)

    def enqueue_now(self, key: Hashable) -> None:
        """Reconciles a key as soon as it is its turn."""
        if key in self._queued:
            return
        self._queued.add(key)
        self._queue.append(key)
        if self._draining is None:
            self._draining = asyncio.get_running_loop().call_soon(self._drain)

    def enqueue_after(self, key: Hashable, seconds: float) -> None:
        """Reconciles a key after a while; the last such call for a key counts."""
        self.cancel_later(key)
        self._later[key] = asyncio.get_running_loop().call_later(seconds, self._due, key)

    def cancel_later(self, key: Hashable) -> None:
        """Forgets a delayed key."""
        timer = self._later.pop(key, None)
        if timer:
            timer.cancel()

    def _due(self, key: Hashable) -> None:
        self._later.pop(key, None)
        self.enqueue(key)

    def _drain(self) -> None:
        end = time.monotonic() + _PORTION
        while self._queue and time.monotonic() < end:
            key = self._queue.popleft()
            self._queued.discard(key)
            begun = time.monotonic()
            self._try(key)
            self._note_cost(key, time.monotonic() - begun)
        self._draining = asyncio.get_running_loop().call_soon(self._drain) if self._queue else None

    def _note_cost(self, key: Hashable, seconds: float) -> None:
        if seconds > _CHEAP:
            self._costs[key] = seconds
        else:
            self._costs.pop(key, None)

    def _try(self, key: Hashable) -> None:
        try:
            self.reconcile(key)
        except ApiError as refused:
            # What a terminating namespace refuses is not wanted any more.
            if not _is_terminating(refused):
                self._failed(key)
        except Exception:
            self._failed(key)
        else:
            self._failures.pop(key, None)

    def _failed(self, key: Hashable) -> None:
        failures = self._failures[key] = self._failures.get(key, 0) + 1
        if failures > 2:
            log.exception("%s: %s failed %d times", type(self).__name__, key, failures)
        self.enqueue_after(key, min(_FIRST_RETRY * 2**failures, _LAST_RETRY))


def _is_terminating(refused: ApiError) -> bool:
    causes = (refused.status.get("details") or {}).get("causes") or []
    return any(cause.get("reason") == "NamespaceTerminating" for cause in causes)
