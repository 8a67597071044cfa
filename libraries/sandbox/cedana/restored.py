"""The pod that a restore creates, from the pod that was stored with the checkpoint."""

from __future__ import annotations

import copy
from typing import Any

SUFFIX = "-restored"
RUNTIME_CLASS = "cedana"
KEPT_METADATA = ("labels", "annotations")
NOT_CREATED = ("nodeName", "ephemeralContainers")
"""Fields of a spec that a new pod must not, or cannot, be created with."""


def restored_pod(stored: dict[str, Any], name: str | None) -> dict[str, Any]:
    """A new pod in the stored one's namespace: labels, annotations and spec are its, node and owners are not.

    It runs under RuntimeClass cedana, whose shim restores. Its name is the one asked for, or the stored pod's with
    `-restored`: clients look for a pod whose name contains both.
    """
    metadata = stored["metadata"]
    spec = {key: value for key, value in stored["spec"].items() if key not in NOT_CREATED}
    return copy.deepcopy(
        {
            "apiVersion": "v1",
            "kind": "Pod",
            "metadata": {
                "name": name or metadata["name"] + SUFFIX,
                "namespace": metadata["namespace"],
                **{key: metadata[key] for key in KEPT_METADATA if key in metadata},
            },
            "spec": spec | {"runtimeClassName": RUNTIME_CLASS},
        }
    )
