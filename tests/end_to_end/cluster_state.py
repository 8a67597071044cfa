"""What stands in a cluster and at its propagator, so that before and after a run can be compared."""

from __future__ import annotations

from typing import Any

import requests
from kubernetes import client, config


def standing(sandbox: dict[str, Any]) -> dict[str, list[str]]:
    """Names of namespaces, pods, cluster-wide objects and registered clusters, and the ids of live checkpoints."""
    api = config.new_client_from_config(sandbox["kubeconfig"])
    core, rbac, nodes = client.CoreV1Api(api), client.RbacAuthorizationV1Api(api), client.NodeV1Api(api)
    headers = {"Authorization": f"Bearer {sandbox['token']}"}
    clusters = requests.get(f"{sandbox['propagator_url']}/v2/cluster", headers=headers, timeout=10).json()
    checkpoints = requests.get(f"{sandbox['propagator_url']}/v2/checkpoints", headers=headers, timeout=10).json()
    return {
        "namespaces": _names(core.list_namespace()),
        "pods": _names(core.list_pod_for_all_namespaces()),
        "cluster roles": _names(rbac.list_cluster_role()),
        "runtime classes": _names(nodes.list_runtime_class()),
        "clusters": sorted(row["name"] for row in clusters if row["status"] != "deleted"),
        "checkpoints": sorted(row["id"] for row in checkpoints if row["status"] != "deprecated"),
    }


def _names(objects: Any) -> list[str]:
    return sorted(item.metadata.name for item in objects.items)
