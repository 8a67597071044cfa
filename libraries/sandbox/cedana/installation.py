"""What of Cedana is installed in a cluster: its configuration, and which of its pods are at work."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from .. import kinds
from ..runtime.usage import Load

if TYPE_CHECKING:
    from ..cluster import Cluster

Object = dict[str, Any]

CONFIG_MAP = "cedana-config"
COMPONENT = "app.kubernetes.io/component"
LOOPBACK = ("127.0.0.1", "localhost", "::1")
SECONDS = 0.5
"""For a connection within this machine, which is made or refused at once."""
NAMES = ("cluster-name", "cedana-cluster-name")
"""Keys of the name by which a controller registers its cluster: those of August 2025, and of before."""


@dataclass(frozen=True)
class Installation:
    """Cedana in one cluster, by the objects of its chart: ConfigMap cedana-config, and pods by component."""

    cluster: Cluster
    namespace: str
    config: dict[str, str]

    @property
    def cluster_id(self) -> str:
        """The id that it was told, or "". It may be in quotes: it is often the raw answer to the registration."""
        return self.config.get("cluster-id", "").strip('" \n')

    @property
    def cluster_name(self) -> str:
        """The name by which it is to register itself, or ""."""
        return next((self.config[key] for key in NAMES if self.config.get(key)), "")

    @property
    def reaches_propagator(self) -> bool:
        """Whether something listens where the propagator is said to be; only this machine's ports can be tried."""
        told = urlsplit(self.config.get("url", "").strip('" \n'))
        if not told.port or told.hostname not in LOOPBACK:
            return True
        try:
            socket.create_connection((told.hostname, told.port), timeout=SECONDS).close()
        except OSError:
            return False
        return True

    def helper_is_ready(self, node: str) -> bool:
        """Whether a helper answers on that node."""
        return any(pod["spec"].get("nodeName") == node for pod in self.ready_pods("helper"))

    @contextmanager
    def helper_at_work(self, node: str) -> Iterator[None]:
        """The helper on a node takes a core and 64 MiB more, as long as it dumps."""
        with ExitStack() as stack:
            for pod in self.ready_pods("helper"):
                held = self.cluster.runtime.pods.get(pod["metadata"]["uid"])
                if held and pod["spec"].get("nodeName") == node:
                    for container in held.containers.values():
                        stack.enter_context(container.bearing(Load(1.0, 64 * 2**20)))
            yield

    def manager_is_ready(self) -> bool:
        """Whether a manager answers."""
        return bool(self.ready_pods("manager"))

    def ready_pods(self, component: str) -> list[Object]:
        """The Ready pods of a component."""
        pods = self.cluster.store.list(kinds.POD, self.namespace)
        return [pod for pod in pods if component_of(pod) == component and is_ready(pod)]


def installation_in(cluster: Cluster) -> Installation | None:
    """The installation, or None when Cedana is not installed."""
    for config in cluster.store.list(kinds.CONFIG_MAP):
        if config["metadata"]["name"] == CONFIG_MAP:
            data = {key: str(value) for key, value in (config.get("data") or {}).items()}
            return Installation(cluster, config["metadata"]["namespace"], data)
    return None


def component_of(obj: Object) -> str:
    """Which part of Cedana the object belongs to, or ""."""
    return str((obj["metadata"].get("labels") or {}).get(COMPONENT, ""))


def is_ready(pod: Object) -> bool:
    """Whether the pod's condition Ready is True and it is not being deleted."""
    conditions = pod.get("status", {}).get("conditions", [])
    ready = any(each["type"] == "Ready" and each["status"] == "True" for each in conditions)
    return ready and not pod["metadata"].get("deletionTimestamp")
