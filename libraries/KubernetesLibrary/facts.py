"""What a cluster tells of its pods, events and nodes."""

from __future__ import annotations

from typing import Any

from kubernetes.client.exceptions import ApiException

from harness.failures import NotAsExpected
from harness.kube import Cluster, api_errors
from harness.kube.objects import find
from harness.kube.pods import condition, get, list_pods, raw, state_of

Obj = dict[str, Any]
EMULATED_LABEL = "e2e.cedana.ai/emulated"


def pods(cluster: Cluster, namespace: str, selector: str | None = None) -> list[Obj]:
    """The pods of a namespace, by name; `selector` is a label selector."""
    selectors = {"label_selector": selector} if selector else {}
    with api_errors(f"list the pods of namespace {namespace}"):
        found = raw(list_pods(cluster, namespace, **selectors)).get("items") or []
    return sorted(found, key=lambda pod: str(pod["metadata"]["name"]))


def pod(cluster: Cluster, namespace: str, name: str) -> Obj:
    """The pod.

    Raises:
        NotAsExpected: there is none; names the pods that there are.
    """
    with api_errors(f"get pod {namespace}/{name}"):
        try:
            return get(cluster, namespace, name)
        except ApiException as problem:
            if problem.status != 404:
                raise
    names = ", ".join(one["metadata"]["name"] for one in pods(cluster, namespace)) or "no pod"
    raise NotAsExpected(f"pod {name} in namespace {namespace}", f"there is none; there is {names}")


def no_pod(cluster: Cluster, namespace: str, name: str) -> None:
    """Checks that there is no pod of that name.

    Raises:
        NotAsExpected: there is; says in which state.
    """
    found = find(cluster, "v1", "Pod", namespace, name)
    if found:
        expected = f"no pod {name} in namespace {namespace}"
        raise NotAsExpected(expected, state_of(found).seen, "who created it: its owners and labels")


def events(cluster: Cluster, namespace: str, name: str) -> list[Obj]:
    """The events of the pods that have or had that name, in the order in which they last happened."""
    selector = f"involvedObject.kind=Pod,involvedObject.name={name}"
    with api_errors(f"list the events of pod {namespace}/{name}"):
        found = raw(cluster.core.list_namespaced_event, namespace, field_selector=selector).get("items") or []
    return sorted(found, key=_when)


def nodes(cluster: Cluster) -> list[Obj]:
    """What each node says of itself: name, ready, emulated, its conditions, capacity and `nodeInfo`."""
    with api_errors("list the nodes"):
        found = raw(cluster.core.list_node).get("items") or []
    return [_node(node) for node in sorted(found, key=lambda node: str(node["metadata"]["name"]))]


def nodes_for_workloads(cluster: Cluster) -> list[str]:
    """The names of the nodes that take a pod which tolerates nothing: Ready, not cordoned, no taint that keeps off."""
    with api_errors("list the nodes"):
        found = raw(cluster.core.list_node).get("items") or []
    return sorted(node["metadata"]["name"] for node in found if _node(node)["ready"] and _is_open(node))


def _is_open(node: Obj) -> bool:
    keeps_off = [one for one in node["spec"].get("taints") or [] if one["effect"] != "PreferNoSchedule"]
    return not node["spec"].get("unschedulable") and not keeps_off


def _node(node: Obj) -> Obj:
    status = node.get("status", {})
    labels = node["metadata"].get("labels") or {}
    ready = condition(node, "Ready") or {}
    return {
        "name": node["metadata"]["name"],
        "ready": ready.get("status") == "True",
        "emulated": labels.get(EMULATED_LABEL) == "true",
        "unschedulable": bool(node.get("spec", {}).get("unschedulable")),
        "conditions": {one["type"]: one["status"] for one in status.get("conditions") or []},
        "capacity": status.get("capacity") or {},
        "nodeInfo": status.get("nodeInfo") or {},
    }


def _when(event: Obj) -> str:
    series = event.get("series") or {}
    last = series.get("lastObservedTime") or event.get("lastTimestamp") or event.get("eventTime")
    return str(last or event["metadata"].get("creationTimestamp", ""))
