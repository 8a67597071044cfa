"""Waiting until a container is killed for taking more memory than it may."""

from __future__ import annotations

from typing import Any

from harness.failures import NotAsExpected
from harness.kube import Cluster, api_errors
from harness.kube.pods import LOOK_AT_EVENTS, container_statuses, named_pod, state_of
from harness.kube.watching import Objects, watch_until
from harness.waiting import Done, Look, Pending

Obj = dict[str, Any]
KILLED = "OOMKilled"
BY_SIGKILL = 137
"""Its exit code; runtimes that miss the kernel's event report it with the reason Error."""
LOOK_AT_LIMIT = "memory.max of the container's cgroup, on the pod's node"


def out_of_memory(cluster: Cluster, namespace: str, name: str, timeout: float, cause: str) -> str:
    """Waits by watch until a container of the pod ends, which must be for its use of memory; the container's name.

    Args:
        timeout: seconds.
        cause: the cause of a failure.

    Raises:
        WaitTimedOut: none ends.
        NotAsExpected: one ended for another reason.
    """
    expected = f"a container of pod {name} to be killed for taking more memory than its limit ({KILLED})"

    def look(found: Objects) -> Look[str]:
        if not found:
            return Pending(f"there is no pod {name} in namespace {namespace}")
        ended = {one["name"]: end for one in container_statuses(found[0]) if (end := _end_of(one))}
        killed = [container for container, end in ended.items() if _is_killed(end)]
        if killed:
            return Done(killed[0])
        if ended:
            raise NotAsExpected(expected, state_of(found[0]).seen, LOOK_AT_EVENTS, cause=cause)
        return Pending("all its containers run on")

    with api_errors(f"watch pod {namespace}/{name}"):
        return watch_until(
            named_pod(cluster, namespace, name),
            look,
            timeout=timeout,
            expected=expected,
            look_next=LOOK_AT_LIMIT,
            cause=cause,
        )


def _is_killed(end: Obj) -> bool:
    return end.get("reason") == KILLED or end.get("exitCode") == BY_SIGKILL


def _end_of(status: Obj) -> Obj:
    """How the container has ended, now or before it was started again; empty where it has not."""
    ended = (status.get(when, {}).get("terminated") for when in ("state", "lastState"))
    return next((one for one in ended if one), {})
