"""Whether a restored pod runs, or never will."""

from __future__ import annotations

import asyncio
import time
from typing import Any

from ..backend import BackendError
from .cluster import StockCluster
from .kube import AWAY, KubeError

Object = dict[str, Any]
LOOK_EVERY = 0.25
PATIENCE = 120.0
"""Seconds for a pod to run, beside the time that its memory takes."""
BYTES_PER_SECOND = 20e6
UNSCHEDULED_PATIENCE = 30.0
"""Seconds for the scheduler to find a place."""
THROTTLED = "pull QPS exceeded"
"""What a kubelet says of an image that it does not begin to pull yet, having begun many (`registryPullQPS` and
`registryBurst`, 5 a second and 10 by default): it tries again by itself."""
BACKING_OFF = "ImagePullBackOff"
_HOPELESS = (
    "CreateContainerError",
    "CreateContainerConfigError",
    "RunContainerError",
    "CrashLoopBackOff",
    "ErrImagePull",
    BACKING_OFF,
    "ErrImageNeverPull",
    "InvalidImageName",
    "ImageInspectError",
)


async def wait_until_restored(cluster: StockCluster, pod: Object, restored: set[str], size: int) -> Object:
    """Waits until each restored container of a pod runs, or has ended after it ran; gives the pod.

    An API server that is away meanwhile is waited for; the pod goes on without it.

    Raises:
        BackendError: one cannot be started, the pod is gone or finds no node, or the time is over. The pod is removed.
    """
    deadline = time.monotonic() + PATIENCE + size / BYTES_PER_SECOND
    placed_by = time.monotonic() + UNSCHEDULED_PATIENCE
    metadata = pod["metadata"]
    throttled = False
    while True:
        try:
            found = await cluster.pod(metadata["namespace"], metadata["name"])
        except KubeError as failed:
            if failed.status not in AWAY or time.monotonic() > deadline:
                raise
            await asyncio.sleep(LOOK_EVERY)
            continue
        if not found or found["metadata"]["uid"] != metadata["uid"]:
            raise BackendError(f"the restored pod {metadata['name']} was deleted before its containers ran")
        if is_running(found, restored):
            return found
        throttled = throttled or is_throttled(found, restored)
        problem = problem_of(found, restored, throttled=throttled)
        if not problem and not found["spec"].get("nodeName") and time.monotonic() > placed_by:
            problem = f"no node takes it: {_scheduling(found)}"
        if not problem and time.monotonic() > deadline:
            problem = f"its containers do not run after {PATIENCE + size / BYTES_PER_SECOND:.0f} s: {_states(found)}"
        if problem:
            raise await _given_up(cluster, found, problem)
        await asyncio.sleep(LOOK_EVERY)


def is_running(pod: Object, restored: set[str]) -> bool:
    """Whether each of those containers runs, or did."""
    states = {each["name"]: each.get("state") or {} for each in pod.get("status", {}).get("containerStatuses") or []}
    return all(_ran(states.get(name, {})) for name in restored)


def is_throttled(pod: Object, restored: set[str]) -> bool:
    """Whether the kubelet puts an image of one of those containers off because it has pulled many."""
    statuses = pod.get("status", {}).get("containerStatuses") or []
    waiting = [(each.get("state") or {}).get("waiting") or {} for each in statuses if each["name"] in restored]
    return any(THROTTLED in str(each.get("message")) for each in waiting)


def problem_of(pod: Object, restored: set[str], *, throttled: bool = False) -> str:
    """Why one of those containers will never run; empty as long as it may.

    `throttled`: a pull was put off before, and so the kubelet may be backing off for no other reason.
    """
    for status in pod.get("status", {}).get("containerStatuses") or []:
        if status["name"] not in restored:
            continue
        state = status.get("state") or {}
        waiting, ended = state.get("waiting") or {}, state.get("terminated") or {}
        put_off = THROTTLED in str(waiting.get("message")) or (throttled and waiting.get("reason") == BACKING_OFF)
        if waiting.get("reason") in _HOPELESS and not put_off:
            return f"container {status['name']}: {waiting['reason']}: {waiting.get('message', '')}".rstrip(": ")
        if ended.get("reason") == "StartError":
            return f"container {status['name']}: {ended.get('message') or 'StartError'}"
    if pod.get("status", {}).get("phase") == "Failed":
        status = pod["status"]
        return f"the pod failed: {status.get('reason', '')} {status.get('message', '')}".strip()
    return ""


def _ran(state: Object) -> bool:
    ended = state.get("terminated") or {}
    return "running" in state or (bool(ended) and ended.get("reason") not in ("StartError", "ContainerCannotRun"))


def _states(pod: Object) -> str:
    """Where the pod stands. A runtime says nothing about an archive that it cannot read to its end."""
    found = []
    for status in pod.get("status", {}).get("containerStatuses") or []:
        waiting = (status.get("state") or {}).get("waiting") or {}
        found.append(f"{status['name']} is {waiting.get('reason', 'not running')}")
    return ", ".join(found) or f"the pod is {pod.get('status', {}).get('phase', 'Pending')}"


def _scheduling(pod: Object) -> str:
    conditions = pod.get("status", {}).get("conditions") or []
    return next((str(each.get("message")) for each in conditions if each["type"] == "PodScheduled"), "not scheduled")


async def _given_up(cluster: StockCluster, pod: Object, problem: str) -> BackendError:
    """The error with all that is known; the pod goes, lest it be tried for ever."""
    said = [text for text in await cluster.warnings(pod) if text and text.removeprefix("Error: ") not in problem]
    await cluster.delete_pod(pod)
    node = pod["spec"].get("nodeName") or "no node"
    events = f" Events: {'; '.join(said[-3:])}" if said else ""
    return BackendError(f"restore of pod {pod['metadata']['name']} on {node} failed: {problem}.{events}")
