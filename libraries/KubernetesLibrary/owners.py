"""Owners of pods: who has a pod removed when he goes, and who makes it anew when it is lost."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from harness.failures import NotAsExpected
from harness.kube import Cluster, api_errors
from harness.kube.objects import resource
from harness.kube.pods import list_pods, state_of
from harness.kube.watching import Objects, watch_until
from harness.waiting import Done, Look, Pending, wait_until

from . import facts

Obj = dict[str, Any]


def reference(owner: Mapping[str, Any]) -> Obj:
    """The entry in `ownerReferences` of what a controller makes for `owner`."""
    metadata = owner["metadata"]
    named = {"apiVersion": owner["apiVersion"], "kind": owner["kind"], "name": metadata["name"], "uid": metadata["uid"]}
    return named | {"controller": True, "blockOwnerDeletion": True}


def belongs_to(cluster: Cluster, namespace: str, name: str, owner: Mapping[str, Any], cause: str) -> bool:
    """Whether the pod belongs to `owner`; it may belong to nobody.

    Raises:
        NotAsExpected: it belongs to somebody else, too; with `cause`.
    """
    found = facts.pod(cluster, namespace, name)["metadata"].get("ownerReferences") or []
    others = [one for one in found if one["uid"] != owner["metadata"]["uid"]]
    if others:
        raise NotAsExpected(
            f"pod {namespace}/{name} to belong to {_named(reference(owner))}, or to nobody",
            f"it belongs to {', '.join(map(_named, others))}",
            "metadata.ownerReferences of the pod, and who wrote it (kubectl get pod --show-managed-fields)",
            cause=cause,
        )
    return bool(found)


def adopt(cluster: Cluster, namespace: str, name: str, owner: Mapping[str, Any]) -> None:
    """Makes the pod belong to `owner`, as a controller does with a pod that it takes for its own.

    Raises:
        OperationFailed: the API refuses.
        NotAsExpected: there is no such pod, or it belongs to somebody else.
    """
    if belongs_to(cluster, namespace, name, owner, "unknown"):
        return
    uid = facts.pod(cluster, namespace, name)["metadata"]["uid"]
    body = {"metadata": {"uid": uid, "ownerReferences": [reference(owner)]}}
    with api_errors(f"change the owner of pod {namespace}/{name}"):
        cluster.core.patch_namespaced_pod(name, namespace, body, _preload_content=False)


def wait_until_gone(cluster: Cluster, namespace: str, name: str, timeout: float) -> None:
    """Waits until there is no pod of that name.

    Args:
        timeout: seconds.

    Raises:
        WaitTimedOut: it is still there; cause `stuck-terminating`.
    """

    def judge(pods: Objects) -> Look[None]:
        there = list(pods)
        return Pending(state_of(there[0]).seen) if there else Done(None)

    with api_errors(f"watch pod {namespace}/{name}"):
        watch_until(
            list_pods(cluster, namespace, field_selector=f"metadata.name={name}"),
            judge,
            timeout=timeout,
            expected=f"pod {namespace}/{name} to be gone",
            look_next="its owners, and whether the cluster's garbage collector works",
            cause="stuck-terminating",
        )


def wait_until_served(cluster: Cluster, api_version: str, kind: str, timeout: float) -> None:
    """Waits until the cluster serves a kind.

    Args:
        timeout: seconds.

    Raises:
        WaitTimedOut: it does not; cause `bad-manifest`.
    """

    def look() -> Look[None]:
        try:
            resource(cluster, api_version, kind)
        except NotAsExpected:
            return Pending("it does not")
        return Done(None)

    wait_until(
        look,
        timeout=timeout,
        expected=f"the cluster to serve {kind} of {api_version}",
        look_next="the conditions of its CustomResourceDefinition",
        cause="bad-manifest",
    )


def _named(one: Mapping[str, Any]) -> str:
    return f"{one['kind']} {one['name']} (UID {one['uid']})"
