"""Sampling a witness: before a checkpoint, and on the restored pod until the verdict is settled."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from kubernetes.client.exceptions import ApiException

from harness.failures import NotAsExpected, OperationFailed, WaitTimedOut
from harness.kube import Cluster, api_errors, pods
from harness.kube.errors import patiently
from harness.waiting import Done, Pace, Pending, wait_until
from harness.waiting import Look as Answer

from .collect import nothing, now, with_each
from .observation import Workload
from .sampled import PodState, Sample, SampledEvidence, judge_samples
from .samplers import Unanswered, Way, opened
from .source import HARMED, LOOK_NEXT
from .verdict import Verdict
from .witness import short

PACE = Pace(least=0.1, share=0.02, most=1.0)
SAMPLES = 3
"""How many samples are taken of a workload before its checkpoint."""


@dataclass(repr=False)
class SampledObservation:
    """A workload whose witness was asked, and what was noted of it since.

    Attributes:
        workload: where it runs.
        way: how it is asked.
        uid: of its pod.
        samples: those from before a checkpoint was asked for, in their order.
        deleted_at: when the pod was deleted.
        restore_asked_at: when the restore was asked for.
        others: the nonces of the run's other workloads, and their names.
    """

    workload: Workload
    way: Way
    uid: str
    samples: list[Sample] = field(default_factory=list)
    deleted_at: datetime | None = None
    restore_asked_at: datetime | None = None
    others: Mapping[str, str] = field(default_factory=dict)

    @property
    def nonce(self) -> str:
        """The nonce of the process; empty where the witness has none."""
        return self.samples[-1].reading.nonce if self.samples else ""

    @property
    def step(self) -> int:
        """The last count before a checkpoint was asked for: the lower bound for a restore."""
        return self.samples[-1].count if self.samples else 0

    def __str__(self) -> str:
        of = f" of nonce {short(self.nonce)}" if self.nonce else ""
        return f"{self.workload}: count {self.step}{of} ({self.way})"

    def __repr__(self) -> str:
        return f"<observation of {self}>"

    def evidence(self, restored_uid: str, **seen: Any) -> SampledEvidence:
        """The evidence with what was seen of the restored pod."""
        others = {nonce: name for nonce, name in self.others.items() if nonce != self.nonce}
        return SampledEvidence(
            self.way.nature,
            self.uid,
            tuple(self.samples),
            restored_uid,
            deleted_at=self.deleted_at,
            restore_asked_at=self.restore_asked_at,
            others=others,
            **seen,
        )


@dataclass(frozen=True)
class PodSeen:
    """A pod as it is sampled: which one it is, and how it does."""

    uid: str
    restarts: int
    state: PodState


def new_mark() -> str:
    """A name for a counter that nobody else uses."""
    return secrets.token_hex(8)


def look_at(cluster: Cluster, workload: Workload) -> PodSeen | None:
    """The pod now; None where there is none.

    Raises:
        OperationFailed: the API refuses or does not answer.
    """
    with api_errors(f"read pod {workload.namespace}/{workload.pod}"):
        try:
            pod = pods.get(cluster, workload.namespace, workload.pod)
        except ApiException as problem:
            if problem.status == 404:
                return None
            raise
    phase = pod.get("status", {}).get("phase")
    running = phase == "Running"
    state = PodState(
        running=running,
        ready=pods.is_ready(pod),
        over=phase in ("Succeeded", "Failed"),
        state="running" if running else pods.state_of(pod).seen,
    )
    return PodSeen(pod["metadata"]["uid"], pods.restarts(pod), state)


class Asking:
    """Asks one pod again and again, and counts how often."""

    def __init__(self, cluster: Cluster, workload: Workload, way: Way) -> None:
        self.cluster, self.workload, self.way = cluster, workload, way
        self.asks = 0

    def take(self, pod: PodSeen, least: int = 0) -> Sample:
        """One sample of that very pod, the first one with a count of at least `least`.

        Raises:
            Unanswered: it gave none, or it is another pod by now.
        """
        with opened(self.cluster, self.workload, pod.uid, self.way) as asker:
            self.asks += 1
            reading = asker.ask()
            before = reading.count
            while reading.count < least:
                self.asks += 1
                reading = asker.ask()
                if reading.count <= before:
                    raise Unanswered(f"its count does not grow: {reading.count} came after {before}")
                before = reading.count
        sample = Sample(now(), reading, self.asks, pod.restarts)
        again = look_at(self.cluster, self.workload)
        if again is None or (again.uid, again.restarts) != (pod.uid, pod.restarts):
            raise Unanswered(f"pod {self.workload.pod} changed while it was asked", unreached=True)
        return sample


def observe(
    cluster: Cluster, workload: Workload, way: Way, *, samples: int, least: int, timeout: float
) -> SampledObservation:
    """Asks the witness until it has given so many samples, each with a higher count than the one before.

    Args:
        least: the count that is reached first, by asking again and again.

    Raises:
        WaitTimedOut: it has not; says what was last seen; cause `witness-missing`.
        OperationFailed: the API refuses.
    """
    observation = SampledObservation(workload, way, "")
    asking = Asking(cluster, workload, way)

    def look() -> Answer[SampledObservation]:
        pod = look_at(cluster, workload)
        if pod is None:
            return Pending(f"there is no pod {workload.pod} in namespace {workload.namespace}")
        if pod.uid != observation.uid:
            observation.uid = pod.uid
            observation.samples.clear()
        try:
            sample = asking.take(pod, least)
        except Unanswered as problem:
            return Pending(str(problem))
        last = observation.samples[-1] if observation.samples else None
        if last and (sample.reading.nonce != last.reading.nonce or sample.count <= last.count):
            observation.samples.clear()
        observation.samples.append(sample)
        count = len(observation.samples)
        return Done(observation) if count >= samples else Pending(f"{count} samples, the last one {sample.count}")

    return wait_until(
        look,
        timeout=timeout,
        expected=f"the {way} of pod {workload.pod} to give {samples} samples",
        look_next="the container's log, its port, and whether its manifest starts the witness",
        cause="witness-missing",
        pace=PACE,
    )


def await_verdict(
    cluster: Cluster,
    observation: SampledObservation,
    restored: Workload,
    *,
    timeout: float,
    source_cluster: Cluster | None = None,
    beside: Callable[[], None] = nothing,
) -> Verdict:
    """Samples the restored pod until the verdict is settled or the time is up; the verdict then.

    `source_cluster` is the source's, where it is another one. `beside` is called after each look; what it raises ends
    the wait.

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


class Watcher:
    """Samples a restored pod again and again, and judges what it gave so far."""

    def __init__(
        self, cluster: Cluster, observation: SampledObservation, restored: Workload, source_cluster: Cluster
    ) -> None:
        self.cluster, self.observation, self.restored = cluster, observation, restored
        self.source_cluster = source_cluster
        self.uid = ""
        self.samples: list[Sample] = []
        self.since: datetime | None = None
        self.verdict: Verdict | None = None

    def look(self) -> Answer[Verdict]:
        seen = patiently(self._seen)
        if isinstance(seen, Pending):
            return seen
        pod, problem = seen
        if pod is None:
            absent = f"there is no pod {self.restored.pod} in namespace {self.restored.namespace}"
            state = PodState(running=False, ready=False, state=absent)
        else:
            state = pod.state
        self.verdict = judge_samples(
            self.observation.evidence(
                self.uid,
                after=tuple(self.samples),
                pod=state,
                problem=str(problem) if problem else "",
                unreached=problem is not None and problem.unreached,
                stalled=(now() - self.since).total_seconds() if self.since else 0.0,
            )
        )
        return Done(self.verdict) if self.verdict.settled else Pending(str(self.verdict))

    def _seen(self) -> tuple[PodSeen | None, Unanswered | None]:
        pod = look_at(self.cluster, self.restored)
        return pod, self._sample(pod)

    def _sample(self, pod: PodSeen | None) -> Unanswered | None:
        """Asks the pod where it can be asked; why it did not answer."""
        uid = pod.uid if pod else ""
        if uid != self.uid:
            self.uid, self.since = uid, None
            self.asking = Asking(self.cluster, self.restored, self.observation.way)
            self.samples.clear()
        if pod is None or not pod.state.ready or uid == self.observation.uid:
            self.since = None
            return None
        self.since = self.since or now()
        if self.observation.way.route == "url" and self._source_lives():
            return Unanswered("its source lives on, and at a URL nobody tells which of them answers", unreached=True)
        try:
            sample = self.asking.take(pod)
        except Unanswered as problem:
            return problem
        if not self.samples or sample.reading != self.samples[-1].reading:
            self.samples.append(sample)
            self.since = now()
        return None

    def _source_lives(self) -> bool:
        source = look_at(self.source_cluster, self.observation.workload)
        return source is not None and source.uid == self.observation.uid


def should_go_on(cluster: Cluster, observation: SampledObservation, *, timeout: float) -> int:
    """Asks the source after its checkpoint; gives the count that it has reached.

    Raises:
        NotAsExpected: the source is gone, was restarted, has ended, or its memory is not what it was; cause
            `source-harmed`.
        WaitTimedOut: it runs and does not count on; the same cause.
    """
    expected = f"the source {observation} to count on"
    asking = Asking(cluster, observation.workload, observation.way)

    def look() -> Answer[int]:
        pod = look_at(cluster, observation.workload)
        if harm := _harm_in(observation, pod):
            raise NotAsExpected(expected, harm, LOOK_NEXT, cause=HARMED)
        assert pod is not None
        try:
            sample = asking.take(pod)
        except Unanswered as problem:
            return Pending(str(problem))
        if sample.reading.nonce != observation.nonce or sample.count < observation.step:
            seen = f"count {sample.count}{f' of nonce {short(sample.reading.nonce)}' if sample.reading.nonce else ''}"
            raise NotAsExpected(expected, f"it has {seen}", LOOK_NEXT, cause=HARMED)
        return Done(sample.count) if sample.count > observation.step else Pending(f"count {sample.count}")

    return wait_until(look, timeout=timeout, expected=expected, look_next=LOOK_NEXT, cause=HARMED, pace=PACE)


def _harm_in(observation: SampledObservation, pod: PodSeen | None) -> str:
    if pod is None or pod.uid != observation.uid:
        return f"its pod with UID {observation.uid} is gone"
    if pod.restarts > observation.samples[-1].restarts:
        return f"its containers were restarted: {pod.restarts} times, before {observation.samples[-1].restarts}"
    return "" if pod.state.running else f"it does not run any more: {pod.state.state}"
