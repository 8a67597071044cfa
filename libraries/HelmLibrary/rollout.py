"""Whether a release's workloads really run: their pods are believed, and not only Helm.

Helm takes a DaemonSet for ready when as many pods are missing as its update strategy allows; the published Cedana chart
allows 99999.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from typing import Any

from kubernetes.client.exceptions import ApiException

from harness.diagnosis import QUOTA_WORDS
from harness.kube import Cluster, api_errors
from harness.kube.errors import patiently
from harness.kube.pods import is_ready, list_pods, raw, state_of
from harness.kube.watching import Obj
from harness.waiting import Done, Look, Pending, wait_until

from .manifests import Thing

LOOK_NEXT = "the pods of the release and their events"


def wait_until_rolled_out(cluster: Cluster, release: str, workloads: Sequence[Thing], timeout: float) -> None:
    """Waits until every workload has all its pods, of its newest generation, Ready.

    Args:
        timeout: seconds.

    Raises:
        WaitTimedOut: names the first workload that has not, and why its pod is not Ready.
    """
    wait_until(
        lambda: patiently(lambda: look(cluster, workloads)),
        timeout=timeout,
        expected=f"all pods of release {release} to be Ready",
        look_next=LOOK_NEXT,
        cause="install-timeout",
    )


def look(cluster: Cluster, workloads: Sequence[Thing]) -> Look[None]:
    """One look at all of them."""
    for workload in workloads:
        with api_errors(f"get {workload}"):
            try:
                found = raw(_reader(cluster, workload.kind), workload.name, workload.namespace)
            except ApiException as problem:
                if problem.status == 404:
                    return Pending(f"there is no {workload}")
                raise
        ready, wanted = counts(found)
        if ready < wanted or not _observed(found):
            return what_is_missing(cluster, workload, found, f"{workload} has {max(0, ready)} of {wanted} pods ready")
    return Done(None)


def counts(workload: Obj) -> tuple[int, int]:
    """How many pods of the newest generation are Ready for sure, and how many there should be.

    Ready ones are counted whatever their generation, so that each older one that is there may be one of them.
    """
    status = workload.get("status", {})
    if workload["kind"] == "DaemonSet":
        wanted, there = status.get("desiredNumberScheduled", 0), status.get("currentNumberScheduled", 0)
        ready, updated = status.get("numberReady", 0), status.get("updatedNumberScheduled", 0)
    else:
        wanted, there = workload["spec"].get("replicas", 1), status.get("replicas", 0)
        ready, updated = status.get("readyReplicas", 0), status.get("updatedReplicas", 0)
    return min(updated, ready - max(0, there - updated)), wanted


def _observed(workload: Obj) -> bool:
    return bool(workload.get("status", {}).get("observedGeneration", 0) >= workload["metadata"].get("generation", 0))


def _reader(cluster: Cluster, kind: str) -> Callable[..., Any]:
    read: Callable[..., Any] = {
        "Deployment": cluster.apps.read_namespaced_deployment,
        "StatefulSet": cluster.apps.read_namespaced_stateful_set,
        "DaemonSet": cluster.apps.read_namespaced_daemon_set,
    }[kind]
    return read


def what_is_missing(cluster: Cluster, workload: Thing, found: Obj, words: str) -> Pending:
    """Why an unready workload is not ready, after `words`, with the cause where one is known."""
    labels = found["spec"]["selector"].get("matchLabels") or {}
    selector = ",".join(f"{key}={value}" for key, value in labels.items())
    with api_errors(f"list the pods of {workload}"):
        pods = raw(list_pods(cluster, workload.namespace, label_selector=selector))["items"]
        waiting = [state_of(pod) for pod in pods if not is_ready(pod)]
        told = [state for state in waiting if state.cause] or waiting
        if told:
            return Pending(f"{words}; {told[0].seen}", told[0].cause)
        return _refused_pods(cluster, workload, words)


def _refused_pods(cluster: Cluster, workload: Thing, words: str) -> Pending:
    """Pods that the API did not let a controller make leave nothing but an event."""
    events = raw(cluster.core.list_namespaced_event, workload.namespace, field_selector="reason=FailedCreate")["items"]
    told = [event["message"] for event in events if event["involvedObject"]["name"].startswith(workload.name)]
    if not told:
        return Pending(words)
    cause = "quota" if re.search(QUOTA_WORDS, told[-1]) else "webhook-refused" if "webhook" in told[-1] else ""
    return Pending(f"{words}; {told[-1]}", cause)
