"""Removing what a ledger owes: in reverse, past failures, within a budget, and a listing of what is left."""

from __future__ import annotations

import importlib
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass, replace
from enum import Enum
from typing import Protocol

from .failures import E2EFailure, WaitTimedOut
from .ledger import Entry, Ledger
from .processes import LIBRARIES
from .secrets import SECRETS


class Remover(Protocol):
    """Finds and removes one kind of thing. Both calls must do nothing worse than say so when it is gone already."""

    def exists(self, entry: Entry) -> bool:
        """Whether the thing is still there."""

    def remove(self, entry: Entry, budget: float) -> None:
        """Removes it and returns when it is gone; takes at most about `budget` seconds."""


REMOVERS = {
    "directory": "harness.rundir:DirectoryRemover",
    "process": "harness.children:ProcessRemover",
    "sandbox": "K3sLibrary.removal:SandboxRemover",
    "namespace": "KubernetesLibrary.removal:NamespaceRemover",
    "object": "KubernetesLibrary.removal:ObjectRemover",
    "restored-pod": "KubernetesLibrary.removal:RestoredPodRemover",
    "helm-release": "HelmLibrary.removal:ReleaseRemover",
    "cluster-registration": "PropagatorLibrary.removal:RegistrationRemover",
    "checkpoint": "PropagatorLibrary.removal:CheckpointRemover",
    "restore": "PropagatorLibrary.removal:RestoreRemover",
    "heartbeat-policy": "PropagatorLibrary.removal:PolicyRemover",
}
"""Which code removes which kind, as module:class. They are loaded when they are needed, so that the harness depends on
no keyword library."""


class Again(Enum):
    """What is worth trying at the end with an entry that was not removed."""

    NOTHING = "nothing"
    """It was refused, or nobody answered."""
    LOOK = "look"
    """It was still there: it may be on its way, or have gone with something older."""
    REMOVE = "remove"
    """Its removal was broken off, by a signal for one."""


@dataclass(frozen=True)
class Removal:
    """What became of one entry; `silent` where its cluster did not answer."""

    entry: Entry
    problem: str
    seconds: float
    silent: bool = False
    again: Again = Again.NOTHING

    @property
    def left(self) -> bool:
        """Whether the thing is still there, as far as can be told."""
        return bool(self.problem)

    def __str__(self) -> str:
        return f"{self.entry}: {self.problem or 'gone'} ({self.seconds:.1f} s)"


def remove_all(ledger: Ledger, *, budget: float, each: float) -> Iterator[Removal]:
    """Removes what `ledger` owes, newest first, and yields what became of each entry.

    Args:
        ledger: of this run or of a dead one.
        budget: seconds for all together; when they are used up the rest is told to go and not waited for.
        each: seconds for one entry.
    """
    deadline = time.monotonic() + budget
    removed_places: set[str] = set()
    silent_places: set[str] = set()
    unreachable: list[Removal] = []
    for entry in reversed(ledger.owed()):
        left = deadline - time.monotonic()
        if left <= 0 and entry.place in silent_places:
            unreachable.append(Removal(entry, "not tried: its cluster does not answer and the time is up", 0.0))
            continue
        removal = _remove(entry, min(each, max(0.0, left)))
        if removal.problem:
            unreachable.append(removal)
            silent_places.update({entry.place} if removal.silent else ())
            continue
        ledger.gone(entry)
        removed_places.update(entry.find.get("places", ()))
        yield removal
    for removal in unreachable:
        if removal.entry.place and removal.entry.place in removed_places:
            final = Removal(removal.entry, "", removal.seconds)
        else:
            final = _once_more(removal, min(each, deadline - time.monotonic()))
        if not final.problem:
            ledger.gone(final.entry)
        yield final
    ledger.close()


def _once_more(removal: Removal, budget: float) -> Removal:
    """A second look, or attempt, where that can help and time is left."""
    if budget <= 0 or removal.again is Again.NOTHING:
        return removal
    if removal.again is Again.REMOVE:
        second = _remove(removal.entry, budget)
        return replace(second, seconds=removal.seconds + second.seconds)
    try:
        there = remover_of(removal.entry.kind).exists(removal.entry)
    except E2EFailure:
        return removal
    return removal if there else replace(removal, problem="")


def _remove(entry: Entry, budget: float) -> Removal:
    start = time.monotonic()
    problem, silent, again = "", False, Again.NOTHING
    try:
        remover = remover_of(entry.kind)
        if remover.exists(entry):
            remover.remove(entry, budget)
            if remover.exists(entry):
                problem, again = "still there after its removal", Again.LOOK
    except E2EFailure as failure:  # one entry's trouble must not keep the others from their removal
        problem, silent = SECRETS.redact(failure.seen), failure.cause.name == "cluster-unreachable"
        again = Again.LOOK if isinstance(failure, WaitTimedOut) else Again.NOTHING
    except Exception as broken:  # ours, or Robot Framework's, which a signal raises anywhere
        problem, again = SECRETS.redact(f"{type(broken).__name__}: {broken}"), Again.REMOVE
    return Removal(entry, problem, time.monotonic() - start, silent, again)


def remover_of(kind: str) -> Remover:
    """The remover for that kind.

    Raises:
        KeyError: no such kind.
    """
    module, _, name = REMOVERS[kind].partition(":")
    # Robot Framework has this folder on the path only while it imports a library.
    sys.path.insert(0, str(LIBRARIES))
    try:
        remover: Remover = getattr(importlib.import_module(module), name)()
    finally:
        sys.path.remove(str(LIBRARIES))
    return remover
