"""The verdict: did the restored process go on where the checkpointed one was?

`judge` is a pure function of the evidence. More looks can only open what is still `pending`: a verdict without it is
final, so that a caller waits exactly as long as waiting can help.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from enum import StrEnum
from itertools import pairwise
from typing import Any

from harness.trails import Trail

from . import pace, witness
from .evidence import Evidence, Look
from .history import START_SLACK, Own, OwnHistory, SourceHistory, trail
from .logs import NANOSECONDS, nanoseconds
from .witness import short

MOST_OF_TRAIL = 400
"""Steps that a verdict keeps for people to see; the newest."""
FRESH_SLACK = 50
"""How many steps more than fit into its container's time a process may have taken that was started afresh."""


class Kind(StrEnum):
    """The name of a verdict. Only `continued` says that the process went on."""

    CONTINUED = "continued"
    """Its own steps follow on the checkpoint's, and keep coming."""
    RESTARTED = "restarted"
    """Another nonce: a fresh start."""
    REWOUND = "rewound"
    """It begins at or before a step that was printed before the checkpoint was asked for, or went back again."""
    AHEAD = "ahead"
    """It begins after the last step that the checkpoint can hold: not this checkpoint's state."""
    FOREIGN = "foreign"
    """The nonce of another workload of this run, or of an unknown process that was not started afresh."""
    BROKEN_CHAIN = "broken chain"
    """A line whose hash is not that of its nonce and step."""
    SILENT = "silent"
    """Ready, yet no new step of its own."""
    ORIGINAL = "original"
    """The pod is the source itself."""
    INCONCLUSIVE = "inconclusive"
    """The evidence does not suffice."""


@dataclass(frozen=True)
class Verdict:
    """What the evidence says.

    Args:
        kind: the verdict's name.
        detail: what it rests on, as the rest of a sentence that begins with the verdict's name.
        nonce: of the source; empty when not known.
        b: the last step printed before the checkpoint was asked for; None when not known.
        r: the last step that the checkpoint can hold: the source's last one when the checkpoint was ready.
        a: the first step of the restored process's own; None when it printed none.
        last: the last one of its own.
        own_nonce: the nonce of its own steps.
        steps: how many steps of its own were seen.
        checked: how many lines' hashes were computed and found right.
        pending: what a later look could still bring; empty when no later look can change the verdict.
        wanting: how many further steps must come at least before a later look can bring it; 0 when that is not known.
        freeze_gap: seconds between the two source steps around the checkpoint that are farthest apart.
        downtime: seconds from the deletion of the source (harness's clock) to the first own step (node's clock).
        restore_to_first_step: seconds from the request to restore to the first own step, by the same two clocks.
        first_step_at: when the first own step was printed, by the node's clock.
        witness: what it was read from: a log of printed steps, or the kind of a sampled witness (see `sampled`).
        trail: the newest steps that were seen.
    """

    kind: Kind
    detail: str
    nonce: str = ""
    b: int | None = None
    r: int | None = None
    a: int | None = None
    last: int | None = None
    own_nonce: str = ""
    steps: int = 0
    checked: int = 0
    pending: str = ""
    wanting: int = 0
    freeze_gap: float | None = None
    downtime: float | None = None
    restore_to_first_step: float | None = None
    first_step_at: datetime | None = None
    witness: str = "log"
    trail: Trail = field(default_factory=Trail)

    @property
    def settled(self) -> bool:
        """Whether no later look can change it."""
        return not self.pending

    def __str__(self) -> str:
        return f"{self.kind}: {self.detail}"

    def to_dict(self) -> dict[str, Any]:
        """For the evidence file: plain values, times in seconds, moments as ISO 8601."""
        return {
            "verdict": str(self.kind),
            "witness": self.witness,
            "sentence": str(self),
            "nonce": self.nonce or None,
            "b": self.b,
            "r": self.r,
            "a": self.a,
            "last": self.last,
            "own_nonce": self.own_nonce or None,
            "own_steps": self.steps,
            "chain_checked": self.checked,
            "freeze_gap_seconds": self.freeze_gap,
            "downtime_seconds": self.downtime,
            "restore_to_first_step_seconds": self.restore_to_first_step,
            "first_step_at": self.first_step_at.isoformat() if self.first_step_at else None,
            "pending": self.pending or None,
            "trail": self.trail,
        }


def judge(evidence: Evidence) -> Verdict:
    """The verdict that the evidence supports. Never raises for what a log may hold."""
    case = _Case(evidence)
    finding = next(found for rule in _RULES if (found := rule(case)) is not None)
    return case.verdict(finding)


@dataclass(frozen=True)
class _Finding:
    kind: Kind
    detail: str
    pending: str = ""
    wanting: int = 0


class _Case:
    """The evidence, read into two histories."""

    def __init__(self, evidence: Evidence) -> None:
        self.evidence = evidence
        self.source = SourceHistory(evidence)
        self.own = OwnHistory(evidence, self.source)
        self.nonce = short(self.source.nonce)

    @property
    def last_look(self) -> Look:
        return self.own.looks[-1]

    def verdict(self, finding: _Finding) -> Verdict:
        source = self.source
        steps = self.own.others if finding.kind in (Kind.RESTARTED, Kind.FOREIGN) else self.own.mine
        first = min(steps, key=lambda one: (one.number, one.printed.stamp), default=None)
        right = [one for one in self.own.all if witness.follows(one.printed.step)]
        return Verdict(
            finding.kind,
            finding.detail,
            nonce=source.nonce,
            b=source.b or None,
            r=source.r or None,
            a=first.number if first else None,
            last=max((one.number for one in steps), default=None),
            own_nonce=first.nonce if first else "",
            steps=len({(one.nonce, one.number) for one in steps}),
            checked=len(source.known) + len(right),
            pending=finding.pending,
            wanting=finding.wanting,
            freeze_gap=source.freeze_gap,
            downtime=first.seconds_since(self.evidence.deleted_at) if first else None,
            restore_to_first_step=first.seconds_since(self.evidence.restore_asked_at) if first else None,
            first_step_at=datetime.fromtimestamp(first.printed.stamp / NANOSECONDS, UTC) if first else None,
            trail=trail(self.source, self.own, MOST_OF_TRAIL),
        )


def _inconclusive(missing: str, pending: str = "", wanting: int = 0) -> _Finding:
    return _Finding(Kind.INCONCLUSIVE, missing, pending, wanting)


def _is_original(case: _Case) -> _Finding | None:
    if case.evidence.restored_uid and case.evidence.restored_uid == case.evidence.source.uid:
        return _Finding(Kind.ORIGINAL, f"the pod with UID {case.evidence.restored_uid} is the source itself")
    return None


def _source_is_unusable(case: _Case) -> _Finding | None:
    source = case.source
    if not source.nonce:
        return _inconclusive("no step of the source was read before the checkpoint was asked for")
    if source.broken:
        return _inconclusive(f"the source's own witness is broken: its step {source.broken.number} does not follow")
    return None


def _nothing_was_read(case: _Case) -> _Finding | None:
    if not case.own.looks:
        return _inconclusive("the restored pod has not been looked at", "a look at the restored pod")
    return None


def _chain_is_broken(case: _Case) -> _Finding | None:
    wrong = next((one for one in case.own.all if not witness.follows(one.printed.step)), None)
    if wrong is None:
        return None
    return _Finding(Kind.BROKEN_CHAIN, f"the hash of step {wrong.number} of nonce {short(wrong.nonce)} does not follow")


def _nonce_is_another(case: _Case) -> _Finding | None:
    others = case.own.others
    if not others:
        return None
    first = next((one for one in others if one.nonce in case.evidence.others), others[0])
    begins = f"step {first.number} of nonce {short(first.nonce)}"
    if name := case.evidence.others.get(first.nonce):
        return _Finding(Kind.FOREIGN, f"{begins}, which is that of {name}")
    if first.number > case.own.steps_since_start(first) + FRESH_SLACK:
        return _Finding(Kind.FOREIGN, f"{begins}, which no workload of this run has")
    return _Finding(Kind.RESTARTED, f"nonce {case.nonce} was at step {case.source.last}, then came {begins}")


def _has_no_steps(case: _Case) -> _Finding | None:
    if case.own.mine:
        return None
    look = case.last_look
    if look.over:
        return _inconclusive(f"the restored container ended before it printed a step: {look.state}")
    if not look.running:
        return _inconclusive(f"the restored container does not run: {look.state}", "its start")
    if not look.ready:
        return _inconclusive("the restored pod is not Ready and has printed no step of its own", "its first step")
    if case.own.stalled >= case.evidence.demands.patience:
        return _Finding(Kind.SILENT, _silence(case, "no step of its own"), "its first step")
    return _inconclusive("the restored process has printed no step of its own yet", "its first step")


def _silence(case: _Case, what: str) -> str:
    return f"{what} of nonce {case.nonce} for {case.own.stalled:.1f} s"


def _is_rewound(case: _Case) -> _Finding | None:
    first, b = case.own.first, case.source.b
    if first.number > b:
        return None
    return _Finding(Kind.REWOUND, f"step {b} of nonce {case.nonce} was printed already, then step {first.number} came")


def _went_back(case: _Case) -> _Finding | None:
    seen: dict[int, Own] = {}
    for one in case.own.mine:
        twin = seen.setdefault(one.number, one)
        if twin is one:
            continue
        if twin.run == one.run and _may_be_the_sources(case, twin):
            missing = f"step {one.number} came twice; the source's log was read too early to tell whose the first is"
            return _inconclusive(missing, "the source's log to its end")
        top = max(before.number for before in seen.values())
        return _Finding(Kind.REWOUND, f"step {top} of nonce {case.nonce} was reached, then {one.number} came again")
    return None


def _may_be_the_sources(case: _Case, one: Own) -> bool:
    if not case.source.complete:
        return True
    started = case.own.runs[one.run].started_at
    early = started is None or one.printed.stamp < nanoseconds(started) + START_SLACK
    return early and one.number > case.source.last


def _is_older_than_its_container(case: _Case) -> _Finding | None:
    old = next((one for one in case.own.mine if case.own.is_from_before(one)), None)
    if old is None:
        return None
    return _inconclusive(f"step {old.number} is older than the restored container, and no line of the source's log")


def _was_restarted(case: _Case) -> _Finding | None:
    if case.own.replaced:
        return _inconclusive("the restored container was replaced by another one that is not counted as a restart")
    if case.own.unread_runs:
        return _inconclusive("the restored container was restarted, and the log of its start before that is not there")
    runs = {one.run for one in case.own.mine}
    if runs == {case.own.restarts}:
        return None
    reached = max(one.number for one in case.own.mine if one.run < case.own.restarts)
    missing = f"the restored container was restarted when it had reached step {reached}"
    if case.own.restarts not in runs:
        return _inconclusive(missing, "the steps after the restart")
    return _inconclusive(f"{missing}, and its steps are not those of one process")


def _is_out_of_order(case: _Case) -> _Finding | None:
    for earlier, later in pairwise(case.own.numbers):
        if later < earlier:
            missing = f"step {later} is stamped later than step {earlier}: the process or the node's clock went back"
            return _inconclusive(missing, "the steps after it")
    return None


def _is_too_quick(case: _Case) -> _Finding | None:
    own = case.own
    if pace.too_quick_by(own.steps, own.gap) <= pace.LATE:
        return None
    seconds = (own.steps[-1].stamp - own.steps[0].stamp) / NANOSECONDS
    came = f"steps {own.numbers[0]} to {own.numbers[-1]} came within {seconds:.1f} s"
    return _inconclusive(f"{came}, and the witness sleeps between two steps: it did not take them one by one")


def _is_ahead(case: _Case) -> _Finding | None:
    first, r = case.own.first.number, case.source.r
    if first <= r + 1:
        return None
    if not case.source.complete:
        missing = f"step {first} came first, and the source's log was not read after the checkpoint was ready"
        return _inconclusive(missing, "the source's log to its end")
    if first - case.own.missing_at_head <= r + 1:
        return _inconclusive(f"step {first} came first, but steps may be lost at the head of its log")
    detail = f"the checkpoint ends with step {r} of nonce {case.nonce} at the latest, then step {first} came"
    return _Finding(Kind.AHEAD, detail)


def _has_gaps(case: _Case) -> _Finding | None:
    numbers = case.own.numbers
    copied = case.own.copied.get(case.own.first.run)
    chained = [copied, *numbers] if copied is not None else numbers
    for earlier, later in pairwise(chained):
        if later > earlier + 1:
            lost = f"step {later - 1} is" if later == earlier + 2 else f"steps {earlier + 1} to {later - 1} are"
            return _inconclusive(f"{lost} missing in the restored log", "what is missing")
    return None


def _has_stopped(case: _Case) -> _Finding | None:
    look, last = case.last_look, case.own.numbers[-1]
    if look.over:
        return _inconclusive(f"the restored container ended after step {last}: {look.state}")
    if not look.running:
        return _inconclusive(f"the restored container does not run after step {last}: {look.state}", "its next start")
    if case.own.stalled >= case.evidence.demands.patience:
        return _Finding(Kind.SILENT, _silence(case, f"no step after {last}"), "a further step")
    return None


def _is_too_short(case: _Case) -> _Finding | None:
    own, demands = case.own, case.evidence.demands
    count, last, to_pass = len(own.numbers), own.numbers[-1], case.source.last_before(own.first.printed.stamp)
    wanting = max(demands.steps - count, to_pass + 1 - last)
    if count < demands.steps:
        return _inconclusive(f"{count} of {demands.steps} steps of its own were seen so far", "further steps", wanting)
    if last <= to_pass:
        missing = f"it is at step {last}, and the source had printed up to {to_pass} when it began"
        return _inconclusive(missing, f"a step after {to_pass}", wanting)
    if not own.grew:
        return _inconclusive("its log was seen once only, so that it may have stopped", "a later look at its log")
    if not pace.keeps_pace(own.steps, own.gap, demands.steps):
        return _inconclusive(f"the steps up to {last} came quicker than the witness takes them", "steps at its pace")
    return None


def _head_is_missing(case: _Case) -> _Finding | None:
    """Without copied lines in front, an older state may have got past `b` in lines that were lost."""
    own, first = case.own, case.own.first.number
    if first - own.missing_at_head > case.source.b or not own.begins_late:
        return None
    return _inconclusive(f"the restored log's beginning is lost: it starts with step {first}")


def _is_continued(case: _Case) -> _Finding:
    first = case.own.first.number
    return _Finding(Kind.CONTINUED, f"step {first - 1} -> {first} of nonce {case.nonce}")


_RULES: tuple[Callable[[_Case], _Finding | None], ...] = (
    _is_original,
    _source_is_unusable,
    _nothing_was_read,
    _chain_is_broken,
    _nonce_is_another,
    _has_no_steps,
    _is_rewound,
    _went_back,
    _is_older_than_its_container,
    _was_restarted,
    _is_out_of_order,
    _is_too_quick,
    _is_ahead,
    _has_gaps,
    _has_stopped,
    _is_too_short,
    _head_is_missing,
    _is_continued,
)
"""In this order: the first one that finds something is the verdict."""
