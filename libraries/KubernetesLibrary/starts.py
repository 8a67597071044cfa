"""When the process of a container was started, against when its container was, as the kubelet has it.

The process is the one with PID 1. Its start is field 22 of /proc/1/stat, in clock ticks since boot, and when that was
is `btime` of /proc/stat, in seconds since the epoch: proc_pid_stat(5), proc_stat(5). To the kernel a restored process
is a new one, whatever it has in memory: CRIU cannot set its start (checkpoint-restore/criu issue 2504), so that is when
it was restored. The order is: the kubelet takes the pod over (`status.startTime`), the process is made, the runtime
notes the start (`startedAt`; containerd and CRI-O do so when they have the process's number). How long a runtime takes
between the two is nobody's fault: it may have gigabytes to load. All three are times of the node's clock.

Time namespaces, as CRIU makes one at a restore, shift the ticks since boot and `btime` by the same since Linux 5.11
(commit 3ae700ecfae9), and neither before; so both are read by one command, in one namespace. /proc/uptime, which was
shifted already in 5.6, is not used. The age of the process, against the start of the command that reads (/proc/self),
needs no clock that somebody can set: it tells a process that is too old from a clock that was set.
"""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any

from harness.failures import E2EFailure
from harness.kube import Cluster
from harness.kube.pods import container_statuses

from .comparison import Difference
from .execution import Place, execute

Obj = Mapping[str, Any]
TICKS = 100
"""Clock ticks in a second: USER_HZ, which `getconf CLK_TCK` tells, on all architectures that Kubernetes knows."""
ROUNDING = timedelta(seconds=1.1)
"""`startTime`, `startedAt` and `btime` have whole seconds, which are rounded down, and ticks are 0.01 s."""
SLACK = timedelta(seconds=5)
"""That, and what a clock may be corrected by meanwhile, where nothing but the node's clock tells that something is
wrong. A slow node needs none: it may take its time between one and the other, but turns no order round."""
READ = ("cat", "/proc/1/stat", "/proc/self/stat", "/proc/stat")
_START = 22 - 3
"""The place of the start among what follows a process's name, which is field 2."""


@dataclass(frozen=True)
class Process:
    """The process with PID 1, as one look showed it.

    Attributes:
        started: by the node's clock, which may have been set since.
        age: at the look, whatever was done to clocks.
    """

    started: datetime
    age: timedelta

    @property
    def seen(self) -> datetime:
        """The node's clock at the look."""
        return self.started + self.age


@dataclass(frozen=True)
class Start:
    """What is known of the start of a container and its process.

    Attributes:
        container: its name.
        pod: when the kubelet took the pod over.
        noted: when the container was started, as its status has it.
        original: when the original's container was, as the original's status had it; None: that did not run.
        process: its process; None: `left_out` says why it is not known.
        since: how long ago the original was remembered, at the most, by the clock of who runs the tests.
    """

    container: str
    pod: datetime
    noted: datetime
    original: datetime | None = None
    process: Process | None = None
    since: timedelta = timedelta()
    left_out: str = ""

    def __str__(self) -> str:
        if self.process is None:
            return f"Container {self.container}: the start of its process is not compared, for {self.left_out}."
        doubt = f"; not compared, for {self.clock_was_set}" if self.clock_was_set else ""
        times = f"process {_shown(self.process.started)}, startedAt {_shown(self.noted)}, pod {_shown(self.pod)}"
        return f"Container {self.container} was started: {times}{doubt}."

    @property
    def clock_was_set(self) -> str:
        """Why the node's clock cannot be trusted; empty where nothing speaks against it.

        A pod that was restored since the original was remembered cannot be older than that; and a process that was
        started before that pod is an older one only if it ran already when the original was remembered.
        """
        if self.process is None:
            return ""
        if self.process.seen - self.pod > self.since + SLACK:
            return "the node's clock was set forward since the pod was there"
        if self.pod - self.process.started > SLACK and self.process.age <= self.since:
            return "the node's clock was set back since the pod was there"
        return ""

    @property
    def difference(self) -> Difference | None:
        """The process's start where it does not belong to this container's; None where it does, or is not known."""
        if self.process is None or self.clock_was_set:
            return None
        early, late = (self.pod - self.process.started, self.process.started - self.noted)
        if early > ROUNDING and self.process.age > self.since:
            wrong = f"its process was started {early.total_seconds():.1f} s before the pod was there"
        elif late > (ROUNDING if self.noted == self.original else SLACK):
            wrong = f"its process was started {late.total_seconds():.1f} s later"
        else:
            return None
        field = f"status.containerStatuses[{self.container}].state.running.startedAt"
        return Difference(field, "the start of its process", f"{_shown(self.noted)}; {wrong}")


def look(cluster: Cluster, pod: Obj, original: Obj, remembered_at: float, timeout: float) -> list[Start]:
    """Looks when the process of each running container of a restored pod was started. Runs `cat` there.

    Args:
        pod: as the API has it.
        original: the pod that was checkpointed, as it was then.
        remembered_at: when that was remembered, in seconds of `time.monotonic()`.
        timeout: seconds for each command.
    """
    before, acknowledged = _noted(original), (pod.get("status") or {}).get("startTime")
    if not acknowledged:
        return []
    known = (
        Start(name, datetime.fromisoformat(acknowledged), noted, before.get(name))
        for name, noted in _noted(pod).items()
    )
    return [_with_process(cluster, pod, start, remembered_at, timeout) for start in known]


def differences(starts: Sequence[Start]) -> list[Difference]:
    """Those of the containers whose process was not started with them."""
    return [found for one in starts if (found := one.difference)]


def process_of(text: str) -> Process:
    """What the files of `READ` say, one after the other.

    Raises:
        ValueError: a part is missing, or is no number.
    """
    # A process may have any name, but that of the one which reads, and the rest, have no parentheses.
    head, _, rest = text.rpartition(") ")
    first = head.rpartition(" (")[0].rpartition(") ")[2]
    try:
        ticks, ticks_of_reader = (int(part.split()[_START]) for part in (first, rest))
        booted = next(int(line.split()[1]) for line in rest.splitlines() if line.startswith("btime "))
    except (IndexError, StopIteration):
        raise ValueError(f"no start in {text[:80]!r}") from None
    started = datetime.fromtimestamp(booted, UTC) + timedelta(seconds=ticks / TICKS)
    return Process(started, timedelta(seconds=(ticks_of_reader - ticks) / TICKS))


def _noted(pod: Obj) -> dict[str, datetime]:
    """When the running containers of a pod were started, as its status has it."""
    running = ((one["name"], (one.get("state") or {}).get("running") or {}) for one in container_statuses(dict(pod)))
    return {name: datetime.fromisoformat(state["startedAt"]) for name, state in running if state.get("startedAt")}


def _with_process(cluster: Cluster, pod: Obj, start: Start, remembered_at: float, timeout: float) -> Start:
    for field in ("hostPID", "shareProcessNamespace"):
        if pod["spec"].get(field):
            return replace(start, left_out=f"PID 1 is not its own with {field}")
    place = Place(pod["metadata"]["namespace"], pod["metadata"]["name"], start.container)
    try:
        result = execute(cluster, place, READ, timeout)
        if result.exit_code != 0:
            return replace(start, left_out=f"its image has no cat that reads /proc ({result})")
        process = process_of(result.stdout)
    except E2EFailure as problem:
        return replace(start, left_out=f"no command can be run in it ({problem.seen})")
    except ValueError as problem:
        return replace(start, left_out=f"/proc does not tell it ({problem})")
    return replace(start, process=process, since=timedelta(seconds=time.monotonic() - remembered_at))


def _shown(at: datetime) -> str:
    return at.strftime("%Y-%m-%dT%H:%M:%S.%f")[:-4] + "Z"
