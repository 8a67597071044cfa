"""Groups of pods: waiting until all of them are Ready."""

from __future__ import annotations

from harness.kube import Cluster, api_errors
from harness.kube.pods import LOOK_AT_EVENTS, is_ready, list_pods, state_of
from harness.kube.watching import Obj, Objects, watch_until
from harness.waiting import Done, Look, Pending


def wait_until_ready(cluster: Cluster, namespace: str, selector: str, at_least: int, timeout: float) -> list[Obj]:
    """Waits by one watch until there are enough pods and all of them are Ready.

    Pods that have done their work (Succeeded) and pods that are being deleted do not count.

    Args:
        selector: label selector.
        at_least: how many pods there must be.
        timeout: seconds.

    Raises:
        WaitTimedOut: says in which state each of the others was last seen.
    """

    def judge(pods: Objects) -> Look[list[Obj]]:
        counted = [pod for pod in pods if _counts(pod)]
        waiting = [state_of(pod) for pod in counted if not is_ready(pod)]
        if waiting:
            causes = [one.cause for one in waiting if one.cause]
            return Pending("; ".join(one.seen for one in waiting), causes[0] if causes else "")
        if len(counted) < at_least:
            return Pending(f"{len(counted)} pods with {selector} in namespace {namespace}, all Ready")
        return Done(sorted(counted, key=lambda pod: str(pod["metadata"]["name"])))

    with api_errors(f"watch the pods of namespace {namespace}"):
        return watch_until(
            list_pods(cluster, namespace, label_selector=selector),
            judge,
            timeout=timeout,
            expected=f"at least {at_least} pods with {selector} in namespace {namespace}, all of them Ready,",
            look_next=LOOK_AT_EVENTS,
            cause="not-ready",
        )


def _counts(pod: Obj) -> bool:
    return pod.get("status", {}).get("phase") != "Succeeded" and "deletionTimestamp" not in pod["metadata"]
