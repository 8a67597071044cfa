"""Looks at containers of a cluster, and waiting for a verdict: as long as a further look can change it, no longer.

Only the API server is asked, for the pod and for its log: nothing here touches the workload.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any

from kubernetes.client.exceptions import ApiException

from harness.failures import NotAsExpected, OperationFailed, WaitTimedOut
from harness.kube import Cluster, api_errors, pods
from harness.kube.errors import patiently
from harness.waiting import Done, Pace, Pending, wait_until
from harness.waiting import Look as Answer

from . import logs, witness
from .evidence import ContainerLog, Look
from .observation import Observation, Workload
from .verdict import Verdict, judge

PACE = Pace(least=0.1, share=0.05, most=1.0)
STEPPING = Pace(least=witness.PERIOD / 2, share=0.05, most=1.0)
"""For the step that comes next."""
_BEGAN = (time.monotonic(), datetime.now(UTC))


class PodChanged(Exception):
    """The pod changed while it was being looked at."""


@dataclass(frozen=True)
class PodLook:
    """A look, and whose it is."""

    uid: str
    look: Look


def nothing() -> None:
    """What is done beside a look when nothing is."""


def now() -> datetime:
    """The harness's clock: begins with the wall clock and never jumps."""
    return _BEGAN[1] + timedelta(seconds=time.monotonic() - _BEGAN[0])


def time_of(steps: int) -> float:
    """Seconds that a witness takes for so many steps, but no more than a pause may be."""
    return min(PACE.most, witness.PERIOD * steps)


def look_at(cluster: Cluster, workload: Workload) -> PodLook | None:
    """One look at the workload's container; None where there is no such pod.

    Raises:
        OperationFailed: the API refuses or does not answer.
        NotAsExpected: the pod has no such container.
        PodChanged: restarted or replaced while it was looked at; look again.
    """
    with api_errors(f"read pod {workload.namespace}/{workload.pod} and its log"):
        read_at = now()
        pod = _pod(cluster, workload)
        if pod is None:
            return None
        status = _container(pod, workload)
        restarts = int(status.get("restartCount", 0))
        log = _log(cluster, workload, _started_at(status.get("state")))
        before = _started_at(status.get("lastState"))
        previous = _log(cluster, workload, before, previous=True) if restarts else None
        again = _pod(cluster, workload)
        if again is None or _identity(again, workload) != _identity(pod, workload):
            raise PodChanged(f"pod {workload.pod} changed while its log was read")
    look = Look(read_at, log, previous, restarts=restarts, container=status.get("containerID", ""))
    return PodLook(pod["metadata"]["uid"], _with_state(look, pod, status))


def source_end(cluster: Cluster, observation: Observation) -> Look | None:
    """One more look at the source itself; None when its pod is gone or another one has its name."""
    seen = _settled_look(cluster, observation.workload)
    return seen.look if seen and seen.uid == observation.uid else None


def observe(cluster: Cluster, workload: Workload, *, steps: int, timeout: float) -> Observation:
    """Waits until the workload's witness has printed at least `steps` steps that follow on one another.

    Raises:
        WaitTimedOut: it has not; says what was last seen.
    """

    def look() -> Answer[Observation]:
        seen = patient_look(cluster, workload)
        if isinstance(seen, Pending):
            return seen
        if seen is None:
            return Pending(f"there is no pod {workload.pod} in namespace {workload.namespace}")
        observation = Observation(workload, seen.uid, seen.look)
        if not observation.steps:
            return Pending(f"no line of a witness in its log (container {seen.look.state})", "witness-missing")
        if observation.steps < steps:
            still = time_of(steps - observation.steps) - STEPPING.least  # the last one came a moment ago
            return Pending(f"{observation.steps} steps of nonce {observation.nonce}", retry_after=still)
        return Done(observation)

    return wait_until(
        look,
        timeout=timeout,
        expected=f"the witness in pod {workload.pod} to print {steps} steps",
        look_next="the container's log, and whether its manifest starts the witness",
        cause="witness-missing",
        pace=STEPPING,
    )


def note_ready(cluster: Cluster, observation: Observation, *, timeout: float) -> tuple[int | None, bool]:
    """The checkpoint was reported ready: reads the source's log to its end, then waits for its next step.

    Returns:
        The last step then (None when the source is not there any more), and whether a further one came in time.
    """
    observation.ready_at = now()
    reached: list[int] = []

    def look() -> Answer[bool]:
        seen = source_end(cluster, observation)
        if seen is None:
            observation.gone = True
            return Done(False)
        observation.add(seen)
        reached.append(max((one.number for one in seen.steps() if one.step.nonce == observation.nonce), default=0))
        return Done(True) if reached[-1] > reached[0] else Pending(f"step {reached[-1]}")

    try:
        went_on = wait_until(look, timeout=timeout, expected="a further step of the source", pace=STEPPING)
    except WaitTimedOut:
        went_on = False
    return (reached[0] if reached else None), went_on


def await_verdict(
    cluster: Cluster,
    observation: Observation,
    restored: Workload,
    *,
    timeout: float,
    source_cluster: Cluster | None = None,
    beside: Callable[[], None] = nothing,
) -> Verdict:
    """Looks at the restored container until the verdict is settled or the time is up; the verdict then.

    Args:
        cluster: of the restored pod.
        observation: of the source.
        restored: the container that is judged.
        timeout: seconds.
        source_cluster: the source's, where it is another one.
        beside: called after each look; what it raises ends the wait.

    Raises:
        OperationFailed: the API refuses, or did not answer once in that time.
    """
    watcher = Watcher(cluster, observation, restored, source_cluster or cluster)
    try:
        return wait_until(with_each(watcher.look, beside), timeout=timeout, expected="a settled verdict", pace=PACE)
    except WaitTimedOut as problem:
        if watcher.verdict is None:
            raise OperationFailed(
                f"a look at pod {restored.pod}", problem.seen, problem.look, cause="cluster-unreachable"
            ) from None
        return watcher.verdict
    finally:
        observation.rest()


def with_each(look: Callable[[], Answer[Verdict]], beside: Callable[[], None]) -> Callable[[], Answer[Verdict]]:
    """The look, and right after it what is to hold beside it."""

    def both() -> Answer[Verdict]:
        answer = look()
        beside()
        return answer

    return both


class Watcher:
    """Looks at a restored container again and again, and judges what was seen so far."""

    def __init__(self, cluster: Cluster, observation: Observation, restored: Workload, source_cluster: Cluster) -> None:
        self.cluster, self.observation, self.restored = cluster, observation, restored
        self.source_cluster = source_cluster
        self.uid = ""
        self.looks: list[Look] = []
        self.verdict: Verdict | None = None

    def look(self) -> Answer[Verdict]:
        begin = time.monotonic()
        seen = patient_look(self.cluster, self.restored)
        if isinstance(seen, Pending):
            return seen
        self._take(seen)
        try:
            self._look_at_source()
        except WaitTimedOut as problem:
            return Pending(problem.seen, problem.cause.name)
        self.verdict = judge(self.observation.evidence(self.uid, self.looks))
        if self.verdict.settled:
            return Done(self.verdict)
        took = time.monotonic() - begin
        return Pending(str(self.verdict), retry_after=max(took, time_of(self.verdict.wanting) - took))

    def _take(self, seen: PodLook | None) -> None:
        uid = seen.uid if seen else ""
        if uid != self.uid:
            self.uid = uid
            self.looks.clear()
        if seen is None:
            absent = f"there is no pod {self.restored.pod} in namespace {self.restored.namespace}"
            self.looks = [Look(now(), running=False, ready=False, state=absent)]
            return
        look = seen.look.sharing(self.looks[-1] if self.looks else self.observation.newest)
        if len(self.looks) > 1 and all(_same(one, look) for one in self.looks[-2:]):
            self.looks[-1] = look  # nothing new: only the time goes on
            return
        if len(self.looks) > 2 and self.looks[-2].steps() <= self.looks[-1].steps():
            del self.looks[-2]  # the first look, and the newest ones, say it all
        self.looks.append(look)

    def _look_at_source(self) -> None:
        """Where the source lives on, its lines must be known up to now: a copy of them is no process of its own."""
        if self.uid == self.observation.uid:
            return
        if self.restored == self.observation.workload or self.observation.gone:
            return
        look = source_end(self.source_cluster, self.observation)
        if look is None:
            self.observation.gone = True
            return
        self.observation.add(look)


def _same(one: Look, other: Look) -> bool:
    return replace(one, read_at=other.read_at) == other


def patient_look(cluster: Cluster, workload: Workload) -> PodLook | Pending | None:
    """One look, or why another one may tell more."""
    try:
        return patiently(lambda: look_at(cluster, workload))
    except PodChanged as change:
        return Pending(str(change))


def _settled_look(cluster: Cluster, workload: Workload) -> PodLook | None:
    def look() -> Answer[PodLook | None]:
        seen = patient_look(cluster, workload)
        return seen if isinstance(seen, Pending) else Done(seen)

    return wait_until(look, timeout=10, expected=f"pod {workload.pod} to hold still for one look", pace=PACE)


def _pod(cluster: Cluster, workload: Workload) -> dict[str, Any] | None:
    try:
        return pods.get(cluster, workload.namespace, workload.pod)
    except ApiException as problem:
        if problem.status == 404:
            return None
        raise


def _log(
    cluster: Cluster, workload: Workload, started_at: datetime | None, *, previous: bool = False
) -> ContainerLog | None:
    try:
        lines = pods.read_log(cluster, workload.namespace, workload.pod, workload.container, previous=previous)
    except ApiException as problem:
        if problem.status in (400, 404):  # not started yet, no previous log, or the pod is gone
            return None
        raise
    return ContainerLog(logs.parse(lines), started_at)


def _container(pod: dict[str, Any], workload: Workload) -> dict[str, Any]:
    """The container's status; an empty one before the kubelet has written it. Native sidecars are containers, too."""
    inits = pod["spec"].get("initContainers") or []
    sidecars = [one["name"] for one in inits if one.get("restartPolicy") == "Always"]
    names = [one["name"] for one in pod["spec"]["containers"]]
    name = workload.container or (names[0] if len(names) == 1 else "(one only, or name one)")
    names += sidecars
    if name not in names:
        raise NotAsExpected(
            f"pod {workload.pod} to have a container {name}",
            f"it has {', '.join(names)}",
            cause="bad-manifest",
        )
    return next((one for one in pods.container_statuses(pod) if one["name"] == name), {})


def _identity(pod: dict[str, Any], workload: Workload) -> tuple[str | None, ...]:
    status = _container(pod, workload)
    return pod["metadata"]["uid"], status.get("containerID"), status.get("restartCount")


def _with_state(look: Look, pod: dict[str, Any], status: dict[str, Any]) -> Look:
    state = status.get("state") or {}
    running = "running" in state
    return replace(
        look,
        running=running,
        ready=pods.is_ready(pod),
        over=pod.get("status", {}).get("phase") in ("Succeeded", "Failed"),
        state="running" if running else pods.state_of(pod).seen,
    )


def _started_at(state: dict[str, Any] | None) -> datetime | None:
    for detail in (state or {}).values():
        if text := (detail or {}).get("startedAt"):
            return datetime.fromisoformat(text)
    return None
