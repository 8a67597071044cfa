"""What the uninstaller of Cedana's chart does once its pods are at work: it untaints the nodes and deletes the install
namespace, some time after `helm uninstall` has returned (upstream: the first pod by name does it for all)."""

from __future__ import annotations

import time
from collections.abc import Hashable
from typing import TYPE_CHECKING

from .. import kinds
from ..api import objects
from ..controllers.base import Controller
from ..kinds import Kind
from ..store import Change
from .installation import component_of, is_ready
from .manager import untaint

if TYPE_CHECKING:
    from ..cluster import Cluster

UNINSTALLER = "uninstaller"


class UninstallerController(Controller):
    """Plays the part of the chart's DaemonSet `cedana-uninstaller`, whose emulated containers only sleep."""

    def __init__(self, cluster: Cluster) -> None:
        super().__init__(cluster)
        self._begun: dict[str, float] = {}

    def kinds(self) -> tuple[Kind, ...]:
        """Pods: the uninstaller is at work when one of them is Ready on each node that it is to run on."""
        return (kinds.POD,)

    def changed(self, change: Change) -> None:
        """Queues the namespace of an uninstaller's pod."""
        if component_of(change.object) == UNINSTALLER and change.type != "DELETED":
            self.enqueue(change.object["metadata"]["namespace"])

    def reconcile(self, key: Hashable) -> None:
        """Ends the installation of a namespace, once all its uninstaller pods have been at work for their time."""
        namespace = str(key)
        if not self._all_at_work(namespace):
            self._begun.pop(namespace, None)
            return
        begun = self._begun.setdefault(namespace, time.monotonic())
        left = begun + self.cluster.latencies.uninstall - time.monotonic()
        if left > 0:
            self.enqueue_after(namespace, left)
            return
        del self._begun[namespace]
        for node in self.store.list(kinds.NODE):
            self.store.change(kinds.NODE, None, node["metadata"]["name"], untaint)
        objects.delete(self.cluster, kinds.NAMESPACE, None, namespace)

    def _all_at_work(self, namespace: str) -> bool:
        pods = [pod for pod in self.store.list(kinds.POD, namespace) if component_of(pod) == UNINSTALLER]
        ready = [pod for pod in pods if is_ready(pod)]
        workers = [one for one in self.store.list(kinds.DAEMON_SET, namespace) if component_of(one) == UNINSTALLER]
        wanted: int = sum(one.get("status", {}).get("desiredNumberScheduled", 0) for one in workers)
        return 0 < wanted <= len(ready) == len(pods)
