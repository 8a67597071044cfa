"""Many containers at once: of one pod or of many pods, observed and judged side by side, each with its own verdict."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TypeVar, cast

from harness.failures import E2EFailure, NotAsExpected, OperationFailed, WaitTimedOut
from harness.kube import Cluster, api_errors, pods
from harness.side_by_side import Outcome, each
from harness.waiting import Done, Pending, wait_until
from harness.waiting import Look as Answer

from . import collect, wording
from .collect import Watcher
from .cut import CutKind, CutVerdict, Side, judge_cut, side
from .observation import Observation, Workload
from .verdict import Kind, Verdict

T = TypeVar("T")
R = TypeVar("R")

AT_ONCE = 10
"""How many pods are looked at at the same time, unless told otherwise."""


@dataclass(frozen=True)
class Judged:
    """An observation, the container that it was held against, and the verdict or the failure on the way to it."""

    before: Observation
    restored: Workload
    verdict: Verdict | None = None
    failure: Exception | None = None

    @property
    def good(self) -> bool:
        """Whether it continued."""
        return self.verdict is not None and self.verdict.kind is Kind.CONTINUED

    @property
    def cause(self) -> str:
        """The cause of what is not good."""
        if isinstance(self.failure, E2EFailure):
            return self.failure.cause.name
        found = wording.failure(self.verdict, Kind.CONTINUED) if self.verdict else None
        return found.cause if found else "harness-error"

    def __str__(self) -> str:
        if self.verdict is not None:
            return f"{self.restored}: {wording.seen(self.verdict)}"
        seen = self.failure.seen if isinstance(self.failure, E2EFailure) else self.failure
        return f"{self.restored}: no verdict: {seen}"


def containers_of(cluster: Cluster, namespace: str, pod: str) -> list[str]:
    """The names of a pod's containers.

    Raises:
        OperationFailed: there is no such pod, or the API refuses.
    """
    with api_errors(f"read pod {namespace}/{pod}"):
        return [one["name"] for one in pods.get(cluster, namespace, pod)["spec"]["containers"]]


def observe(
    cluster: Cluster, workloads: Sequence[Workload], *, steps: int, timeout: float, at_once: int
) -> list[Observation]:
    """Observations of all of them, in their order.

    Raises:
        E2EFailure: of those that could not be observed, with the cause of the first.
    """
    found = each(lambda workload: collect.observe(cluster, workload, steps=steps, timeout=timeout), workloads, at_once)
    return values(found, f"the witnesses of {len(workloads)} containers to print {steps} steps each")


def values(found: Sequence[Outcome[T, R]], expected: str) -> list[R]:
    """The values of what was done for each, where nothing failed.

    Raises:
        E2EFailure: the only one, as it is.
        NotAsExpected: names what failed and why; has the cause of the first failure.
    """
    failed = [one for one in found if one.failure is not None]
    if not failed:
        return [cast("R", one.value) for one in found]
    first = failed[0].failure
    if not isinstance(first, E2EFailure):
        assert first is not None
        raise first
    if len(found) == 1:
        raise first
    seen = "; ".join(f"{one.item}: {getattr(one.failure, 'seen', one.failure)}" for one in failed)
    whole = f"{len(found) - len(failed)} of {len(found)}; {seen}"
    raise NotAsExpected(expected, whole, first.look, cause=first.cause.name)


def judge_all(
    pairs: Sequence[tuple[Observation, Workload]],
    clusters: Callable[[str], Cluster],
    *,
    timeout: float,
    at_once: int,
) -> list[Judged]:
    """A verdict for each pair of an observation and a restored container, in their order."""

    def judge(pair: tuple[Observation, Workload]) -> Verdict:
        before, restored = pair
        return collect.await_verdict(
            clusters(restored.cluster),
            before,
            restored,
            timeout=timeout,
            source_cluster=clusters(before.workload.cluster),
        )

    return [Judged(*one.item, one.value, one.failure) for one in each(judge, pairs, at_once)]


def demand_continued(judged: Sequence[Judged], *, one_pod: bool) -> None:
    """Fails unless each of them continued.

    Args:
        one_pod: they are the containers of one pod. Where some of these went on and others are from another moment,
            what is wrong is not one process but the cut.

    Raises:
        NotAsExpected: a line for each that did not.
    """
    bad = [one for one in judged if not one.good]
    if not bad:
        return
    other_moments = {"process-rewound", "process-ahead"}
    mixed = one_pod and len(bad) < len(judged) and all(one.cause in other_moments for one in bad)
    lines = [str(one) for one in bad]
    raise NotAsExpected(
        f"all {len(judged)} {'containers' if one_pod else 'workloads'} to have continued",
        f"{len(judged) - len(bad)} of {len(judged)} did; " + "; ".join(lines),
        "the checkpoint's id of each container, and the log of Cedana's helper on its node",
        cause="inconsistent-cut" if mixed else bad[0].cause,
    )


class CutWatcher:
    """Looks at all restored containers of a pod again and again, and judges their cut by what was seen so far."""

    def __init__(self, pairs: Sequence[tuple[Observation, Workload]], clusters: Mapping[str, Cluster]) -> None:
        self.watchers = {
            restored.container: Watcher(clusters[restored.cluster], before, restored, clusters[before.workload.cluster])
            for before, restored in pairs
        }
        self.verdict: CutVerdict | None = None

    def look(self) -> Answer[CutVerdict]:
        begin = time.monotonic()
        for watcher in self.watchers.values():
            watcher.look()
        sides = [one for name, watcher in self.watchers.items() if (one := _side(name, watcher))]
        missing = [name for name in self.watchers if name not in {one.name for one in sides}]
        if missing:
            detail = f"container {missing[0]} has printed no step of the source's process"
            self.verdict = CutVerdict(CutKind.INCONCLUSIVE, detail, pending="its first step")
        else:
            self.verdict = judge_cut(sides)
        if self.verdict.settled:
            return Done(self.verdict)
        return Pending(str(self.verdict), retry_after=time.monotonic() - begin)


def await_cut(
    pairs: Sequence[tuple[Observation, Workload]], clusters: Mapping[str, Cluster], *, timeout: float
) -> CutVerdict:
    """Looks until the verdict on the cut is settled or the time is up; the verdict then.

    Raises:
        OperationFailed: the API refuses, or did not answer once in that time.
    """
    watcher = CutWatcher(pairs, clusters)
    try:
        return wait_until(watcher.look, timeout=timeout, expected="a settled verdict", pace=collect.PACE)
    except WaitTimedOut as problem:
        if watcher.verdict is None:
            raise OperationFailed(
                "a look at the restored containers", problem.seen, problem.look, cause="cluster-unreachable"
            ) from None
        return watcher.verdict
    finally:
        for before, _ in pairs:
            before.rest()


def demand_consistent(verdict: CutVerdict) -> None:
    """Fails unless the cut is consistent.

    Raises:
        NotAsExpected: cause `inconsistent-cut`; `evidence-missing` where it cannot be told.
    """
    if verdict.kind is CutKind.CONSISTENT:
        return
    waited = f" (still waited for: {verdict.pending})" if verdict.pending else ""
    apart = f"; the containers were cut at least {verdict.apart_at_least:.2f} s apart" if verdict.apart_at_least else ""
    unknown = verdict.kind is CutKind.INCONCLUSIVE
    raise NotAsExpected(
        "the containers to be restored from one moment: each message between them got once, none from the future",
        f"{verdict}{waited}{apart}",
        "the logs of all containers of source and restored pod, and whether the checkpoint froze the pod as a whole",
        cause="evidence-missing" if unknown else "inconsistent-cut",
    )


def _side(name: str, watcher: Watcher) -> Side | None:
    if watcher.verdict is None:
        return None
    return side(name, watcher.observation.evidence(watcher.uid, watcher.looks), watcher.verdict)
