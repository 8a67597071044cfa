"""A dump: the state of all containers of a pod at one moment, and what stands in its way."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from propagator_server.backend import BackendError, NotAnsweredError, Pod

from .. import kinds
from .helper import Helper

if TYPE_CHECKING:
    from ..cluster import Cluster
    from ..runtime import PodSnapshot

Object = dict[str, Any]

FREEZE_PER_BYTE = 1 / 400e6
"""The model of a freeze: processes stand for `Latencies.freeze`, and as long as it takes to copy their memory at
400 MB/s (300 MB: 0.75 s and a little; stock runtimes were measured at 1.35 s, CRIU's own part of it at 0.3 s)."""


def dump(cluster: Cluster, pod: Pod, helper: Helper) -> PodSnapshot:
    """The pod's state; its containers stand for the time of the freeze from now on.

    Raises:
        NotAnsweredError: the pod is gone: no helper finds it.
        BackendError: nothing of the pod runs, or CRIU refuses; nothing happened to the pod.
    """
    stored = cluster.store.get(kinds.POD, pod.namespace, pod.name)
    if not stored or stored["metadata"]["uid"] != pod.uid:
        raise NotAnsweredError(f"pod {pod.namespace}/{pod.name} is gone")
    if cluster.runtime.connections(pod.uid) and not helper.bears_connections:
        raise BackendError(
            f"failed to dump pod {pod.namespace}/{pod.name}: criu failed: type DUMP errno 0: Connected TCP socket, "
            "consider using --tcp-established option"
        )
    try:
        size = cluster.runtime.snapshot(pod.uid).size
        return cluster.runtime.snapshot(pod.uid, stored, freeze=cluster.latencies.freeze + size * FREEZE_PER_BYTE)
    except KeyError:
        raise BackendError(f"no container of pod {pod.namespace}/{pod.name} runs") from None


def claims_of(cluster: Cluster, pod: Object) -> tuple[Object, ...]:
    """The pod's claims as they can be made again: without what binds them to a volume of this cluster."""
    namespace = pod["metadata"]["namespace"]
    volumes = [each.get("persistentVolumeClaim") or {} for each in pod["spec"].get("volumes") or []]
    found = [cluster.store.get(kinds.PVC, namespace, each["claimName"]) for each in volumes if each]
    return tuple(_again(claim) for claim in found if claim)


def _again(claim: Object) -> Object:
    metadata = {"name": claim["metadata"]["name"], "namespace": claim["metadata"]["namespace"]}
    spec = {key: value for key, value in claim["spec"].items() if key != "volumeName"}
    return {"apiVersion": "v1", "kind": "PersistentVolumeClaim", "metadata": metadata, "spec": spec}
