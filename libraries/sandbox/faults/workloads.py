"""Faults that befall the pods of users on their nodes."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

from aiohttp import web

from .. import kinds
from ..api.status import failure
from ..kinds import Kind
from ..runtime import Container
from ..runtime.images import PullError, normalized
from .activation import Activation
from .answers import Exchange
from .declaration import OBJECTS, REQUESTS, Declarations, Group, Injection
from .kubernetes import api, with_error
from .pods import Which, is_restored, is_workload, kill, whenever_ready
from .requests import of_kubernetes
from .scene import Scene, in_each_cluster

FAULTS = Declarations(Group.NODES, OBJECTS)
fails, tolerated = FAULTS.fails, FAULTS.tolerated
Object = dict[str, Any]
PULL_LIMIT = (
    "429 Too Many Requests - Server message: toomanyrequests: You have reached your unauthenticated pull rate limit."
)


def not_pulled(which: Which, why: Callable[[str], str]) -> Injection:
    """Images of such pods cannot be pulled; `why` gets the image's host."""

    async def inject(scene: Scene, active: Activation) -> None:
        def pull(pod: Object, spec: Object) -> None:
            if which(scene.cluster, pod) and active.takes_pod(pod):
                name = normalized(spec["image"])
                words = f'failed to pull and unpack image "{name}": failed to resolve reference "{name}"'
                raise PullError("ErrImagePull", f"rpc error: code = Unknown desc = {words}: {why(name.split('/')[0])}")

        active.on_list(scene.cluster.points.pull, pull)

    return in_each_cluster(inject)


def ends_at_once(which: Which, exit_code: int) -> Injection:
    """The processes of such pods end right after each start."""

    async def inject(scene: Scene, active: Activation) -> None:
        def started(pod: Object, _: Container) -> None:
            if which(scene.cluster, pod) and active.takes_pod(pod):
                asyncio.get_running_loop().call_soon(kill, scene.cluster, pod, exit_code)

        active.on_list(scene.cluster.points.started, started)

    return in_each_cluster(inject)


fails("image-pull", "image-pull-fails", "The registry refuses the workload's image: too many pulls.")(
    not_pulled(is_workload, lambda _: PULL_LIMIT)
)
fails("image-pull", "dns-failure", "The nodes' DNS fails, so that registries are not found.")(
    not_pulled(is_workload, lambda host: f"dial tcp: lookup {host} on 10.96.0.10:53: server misbehaving")
)
fails("crash-loop", "workload-crashes", "The workload's process ends right after each start.")(
    ends_at_once(is_workload, 1)
)


@fails(
    "out-of-memory",
    "workload-out-of-memory",
    "The kernel kills the workload's process for its use of memory.",
)
@in_each_cluster
async def _out_of_memory(scene: Scene, active: Activation) -> None:
    def started(pod: Object, container: Container) -> None:
        if is_workload(scene.cluster, pod) and active.takes_pod(pod):
            asyncio.get_running_loop().call_soon(oom, pod, container)

    def oom(pod: Object, container: Container) -> None:
        container.out_of_memory = True
        kill(scene.cluster, pod, 137)

    active.on_list(scene.cluster.points.started, started)


@fails("evicted", "restored-pod-evicted", "The kubelet evicts the restored pod right after it became Ready.", count=1)
@in_each_cluster
async def _evicted(scene: Scene, active: Activation) -> None:
    kubelet = scene.cluster.kubelet

    def evict(pod: Object) -> None:
        worker = kubelet.workers.get(pod["metadata"]["uid"])
        if worker:
            asyncio.get_running_loop().call_later(0.15, kubelet.evictions.evict, worker, "ephemeral-storage")

    whenever_ready(scene, active, is_restored, evict)


async def _unreachable(exchange: Exchange) -> web.StreamResponse:
    asked = of_kubernetes(exchange.request)
    message = f'error trying to reach service "{asked.name}": dial tcp 10.129.0.9:80: connect: connection refused'
    return await with_error(failure(503, "ServiceUnavailable", message))(exchange)


fails("service-unreachable", "service-unreachable", "No Service is reached, though its pods are Ready.")(
    api(_unreachable, lambda asked: asked.resource == "services/proxy")
)
tolerated("service-late", "Each Service answers only from the fourth request on.", count=3)(
    api(_unreachable, lambda asked: asked.resource == "services/proxy")
)
_NO_LOG = failure(
    500,
    "InternalError",
    'Internal error occurred: Get "https://10.200.0.10:10250/containerLogs": dial tcp 10.200.0.10:10250: '
    "connect: connection refused",
)
tolerated("logs-refused-for-a-while", "The kubelet refuses the first three requests for logs.", count=3)(
    api(with_error(_NO_LOG), lambda asked: asked.resource == "pods/log")
)
fails(
    "cluster-refused", "logs-refused", "The kubelet refuses every request for logs once a checkpoint has been taken.",
    limits=REQUESTS, phase="after-checkpoint",
)(api(with_error(_NO_LOG), lambda asked: asked.resource == "pods/log"))  # fmt: skip


@fails("stuck-terminating", "pod-stuck-terminating", "The workload's pods have a finalizer that nobody takes away.")
@in_each_cluster
async def _stuck(scene: Scene, active: Activation) -> None:
    held = "storage.example.com/detach"

    def admit(kind: Kind, obj: Object) -> None:
        if kind is kinds.POD and is_workload(scene.cluster, obj) and active.takes_pod(obj):
            obj["metadata"].setdefault("finalizers", []).append(held)

    def release() -> None:
        for pod in scene.cluster.store.list(kinds.POD):
            if held in (pod["metadata"].get("finalizers") or []):
                release_finalizer(scene, kinds.POD, pod, held)

    active.on_list(scene.cluster.points.admit, admit)
    active.stack.callback(release)


def release_finalizer(scene: Scene, kind: Kind, obj: Object, finalizer: str) -> None:
    """Takes a finalizer away, as its owner does; an object that waited for it goes."""
    store, metadata = scene.cluster.store, obj["metadata"]

    def change(stored: Object) -> None:
        stored["metadata"]["finalizers"] = [one for one in metadata["finalizers"] if one != finalizer]

    changed = store.change(kind, metadata.get("namespace"), metadata["name"], change)
    if changed and metadata.get("deletionTimestamp") and not changed["metadata"]["finalizers"]:
        store.remove(kind, metadata.get("namespace"), metadata["name"])
