"""Emulated clusters as what a propagator works on.

Where the real service is silent, so is this: a request that no Ready helper on the pod's node takes up is never
answered, so its action never ends. A pod is known only in a cluster whose cedana-config names a registered cluster id.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from propagator_server.backend import (
    BackendError,
    CheckpointRequest,
    ContainerCheckpoint,
    Node,
    NotAnsweredError,
    Pod,
    RestoreRequest,
)

from .. import kinds
from ..api import objects
from ..api.status import ApiError
from .installation import Installation, installation_in
from .interfering import Interference, RestorePlan
from .restored import restored_pod
from .rows import node_row, pod_row

if TYPE_CHECKING:
    from ..cluster import Cluster
    from ..runtime import PodSnapshot

FREEZE_LEAST = 0.02
FREEZE_PER_BYTE = 1 / 400e6
"""A model: processes stand for 20 ms, and as long as it takes to copy their memory at 400 MB/s."""
NAME_VARIABLE = "CEDANA_CHECKPOINT"


@dataclass(frozen=True)
class Saved:
    """A checkpoint: the containers' state at one moment, and which cluster it is of."""

    snapshot: PodSnapshot
    cluster_id: str
    checkpoint_ids: tuple[str, ...]


class EmulatedBackend:
    """The clusters that share one propagator."""

    def __init__(self, clusters: Sequence[Cluster]) -> None:
        self._clusters = clusters
        self._saved: dict[str, Saved] = {}
        self.interference = Interference()

    async def find_pod(
        self, *, uid: str | None = None, namespace: str | None = None, name: str | None = None, cluster_id: str | None
    ) -> Pod | None:
        """The first pod that fits."""
        for pod in await self.pods():
            named = pod.uid == uid if uid else (pod.namespace, pod.name) == (namespace, name)
            if named and cluster_id in (None, pod.cluster_id):
                return pod
        return None

    async def pods(self) -> Sequence[Pod]:
        """Every pod of every cluster with Cedana."""
        return [
            pod_row(pod, each.cluster_id)
            for each in self._installations()
            for pod in each.cluster.store.list(kinds.POD)
        ]

    async def nodes(self) -> Sequence[Node]:
        """Every node of every cluster with Cedana."""
        return [
            node_row(node, each.cluster_id)
            for each in self._installations()
            for node in each.cluster.store.list(kinds.NODE)
        ]

    async def checkpoint(self, request: CheckpointRequest) -> Sequence[ContainerCheckpoint]:
        """Takes all containers at one moment; the second half of the time is that of the upload."""
        if request.kind != "simple":
            raise BackendError(f"checkpoints of kind {request.kind!r} are not emulated; kind 'simple' is")
        there = self._installation(request.pod.cluster_id)
        if not there.helper_is_ready(request.pod.node):
            raise NotAnsweredError(f"no Ready Cedana helper on node {request.pod.node or '(none)'}")
        await asyncio.sleep(there.cluster.latencies.checkpoint / 2)
        snapshot = self.interference.keep(request, _snapshot(there.cluster, request.pod))
        request.created()
        await asyncio.sleep(there.cluster.latencies.checkpoint / 2)
        self._saved[request.action_id] = Saved(snapshot, request.pod.cluster_id, request.checkpoint_ids)
        return [
            _container(snapshot, name, checkpoint_id)
            for name, checkpoint_id in zip(request.pod.containers, request.checkpoint_ids, strict=True)
        ]

    async def restore(self, request: RestoreRequest) -> Pod:
        """Creates the pod through the cluster's API, as the manager does, with the saved state staged for it."""
        saved = self._saved.get(request.checkpoint_action_id)
        if not saved:
            raise BackendError(f"nothing is stored for checkpoint action {request.checkpoint_action_id}")
        there = self._installation(request.cluster_id or saved.cluster_id)
        if not there.manager_is_ready():
            raise NotAnsweredError("no Ready Cedana manager")
        await asyncio.sleep(there.cluster.latencies.restore)
        plan = RestorePlan(there.cluster, restored_pod(saved.snapshot.pod, request.pod_name), saved.snapshot)
        plan = self.interference.plan(request, plan)
        try:
            created = objects.create(there.cluster, kinds.POD, plan.pod)
        except ApiError as refused:
            raise BackendError(f"failed to create the restored pod: {refused}") from refused
        if plan.snapshot:
            there.cluster.runtime.stage(created["metadata"]["uid"], plan.snapshot)
        return pod_row(created, there.cluster_id)

    async def forget(self, checkpoint_id: str) -> None:
        """Drops what was saved; a pod needs all of its containers' checkpoints, so that one takes the others along."""
        for action_id, saved in list(self._saved.items()):
            if checkpoint_id in saved.checkpoint_ids:
                del self._saved[action_id]

    def _installations(self) -> list[Installation]:
        found = (installation_in(cluster) for cluster in self._clusters)
        return [each for each in found if each]

    def _installation(self, cluster_id: str) -> Installation:
        for each in self._installations():
            if each.cluster_id == cluster_id:
                return each
        raise NotAnsweredError(f"no cluster's Cedana has the cluster id {cluster_id}")


def _snapshot(cluster: Cluster, pod: Pod) -> PodSnapshot:
    stored = cluster.store.get(kinds.POD, pod.namespace, pod.name)
    if not stored or stored["metadata"]["uid"] != pod.uid:
        raise NotAnsweredError(f"pod {pod.namespace}/{pod.name} is gone")
    try:
        size = cluster.runtime.snapshot(pod.uid).size
        return cluster.runtime.snapshot(pod.uid, stored, freeze=FREEZE_LEAST + size * FREEZE_PER_BYTE)
    except KeyError:
        raise NotAnsweredError(f"no container of pod {pod.namespace}/{pod.name} runs") from None


def _container(snapshot: PodSnapshot, name: str, checkpoint_id: str) -> ContainerCheckpoint:
    taken = snapshot.containers.get(name)
    spec: dict[str, Any] = next(each for each in snapshot.pod["spec"]["containers"] if each["name"] == name)
    named = next((each.get("value") for each in spec.get("env", []) if each["name"] == NAME_VARIABLE), None)
    return ContainerCheckpoint(name, f"cedana://{checkpoint_id}", taken.size if taken else 0, named)
