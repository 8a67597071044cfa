"""The pod that a restore creates: a copy of the source's spec with checkpoints for images."""

from __future__ import annotations

import copy
from typing import Any

from ..backend import RestoreRequest
from .saved import Saved

Object = dict[str, Any]
SUFFIX = "-restored"
PREFIX = "stock.cedana.ai/"
ACTION, CHECKPOINT_ACTION = f"{PREFIX}restore-action", f"{PREFIX}checkpoint-action"
CHECKPOINTS, POLICY = f"{PREFIX}checkpoints", f"{PREFIX}original-restart-policy"
NOT_CREATED = ("nodeName", "ephemeralContainers")
"""Fields of a spec that a new pod must not, or cannot, be created with."""
RESTARTS = ("restartPolicy", "restartPolicyRules")
"""A container's own (Kubernetes 1.34), which come before the pod's."""
OF_THE_SOURCE_ALONE = (
    "kubernetes.io/config.",  # by which a kubelet marks the mirror of a static pod, which nobody else may create
    "cni.projectcalico.org/podIP",
    "cni.projectcalico.org/containerID",
    "k8s.v1.cni.cncf.io/network-status",
    "k8s.v1.cni.cncf.io/networks-status",
    "k8s.ovn.org/pod-networks",
    "ovn.kubernetes.io/ip_address",
    "ovn.kubernetes.io/mac_address",
    "ovn.kubernetes.io/allocated",
    "ovn.kubernetes.io/routed",
)
"""How annotations begin that say what the source got from its node or its network. kube-ovn and OVN-Kubernetes would
give the new pod the source's address, which may be in use."""


def restored_pod(saved: Saved, request: RestoreRequest) -> Object:
    """A new pod in the stored one's namespace.

    Mounts, the token's among them, stay as they are: a process whose mount is missing cannot be restored. It has its
    command by the source's spec, which containerd wants to see though the process ignores it.

    Its restartPolicy is Never, whatever the source had (an annotation says what): a restored container that exits
    would be restored again by the kubelet, back at the cut, with what it did since undone and a client none the wiser;
    and one that cannot be restored would be tried for ever. Never makes the first Succeeded and the second Failed.
    """
    metadata = saved.pod["metadata"]
    kept = metadata | (request.uploaded.get("pod_metadata_spec") or {})
    spec = copy.deepcopy(request.uploaded.get("pod_spec") or saved.pod["spec"])
    policy = spec.get("restartPolicy") or "Always"
    for container in spec["containers"]:
        if record := saved.of_container(container["name"]):
            container |= {"image": record["image"], "imagePullPolicy": "IfNotPresent"}
            for name in RESTARTS:
                container.pop(name, None)
    labels = {ACTION: request.action_id, CHECKPOINT_ACTION: request.checkpoint_action_id}
    checkpoints = ",".join(f"{record['container']}={id_}" for id_, record in saved.records.items())
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {
            "name": request.pod_name or metadata["name"] + SUFFIX,
            "namespace": metadata["namespace"],
            "labels": {**(kept.get("labels") or {}), **labels},
            "annotations": {**_taken_along(kept.get("annotations") or {}), CHECKPOINTS: checkpoints, POLICY: policy},
        },
        "spec": {key: value for key, value in spec.items() if key not in NOT_CREATED} | {"restartPolicy": "Never"},
    }


def _taken_along(annotations: Object) -> Object:
    return {name: value for name, value in annotations.items() if not name.startswith(OF_THE_SOURCE_ALONE)}
