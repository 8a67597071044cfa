"""Deleting what this run made: the very objects that are meant, awaited until they are gone, no longer owed then."""

from __future__ import annotations

import time
from dataclasses import dataclass

from kubernetes.client.exceptions import ApiException

from harness.kube import Cluster, api_errors, pods
from harness.kube.errors import server_words
from harness.kube.objects import ask_to_delete, entry_of, find, wait_until_gone
from harness.ledger import LEDGER
from harness.waiting import REMOTE, Done, Look, Pending, wait_until

from . import facts
from .manifests import Manifest
from .removal import address, remove_object, the_one


@dataclass(frozen=True)
class Going:
    """A pod that was asked to go; `there` where there was one, `uid` where it is known which, `since` when it was."""

    cluster: Cluster
    namespace: str
    name: str
    uid: str | None
    there: bool
    since: str = ""


def ask_for_end(cluster: Cluster, namespace: str, name: str, uid: str | None) -> Going:
    """Asks for the deletion of the pod and does not wait for its end. Where it is gone already, it is owed no more.

    Raises:
        OperationFailed: the API refuses.
    """
    there = find(cluster, "v1", "Pod", namespace, name)
    found = there["metadata"]["uid"] if there else None
    if found and uid in (None, found):
        since = ask_to_delete(cluster, "v1", "Pod", namespace, name, uid=found)
        if since is not None:
            return Going(cluster, namespace, name, found, there=True, since=since)
    going = Going(cluster, namespace, name, uid or found, there=False)
    _owed_no_more(going)
    return going


def see_out(going: Going, timeout: float) -> None:
    """Waits until a pod that was asked to go is gone.

    Raises:
        WaitTimedOut: still there; cause `stuck-terminating`.
        OperationFailed: the API refuses.
    """
    place, name = going.namespace, going.name
    wait_until_gone(going.cluster, "v1", "Pod", place, name, uid=going.uid, timeout=timeout, since=going.since)
    _owed_no_more(going)


def _owed_no_more(going: Going) -> None:
    if entry := entry_of(going.cluster, "Pod", going.namespace, going.name, going.uid):
        LEDGER.gone(entry)


def evict_pod(cluster: Cluster, namespace: str, name: str, timeout: float) -> None:
    """Asks for the eviction of a pod, as a drain does, and waits until it is gone.

    Args:
        timeout: seconds, also for a disruption budget that does not let it go yet.

    Raises:
        WaitTimedOut: a budget does not let it go, or it is still there; cause `stuck-terminating`.
        NotAsExpected: there is no such pod.
        OperationFailed: the API refuses.
    """
    deadline = time.monotonic() + timeout
    there = facts.pod(cluster, namespace, name)["metadata"]
    uid, since = there["uid"], there.get("resourceVersion") or ""
    body = {
        "apiVersion": "policy/v1",
        "kind": "Eviction",
        "metadata": {"name": name, "namespace": namespace},
        "deleteOptions": {"preconditions": {"uid": uid}},
    }

    def ask() -> Look[None]:
        with api_errors(f"evict pod {namespace}/{name}"):
            try:
                cluster.core.create_namespaced_pod_eviction(name, namespace, body, _preload_content=False)
            except ApiException as problem:
                if problem.status != 429:
                    raise
                return Pending(f"a disruption budget does not let it go: {server_words(problem)}")
        return Done(None)

    wait_until(
        ask,
        timeout=timeout,
        expected=f"pod {name} to be evicted",
        look_next="the PodDisruptionBudgets of its namespace",
        cause="stuck-terminating",
        pace=REMOTE,
    )
    pods.wait_until_gone(cluster, namespace, name, _left(deadline), uid=uid, since=since)
    if entry := entry_of(cluster, "Pod", namespace, name, uid):
        LEDGER.gone(entry)


def delete_manifest(cluster: Cluster, manifest: Manifest, namespace: str, timeout: float) -> list[str]:
    """Deletes the objects of `manifest` that this run created, last one first.

    Args:
        timeout: seconds for all of them.

    Returns:
        What was deleted, as kind and name.

    Raises:
        WaitTimedOut: an object is still there; cause `stuck-terminating`.
        OperationFailed: the API refuses.
    """
    deadline = time.monotonic() + timeout
    deleted = []
    for document in reversed(manifest.documents):
        kind, name = document["kind"], document["metadata"].get("name", "")
        entry = entry_of(cluster, kind, namespace, name) or entry_of(cluster, kind, "", name)
        if entry is None:
            continue
        found = the_one(entry, find(cluster, *address(entry)))
        remove_object(entry, cluster, found, _left(deadline))
        deleted += [f"{kind} {name}"] if found else []
        LEDGER.gone(entry)
    return deleted


def _left(deadline: float) -> float:
    return max(0.0, deadline - time.monotonic())
