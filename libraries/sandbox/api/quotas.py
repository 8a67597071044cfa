"""Keeps the status of ResourceQuotas: what is allowed and what is used, soon after objects come and go.

Source: Kubernetes pkg/controller/resourcequota.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

from ..kinds import RESOURCE_QUOTA
from ..kinds.strategy import dig
from ..store import Change
from . import limits
from .context import Call

if TYPE_CHECKING:
    from ..cluster import Cluster

Object = dict[str, Any]


class QuotaStatus:
    """Follows a cluster's store. One recalculation a namespace and turn of the event loop, however much changes."""

    def __init__(self, cluster: Cluster) -> None:
        self._cluster = cluster
        self._due: set[str] = set()
        self.close = cluster.store.subscribe(self._changed)

    def _changed(self, change: Change) -> None:
        namespace = change.object["metadata"].get("namespace")
        if not namespace or namespace in self._due or (change.type == "MODIFIED" and not _counts(change)):
            return
        if self._cluster.store.count(RESOURCE_QUOTA, namespace):
            self._due.add(namespace)
            asyncio.get_running_loop().call_soon(self._calculate, namespace)

    def _calculate(self, namespace: str) -> None:
        self._due.discard(namespace)
        store = self._cluster.store
        for quota in store.list(RESOURCE_QUOTA, namespace):
            hard = dig(quota, "spec.hard") or {}
            used = limits.used_in(Call(self._cluster, RESOURCE_QUOTA, namespace), hard)
            status = {"hard": dict(hard), "used": {name: limits.spelled(name, used[name]) for name in hard}}
            if (quota.get("status") or {}) != status:
                store.change(RESOURCE_QUOTA, namespace, quota["metadata"]["name"], _setter(status))


def _setter(status: Object) -> Any:
    def change(quota: Object) -> None:
        quota["status"] = status

    return change


def _counts(change: Change) -> bool:
    """Whether a change may change what is used: a quota's own, an end of a pod, another size."""
    old = change.old or {}
    if change.kind is RESOURCE_QUOTA or dig(old, "status.phase") == dig(change.object, "status.phase"):
        return bool(old.get("spec") != change.object.get("spec"))
    return True
