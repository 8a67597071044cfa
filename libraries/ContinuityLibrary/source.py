"""What a checkpoint did to the pod that it was taken of: its process must go on as if nothing had happened."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass

from harness.failures import NotAsExpected
from harness.kube import Cluster
from harness.waiting import Done, Pending, wait_until
from harness.waiting import Look as Answer

from . import collect, witness
from .evidence import Look
from .logs import Printed
from .observation import Observation, Workload

HARMED = "source-harmed"
LOOK_NEXT = "the source's events, its previous log, and the log of Cedana's helper on its node at the time of the dump"


def should_go_on(cluster: Cluster, observation: Observation, *, timeout: float) -> int:
    """Waits for a further step of the source; gives its number.

    Raises:
        NotAsExpected: the source is gone, was restarted, has ended, or its memory is not what it was; cause
            `source-harmed`.
        WaitTimedOut: it runs and printed no further step; the same cause.
    """
    expected = f"the source {observation.workload} to go on with nonce {witness.short(observation.nonce)}"
    reached = last_step(observation)

    def look() -> Answer[int]:
        seen = collect.source_end(cluster, observation)
        if seen is None:
            observation.gone = True
        if harm := harm_in(observation, seen):
            raise NotAsExpected(expected, harm, LOOK_NEXT, cause=HARMED)
        assert seen is not None
        observation.add(seen)
        last = last_step(observation)
        return Done(last) if last > reached else Pending(f"no step after {reached}: the container is {seen.state}")

    return wait_until(
        look, timeout=timeout, expected=expected, look_next=LOOK_NEXT, cause=HARMED, pace=collect.STEPPING
    )


def last_step(observation: Observation) -> int:
    """The last step of the source's process that any look saw."""
    looks = (observation.before, *observation.after)
    mine = (one.number for look in looks for one in look.steps() if one.step.nonce == observation.nonce)
    return max(mine, default=0)


def harm_in(observation: Observation, seen: Look | None) -> str:
    """What happened to the source, in words; empty where nothing shows."""
    if seen is None:
        return f"its pod with UID {observation.uid} is gone"
    if seen.restarts > observation.before.restarts:
        again = seen.restarts - observation.before.restarts
        times = "once" if again == 1 else f"{again} times"
        return f"its container was restarted {times} since the checkpoint was asked for"
    if not seen.running:
        return f"its container does not run any more: {seen.state}"
    mine = [one for one in seen.steps() if one.step.nonce == observation.nonce]
    if wrong := min((one.number for one in mine if not witness.follows(one.step)), default=0):
        return f"the hash of its step {wrong} does not follow"
    if again := _came_again(observation, mine):
        return f"it went back: its step {again} came again"
    return ""


def _came_again(observation: Observation, mine: list[Printed]) -> int:
    """The first step that the source took once more since its checkpoint was asked for; 0 where there is none. Before
    that its log may have one twice, where it is a restored one itself."""
    known, times = observation.before.steps(), Counter(one.number for one in mine)
    return min((one.number for one in mine if one not in known and times[one.number] > 1), default=0)


@dataclass(frozen=True)
class Parting:
    """A source and its copy, each of which went on by itself.

    Args:
        nonce: of both.
        taken_twice: numbers of the steps that each of them took, at a time of its own.
        source_last: the source's last step that was seen.
        copy_last: the copy's.
    """

    nonce: str
    taken_twice: tuple[int, ...]
    source_last: int
    copy_last: int

    def __str__(self) -> str:
        own = f"{len(self.taken_twice)} steps of nonce {witness.short(self.nonce)} were taken by both, each for itself"
        return f"{own}; the source is at step {self.source_last}, the copy at step {self.copy_last}"


def parted(
    cluster: Cluster, observation: Observation, copy: Workload, *, copy_cluster: Cluster, steps: int, timeout: float
) -> Parting:
    """Waits until source and copy have each taken at least `steps` steps of the same numbers, and both still go on.

    Raises:
        NotAsExpected: the source is harmed (`source-harmed`), or the copy is the source itself (`not-restored`).
        WaitTimedOut: they do not; cause `process-silent`.
    """
    expected = f"the source {observation.workload} and its copy {copy} to go on, each for itself"
    begin: list[Parting] = []

    def look() -> Answer[Parting]:
        here = collect.source_end(cluster, observation)
        if harm := harm_in(observation, here):
            raise NotAsExpected(expected, harm, LOOK_NEXT, cause=HARMED)
        assert here is not None
        there = collect.patient_look(copy_cluster, copy)
        if isinstance(there, Pending):
            return there
        if there is None:
            return Pending(f"there is no pod {copy.pod} in namespace {copy.namespace}", "restored-pod-missing")
        if there.uid == observation.uid:
            raise NotAsExpected(expected, f"the copy has the source's UID {there.uid}", cause="not-restored")
        observation.add(here)
        now = _parting(observation, there.look)
        begin.append(now)
        both = now.source_last > begin[0].source_last and now.copy_last > begin[0].copy_last
        return Done(now) if both and len(now.taken_twice) >= steps else Pending(str(now))

    return wait_until(
        look,
        timeout=timeout,
        expected=expected,
        look_next="the logs of both pods, and whether one of them is frozen",
        cause="process-silent",
        pace=collect.PACE,
    )


def _parting(observation: Observation, copy: Look) -> Parting:
    """Lines that both logs have are the source's: a restore copies its log."""
    looks = (observation.before, *observation.after)
    mine = {one for look in looks for one in look.steps() if one.step.nonce == observation.nonce}
    own = {one for one in copy.steps() - mine if one.step.nonce == observation.nonce and witness.follows(one.step)}
    twice = {one.number for one in own} & {one.number for one in mine}
    return Parting(
        observation.nonce,
        tuple(sorted(twice)),
        max((one.number for one in mine), default=0),
        max((one.number for one in own), default=0),
    )
