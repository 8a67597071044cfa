"""Finding the container that a request means, with the API server's and the kubelet's refusals."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from .. import kinds
from ..api.status import ApiError, bad_request, failure, not_found
from ..runtime import Container

if TYPE_CHECKING:
    from ..cluster import Cluster

Object = dict[str, Any]


def pod_of(cluster: Cluster, namespace: str, name: str) -> Object:
    """The pod. Raises 404."""
    pod = cluster.store.get(kinds.POD, namespace, name)
    if pod is None:
        raise not_found(kinds.POD, name)
    return pod


def dial(cluster: Cluster, pod: Object) -> None:
    """Raises the API server's 500 when the kubelet of the pod's node does not answer."""
    node = pod["spec"].get("nodeName", "")
    if cluster.kubelet.trouble[node].down:
        raise unreachable(cluster, node)


def unreachable(cluster: Cluster, node: str) -> ApiError:
    """500: the node's kubelet does not answer."""
    where = f"{cluster.node_address(node)}:10250"
    return failure(
        500, "InternalError", f"Internal error occurred: error dialing backend: dial tcp {where}: i/o timeout"
    )


def container_name(pod: Object, wanted: str) -> str:
    """The named container, or the only one. Raises 400 with the API server's words."""
    spec = pod["spec"]
    names = [c["name"] for key in ("initContainers", "containers", "ephemeralContainers") for c in spec.get(key) or []]
    name = pod["metadata"]["name"]
    if wanted:
        if wanted not in names:
            raise bad_request(f"container {wanted} is not valid for pod {name}")
        return wanted
    if len(names) > 1:
        raise bad_request(f"a container name must be specified for pod {name}, choose one of: [{' '.join(names)}]")
    return str(names[0])


def status_of(pod: Object, container: str) -> Object:
    """The container's status, or an empty one."""
    status = pod.get("status", {})
    found = (*(status.get("initContainerStatuses") or []), *(status.get("containerStatuses") or []))
    return next((s for s in found if s["name"] == container), {})


def logged_container(cluster: Cluster, pod: Object, name: str, *, previous: bool) -> Container:
    """The container whose log is meant. Raises 400 as the kubelet does for one that has none."""
    uid, status = pod["metadata"]["uid"], status_of(pod, name)
    pod_name = pod["metadata"]["name"]
    if previous:
        last = (status.get("lastState") or {}).get("terminated") or {}
        found = _by_id(cluster, uid, name, last.get("containerID", ""))
        if found is None:
            raise bad_request(f'previous terminated container "{name}" in pod "{pod_name}" not found')
        return found
    container = cluster.runtime.container(uid, name)
    if container is None:
        raise _waiting(name, pod_name, (status.get("state") or {}).get("waiting") or {})
    return container


def _by_id(cluster: Cluster, uid: str, name: str, container_id: str) -> Container | None:
    for previous in (True, False):
        found = cluster.runtime.container(uid, name, previous=previous)
        if found and container_id == f"containerd://{found.id}":
            return found
    return None


def _waiting(container: str, pod: str, state: Object) -> ApiError:
    reason = state.get("reason") or "ContainerCreating"
    words = {"ErrImagePull": "image can't be pulled", "ImagePullBackOff": "trying and failing to pull image"}
    return bad_request(f'container "{container}" in pod "{pod}" is waiting to start: {words.get(reason, reason)}')
