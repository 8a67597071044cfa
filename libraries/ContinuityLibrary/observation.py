"""What is remembered of a workload from before its checkpoint to its verdict."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime

from . import witness
from .evidence import Evidence, Look, Source
from .logs import Printed


@dataclass(frozen=True)
class Workload:
    """A container of a pod of a cluster. `container` may be empty where the pod has only one."""

    cluster: str
    namespace: str
    pod: str
    container: str = ""

    def __str__(self) -> str:
        return f"{self.namespace}/{self.pod}" + (f" ({self.container})" if self.container else "")


@dataclass(repr=False)
class Observation:
    """A workload whose witness was seen at work, and what was noted of it since.

    Attributes:
        workload: where it was seen.
        uid: of its pod.
        before: the last look from before a checkpoint was asked for.
        after: the looks since then.
        ready_at: when the checkpoint was reported ready.
        deleted_at: when the pod was deleted.
        restore_asked_at: when the restore was asked for.
        gone: whether the pod is known to be gone.
        others: the nonces of the run's other workloads, and their names.
    """

    workload: Workload
    uid: str
    before: Look
    after: list[Look] = field(default_factory=list)
    ready_at: datetime | None = None
    deleted_at: datetime | None = None
    restore_asked_at: datetime | None = None
    gone: bool = False
    others: Mapping[str, str] = field(default_factory=dict)
    _known: tuple[Look, Printed | None] | None = field(default=None, init=False, compare=False)
    _judged: Source | None = field(default=None, init=False, compare=False)

    def __post_init__(self) -> None:
        self.before = self.before.packed()

    @property
    def nonce(self) -> str:
        """The nonce of the process that is seen."""
        last = self._last()
        return last.step.nonce if last else ""

    @property
    def step(self) -> int:
        """The last step that was seen before a checkpoint was asked for: the lower bound for a restore."""
        last = self._last()
        return last.number if last else 0

    @property
    def newest(self) -> Look:
        """The newest look at it."""
        return self.after[-1] if self.after else self.before

    @property
    def steps(self) -> int:
        """How many different steps of the process were seen."""
        nonce = self.nonce
        return len({printed.number for printed in self._printed() if printed.step.nonce == nonce})

    @property
    def log(self) -> list[str]:
        """The texts of the container's log as it was seen, without the timestamps."""
        return [line.text for line in self.before.log.lines] if self.before.log else []

    def __str__(self) -> str:
        return f"{self.workload}: step {self.step} of nonce {witness.short(self.nonce)}"

    def __repr__(self) -> str:
        return f"<observation of {self}>"  # not the whole log: Robot shows it for each argument

    def asked(self, look: Look) -> None:
        """A checkpoint is asked for now; `look` was taken just before."""
        self.before = look.sharing(self.before).packed()
        self.after.clear()
        self.rest()
        self.ready_at = None

    def add(self, look: Look) -> None:
        """A further look at the source. Of those when the checkpoint was ready the first tells `r`, the newest which
        lines are the source's; those between say nothing more and are dropped, as are all but the newest before."""
        ready = self.ready_at
        look = look.sharing(self.newest)
        late = [earlier for earlier in self.after if ready and earlier.read_at >= ready]
        self.after = [*late[:1], replace(look, log=look.log or (late[-1].log if late else None)).packed()]
        self.rest()

    def evidence(self, restored_uid: str, looks: Iterable[Look]) -> Evidence:
        """The evidence with these looks at the restored container."""
        others = {nonce: name for nonce, name in self.others.items() if nonce != self.nonce}
        return Evidence(
            self._source(),
            restored_uid,
            tuple(looks),
            ready_at=self.ready_at,
            deleted_at=self.deleted_at,
            restore_asked_at=self.restore_asked_at,
            others=others,
        )

    def rest(self) -> None:
        """It is not judged any more for now: its logs are kept packed."""
        self._judged = None

    def _source(self) -> Source:
        if self._judged is None:
            looks = [self.before.unpacked()]
            for look in self.after:
                looks.append(look.unpacked().sharing(looks[-1]))
            self._judged = Source(self.uid, looks[0], tuple(looks[1:]))
        return self._judged

    def _printed(self) -> list[Printed]:
        printed = self.before.log.steps if self.before.log else ()
        return [one for one in printed if witness.follows(one.step)]

    def _last(self) -> Printed | None:
        """Asked for with every step of a log: so it is looked for once a look."""
        if self._known is None or self._known[0] is not self.before:
            self._known = self.before, max(self._printed(), key=lambda printed: printed.stamp, default=None)
        return self._known[1]
