"""Pods: what state one is in, in words, and waiting until it is in the one that is wanted."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

from kubernetes.client.exceptions import ApiException

from ..durations import lasting
from ..failures import NotAsExpected
from ..waiting import Done, Look, Pending, wait_until
from .connection import Cluster
from .errors import api_errors, json_of, patiently
from .watching import Obj, Objects, watch_until, watch_while

_WAITING_CAUSES = {
    "ErrImagePull": "image-pull",
    "ImagePullBackOff": "image-pull",
    "ErrImageNeverPull": "image-pull",
    "InvalidImageName": "image-pull",
    "CrashLoopBackOff": "crash-loop",
}
STORAGE_CLASSES = "/apis/storage.k8s.io/v1/storageclasses"
LOOK_AT_EVENTS = "the events and container states of the pod, in this report"


def state_of(pod: Obj) -> Pending:
    """The state of a pod that is not Ready, in words, with the cause where the state tells it."""
    status = pod.get("status", {})
    words = [f"pod {pod['metadata']['name']} is {status.get('phase', 'without a phase')}"]
    cause = ""
    if "deletionTimestamp" in pod["metadata"]:
        held = ", ".join(pod["metadata"].get("finalizers") or [])
        words[0] += f", being deleted (finalizers: {held})" if held else ", being deleted"
    scheduled = condition(pod, "PodScheduled")
    if scheduled and scheduled["status"] == "False":
        words.append(f"not scheduled: {scheduled.get('message') or scheduled.get('reason', '')}")
        cause = "unschedulable"
    for container in container_statuses(pod):
        text, why = _container_state(container)
        words += [text] if text else []
        cause = cause or why
    return Pending("; ".join(words), cause)


def _container_state(container: Obj) -> tuple[str, str]:
    name, state = container["name"], container.get("state", {})
    if "waiting" in state or not state:
        waiting = state.get("waiting") or {}
        reason = waiting.get("reason", "no reason given")
        message = f" ({waiting['message']})" if waiting.get("message") else ""
        return f"container {name} waits: {reason}{message}", _WAITING_CAUSES.get(reason, "")
    if "terminated" in state:
        ended = state["terminated"]
        return f"container {name} ended: {ended.get('reason')}, exit code {ended.get('exitCode')}", ""
    if not container.get("ready"):
        return f"container {name} runs but is not ready", ""
    return "", ""


def condition(pod: Obj, kind: str) -> dict[str, Any] | None:
    """The condition of that type, or None."""
    conditions = pod.get("status", {}).get("conditions") or []
    return next((one for one in conditions if one["type"] == kind), None)


def container_statuses(pod: Obj) -> list[dict[str, Any]]:
    """The statuses of init and ordinary containers, in that order."""
    status = pod.get("status", {})
    return [*(status.get("initContainerStatuses") or []), *(status.get("containerStatuses") or [])]


def is_ready(pod: Obj) -> bool:
    """Whether the pod is Running, Ready and not being deleted."""
    ready = condition(pod, "Ready")
    return (
        pod.get("status", {}).get("phase") == "Running"
        and ready is not None
        and ready["status"] == "True"
        and "deletionTimestamp" not in pod["metadata"]
    )


def status_words(pod: Obj) -> set[str]:
    """The words for its state: its phase, and why containers wait or have ended, such as `CrashLoopBackOff`."""
    states = [one.get("state") or {} for one in container_statuses(pod)]
    reasons = {(state.get(kind) or {}).get("reason") for state in states for kind in ("waiting", "terminated")}
    return {str(word) for word in (pod.get("status", {}).get("phase"), *reasons) if word}


def restarts(pod: Obj) -> int:
    """Restarts of all its containers together, init containers and native sidecars with them."""
    return sum(one.get("restartCount", 0) for one in container_statuses(pod))


def list_pods(cluster: Cluster, namespace: str, **selectors: str) -> Callable[..., Any]:
    """The list call for a namespace's pods, bound for a watch; selectors as the official client names them."""
    return partial(cluster.core.list_namespaced_pod, namespace, **selectors)


def named_pod(cluster: Cluster, namespace: str, name: str) -> Callable[..., Any]:
    """The list call for one pod, bound for a watch."""
    return list_pods(cluster, namespace, field_selector=f"metadata.name={name}")


def wait_until_ready(cluster: Cluster, namespace: str, name: str, timeout: float, *, cause: str = "not-ready") -> Obj:
    """Waits by watch until the pod is Ready and returns it.

    Args:
        timeout: seconds.
        cause: the cause of a failure whose state does not tell it.

    Raises:
        WaitTimedOut: says in which state the pod was last seen, and for how long.
        NotAsExpected: the pod has ended, so that it will not become Ready. One that is being deleted does not count:
            its kubelet lets it fail or succeed before it goes, and another of its name may follow.
    """

    def judge(pods: Objects) -> Look[Obj]:
        if not pods:
            return Pending(f"there is no pod {name} in namespace {namespace}")
        pod = pods[0]
        if is_ready(pod):
            return Done(pod)
        if "deletionTimestamp" not in pod["metadata"] and pod.get("status", {}).get("phase") in ("Failed", "Succeeded"):
            raise NotAsExpected(f"pod {name} to become Ready", state_of(pod).seen, LOOK_AT_EVENTS, cause=cause)
        return state_of(pod)

    with api_errors(f"watch pod {namespace}/{name}"):
        return watch_until(
            named_pod(cluster, namespace, name),
            judge,
            timeout=timeout,
            expected=f"pod {name} to be Ready",
            look_next=LOOK_AT_EVENTS,
            cause=cause,
        )


def wait_until_status(cluster: Cluster, namespace: str, name: str, status: str, timeout: float) -> Obj:
    """Waits by watch until one of the pod's `status_words` is `status`, and returns the pod.

    Raises:
        WaitTimedOut: says in which state the pod was last seen, and for how long.
    """

    def judge(pods: Objects) -> Look[Obj]:
        if not pods:
            return Pending(f"there is no pod {name} in namespace {namespace}")
        return Done(pods[0]) if status in status_words(pods[0]) else state_of(pods[0])

    with api_errors(f"watch pod {namespace}/{name}"):
        return watch_until(
            named_pod(cluster, namespace, name),
            judge,
            timeout=timeout,
            expected=f"pod {name} to be {status}",
            look_next=LOOK_AT_EVENTS,
        )


def stay_ready(
    cluster: Cluster,
    namespace: str,
    name: str,
    seconds: float,
    *,
    before: Obj | None = None,
    cause: str = "restored-pod-unstable",
) -> Obj:
    """Watches a Ready pod for `seconds`: it must stay Ready as the same pod, without a container restart.

    Args:
        before: the pod as it was seen earlier; as it is now when None.

    Raises:
        NotAsExpected: it did not; says what changed.
    """
    with api_errors(f"watch pod {namespace}/{name}"):
        first = before or get(cluster, namespace, name)
        broken = watch_while(
            named_pod(cluster, namespace, name),
            lambda pods: _difference(first, pods),
            seconds=seconds,
            since=first["metadata"].get("resourceVersion") or "",
        )
    if broken:
        expected = f"pod {name} to stay Ready for {lasting(seconds)} as the same pod, without a restart"
        raise NotAsExpected(expected, broken, LOOK_AT_EVENTS, cause=cause)
    return first


def has_stayed_ready(cluster: Cluster, before: Obj, *, cause: str = "restored-pod-unstable") -> None:
    """One look at a pod that was Ready: it must have stayed so, as the same pod and without a container restart.

    A pod that was not Ready in between has another time, of whole seconds, in its condition.

    Args:
        before: the pod as it was seen Ready.

    Raises:
        NotAsExpected: it has not; says what changed.
        OperationFailed: the API refuses.
        WaitTimedOut: the API does not answer.
    """
    namespace, name = before["metadata"]["namespace"], before["metadata"]["name"]
    expected = f"pod {name} to stay Ready as the same pod, without a restart"
    now = wait_until(lambda: _one_look(cluster, namespace, name), timeout=10, expected=expected, cause=cause)
    if broken := _difference(before, now) or _break_since(before, now[0]):
        raise NotAsExpected(expected, broken, LOOK_AT_EVENTS, cause=cause)


def _one_look(cluster: Cluster, namespace: str, name: str) -> Look[Objects]:
    def read() -> Objects:
        with api_errors(f"read pod {namespace}/{name}"):
            try:
                return [get(cluster, namespace, name)]
            except ApiException as problem:
                if problem.status == 404:
                    return []
                raise

    seen = patiently(read)
    return seen if isinstance(seen, Pending) else Done(seen)


def _break_since(before: Obj, now: Obj) -> str | None:
    was, since = (((condition(pod, "Ready") or {}).get("lastTransitionTime") or "") for pod in (before, now))
    return None if was == since else f"it was not Ready for a while: it is so since {since}, and was since {was} before"


def _difference(before: Obj, pods: Objects) -> str | None:
    name = before["metadata"]["name"]
    if not pods:
        return f"pod {name} is gone"
    now = pods[0]
    if now["metadata"]["uid"] != before["metadata"]["uid"]:
        return f"pod {name} was replaced by another pod of that name"
    if restarts(now) != restarts(before):
        return f"its containers restarted: {restarts(before)} restarts before, {restarts(now)} now"
    return None if is_ready(now) else state_of(now).seen


def wait_until_gone(
    cluster: Cluster, namespace: str, name: str, timeout: float, *, uid: str | None = None, since: str = ""
) -> None:
    """Waits by watch until no pod of that name (and UID, where one is given) is there.

    Args:
        timeout: seconds.
        since: a resourceVersion as of which it was there: a list from before it was made is not believed.

    Raises:
        WaitTimedOut: it is still there; cause `stuck-terminating`.
    """

    def judge(pods: Objects) -> Look[None]:
        there = [pod for pod in pods if uid is None or pod["metadata"]["uid"] == uid]
        return state_of(there[0]) if there else Done(None)

    with api_errors(f"watch pod {namespace}/{name}"):
        watch_until(
            named_pod(cluster, namespace, name),
            judge,
            timeout=timeout,
            expected=f"pod {name} to be gone",
            look_next="its finalizers, and whether its node is Ready",
            cause="stuck-terminating",
            since=since,
        )


def get(cluster: Cluster, namespace: str, name: str) -> Obj:
    """The pod as the API's JSON has it.

    Raises:
        ApiException: 404 where there is none, and whatever else the API refuses.
    """
    return raw(cluster.core.read_namespaced_pod, name, namespace)


def raw(call: Callable[..., Any], *arguments: Any, **named: Any) -> Obj:
    """The answer of a call of the official client as the API's JSON, with its real field names."""
    return json_of(call(*arguments, **named, _preload_content=False))


def at_path(cluster: Cluster, path: str) -> Obj:
    """What the API answers to a GET of that path. The official client's class for a group of the API takes up to a
    tenth of a second to import: for a single call of it this does without.

    Raises:
        ApiException: whatever the API refuses.
    """
    return json_of(cluster.dynamic.request("get", path, serialize=False))


def read_log(
    cluster: Cluster,
    namespace: str,
    name: str,
    container: str | None = None,
    *,
    previous: bool = False,
    timestamps: bool = True,
) -> list[str]:
    """The lines of a container's log.

    Args:
        container: may be None where the pod has only one.
        previous: of the container before its last restart.
        timestamps: each line with the runtime's timestamp in front.

    Raises:
        ApiException: 400 where the container has not started or has no previous log; 404 where there is no such pod.
    """
    options: dict[str, Any] = {"container": container} if container else {}
    response = cluster.core.read_namespaced_pod_log(
        name, namespace, timestamps=timestamps, previous=previous, _preload_content=False, **options
    )
    text: str = response.data.decode(errors="replace")
    return text.removesuffix("\n").split("\n") if text else []  # other line separators belong to the line
