"""EndpointSlices and Endpoints of Services that select pods."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Hashable
from typing import TYPE_CHECKING, Any

from .. import kinds
from ..api import objects
from ..store import timestamp
from .base import Controller, key_of
from .selectors import matches_map
from .workload import is_ready, owner_reference

if TYPE_CHECKING:
    from ..cluster import Cluster
    from ..kinds import Kind
    from ..store import Change

Object = dict[str, Any]
MANAGED_BY = "endpointslice.kubernetes.io/managed-by"
MANAGER = "endpointslice-controller.k8s.io"
_SLICE_LIMIT = 100


class EndpointSlices(Controller):
    """One Service a key."""

    def __init__(self, cluster: Cluster) -> None:
        super().__init__(cluster)
        self._selecting: dict[str, set[str]] = defaultdict(set)

    def kinds(self) -> tuple[Kind, ...]:
        """Services and pods."""
        return (kinds.SERVICE, kinds.POD)

    def changed(self, change: Change) -> None:
        """A pod's change concerns the Services that select it or selected it."""
        obj = change.object
        namespace, name = key_of(obj)
        if change.kind is kinds.SERVICE:
            selects = bool(obj["spec"].get("selector")) and change.type != "DELETED"
            (self._selecting[namespace].add if selects else self._selecting[namespace].discard)(name)
            self.enqueue((namespace, name))
            return
        if change.old is not None and change.type == "MODIFIED" and _facts(change.old) == _facts(obj):
            return
        for service_name in self._selecting.get(namespace, ()):
            service = self.store.get(kinds.SERVICE, namespace, service_name)
            if service and any(
                matches_map(service["spec"]["selector"], (each or {}).get("metadata", {}).get("labels"))
                for each in (obj, change.old)
            ):
                self.enqueue((namespace, service_name))

    def reconcile(self, key: Hashable) -> None:
        """Writes the slices and the Endpoints of one Service."""
        assert isinstance(key, tuple)
        namespace, name = key
        service = self.store.get(kinds.SERVICE, namespace, name)
        if service is None:
            # Slices go with their owner; Endpoints have none.
            ended = self.store.get(kinds.ENDPOINTS, namespace, name)
            if ended and not ended["metadata"].get("deletionTimestamp"):
                self.store.remove(kinds.ENDPOINTS, namespace, name)
            return
        if not service["spec"].get("selector") or service["spec"].get("type") == "ExternalName":
            return
        pods = [p for p in self.store.list(kinds.POD, namespace) if self._belongs(service, p)]
        self._write_slices(service, pods)
        self._write_endpoints(service, pods)

    @staticmethod
    def _belongs(service: Object, pod: Object) -> bool:
        status = pod.get("status", {})
        ended = status.get("phase") in ("Succeeded", "Failed")
        return (
            bool(status.get("podIP"))
            and not ended
            and matches_map(service["spec"]["selector"], pod["metadata"].get("labels"))
        )

    def _write_slices(self, service: Object, pods: list[Object]) -> None:
        namespace = service["metadata"]["namespace"]
        groups: dict[str, list[Object]] = defaultdict(list)
        ports: dict[str, list[Object]] = {}
        for pod in pods:
            resolved = _ports(service, pod)
            groups[str(resolved)].append(pod)
            ports[str(resolved)] = resolved
        wanted: list[tuple[list[Object], list[Object]]] = []
        for key in sorted(groups) or [""]:
            members = groups.get(key, [])
            portions = [members[i : i + _SLICE_LIMIT] for i in range(0, len(members), _SLICE_LIMIT)] or [[]]
            wanted.extend((ports.get(key, []), portion) for portion in portions)
        owned = [s for s in self.cluster.index.owned(service["metadata"]["uid"], kinds.ENDPOINT_SLICE) if _is_ours(s)]
        for number, (slice_ports, members) in enumerate(wanted):
            endpoints = self.cluster.points.leading(service, [self._endpoint(service, pod) for pod in members])
            if number < len(owned):
                self._update(owned[number], slice_ports, endpoints)
            else:
                self._create(service, slice_ports, endpoints)
        for extra in owned[len(wanted) :]:
            objects.delete(self.cluster, kinds.ENDPOINT_SLICE, namespace, extra["metadata"]["name"])

    def _endpoint(self, service: Object, pod: Object) -> Object:
        terminating = bool(pod["metadata"].get("deletionTimestamp"))
        serving = is_ready(pod)
        ready = (serving and not terminating) or bool(service["spec"].get("publishNotReadyAddresses"))
        hostname = pod["spec"].get("hostname")
        named = hostname and pod["spec"].get("subdomain") == service["metadata"]["name"]
        return {
            "addresses": [pod["status"]["podIP"]],
            "conditions": {"ready": ready, "serving": serving, "terminating": terminating},
            **({"hostname": hostname} if named else {}),
            "targetRef": _target(pod),
            "nodeName": pod["spec"]["nodeName"],
        }

    def _update(self, stored: Object, ports: list[Object], endpoints: list[Object]) -> None:
        def renewed(each: Object) -> None:
            each["endpoints"], each["ports"] = endpoints, ports

        self.store.change(kinds.ENDPOINT_SLICE, *key_of(stored), renewed)

    def _create(self, service: Object, ports: list[Object], endpoints: list[Object]) -> None:
        namespace, name = key_of(service)
        labels = {**(service["metadata"].get("labels") or {}), MANAGED_BY: MANAGER, "kubernetes.io/service-name": name}
        if service["spec"].get("clusterIP") == "None":
            labels["service.kubernetes.io/headless"] = ""
        body = {
            "apiVersion": "discovery.k8s.io/v1",
            "kind": "EndpointSlice",
            "metadata": {
                "generateName": f"{name}-",
                "namespace": namespace,
                "labels": labels,
                "annotations": {"endpoints.kubernetes.io/last-change-trigger-time": timestamp()},
                "ownerReferences": [owner_reference(service)],
            },
            "addressType": "IPv4",
            "endpoints": endpoints,
            "ports": ports,
        }
        objects.create(self.cluster, kinds.ENDPOINT_SLICE, body)

    def _write_endpoints(self, service: Object, pods: list[Object]) -> None:
        namespace, name = key_of(service)
        subsets: dict[str, Object] = {}
        for pod in pods:
            if pod["metadata"].get("deletionTimestamp"):
                continue
            ports = [{k: v for k, v in port.items() if k != "name" or v} for port in _ports(service, pod)]
            if not ports and service["spec"].get("ports"):
                continue
            subset = subsets.setdefault(str(ports), {"ports": ports} if ports else {})
            ready = is_ready(pod) or service["spec"].get("publishNotReadyAddresses")
            address = {"ip": pod["status"]["podIP"], "nodeName": pod["spec"]["nodeName"], "targetRef": _target(pod)}
            subset.setdefault("addresses" if ready else "notReadyAddresses", []).append(address)
        wanted = [subsets[key] for key in sorted(subsets)]
        labels = {
            **(service["metadata"].get("labels") or {}),
            "endpoints.kubernetes.io/managed-by": "endpoint-controller",
        }
        if service["spec"].get("clusterIP") == "None":
            labels["service.kubernetes.io/headless"] = ""

        def renewed(each: Object) -> None:
            each["metadata"]["labels"] = labels
            if wanted:
                each["subsets"] = wanted
            else:
                each.pop("subsets", None)

        if self.store.change(kinds.ENDPOINTS, namespace, name, renewed) is None:
            body: Object = {"apiVersion": "v1", "kind": "Endpoints", "metadata": {"name": name, "namespace": namespace}}
            renewed(body)
            objects.create(self.cluster, kinds.ENDPOINTS, body)


def _facts(pod: Object) -> tuple[Any, ...]:
    metadata, status = pod["metadata"], pod.get("status", {})
    gone = bool(metadata.get("deletionTimestamp"))
    return metadata.get("labels"), status.get("podIP"), is_ready(pod), gone, status.get("phase")


def _is_ours(each: Object) -> bool:
    return bool((each["metadata"].get("labels") or {}).get(MANAGED_BY) == MANAGER)


def _target(pod: Object) -> Object:
    metadata = pod["metadata"]
    return {"kind": "Pod", "namespace": metadata["namespace"], "name": metadata["name"], "uid": metadata["uid"]}


def _ports(service: Object, pod: Object) -> list[Object]:
    """The Service's ports as they are in the pod; a port name that no container has is left out."""
    found = []
    for port in service["spec"].get("ports") or []:
        target = resolve(port, pod)
        if target:
            entry = {"name": port.get("name", ""), "port": target, "protocol": port.get("protocol", "TCP")}
            if port.get("appProtocol"):
                entry["appProtocol"] = port["appProtocol"]
            found.append(entry)
    return found


def resolve(port: Object, pod: Object) -> int | None:
    """The pod's port number for a Service port, or None."""
    target = port.get("targetPort") or port["port"]
    if isinstance(target, int):
        return target
    for container in pod["spec"]["containers"]:
        for each in container.get("ports") or []:
            if each.get("name") == target:
                return int(each["containerPort"])
    return int(target) if str(target).isdigit() else None
