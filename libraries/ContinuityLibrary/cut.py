"""The cut: were the containers of a pod restored from one moment, as the messages between them tell it?

A process's *surviving history* is what its memory holds after the restore: its steps up to the checkpoint, and those of
the restored process. What the source did after the checkpoint belongs to no surviving history. In a consistent cut no
surviving history has got a message that no surviving history has sent (it came from the future), and none lacks one
that its sender knows to have arrived (it is lost), and none has got one twice (doubled). It is the notion of Chandy and
Lamport (Distributed Snapshots, 1985). That both processes go on shows nothing of that.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field, replace
from enum import StrEnum
from itertools import pairwise, permutations
from typing import Any

from .evidence import Evidence, Look
from .history import merged
from .logs import NANOSECONDS
from .messages import Message, Told, told
from .verdict import Verdict


class CutKind(StrEnum):
    """The name of a cut's verdict. Only `consistent` says that the containers were cut at one moment."""

    CONSISTENT = "consistent"
    """Every message is where it was."""
    FUTURE = "from the future"
    """A container has got a message that the other one, as it was restored, has not sent."""
    LOST = "lost"
    """A container knows that a message arrived, and the other one, as it was restored, never got it."""
    DOUBLED = "doubled"
    """A message was got twice."""
    INCONCLUSIVE = "inconclusive"
    """The evidence does not suffice."""


@dataclass(frozen=True)
class CutVerdict:
    """What the messages say.

    Args:
        kind: the verdict's name.
        detail: what it rests on, as the rest of a sentence that begins with the verdict's name.
        messages: how many messages were followed from their sender to their receiver.
        apart_at_least: seconds that the containers' cuts were apart at the least; None when not known.
        apart_at_most: and at the most: the sources' steps around the cuts bound them.
        pending: what a later look could still bring; empty when no later look can change the verdict.
    """

    kind: CutKind
    detail: str
    messages: int = 0
    apart_at_least: float | None = None
    apart_at_most: float | None = None
    pending: str = ""

    @property
    def settled(self) -> bool:
        """Whether no later look can change it."""
        return not self.pending

    def __str__(self) -> str:
        return f"{self.kind}: {self.detail}"

    def to_dict(self) -> dict[str, Any]:
        """For the evidence file: plain values, times in seconds."""
        return {
            "verdict": str(self.kind),
            "sentence": str(self),
            "messages": self.messages,
            "cuts_apart_at_least_seconds": self.apart_at_least,
            "cuts_apart_at_most_seconds": self.apart_at_most,
            "pending": self.pending or None,
        }


@dataclass(frozen=True)
class Side:
    """One container: what it told in its surviving history, step by step.

    Args:
        name: of the container.
        nonce: of its process.
        first_own: the first step of the restored process.
        before: what it told until its checkpoint.
        own: what the restored process told.
        cut: the stamps between which the checkpoint was taken, by its node's clock; None when not known.
    """

    name: str
    nonce: str
    first_own: int
    before: tuple[Told, ...]
    own: tuple[Told, ...]
    cut: tuple[int, int] | None = None
    history: tuple[Told, ...] = field(init=False)

    def __post_init__(self) -> None:
        by_step = {one.step: one for one in (*self.before, *self.own)}
        object.__setattr__(self, "history", tuple(by_step[step] for step in sorted(by_step)))

    @property
    def gap(self) -> tuple[int, int] | None:
        """Two steps between which what it told is missing."""
        steps = [one.step for one in self.history]
        return next(((one, other) for one, other in pairwise(steps) if other > one + 1), None)

    @property
    def sent(self) -> dict[int, Message]:
        """The messages that it sent, by number."""
        return {one.exchange.sent.number: one.exchange.sent for one in self.history if one.exchange.sent}

    @property
    def last_before(self) -> int:
        """The number of the last message that it can have sent before the checkpoint."""
        early = (*self.before, *self.own[:1])
        return max((one.exchange.sent.number for one in early if one.exchange.sent), default=0)

    def forgets(self, sender: str) -> bool:
        """Whether it got a message of that sender and later found its file as it was before the first one."""
        lines = [one.exchange for one in self.history if one.exchange.sender == sender]
        return any(earlier.got and not later.got for earlier, later in pairwise(lines))

    def got_of(self, sender: str, told: Iterable[Told] | None = None) -> list[Message]:
        """The messages of that sender in the order in which it got them, one that came again included."""
        seen = [(one.exchange.sender, one.exchange.got) for one in (self.history if told is None else told)]
        taken = [one for at, one in enumerate(seen) if at == 0 or seen[at - 1] != one]
        return [message for name, message in taken if message and name == sender]


def side(name: str, evidence: Evidence, verdict: Verdict) -> Side | None:
    """What a container told, where its restored process has printed steps with the source's nonce; None elsewhere."""
    if verdict.a is None or verdict.own_nonce != verdict.nonce:
        return None
    source = {one for one in _told(evidence.source.looks) if one.exchange.nonce == verdict.nonce}
    copied = {one for one in _told(evidence.restored) if one.exchange.nonce == verdict.nonce}
    before = sorted(one for one in source if one.step < verdict.a)
    own = sorted(copied - source, key=lambda one: (one.step, one.stamp))
    return Side(name, verdict.nonce, verdict.a, tuple(before), tuple(own), _bounds(evidence, verdict))


def judge_cut(sides: Sequence[Side]) -> CutVerdict:
    """The verdict on the cut of containers that exchange messages, each with each or in pairs. Never raises."""
    apart = _apart([one.cut for one in sides])
    pairs = [(one, other) for one, other in permutations(sides, 2) if other.got_of(one.nonce)]
    found = [_judge_pair(sender, receiver) for sender, receiver in pairs]
    wrong = [one for kind in _WORST_FIRST for one in found if one.kind is kind]
    if wrong:
        more = [str(one) for one in wrong[1:] if one.settled]
        return _measured(replace(wrong[0], detail="; ".join([wrong[0].detail, *more])), apart)
    if alone := next((one for one in sides if not any(one in pair for pair in pairs)), None):
        detail = f"container {alone.name} has exchanged no message with another one"
        return _measured(CutVerdict(CutKind.INCONCLUSIVE, detail, pending="a message"), apart)
    count = sum(one.messages for one in found)
    names = " and ".join(one.name for one in sides)
    return _measured(
        CutVerdict(CutKind.CONSISTENT, f"{count} messages between {names} are all there once", count), apart
    )


_WORST_FIRST = (CutKind.FUTURE, CutKind.LOST, CutKind.DOUBLED, CutKind.INCONCLUSIVE)


class _Pair:
    """One direction: what one container sent, and what the other one got of it."""

    def __init__(self, sender: Side, receiver: Side) -> None:
        self.sender, self.receiver = sender, receiver
        self.where = f"from {sender.name} to {receiver.name}"
        self.sent = sender.sent
        self.got = receiver.got_of(sender.nonce)
        self.got_before = receiver.got_of(sender.nonce, receiver.before)


def _judge_pair(sender: Side, receiver: Side) -> CutVerdict:
    pair = _Pair(sender, receiver)
    found = next((verdict for rule in _RULES if (verdict := rule(pair)) is not None), None)
    return found or CutVerdict(CutKind.CONSISTENT, pair.where, len(pair.got))


def _is_incomplete(pair: _Pair) -> CutVerdict | None:
    for one in (pair.sender, pair.receiver):
        if one.gap:
            detail = f"what {one.name} told between its steps {one.gap[0]} and {one.gap[1]} is missing"
            return CutVerdict(CutKind.INCONCLUSIVE, detail, pending="what is missing")
        if not one.own:
            detail = f"{one.name} has told nothing since the restore"
            return CutVerdict(CutKind.INCONCLUSIVE, detail, pending="a step")
    return None


def _is_from_the_future(pair: _Pair) -> CutVerdict | None:
    sender, receiver, last = pair.sender, pair.receiver, pair.sender.last_before
    for message in pair.got_before:
        if message.number > last:
            detail = (
                f"{receiver.name} had got message {message} {pair.where}, and {sender.name} had sent {last} of them"
            )
            return CutVerdict(CutKind.FUTURE, detail)
    for message in pair.got:
        sent = pair.sent.get(message.number, message)
        if sent != message:
            detail = f"{receiver.name} has got message {message}, and {sender.name} has sent {sent}"
            return CutVerdict(CutKind.FUTURE, detail)
    return None


def _is_doubled(pair: _Pair) -> CutVerdict | None:
    if pair.receiver.forgets(pair.sender.nonce):
        return CutVerdict(CutKind.DOUBLED, f"the messages {pair.where} were begun anew")
    again = next((message for at, message in enumerate(pair.got) if message in pair.got[:at]), None)
    return CutVerdict(CutKind.DOUBLED, f"message {again} {pair.where} was got twice") if again else None


def _is_lost(pair: _Pair) -> CutVerdict | None:
    for earlier, later in pairwise(message.number for message in pair.got):
        if later > earlier + 1:
            lost = f"message {later - 1} was" if later == earlier + 2 else f"messages {earlier + 1} to {later - 1} were"
            return CutVerdict(CutKind.LOST, f"{lost} sent {pair.where} and never got")
    return None


def _is_too_early(pair: _Pair) -> CutVerdict | None:
    if any(message.number > pair.sender.last_before for message in pair.got):
        return None
    detail = f"no message {pair.where} was sent and got after the restore yet"
    return CutVerdict(CutKind.INCONCLUSIVE, detail, pending="messages after the restore")


_RULES: tuple[Callable[[_Pair], CutVerdict | None], ...] = (
    _is_incomplete,
    _is_from_the_future,
    _is_doubled,
    _is_lost,
    _is_too_early,
)
"""In this order: the first one that finds something is the verdict."""


def _told(looks: Iterable[Look]) -> set[Told]:
    return {one for log in merged(looks).values() for one in told(log.lines)}


def _bounds(evidence: Evidence, verdict: Verdict) -> tuple[int, int] | None:
    """The source printed the last step of the cut, then the cut came, then the source went on with the next one."""
    stamps = {one.number: one.stamp for look in evidence.source.looks for one in look.steps()}
    assert verdict.a is not None
    last, following = stamps.get(verdict.a - 1), stamps.get(verdict.a)
    return (last, following) if last is not None and following is not None else None


def _apart(cuts: Sequence[tuple[int, int] | None]) -> tuple[float, float] | None:
    known = [cut for cut in cuts if cut is not None]
    if len(known) < len(cuts) or len(known) < 2:
        return None
    least = max(max(0, one[0] - other[1]) for one, other in permutations(known, 2))
    most = max(one[1] - other[0] for one, other in permutations(known, 2))
    return least / NANOSECONDS, most / NANOSECONDS


def _measured(verdict: CutVerdict, apart: tuple[float, float] | None) -> CutVerdict:

    return verdict if apart is None else replace(verdict, apart_at_least=apart[0], apart_at_most=apart[1])
