"""Namespaces of a run: created with a ledger entry, used when they are there already, deleted only when ours."""

from __future__ import annotations

import time
from functools import partial
from typing import Any

from kubernetes.client.exceptions import ApiException

from harness.failures import OperationFailed
from harness.kube import Cluster, api_errors
from harness.kube.objects import PodSecurity, entry_of, intend, labelled, namespace_manifest, was_refused
from harness.kube.pods import raw
from harness.kube.watching import Obj, Objects, watch_until
from harness.ledger import LEDGER
from harness.waiting import Done, Look, Pending

from . import volumes


def create(cluster: Cluster, name: str, timeout: float, pod_security: PodSecurity | None = None) -> bool:
    """Makes the namespace and waits until pods can be created in it; uses the one that is there already.

    A namespace of that name that is on its way out is awaited first.

    Args:
        timeout: seconds.
        pod_security: the Pod Security level of a namespace that is made here.

    Returns:
        Whether this call created it.

    Raises:
        OperationFailed: the API refuses it.
        WaitTimedOut: an earlier namespace of that name does not go away, or there is no default ServiceAccount.
    """
    there = find(cluster, name)
    if there and "deletionTimestamp" in there["metadata"]:
        wait_until_gone(cluster, name, timeout, uid=there["metadata"]["uid"])
        there = None
    created = there is None and _create(cluster, name, pod_security)
    _wait_until_usable(cluster, name, timeout)
    return created


def delete(cluster: Cluster, name: str, timeout: float) -> bool:
    """Deletes a namespace that this run created and waits until it is gone, with everything in it.

    Returns:
        Whether it was this run's; any other one is left alone.

    Raises:
        WaitTimedOut: still there; says what keeps it; cause `stuck-terminating`.
        OperationFailed: the API refuses.
    """
    entry = entry_of(cluster, "Namespace", "", name)
    if entry is None:
        return False
    deadline = time.monotonic() + timeout
    volumes.note(entry, cluster, name)
    remove(cluster, name, entry.find.get("uid"), timeout)
    volumes.remove(entry, cluster, max(0.0, deadline - time.monotonic()))
    LEDGER.gone(entry)
    for inside in LEDGER.owed():
        if inside.place == entry.place and inside.find.get("namespace") == name:
            LEDGER.gone(inside)
    return True


def find(cluster: Cluster, name: str) -> Obj | None:
    """The namespace, or None where there is none."""
    with api_errors(f"get namespace {name}"):
        try:
            return raw(cluster.core.read_namespace, name)
        except ApiException as problem:
            if problem.status == 404:
                return None
            raise


def remove(cluster: Cluster, name: str, uid: str | None, timeout: float) -> None:
    """Deletes the namespace of that UID and waits until it is gone; fine when it is gone already."""
    body: dict[str, Any] = {"preconditions": {"uid": uid}} if uid else {}
    with api_errors(f"delete namespace {name}"):
        try:
            cluster.core.delete_namespace(name, body=body, _preload_content=False)
        except ApiException as problem:
            if problem.status == 404:
                return
            # 409 is another namespace of that name, or this one on its way out already.
            if problem.status != 409:
                raise
    wait_until_gone(cluster, name, timeout, uid=uid)


def wait_until_gone(cluster: Cluster, name: str, timeout: float, *, uid: str | None) -> None:
    """Waits by watch until the namespace (of that UID, where one is given) is gone.

    Raises:
        WaitTimedOut: says what keeps it, in the cluster's own words; cause `stuck-terminating`.
    """

    def judge(namespaces: Objects) -> Look[None]:
        there = [one for one in namespaces if not uid or one["metadata"]["uid"] == uid]
        return Pending(_why_there(there[0])) if there else Done(None)

    with api_errors(f"watch namespace {name}"):
        watch_until(
            partial(cluster.core.list_namespace, field_selector=f"metadata.name={name}"),
            judge,
            timeout=timeout,
            expected=f"namespace {name} to be gone",
            look_next="the finalizers of what is left in it",
            cause="stuck-terminating",
        )


def _create(cluster: Cluster, name: str, pod_security: PodSecurity | None) -> bool:
    manifest = labelled(namespace_manifest(name, pod_security))
    entry = intend(cluster, "v1", "Namespace", "", name)
    try:
        with api_errors(f"create namespace {name}"):
            made = raw(cluster.core.create_namespace, manifest)
    except OperationFailed as problem:
        if was_refused(problem):
            LEDGER.gone(entry)
        if getattr(problem.__cause__, "status", 0) == 409:  # somebody else was faster; it is theirs
            return False
        raise
    LEDGER.made(entry, uid=made["metadata"]["uid"])
    return True


def _wait_until_usable(cluster: Cluster, name: str, timeout: float) -> None:
    """A pod is refused until the namespace's default ServiceAccount is there."""

    def judge(accounts: Objects) -> Look[None]:
        return Done(None) if accounts else Pending(f"namespace {name} has no ServiceAccount default yet")

    with api_errors(f"watch the ServiceAccount default of namespace {name}"):
        watch_until(
            partial(cluster.core.list_namespaced_service_account, name, field_selector="metadata.name=default"),
            judge,
            timeout=timeout,
            expected=f"namespace {name} to take pods",
            look_next="whether the cluster's controller manager runs",
        )


def _why_there(namespace: Obj) -> str:
    name = namespace["metadata"]["name"]
    if "deletionTimestamp" not in namespace["metadata"]:
        return f"namespace {name} is there and not being deleted"
    conditions = namespace.get("status", {}).get("conditions") or []
    reasons = [one.get("message", "") for one in conditions if one["status"] == "True"]
    return f"namespace {name} is being deleted{''.join(f'; {reason}' for reason in reasons if reason)}"
