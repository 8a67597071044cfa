"""What faults do with pods of the emulated cluster."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from .. import kinds
from ..cedana.installation import is_ready
from ..runtime import Container
from ..store import Change

if TYPE_CHECKING:
    from ..cluster import Cluster
    from .activation import Activation
    from .scene import Scene

Object = dict[str, Any]
Which = Callable[["Cluster", Object], bool]
SYSTEM = ("kube-system", "kube-public", "kube-node-lease", "cedana-system", "cedana-systems")


def is_restored(cluster: Cluster, pod: Object) -> bool:
    """Whether its containers start from a checkpoint."""
    held = cluster.runtime.pods.get(pod["metadata"]["uid"])
    return held is not None and held.origin is not None


def is_workload(_: Cluster, pod: Object) -> bool:
    """Whether it is a pod of a user: no part of the system or of Cedana."""
    return pod["metadata"]["namespace"] not in SYSTEM and not is_cedanas(_, pod)


def is_cedanas(_: Cluster, pod: Object) -> bool:
    """Whether it is one of the pods of Cedana's chart."""
    return (pod["metadata"].get("labels") or {}).get("app.kubernetes.io/name") == "cedana"


def has_component(name: str) -> Which:
    """Whether it is that component of Cedana."""

    def check(_: Cluster, pod: Object) -> bool:
        return (pod["metadata"].get("labels") or {}).get("app.kubernetes.io/component") == name

    return check


def containers_of(cluster: Cluster, pod: Object) -> list[Container]:
    """Its containers that run."""
    held = cluster.runtime.pods.get(pod["metadata"]["uid"])
    return [one for one in held.containers.values() if one.running] if held else []


def kill(cluster: Cluster, pod: Object, exit_code: int) -> None:
    """Its processes end by themselves with that exit code, as the kubelet sees it."""
    uid = pod["metadata"]["uid"]
    for container in containers_of(cluster, pod):
        cluster.runtime.stop(uid, container.name, exit_code)
        cluster.runtime.on_exit(uid, container)


def whenever_ready(scene: Scene, active: Activation, which: Which, act: Callable[[Object], None]) -> None:
    """Calls `act` with each such pod once it is Ready, as often as the fault takes it."""
    done: set[str] = set()

    def follow(change: Change) -> None:
        if change.kind is not kinds.POD or change.type == "DELETED" or not is_ready(change.object):
            return
        uid = change.object["metadata"]["uid"]
        if uid not in done and which(scene.cluster, change.object) and active.takes_pod(change.object):
            done.add(uid)
            act(change.object)

    active.stack.callback(scene.cluster.store.subscribe(follow))
