"""The pod that a restore creates, from the pod that was stored with the checkpoint."""

from __future__ import annotations

import copy
from collections.abc import Mapping
from typing import Any

SUFFIX = "-restored"
RUNTIME_CLASS = "cedana"
KEPT_METADATA = ("labels", "annotations")
NOT_CREATED = ("nodeName", "ephemeralContainers")
"""Fields of a spec that a new pod must not, or cannot, be created with."""


def restored_pod(stored: dict[str, Any], name: str | None, uploaded: Mapping[str, Any]) -> dict[str, Any]:
    """A new pod in the stored one's namespace: labels, annotations and spec are its, node and owners are not.

    It runs under RuntimeClass cedana, whose shim restores. Its name is the one asked for, or the stored pod's with
    `-restored`: clients look for a pod whose name contains both. Spec and metadata that a controller has uploaded with
    the action come before those that were stored.
    """
    metadata = stored["metadata"]
    kept = metadata | (uploaded.get("pod_metadata_spec") or {})
    spec = uploaded.get("pod_spec") or stored["spec"]
    return copy.deepcopy(
        {
            "apiVersion": "v1",
            "kind": "Pod",
            "metadata": {
                "name": name or metadata["name"] + SUFFIX,
                "namespace": metadata["namespace"],
                **{key: kept[key] for key in KEPT_METADATA if key in kept},
            },
            "spec": {key: value for key, value in spec.items() if key not in NOT_CREATED}
            | {"runtimeClassName": RUNTIME_CLASS},
        }
    )
