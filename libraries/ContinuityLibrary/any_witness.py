"""What is done to an observation whatever its witness: printed ones are read from logs, sampled ones are asked."""

from __future__ import annotations

from typing import Any

from harness.failures import NotAsExpected
from harness.kube import Cluster, pods

from . import collect, sampling, source
from .observation import Observation, Workload
from .sampling import SampledObservation
from .verdict import Verdict

AnyObservation = Observation | SampledObservation


def note_request(cluster: Cluster, observation: AnyObservation) -> None:
    """A checkpoint is asked for now: a log is read, but nobody is asked anything, for that could be in its way.

    Raises:
        NotAsExpected: the observed pod is not there any more.
    """
    if isinstance(observation, SampledObservation):
        return
    look = collect.source_end(cluster, observation)
    if look is None:
        raise NotAsExpected(
            f"pod {observation.workload} to be the one that was observed (UID {observation.uid})",
            "it is gone",
            "who deleted it, and when the workload was observed",
            cause="evidence-missing",
        )
    observation.asked(look)


def note_ready(cluster: Cluster, observation: AnyObservation, *, timeout: float) -> tuple[int | None, bool]:
    """The checkpoint was reported ready: the source's last step now, and whether a further one came (see `collect`).

    A sampled witness has no upper bound, and is asked when it should have gone on.
    """
    if isinstance(observation, SampledObservation):
        return None, True
    return collect.note_ready(cluster, observation, timeout=timeout)


def should_go_on(cluster: Cluster, observation: AnyObservation, *, timeout: float) -> int:
    """Waits for a further step, or a higher count, of the source after its checkpoint; gives it.

    Raises:
        NotAsExpected: the source is gone, was restarted, has ended, or its memory is not what it was; cause
            `source-harmed`.
        WaitTimedOut: it runs and does not go on; the same cause.
    """
    if isinstance(observation, SampledObservation):
        return sampling.should_go_on(cluster, observation, timeout=timeout)
    return source.should_go_on(cluster, observation, timeout=timeout)


def read_on(cluster: Cluster, observation: AnyObservation) -> None:
    """Reads the source's log to its end, before the source is deleted. A sampled witness has none."""
    if isinstance(observation, SampledObservation):
        return
    look = collect.source_end(cluster, observation)
    if look is not None:
        observation.add(look)


def await_verdict(
    cluster: Cluster,
    observation: AnyObservation,
    restored: Workload,
    *,
    timeout: float,
    source_cluster: Cluster | None = None,
    ready: dict[str, Any] | None = None,
) -> Verdict:
    """The verdict on the restored workload, once it is settled or the time is up.

    Args:
        ready: the restored pod as it was when it was Ready, where it must have stayed so until the verdict.

    Raises:
        NotAsExpected: it has not stayed Ready; cause `restored-pod-unstable`.
        OperationFailed: the API refuses, or did not answer once in that time.
    """
    beside = collect.nothing if ready is None else lambda: pods.has_stayed_ready(cluster, ready)
    if isinstance(observation, SampledObservation):
        return sampling.await_verdict(
            cluster, observation, restored, timeout=timeout, source_cluster=source_cluster, beside=beside
        )
    return collect.await_verdict(
        cluster, observation, restored, timeout=timeout, source_cluster=source_cluster, beside=beside
    )
