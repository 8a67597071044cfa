"""Pods and nodes as the propagator knows them: those of registered clusters, with what late news does to them."""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any, TypeVar

from .backend import Backend, Node, Pod
from .clock import now
from .quirks import Quirks
from .store import Store, is_active

SILENT = timedelta(minutes=5)
"""Nodes that nothing was heard of for so long are not listed, and their pods neither (specs since December 2025)."""
SYNCED_EVERY = timedelta(seconds=1)
DELETED = "deleted"
Row = TypeVar("Row", Pod, Node)


class Inventory:
    """What the backend's clusters hold, through the propagator's eyes. `quirks` may be replaced at any time."""

    def __init__(self, backend: Backend, store: Store, quirks: Quirks) -> None:
        self._backend, self._store = backend, store
        self.quirks = quirks
        self._samples: dict[str, tuple[float, Sequence[Any]]] = {}
        self._seen: dict[str, tuple[datetime, Pod]] = {}

    async def pods(self, *, deleted: bool = False) -> list[Pod]:
        """The pods of registered clusters; `deleted`: also those that were there once, marked as such."""
        pods = await self._sample("pods", self._backend.pods)
        silent = {node.name for node in await self._backend.nodes() if _is_silent(node)}
        known = [pod for pod in pods if self._is_known(pod) and self._synced(pod.cluster_id)]
        there = {pod.uid for pod in pods}
        gone = [pod for uid, (_, pod) in self._seen.items() if uid not in there and self._synced(pod.cluster_id)]
        listed = [pod for pod in known if pod.node not in silent]
        return listed + [replace(pod, status=DELETED, ready=0) for pod in gone if deleted]

    async def nodes(self) -> list[Node]:
        """The nodes of registered clusters that something was heard of lately."""
        nodes = await self._sample("nodes", self._backend.nodes)
        return [node for node in nodes if self._synced(node.cluster_id) and not _is_silent(node)]

    async def find_pod(
        self, *, uid: str | None, namespace: str | None, name: str | None, cluster_id: str | None
    ) -> Pod | None:
        """The pod that is named, if it is in a registered cluster and known by now."""
        pod = await self._backend.find_pod(uid=uid, namespace=namespace, name=name, cluster_id=cluster_id)
        return pod if pod and self._synced(pod.cluster_id) and self._is_known(pod) else None

    async def _sample(self, name: str, ask: Callable[[], Awaitable[Sequence[Row]]]) -> Sequence[Row]:
        """What is there, or was when it was last looked at, not longer ago than lists may lag."""
        kept = self._samples.get(name)
        if kept is None or time.monotonic() - kept[0] >= self.quirks.lagging_lists:
            kept = self._samples[name] = (time.monotonic(), await ask())
        return kept[1]

    def _is_known(self, pod: Pod) -> bool:
        first, _ = self._seen.get(pod.uid, (now(), pod))
        self._seen[pod.uid] = (first, pod)
        return now() - (pod.created or first) >= timedelta(seconds=self.quirks.late_registration)

    def _synced(self, cluster_id: str) -> bool:
        cluster = self._store.cluster(cluster_id)
        if not cluster or not is_active(cluster):
            return False
        if not cluster.last_sync or now() - cluster.last_sync > SYNCED_EVERY:
            self._store.change_cluster(cluster_id, last_sync=now())
        return True


def _is_silent(node: Node) -> bool:
    return bool(node.heard and now() - node.heard > SILENT)
