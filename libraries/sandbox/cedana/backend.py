"""Emulated clusters as what a propagator works on.

Where the real service is silent, so is this: a request that no Ready helper on the pod's node takes up is never
answered, so its action never ends, and so is one for a cluster whose Cedana does not reach the propagator. One for a
pod of which nothing runs is answered with an error here; helpers of 2025 were silent then, too (fault
`checkpoint-of-nothing-never-ends`). A pod is known only in a cluster whose Cedana knows its cluster id: cedana-config
names it, or the manager has registered the cluster itself.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import replace
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
from propagator_server.rows import LEASES, node_row, pod_row

from .. import kinds
from ..api import objects
from ..api.status import ApiError
from .dump import claims_of, dump
from .helper import Helper
from .installation import Installation, installation_in
from .interfering import Interference, RestorePlan
from .restored import restored_pod
from .saved import Saved, container_checkpoint, lasting_containers

if TYPE_CHECKING:
    from ..cluster import Cluster
    from ..runtime import PodSnapshot


class EmulatedBackend:
    """The clusters that share one propagator: what is taken in one can be restored in any of them.

    Attributes:
        helper: how the helpers are set; may be replaced at any time.
        interference: what is to go wrong.
    """

    def __init__(
        self,
        clusters: Sequence[Cluster],
        helper: Helper | None = None,
        identify: Callable[[Cluster], str] = lambda _cluster: "",
    ) -> None:
        self._clusters, self._identify = clusters, identify
        self._saved: dict[str, Saved] = {}
        self.helper = helper or Helper()
        self.interference = Interference()

    def saved(self, action_id: str) -> PodSnapshot | None:
        """What a checkpoint action saved, as long as it is stored."""
        kept = self._saved.get(action_id)
        return kept.snapshot if kept else None

    async def find_pod(
        self, *, uid: str | None = None, namespace: str | None = None, name: str | None = None, cluster_id: str | None
    ) -> Pod | None:
        """The first pod that fits."""
        for known, there in self._installations():
            if cluster_id not in (None, known):
                continue
            store = there.cluster.store
            if uid:
                found = next((pod for pod in store.list(kinds.POD) if pod["metadata"]["uid"] == uid), None)
            else:
                found = store.get(kinds.POD, namespace, name) if namespace and name else None
            if found:
                return _row(found, known)
        return None

    async def pods(self) -> Sequence[Pod]:
        """Every pod of every cluster with Cedana."""
        return [
            _row(pod, cluster_id)
            for cluster_id, there in self._installations()
            for pod in there.cluster.store.list(kinds.POD)
        ]

    async def nodes(self) -> Sequence[Node]:
        """Every node of every cluster with Cedana."""
        return [
            node_row(node, cluster_id, there.cluster.store.get(kinds.LEASE, LEASES, node["metadata"]["name"]))
            for cluster_id, there in self._installations()
            for node in there.cluster.store.list(kinds.NODE)
        ]

    async def checkpoint(self, request: CheckpointRequest) -> Sequence[ContainerCheckpoint]:
        """Takes all containers at one moment; the second half of the time is that of the upload."""
        if request.kind != "simple":
            raise BackendError(f"checkpoints of kind {request.kind!r} are not emulated; kind 'simple' is")
        if not request.pod.node:
            raise BackendError(f"pod {request.pod.namespace}/{request.pod.name} is on no node yet")
        there = self._helped(request.pod)
        with there.helper_at_work(request.pod.node):
            snapshot = await self._dumped(there, request)
        claims = claims_of(there.cluster, snapshot.pod)
        self._saved[request.action_id] = Saved(snapshot, request.pod.cluster_id, request.checkpoint_ids, claims)
        return [
            container_checkpoint(snapshot, name, checkpoint_id)
            for name, checkpoint_id in zip(request.pod.containers, request.checkpoint_ids, strict=True)
        ]

    async def _dumped(self, there: Installation, request: CheckpointRequest) -> PodSnapshot:
        await asyncio.sleep(there.cluster.latencies.checkpoint / 2)
        helper = self.helper.overridden(request.overrides.get("criu_opts") or {})
        snapshot = self.interference.keep(request, dump(there.cluster, request.pod, helper))
        await asyncio.sleep(snapshot.freeze)
        there = self._helped(request.pod)
        request.created(asynchronous=_is_asynchronous(there, request))
        await asyncio.sleep(there.cluster.latencies.checkpoint / 2)
        self._helped(request.pod)
        return snapshot

    async def restore(self, request: RestoreRequest) -> Pod:
        """Creates the pod through the cluster's API, as the manager does, with the saved state staged for it."""
        saved = self._saved.get(request.checkpoint_action_id)
        if not saved:
            raise BackendError(f"nothing is stored for checkpoint action {request.checkpoint_action_id}")
        cluster_id = request.cluster_id or saved.cluster_id
        await asyncio.sleep(self._managed(cluster_id).cluster.latencies.restore)
        there = self._managed(cluster_id)
        pod = restored_pod(saved.snapshot.pod, request.pod_name, request.uploaded)
        plan = self.interference.plan(request, RestorePlan(there.cluster, pod, saved.snapshot))
        created = _create(there.cluster, plan.pod, saved)
        if plan.snapshot:
            there.cluster.runtime.stage(created["metadata"]["uid"], plan.snapshot)
        return _row(created, cluster_id)

    async def forget(self, checkpoint_id: str) -> None:
        """Drops what was saved; a pod needs all of its containers' checkpoints, so that one takes the others along."""
        for action_id, saved in list(self._saved.items()):
            if checkpoint_id in saved.checkpoint_ids:
                del self._saved[action_id]

    def stored(self) -> dict[str, int]:
        """Bytes that are stored, by the action that saved them."""
        return {action_id: saved.snapshot.size for action_id, saved in self._saved.items()}

    def _installations(self) -> list[tuple[str, Installation]]:
        found = (installation_in(cluster) for cluster in self._clusters)
        named = [(each.cluster_id or self._identify(each.cluster), each) for each in found if each]
        return [(cluster_id, each) for cluster_id, each in named if cluster_id]

    def _helped(self, pod: Pod) -> Installation:
        """The installation, as long as a helper works on the pod's node: one that goes answers no more."""
        there = self._installation(pod.cluster_id)
        if not there.helper_is_ready(pod.node):
            raise NotAnsweredError(f"no Ready Cedana helper on node {pod.node or '(none)'}")
        return there

    def _managed(self, cluster_id: str) -> Installation:
        """The installation, as long as a manager works there."""
        there = self._installation(cluster_id)
        if not there.manager_is_ready():
            raise NotAnsweredError("no Ready Cedana manager")
        return there

    def _installation(self, cluster_id: str) -> Installation:
        for known, there in self._installations():
            if known == cluster_id:
                if not there.reaches_propagator:
                    raise NotAnsweredError(f"Cedana of cluster {cluster_id} does not reach this propagator")
                return there
        raise NotAnsweredError(f"no cluster's Cedana has the cluster id {cluster_id}")


def _row(pod: dict[str, Any], cluster_id: str) -> Pod:
    """A pod's row. Native sidecars are checkpointed with the others."""
    names = tuple(each["name"] for each in lasting_containers(pod))
    return replace(pod_row(pod, cluster_id), containers=names)


def _is_asynchronous(there: Installation, request: CheckpointRequest) -> bool:
    """What the request says, or else the chart's value checkpointAsync."""
    asked = request.overrides.get("asynchronous")
    return there.config.get("checkpoint-async") == "true" if asked is None else bool(asked)


def _create(cluster: Cluster, pod: dict[str, Any], saved: Saved) -> dict[str, Any]:
    """The pod, after the claims that it needs and that the cluster does not have. Raises BackendError."""
    try:
        for claim in saved.claims:
            metadata = claim["metadata"]
            if cluster.store.get(kinds.PVC, metadata["namespace"], metadata["name"]) is None:
                objects.create(cluster, kinds.PVC, claim)
        return objects.create(cluster, kinds.POD, pod)
    except ApiError as refused:
        raise BackendError(f"failed to create the restored pod: {refused}") from refused
