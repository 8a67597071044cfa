"""Where a Service leads to, as its EndpointSlices say (discovery.k8s.io/v1)."""

from __future__ import annotations

from dataclasses import dataclass

from .connection import Cluster
from .errors import api_errors, json_of
from .objects import resource
from .watching import Obj

SERVICE_LABEL = "kubernetes.io/service-name"


@dataclass(frozen=True)
class Endpoint:
    """One endpoint of a Service.

    Attributes:
        address: IP address.
        pod: name of the pod behind it; empty where none is named.
        uid: that pod's UID; empty where none is named.
        ready: whether it takes connections. The API says that a condition that is not given is to be taken for true.
    """

    address: str
    pod: str = ""
    uid: str = ""
    ready: bool = True

    def __str__(self) -> str:
        return f"{self.address} ({self.pod or 'no pod'}{'' if self.ready else ', not ready'})"


def endpoints_of(cluster: Cluster, namespace: str, service: str) -> list[Endpoint]:
    """The endpoints in all slices of a Service; none where there is no such Service.

    Raises:
        OperationFailed: the API refuses or does not answer.
    """
    served = resource(cluster, "discovery.k8s.io/v1", "EndpointSlice")
    with api_errors(f"list the EndpointSlices of Service {namespace}/{service}"):
        found = json_of(served.get(namespace=namespace, label_selector=f"{SERVICE_LABEL}={service}", serialize=False))
    return endpoints_in(found["items"])


def endpoints_in(slices: list[Obj]) -> list[Endpoint]:
    """The endpoints that slices hold, each once, by address."""
    found = [
        _endpoint(address, one)
        for each in slices
        for one in each.get("endpoints") or []
        for address in one["addresses"]
    ]
    return sorted(set(found), key=lambda one: (one.address, one.uid, one.ready))


def _endpoint(address: str, one: Obj) -> Endpoint:
    target = one.get("targetRef") or {}
    ready = (one.get("conditions") or {}).get("ready")
    return Endpoint(address, target.get("name", ""), target.get("uid", ""), ready is not False)
