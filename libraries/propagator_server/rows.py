"""Objects of Kubernetes as the propagator knows them."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from .backend import Node, Pod

LEASES = "kube-node-lease"
"""The namespace of the leases that kubelets renew, each of its node's name."""


def pod_row(pod: dict[str, Any], cluster_id: str) -> Pod:
    """A pod object's row."""
    metadata, status = pod["metadata"], pod.get("status", {})
    states = status.get("containerStatuses") or []
    return Pod(
        uid=metadata["uid"],
        namespace=metadata["namespace"],
        name=metadata["name"],
        cluster_id=cluster_id,
        containers=tuple(container["name"] for container in pod["spec"]["containers"]),
        status=status.get("phase", "Pending"),
        ready=sum(bool(state.get("ready")) for state in states),
        node=pod["spec"].get("nodeName", ""),
        restarts=sum(state.get("restartCount", 0) for state in states),
        created=_moment(metadata.get("creationTimestamp")),
        started=_moment(status.get("startTime")),
    )


def node_row(node: dict[str, Any], cluster_id: str, lease: dict[str, Any] | None) -> Node:
    """A node object's row. It was last heard of when its kubelet renewed its lease."""
    metadata = node["metadata"]
    labels = metadata.get("labels") or {}
    return Node(
        id=metadata["uid"],
        name=metadata["name"],
        cluster_id=cluster_id,
        status="Ready" if is_ready(node) else "NotReady",
        instance_type=labels.get("node.kubernetes.io/instance-type", ""),
        region=labels.get("topology.kubernetes.io/region", ""),
        labels=labels,
        heard=_moment(((lease or {}).get("spec") or {}).get("renewTime")),
    )


def is_ready(obj: dict[str, Any]) -> bool:
    """Whether the condition Ready of a pod or a node is True."""
    conditions = obj.get("status", {}).get("conditions") or []
    return any(each["type"] == "Ready" and each["status"] == "True" for each in conditions)


def _moment(text: str | None) -> datetime | None:
    return datetime.fromisoformat(text) if text else None
