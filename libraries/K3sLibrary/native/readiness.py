"""When a new k3s is ready: its nodes, its own pods, the default service account, and room for a pod."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from harness.failures import OperationFailed
from harness.kube import Cluster, api_errors
from harness.kube.pods import is_ready, raw, state_of
from harness.kube.watching import Obj
from harness.waiting import Done, Look, Pending, wait_until

from ..nodes import is_ready as node_is_ready

SYSTEM = "kube-system"
NEEDED = ("coredns",)
"""Deployments without which no pod finds a Service."""


def wait_until_ready(cluster: Cluster, timeout: float, still_there: Callable[[], object], *, nodes: int = 1) -> None:
    """Waits for all of it.

    Args:
        still_there: is called before each look; what it raises ends the wait.
        nodes: how many there must be.

    Raises:
        WaitTimedOut: names what is not there yet.
    """

    def look() -> Look[None]:
        still_there()
        try:
            with api_errors("tell its nodes and pods"):
                waiting = list(_missing(cluster, nodes))
        except OperationFailed as failure:
            return Pending(failure.seen, failure.cause.name)
        return Pending("; ".join(waiting), "cluster-start") if waiting else Done(None)

    wait_until(
        look,
        timeout=timeout,
        expected="the new k3s to have a Ready node, Ready pods of its own and a place for others",
        look_next="its log, which is in the diagnostics",
        cause="cluster-start",
    )


def _missing(cluster: Cluster, count: int) -> Iterable[str]:
    nodes = raw(cluster.core.list_node).get("items", [])
    yield from (line for node in nodes for line in _of_node(node))
    if len(nodes) < count:
        yield f"there are {len(nodes)} of {count} nodes yet" if nodes else "there is no node yet"
    deployments = raw(cluster.apps.list_namespaced_deployment, SYSTEM).get("items", [])
    there = {deployment["metadata"]["name"] for deployment in deployments}
    yield from (f"there is no Deployment {name} yet" for name in NEEDED if name not in there)
    for deployment in deployments:
        wanted, available = deployment["spec"].get("replicas", 1), deployment["status"].get("availableReplicas", 0)
        if available < wanted:
            yield f"Deployment {deployment['metadata']['name']} has {available} of {wanted} replicas available"
    for pod in raw(cluster.core.list_namespaced_pod, SYSTEM).get("items", []):
        if pod.get("status", {}).get("phase") != "Succeeded" and not is_ready(pod):
            yield f"pod {pod['metadata']['name']} is not Ready: {state_of(pod).seen}"
    accounts = raw(cluster.core.list_namespaced_service_account, "default").get("items", [])
    if "default" not in {account["metadata"]["name"] for account in accounts}:
        yield "namespace default has no service account default yet"


def _of_node(node: Obj) -> Iterable[str]:
    name, spec = node["metadata"]["name"], node["spec"]
    if not node_is_ready(node):
        yield f"node {name} is not Ready"
    taints = [taint["key"] for taint in spec.get("taints") or () if taint["effect"] in ("NoSchedule", "NoExecute")]
    if spec.get("unschedulable") or taints:
        yield f"node {name} takes no pods: {', '.join(taints) or 'it is cordoned'}"
