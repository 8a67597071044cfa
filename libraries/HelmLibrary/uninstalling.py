"""What a chart leaves on purpose, and its uninstaller's work: waited for, then removed."""

from __future__ import annotations

import time
from collections.abc import Sequence
from functools import partial

from kubernetes.client.exceptions import ApiException

from harness.failures import NotAsExpected, OperationFailed, WaitTimedOut
from harness.kube import Cluster, api_errors, objects
from harness.kube.pods import raw
from harness.kube.watching import Obj
from harness.waiting import Done, Look, Pending, wait_until

from .manifests import Thing
from .rollout import counts, what_is_missing

WORK_SHARE = 0.7
WORKERS = ("DaemonSet", "Deployment", "StatefulSet", "Job")


def remove_kept(cluster: Cluster, things: Sequence[Thing], timeout: float, *, takes_namespace: bool) -> None:
    """Lets the kept workloads end their work, then removes all that was kept, in any case.

    Args:
        timeout: seconds; the workloads get `WORK_SHARE` of them.
        takes_namespace: the chart's uninstaller deletes the install namespace; that is its work's end.

    Raises:
        OperationFailed: the uninstaller did not come to its end, so that its work is left undone; or the API refuses.
        WaitTimedOut: something does not go away.
    """
    deadline = time.monotonic() + timeout
    try:
        for worker in [thing for thing in things if thing.kind in WORKERS]:
            left = max(0.0, deadline - time.monotonic() - (1 - WORK_SHARE) * timeout)
            _wait_for_its_work(cluster, worker, takes_namespace, left)
    finally:
        for thing in things:
            if is_there(cluster, thing):
                _delete(cluster, thing, max(1.0, deadline - time.monotonic()))


def _wait_for_its_work(cluster: Cluster, worker: Thing, takes_namespace: bool, timeout: float) -> None:
    """Waits for the end of its work. What was left undone does not go away with it, as what is merely late does."""
    try:
        wait_until(
            partial(_has_ended, cluster, worker, takes_namespace),
            timeout=timeout,
            expected=f"{worker}, which the chart left to clean up, to end its work",
            look_next=f"the pods of {worker} and their logs; the nodes, for what it was to undo there",
            cause="helm-failed",
        )
    except WaitTimedOut as late:
        seen = f"{late.seen}; what it was to undo, on the nodes too, may still be there"
        raise OperationFailed(late.expected, seen, late.look, cause=late.cause.name) from None


def _delete(cluster: Cluster, thing: Thing, timeout: float) -> None:
    objects.delete(cluster, thing.api_version, thing.kind, thing.namespace, thing.name, uid=None, timeout=timeout)


def is_there(cluster: Cluster, thing: Thing) -> bool:
    """Whether it still is; a kind that the cluster no longer serves has no objects."""
    try:
        return objects.find(cluster, thing.api_version, thing.kind, thing.namespace, thing.name) is not None
    except NotAsExpected:
        return False


def _has_ended(cluster: Cluster, thing: Thing, takes_namespace: bool) -> Look[None]:
    if _namespace_goes(cluster, thing.namespace):
        return Done(None)
    found = objects.find(cluster, thing.api_version, thing.kind, thing.namespace, thing.name)
    if found is None or "deletionTimestamp" in found["metadata"]:
        return Done(None)
    if _is_done(found):
        still = f"namespace {thing.namespace}, which {thing} is to delete, is there"
        return Pending(still) if takes_namespace else Done(None)
    at_work = f"{thing} is at work"
    if thing.kind == "Job":
        return Pending(at_work)
    missing = what_is_missing(cluster, thing, found, at_work)
    # Its image is the installed daemon's: where it cannot be pulled, nothing was installed that it could undo.
    return Done(None) if missing.cause == "image-pull" else missing


def _is_done(workload: Obj) -> bool:
    if workload["kind"] == "Job":
        ended = [one["type"] for one in workload.get("status", {}).get("conditions") or [] if one["status"] == "True"]
        return bool({"Complete", "Failed"} & set(ended))
    ready, wanted = counts(workload)
    return 0 < wanted <= ready


def _namespace_goes(cluster: Cluster, namespace: str) -> bool:
    with api_errors(f"get namespace {namespace}"):
        try:
            found = raw(cluster.core.read_namespace, namespace)
        except ApiException as problem:
            if problem.status == 404:
                return True
            raise
    return "deletionTimestamp" in found["metadata"]
