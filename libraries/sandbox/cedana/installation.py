"""What of Cedana is installed in a cluster: its configuration, and which of its pods are at work."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from .. import kinds

if TYPE_CHECKING:
    from ..cluster import Cluster

CONFIG_MAP = "cedana-config"
COMPONENT = "app.kubernetes.io/component"


@dataclass(frozen=True)
class Installation:
    """Cedana in one cluster, by the objects of its chart: ConfigMap cedana-config, and pods by component."""

    cluster: Cluster
    namespace: str
    cluster_id: str

    def helper_is_ready(self, node: str) -> bool:
        """Whether a helper answers on that node."""
        return any(pod["spec"].get("nodeName") == node for pod in self._ready("helper"))

    def manager_is_ready(self) -> bool:
        """Whether a manager answers."""
        return bool(self._ready("manager"))

    def _ready(self, component: str) -> list[dict[str, Any]]:
        pods = self.cluster.store.list(kinds.POD, self.namespace)
        return [pod for pod in pods if pod["metadata"].get("labels", {}).get(COMPONENT) == component and is_ready(pod)]


def installation_in(cluster: Cluster) -> Installation | None:
    """The installation, or None when Cedana is not installed or not told which cluster it is in.

    The id may be in quotes: it is often the raw answer to the registration.
    """
    for config in cluster.store.list(kinds.CONFIG_MAP):
        if config["metadata"]["name"] == CONFIG_MAP:
            cluster_id = str(config.get("data", {}).get("cluster-id", "")).strip('" \n')
            if cluster_id:
                return Installation(cluster, config["metadata"]["namespace"], cluster_id)
    return None


def is_ready(pod: dict[str, Any]) -> bool:
    """Whether the pod's condition Ready is True and it is not being deleted."""
    conditions = pod.get("status", {}).get("conditions", [])
    ready = any(each["type"] == "Ready" and each["status"] == "True" for each in conditions)
    return ready and not pod["metadata"].get("deletionTimestamp")
