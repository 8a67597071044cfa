"""The emulated cluster's network: names as CoreDNS knows them, Services as kube-proxy forwards them, pods by address.

Nothing outside of the cluster has a name or can be reached. NetworkPolicies are kept and not enforced.
"""

from __future__ import annotations

import ipaddress
import secrets
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from . import kinds
from .controllers.kubelet.environment import DOMAIN
from .controllers.workload import is_ready
from .runtime import Refused
from .runtime.surroundings import NetworkError, Stream, UnknownHost

if TYPE_CHECKING:
    from .cluster import Cluster

Object = dict[str, Any]
_REFUSED, _TIMED_OUT, _NO_ROUTE = "Connection refused", "Connection timed out", "No route to host"


class ClusterNetwork:
    """Faults: with `dns_fails` no name is answered; packets to the Services in `unreachable` (namespace and name) are
    lost; with `dns_keeps` the first addresses that a headless Service's name had are answered ever after."""

    def __init__(self, cluster: Cluster) -> None:
        self.cluster = cluster
        self.dns_fails = False
        self.dns_keeps: dict[str, list[str]] | None = None
        self.unreachable: set[tuple[str, str]] = set()

    def of_pod(self, uid: str, namespace: str) -> PodNetwork:
        """The network as a pod sees it."""
        return PodNetwork(self, uid, namespace)

    def service_at(self, address: str) -> Object | None:
        """The Service of a cluster IP."""
        services = self.cluster.store.list(kinds.SERVICE)
        return next((each for each in services if each["spec"].get("clusterIP") == address), None)

    def service_endpoints(self, service: Object, port: Object | None = None) -> list[tuple[Object, int]]:
        """The ready pods behind a Service, each with the number of the port there (0 when no port is asked for)."""
        namespace, name = service["metadata"]["namespace"], service["metadata"]["name"]
        found: list[tuple[Object, int]] = []
        for each in self.cluster.store.list(kinds.ENDPOINT_SLICE, namespace):
            if (each["metadata"].get("labels") or {}).get("kubernetes.io/service-name") != name:
                continue
            ports = each.get("ports") or []
            numbers = [p["port"] for p in ports if port and (p.get("name") or "") == (port.get("name") or "")]
            for endpoint in each.get("endpoints") or []:
                pod = self.cluster.store.get(kinds.POD, namespace, (endpoint.get("targetRef") or {}).get("name", ""))
                ready = endpoint.get("conditions", {}).get("ready", True)
                if pod and ready and (is_ready(pod) or service["spec"].get("publishNotReadyAddresses")):
                    found += [(pod, number) for number in numbers or ([0] if port is None else [])]
        return found

    def pods_at(self, address: str) -> list[str]:
        """The UIDs of the pods of an address: several on a node's own."""
        return [worker.uid for worker in self.cluster.kubelet.workers.values() if worker.pod_ip == address]

    def down(self, uid: str) -> bool:
        """Whether the pod's node is cut off."""
        worker = self.cluster.kubelet.workers.get(uid)
        return worker is not None and worker.trouble.down


@dataclass(frozen=True)
class PodNetwork:
    """Lookups and connections from one pod."""

    network: ClusterNetwork
    uid: str
    namespace: str

    def lookup(self, name: str) -> tuple[str, list[str]]:
        """The full name and the addresses of a name, by the pod's search domains. Raises UnknownHost."""
        if self.network.dns_fails:
            raise UnknownHost(name, silent=True)
        plain = name.rstrip(".")
        suffixes = [f".{self.namespace}.svc.{DOMAIN}", f".svc.{DOMAIN}", f".{DOMAIN}"]
        candidates = [plain] if name.endswith(".") else [plain + suffix for suffix in suffixes] + [plain]
        for full in candidates:
            found = self._answer(full)
            if found:
                return full, found
        raise UnknownHost(name)

    def connect(self, address: str, port: int) -> Stream:
        """A connection to a pod, a Service or a node's port. Raises NetworkError."""
        if ipaddress.ip_address(address).is_loopback:
            return self._pod([self.uid], port)
        service = self.network.service_at(address)
        if service:
            found = next((p for p in service["spec"].get("ports") or [] if p["port"] == port), None)
            return self._service(service, found)
        pods = self.network.pods_at(address)
        store = self.network.cluster.store
        is_node = any(
            self.network.cluster.node_address(n["metadata"]["name"]) == address for n in store.list(kinds.NODE)
        )
        if is_node:
            for each in store.list(kinds.SERVICE):
                for found in each["spec"].get("ports") or []:
                    if found.get("nodePort") == port:
                        return self._service(each, found)
        if not pods and not is_node:
            raise NetworkError(_NO_ROUTE)
        return self._pod(pods, port)

    def _service(self, service: Object, port: Object | None) -> Stream:
        metadata = service["metadata"]
        if (metadata["namespace"], metadata["name"]) in self.network.unreachable:
            raise NetworkError(_TIMED_OUT)
        endpoints = self.network.service_endpoints(service, port) if port else []
        if not endpoints:
            raise NetworkError(_REFUSED)
        pod, number = secrets.choice(endpoints)
        return self._pod([pod["metadata"]["uid"]], number)

    def _pod(self, uids: list[str], port: int) -> Stream:
        if any(self.network.down(uid) for uid in uids if uid != self.uid):
            raise NetworkError(_TIMED_OUT)
        worker = self.network.cluster.kubelet.workers.get(self.uid)
        for uid in uids:
            try:
                return self.network.cluster.runtime.connect(uid, port, worker.pod_ip if worker else "127.0.0.1")
            except Refused:
                continue
        raise NetworkError(_REFUSED)

    def _answer(self, full: str) -> list[str]:
        head, mark, rest = full.partition(f".svc.{DOMAIN}")
        if not mark or rest:
            return self._by_address(full)
        parts = head.split(".")
        if not 2 <= len(parts) <= 3:
            return []
        *hostname, name, namespace = parts
        service = self.network.cluster.store.get(kinds.SERVICE, namespace, name)
        if service is None:
            return []
        spec = service["spec"]
        if spec.get("type") == "ExternalName":
            target = spec.get("externalName", "")
            return self._answer(target) if target.endswith(DOMAIN) else []
        if spec.get("clusterIP") not in ("None", None):
            return [] if hostname else [spec["clusterIP"]]
        pods = [pod for pod, _ in self.network.service_endpoints(service)]
        if hostname:
            wanted = (name, hostname[0])
            pods = [pod for pod in pods if (pod["spec"].get("subdomain"), pod["spec"].get("hostname")) == wanted]
        found = list(dict.fromkeys(pod["status"]["podIP"] for pod in pods))
        kept = self.network.dns_keeps
        return found if kept is None or not (found or full in kept) else kept.setdefault(full, found)

    def _by_address(self, full: str) -> list[str]:
        """`10-128-0-2.<namespace>.pod.cluster.local`."""
        parts = full.removesuffix(f".pod.{DOMAIN}").split(".")
        text = parts[0].replace("-", ".")
        try:
            return [str(ipaddress.IPv4Address(text))] if full.endswith(f".pod.{DOMAIN}") and len(parts) == 2 else []
        except ValueError:
            return []
