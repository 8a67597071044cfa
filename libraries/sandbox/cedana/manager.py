"""What the manager of Cedana's chart does by itself: it taints nodes and, in the oldest era, registers its cluster."""

from __future__ import annotations

from collections.abc import Callable, Hashable
from typing import TYPE_CHECKING, Any

from .. import kinds
from ..controllers.base import Controller
from ..kinds import Kind
from ..store import Change
from .installation import CONFIG_MAP, Installation, component_of, installation_in

if TYPE_CHECKING:
    from ..cluster import Cluster

Object = dict[str, Any]

TAINT = {"key": "cedana.ai/not-ready", "effect": "NoSchedule"}
SWITCH = "CEDANA_TAINT_NODES"
"""The manager's environment variable of the chart's value controllerManager.taintNodes."""


class ManagerController(Controller):
    """Plays the part of the chart's manager, whose emulated container only answers its probes.

    `registered` is called with a cluster's name and gives the id that a propagator has for it, or None.
    `cluster_id` is that id once it is there.
    """

    def __init__(self, cluster: Cluster, registered: Callable[[str], str | None]) -> None:
        super().__init__(cluster)
        self._registered = registered
        self._own = ("", "")

    @property
    def cluster_id(self) -> str:
        """The id under which the manager has registered its cluster by the name that it has now, or ""."""
        there = installation_in(self.cluster)
        name, cluster_id = self._own
        return cluster_id if there and there.cluster_name == name else ""

    def kinds(self) -> tuple[Kind, ...]:
        """All that decides where Cedana is at work."""
        return (kinds.POD, kinds.NODE, kinds.CONFIG_MAP, kinds.DAEMON_SET)

    def changed(self, change: Change) -> None:
        """There is one installation, so one key; what is no part of it changes nothing."""
        known = component_of(change.object) in ("manager", "helper")
        known = known or (change.kind is kinds.NODE and change.type == "ADDED")
        if known or (change.kind is kinds.CONFIG_MAP and change.object["metadata"]["name"] == CONFIG_MAP):
            self.enqueue("cedana")

    def reconcile(self, key: Hashable) -> None:
        """Registers the cluster and sets the nodes' taints, as long as a manager is at work."""
        del key
        there = installation_in(self.cluster)
        if not there or not there.manager_is_ready() or self._is_ending(there):
            return
        name = "" if there.cluster_id else there.cluster_name
        if name and self._own[0] != name and (cluster_id := self._registered(name)):
            self._own = (name, cluster_id)
        if _taints(there):
            self._taint(there)

    def _is_ending(self, there: Installation) -> bool:
        namespace = self.store.get(kinds.NAMESPACE, None, there.namespace)
        return namespace is None or bool(namespace["metadata"].get("deletionTimestamp"))

    def _taint(self, there: Installation) -> None:
        for daemon_set in self.store.list(kinds.DAEMON_SET, there.namespace):
            if component_of(daemon_set) != "helper" or daemon_set["metadata"].get("deletionTimestamp"):
                continue
            wanted = daemon_set["spec"]["template"]["spec"].get("nodeSelector") or {}
            helped = {pod["spec"].get("nodeName") for pod in there.ready_pods("helper")}
            for node in self.store.list(kinds.NODE):
                name, labels = node["metadata"]["name"], node["metadata"].get("labels") or {}
                if wanted.items() <= labels.items():
                    self.store.change(kinds.NODE, None, name, untaint if name in helped else taint)


def taint(node: Object) -> None:
    """Keeps new pods off a node."""
    taints = node["spec"].get("taints") or []
    if not any(each["key"] == TAINT["key"] for each in taints):
        node["spec"]["taints"] = [*taints, dict(TAINT)]


def untaint(node: Object) -> None:
    """Lets new pods onto a node again."""
    left = [each for each in node["spec"].get("taints") or [] if each["key"] != TAINT["key"]]
    if left:
        node["spec"]["taints"] = left
    else:
        node["spec"].pop("taints", None)


def _taints(there: Installation) -> bool:
    managers = there.ready_pods("manager")
    variables = [each for pod in managers for c in pod["spec"]["containers"] for each in c.get("env") or []]
    return any(each["name"] == SWITCH and each.get("value") == "true" for each in variables)
