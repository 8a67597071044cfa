"""Whether a restored pod runs, or never will."""

from __future__ import annotations

import asyncio
import time
from typing import Any

from ..backend import BackendError
from .cluster import StockCluster

Object = dict[str, Any]
LOOK_EVERY = 0.25
PATIENCE = 120.0
"""Seconds for a pod to run, beside the time that its memory takes."""
BYTES_PER_SECOND = 20e6
UNSCHEDULED_PATIENCE = 30.0
"""Seconds for the scheduler to find a place."""
_HOPELESS = (
    "CreateContainerError",
    "CreateContainerConfigError",
    "RunContainerError",
    "CrashLoopBackOff",
    "ErrImagePull",
    "ImagePullBackOff",
    "ErrImageNeverPull",
    "InvalidImageName",
    "ImageInspectError",
)


async def wait_until_restored(cluster: StockCluster, pod: Object, restored: set[str], size: int) -> Object:
    """Waits until each restored container of a pod runs, or has ended after it ran; gives the pod.

    Raises:
        BackendError: one cannot be started, the pod is gone or finds no node, or the time is over. The pod is removed.
    """
    deadline = time.monotonic() + PATIENCE + size / BYTES_PER_SECOND
    placed_by = time.monotonic() + UNSCHEDULED_PATIENCE
    metadata = pod["metadata"]
    while True:
        found = await cluster.pod(metadata["namespace"], metadata["name"])
        if not found or found["metadata"]["uid"] != metadata["uid"]:
            raise BackendError(f"the restored pod {metadata['name']} was deleted before its containers ran")
        if is_running(found, restored):
            return found
        problem = problem_of(found, restored)
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


def problem_of(pod: Object, restored: set[str]) -> str:
    """Why one of those containers will never run; empty as long as it may."""
    for status in pod.get("status", {}).get("containerStatuses") or []:
        if status["name"] not in restored:
            continue
        state = status.get("state") or {}
        waiting, ended = state.get("waiting") or {}, state.get("terminated") or {}
        if waiting.get("reason") in _HOPELESS:
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
