"""The verdict on a witness that is sampled rather than printed: an HTTP answer, nginx's `stub_status`, a redis counter.

A sample is what the process said when it was asked once. It gives a nonce, where the witness has one, and a count; the
steps between two samples are nobody's evidence. So it proves less than a log: that the process is the same one (by the
nonce) and that it has all that was counted before (`b < a`); not at which step it began.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from itertools import pairwise

from .verdict import Kind, Verdict
from .witness import short


@dataclass(frozen=True)
class Nature:
    """What a kind of witness can prove.

    Args:
        name: as verdicts and keywords name it.
        has_nonce: whether its samples tell the process apart from others.
        others_per_second: how many steps in a second that has begun may be somebody else's than the harness's, at the
            most: those of probes, of which each kind has its first one as soon as it may, or the process's own. With
            none its count is exact.
    """

    name: str
    has_nonce: bool
    others_per_second: float

    @property
    def exact(self) -> bool:
        """Whether nobody but the harness makes it count."""
        return self.others_per_second == 0


HTTP = Nature("http", True, 10.0)
"""Lines of the witness protocol over HTTP; a step is a request or a fifth of a second."""
STUB_STATUS = Nature("stub_status", False, 3.0)
"""nginx's count of requests, which has no nonce. Probes are counted, too."""
REDIS = Nature("redis", True, 0.0)
"""A counter under a key of the observation's own; the nonce is the server's run_id, drawn at its start."""
NATURES = {nature.name: nature for nature in (HTTP, STUB_STATUS, REDIS)}


@dataclass(frozen=True)
class Reading:
    """What an answer says: the count, the nonce where the witness has one, and whether its proof is right."""

    count: int
    nonce: str = ""
    follows: bool = True


@dataclass(frozen=True)
class Sample:
    """One answer.

    Args:
        at: when it had come, by the harness's clock.
        reading: what it said.
        asks: how often the harness had asked this pod by then, this time included.
        restarts: of the pod's containers.
    """

    at: datetime
    reading: Reading
    asks: int = 1
    restarts: int = 0

    @property
    def count(self) -> int:
        """Its count."""
        return self.reading.count


@dataclass(frozen=True)
class PodState:
    """A pod when it was last looked at; `state` tells in words what it does when it does not run."""

    running: bool = True
    ready: bool = True
    over: bool = False
    state: str = "running"


@dataclass(frozen=True)
class SampledDemands:
    """What a witness must show before it counts as going on.

    Args:
        samples: how many samples, each with a higher count than the one before.
        patience: seconds for which a Ready pod may not answer, or answer with the same count, until it is silent.
    """

    samples: int = 3
    patience: float = 3.0


@dataclass(frozen=True)
class SampledEvidence:
    """Everything that a verdict on a sampled witness is reached from.

    Args:
        nature: of the witness.
        source_uid: of the source's pod.
        before: samples of the source from before its checkpoint was asked for, in their order.
        restored_uid: of the pod that is judged; empty when there is none.
        after: samples of that pod, in their order.
        pod: how it was when it was last looked at.
        problem: why it did not answer when it was last asked; empty when it did.
        unreached: whether it was not even reached, so that the process cannot be blamed.
        stalled: seconds for which the pod was Ready and gave no higher count.
        deleted_at: when the source was deleted; None when it was not.
        restore_asked_at: when the restore was asked for; None when none was noted.
        others: the other workloads of this run: nonce and name.
        demands: what counts as going on.
    """

    nature: Nature
    source_uid: str
    before: tuple[Sample, ...]
    restored_uid: str = ""
    after: tuple[Sample, ...] = ()
    pod: PodState = PodState()
    problem: str = ""
    unreached: bool = False
    stalled: float = 0.0
    deleted_at: datetime | None = None
    restore_asked_at: datetime | None = None
    others: Mapping[str, str] = field(default_factory=dict)
    demands: SampledDemands = SampledDemands()

    @property
    def b(self) -> int:
        """The highest count of the source."""
        return max((sample.count for sample in self.before), default=0)

    @property
    def nonce(self) -> str:
        """The source's nonce; empty where the witness has none."""
        return self.before[-1].reading.nonce if self.before else ""

    def fresh_limit(self, sample: Sample) -> int:
        """The highest count that a process can show that was started after the last sample of the source."""
        begun = math.ceil((sample.at - self.before[-1].at).total_seconds())
        return sample.asks + math.ceil(self.nature.others_per_second * max(0, begun))


@dataclass(frozen=True)
class _Finding:
    kind: Kind
    detail: str
    pending: str = ""


def judge_samples(evidence: SampledEvidence) -> Verdict:
    """The verdict that the evidence supports; one without `pending` is final."""
    finding = next(found for rule in _RULES if (found := rule(evidence)) is not None)
    first, counts = (evidence.after[0] if evidence.after else None), [sample.count for sample in evidence.after]
    proven = [sample for sample in (*evidence.before, *evidence.after) if sample.reading.follows]
    return Verdict(
        finding.kind,
        finding.detail,
        witness=evidence.nature.name,
        nonce=evidence.nonce,
        b=evidence.b or None,
        a=counts[0] if counts else None,
        last=max(counts, default=None),
        own_nonce=first.reading.nonce if first else "",
        steps=len(set(counts)),
        checked=len(proven) if evidence.nature is HTTP else 0,
        pending=finding.pending,
        downtime=_seconds(evidence.deleted_at, first),
        restore_to_first_step=_seconds(evidence.restore_asked_at, first),
    )


def _seconds(since: datetime | None, first: Sample | None) -> float | None:
    if first is None or since is None:
        return None
    seconds = (first.at - since).total_seconds()
    return seconds if seconds >= 0 else None


def _named(evidence: SampledEvidence, count: int, nonce: str | None = None) -> str:
    """A count as sentences show it."""
    nonce = evidence.nonce if nonce is None else nonce
    return f"count {count}{f' of nonce {short(nonce)}' if nonce else ''}"


def _inconclusive(missing: str, pending: str = "") -> _Finding:
    return _Finding(Kind.INCONCLUSIVE, missing, pending)


def _is_original(evidence: SampledEvidence) -> _Finding | None:
    if evidence.restored_uid and evidence.restored_uid == evidence.source_uid:
        return _Finding(Kind.ORIGINAL, f"the pod with UID {evidence.restored_uid} is the source itself")
    return None


def _source_is_unusable(evidence: SampledEvidence) -> _Finding | None:
    if not evidence.before:
        return _inconclusive("the source was not sampled before the checkpoint was asked for")
    wrong = next((sample for sample in evidence.before if not sample.reading.follows), None)
    if wrong:
        return _inconclusive(f"the source's own witness is broken: its step {wrong.count} does not follow")
    for earlier, later in pairwise(evidence.before):
        if later.reading.nonce != earlier.reading.nonce or later.count <= earlier.count:
            seen = f"{_named(evidence, later.count, later.reading.nonce)}"
            known = f"{_named(evidence, earlier.count, earlier.reading.nonce)}"
            return _inconclusive(f"the source itself did not go on: {seen} came after {known}")
    return None


def _gives_no_sample(evidence: SampledEvidence) -> _Finding | None:
    if evidence.after:
        return None
    if evidence.pod.over:
        return _inconclusive(f"the restored container ended before it was sampled: {evidence.pod.state}")
    if missing := _cannot_answer(evidence):
        return missing
    if evidence.stalled >= evidence.demands.patience:
        return _Finding(Kind.SILENT, _silence(evidence, "no answer of its witness"), "its first answer")
    return _inconclusive("the restored process has not answered yet", "its first answer")


def _cannot_answer(evidence: SampledEvidence) -> _Finding | None:
    if not evidence.pod.running:
        return _inconclusive(f"the restored container does not run: {evidence.pod.state}", "its start")
    if not evidence.pod.ready:
        return _inconclusive("the restored pod is not Ready and was not sampled", "its first answer")
    if evidence.unreached:
        return _inconclusive(f"the restored pod was not reached: {evidence.problem}", "its first answer")
    return None


def _silence(evidence: SampledEvidence, what: str) -> str:
    return f"{what} for {evidence.stalled:.1f} s{f', but {evidence.problem}' if evidence.problem else ''}"


def _chain_is_broken(evidence: SampledEvidence) -> _Finding | None:
    wrong = next((sample for sample in evidence.after if not sample.reading.follows), None)
    if wrong is None:
        return None
    step = f"step {wrong.count} of nonce {short(wrong.reading.nonce)}"
    return _Finding(Kind.BROKEN_CHAIN, f"the hash of {step} does not follow")


def _nonce_is_another(evidence: SampledEvidence) -> _Finding | None:
    other = next((sample for sample in evidence.after if sample.reading.nonce != evidence.nonce), None)
    if other is None:
        return None
    came = _named(evidence, other.count, other.reading.nonce)
    if name := evidence.others.get(other.reading.nonce):
        return _Finding(Kind.FOREIGN, f"{came}, which is that of {name}")
    if other.count > evidence.fresh_limit(other):
        return _Finding(Kind.FOREIGN, f"{came}, which no workload of this run has")
    return _Finding(Kind.RESTARTED, f"{_named(evidence, evidence.b)} was reached, then came {came}")


def _is_not_above(evidence: SampledEvidence) -> _Finding | None:
    """The lower bound. Where no nonce tells a fresh start, a count that a fresh start could show tells it."""
    low = next((sample for sample in evidence.after if sample.count <= evidence.b), None)
    if low is None:
        return None
    detail = f"{_named(evidence, evidence.b)} was reached already, then {low.count} came"
    fresh = not evidence.nature.has_nonce and low.count <= evidence.fresh_limit(low)
    return _Finding(Kind.RESTARTED if fresh else Kind.REWOUND, detail)


def _went_back(evidence: SampledEvidence) -> _Finding | None:
    for earlier, later in pairwise(evidence.after):
        if later.count < earlier.count:
            return _Finding(Kind.REWOUND, f"{_named(evidence, earlier.count)} was reached, then {later.count} came")
    return None


def _is_ahead(evidence: SampledEvidence) -> _Finding | None:
    """Where nobody else makes it count, the upper bound is known: what was there, and each time that it was asked."""
    high = next((sample for sample in evidence.after if sample.count > evidence.b + sample.asks), None)
    if not evidence.nature.exact or high is None:
        return None
    ends = f"the checkpoint ends with {_named(evidence, evidence.b)}"
    return _Finding(Kind.AHEAD, f"{ends}, and asked {high.asks} times it was at {high.count}")


def _could_be_fresh(evidence: SampledEvidence) -> _Finding | None:
    if evidence.nature.has_nonce:
        return None
    limit = evidence.fresh_limit(evidence.after[0])
    if evidence.b > limit:
        return None
    missing = f"count {evidence.b} came before, and a fresh start could have counted {limit} by then"
    return _inconclusive(f"{missing}: drive the count up before the checkpoint")


def _was_restarted(evidence: SampledEvidence) -> _Finding | None:
    last = evidence.after[-1]
    if not last.restarts:
        return None
    times = f"{last.restarts} times, and it was last seen at count {last.count}"
    return _inconclusive(f"the restored pod's containers were restarted {times}")


def _has_stopped(evidence: SampledEvidence) -> _Finding | None:
    last = evidence.after[-1].count
    if evidence.pod.over:
        return _inconclusive(f"the restored container ended after count {last}: {evidence.pod.state}")
    if not evidence.pod.running:
        state = evidence.pod.state
        return _inconclusive(f"the restored container does not run after count {last}: {state}", "its next start")
    if evidence.unreached:
        missing = f"the restored pod was not reached any more after count {last}: {evidence.problem}"
        return _inconclusive(missing, "its next answer")
    if evidence.stalled >= evidence.demands.patience:
        what = f"no count after {last}" + (f" of nonce {short(evidence.nonce)}" if evidence.nonce else "")
        return _Finding(Kind.SILENT, _silence(evidence, what), "a higher count")
    return None


def _is_too_short(evidence: SampledEvidence) -> _Finding | None:
    counts = {sample.count for sample in evidence.after}
    if len(counts) < evidence.demands.samples:
        missing = f"{len(counts)} of {evidence.demands.samples} counts of its own were seen so far"
        return _inconclusive(missing, "further samples")
    return None


def _is_continued(evidence: SampledEvidence) -> _Finding:
    who = f" of nonce {short(evidence.nonce)}" if evidence.nonce else f" ({evidence.nature.name})"
    return _Finding(Kind.CONTINUED, f"count {evidence.b} -> {evidence.after[0].count}{who}")


_RULES: tuple[Callable[[SampledEvidence], _Finding | None], ...] = (
    _is_original,
    _source_is_unusable,
    _gives_no_sample,
    _chain_is_broken,
    _nonce_is_another,
    _is_not_above,
    _went_back,
    _is_ahead,
    _could_be_fresh,
    _was_restarted,
    _has_stopped,
    _is_too_short,
    _is_continued,
)
"""In this order: the first one that finds something is the verdict."""
