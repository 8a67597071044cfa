"""Nodes: waiting until all are Ready, and the facts that a report needs of a cluster."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import partial

from kubernetes.client.exceptions import ApiException
from urllib3.exceptions import HTTPError

from harness.kube import Cluster, api_errors
from harness.kube.pods import at_path, condition, raw
from harness.kube.watching import Obj, Objects, watch_until
from harness.waiting import Done, Look, Pending

ASKED = 5
"""Kubelets that are asked for their metrics; in larger clusters the others' nodes are made like theirs, or not told."""
ASKING = (2.0, 5.0)
"""Seconds for the connection, and for each read, of a fact that a report can do without."""
_CGROUPS = re.compile(rb"^kubelet_cgroup_version (\d)", re.MULTILINE)


@dataclass(frozen=True)
class ClusterFacts:
    """What a cluster is, as it says of itself.

    Attributes:
        emulated: the server's version says that it is emulated.
        nodes: a dictionary for each node: name, ready, kubelet, runtime, kernel, architecture, os, handlers (of the
            runtime, as a RuntimeClass names them), cgroups (their version; empty where the kubelet does not tell). The
            API tells neither runc nor CRIU.
    """

    alias: str
    provider: str
    version: str
    emulated: bool
    nodes: tuple[dict[str, str | bool], ...]

    def __str__(self) -> str:
        kind = ", emulated" if self.emulated else ""
        return f"Kubernetes {self.version} with {len(self.nodes)} node(s) ({self.provider}{kind})"


def wait_until_nodes_ready(cluster: Cluster, timeout: float) -> None:
    """Waits by watch until there is a node and every node is Ready.

    Raises:
        WaitTimedOut: names the nodes that are not; cause `node-not-ready`.
        OperationFailed: the API refuses.
    """

    def judge(nodes: Objects) -> Look[None]:
        waiting = [_why_not(node) for node in nodes if not is_ready(node)]
        if nodes and not waiting:
            return Done(None)
        return Pending("; ".join(waiting) or "the cluster has no node")

    with api_errors("watch the nodes"):
        watch_until(
            partial(cluster.core.list_node),
            judge,
            timeout=timeout,
            expected="every node of the cluster to be Ready",
            look_next="`kubectl describe nodes`, and the node's own logs",
            cause="node-not-ready",
        )


def facts(cluster: Cluster) -> ClusterFacts:
    """Asks the cluster what it is."""
    with api_errors("tell its version and nodes"):
        version = at_path(cluster, "/version")["gitVersion"]
        nodes = raw(cluster.core.list_node).get("items", [])
    return ClusterFacts(
        alias=cluster.alias,
        provider=cluster.provider,
        version=version,
        emulated="emulated" in version,
        nodes=tuple(
            _node_facts(node) | {"cgroups": _cgroups(cluster, node) if number < ASKED else ""}
            for number, node in enumerate(nodes)
        ),
    )


def _cgroups(cluster: Cluster, node: Obj) -> str:
    """`v1` or `v2`: a metric of the kubelet, who may be asked with the right to `get nodes/proxy` (1.31 and later).

    Source: pkg/kubelet/metrics/metrics.go of kubernetes/kubernetes.
    """
    try:
        answer = cluster.core.connect_get_node_proxy_with_path(
            node["metadata"]["name"], "metrics", _preload_content=False, _request_timeout=ASKING
        )
        found = _CGROUPS.search(answer.read())
    except (ApiException, HTTPError):
        return ""
    return f"v{found[1].decode()}" if found else ""


def is_ready(node: Obj) -> bool:
    """Whether the node's Ready condition is true."""
    ready = condition(node, "Ready")
    return ready is not None and ready["status"] == "True"


def _why_not(node: Obj) -> str:
    ready = condition(node, "Ready") or {}
    return f"node {node['metadata']['name']} is not Ready: {ready.get('message') or 'no condition yet'}"


def _node_facts(node: Obj) -> dict[str, str | bool]:
    info = node["status"].get("nodeInfo", {})
    return {
        "name": node["metadata"]["name"],
        "ready": is_ready(node),
        "kubelet": info.get("kubeletVersion", ""),
        "runtime": info.get("containerRuntimeVersion", ""),
        "kernel": info.get("kernelVersion", ""),
        "architecture": info.get("architecture", ""),
        "os": info.get("osImage", ""),
        "handlers": ", ".join(one.get("name") or "the default" for one in node["status"].get("runtimeHandlers") or []),
    }
