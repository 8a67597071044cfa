"""Removing what a ledger owes: in reverse, past failures, within a budget, and a listing of what is left."""

from __future__ import annotations

import importlib
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Protocol

from .failures import E2EFailure, WaitTimedOut, WrongPlace
from .ledger import Entry, Ledger
from .processes import LIBRARIES
from .secrets import SECRETS
from .waiting import SILENT, bearing_silence


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
    "docker": "K3sLibrary.docker.removal:DockerRemover",
    "k3s": "K3sLibrary.native.remains:NativeRemover",
    "namespace": "KubernetesLibrary.removal:NamespaceRemover",
    "object": "KubernetesLibrary.removal:ObjectRemover",
    "restored-pod": "KubernetesLibrary.removal:RestoredPodRemover",
    "node-change": "KubernetesLibrary.node_changes:NodeChangeRemover",
    "helm-release": "HelmLibrary.removal:ReleaseRemover",
    "cluster-registration": "PropagatorLibrary.removal:RegistrationRemover",
    "checkpoint": "PropagatorLibrary.removal:CheckpointRemover",
    "restore": "PropagatorLibrary.removal:RestoreRemover",
    "heartbeat-policy": "PropagatorLibrary.removal:PolicyRemover",
}
"""Which code removes which kind, as module:class. They are loaded when they are needed, so that the harness depends on
no keyword library."""


PATIENCE = 15.0
"""Seconds for which a place may not answer at all, as one that is being restarted does not, before it is given up."""
PAUSE = 0.5
"""Seconds between two tries meanwhile."""


@dataclass(frozen=True)
class Removal:
    """What became of one entry; `silent` where nobody answered at its place, `there` where it was still there."""

    entry: Entry
    problem: str
    seconds: float
    silent: bool = False
    there: bool = False

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
    tried: set[int] = set()
    # What a removal itself needs on disk becomes an entry meanwhile; nothing makes any after the second round.
    for _ in range(2):
        yield from _round(ledger, [entry for entry in ledger.owed() if id(entry) not in tried], deadline, each, tried)
    ledger.close()


def _round(ledger: Ledger, owed: list[Entry], deadline: float, each: float, tried: set[int]) -> Iterator[Removal]:
    places = _Places(owed)
    unreachable: list[Removal] = []
    for entry in reversed(owed):
        tried.add(id(entry))
        removal = places.remove(entry, deadline, each)
        if removal.problem:
            unreachable.append(removal)
            continue
        ledger.gone(entry)
        places.removed.update(entry.find.get("places", ()))
        yield removal
    for removal in unreachable:
        went_along = removal.entry.place and removal.entry.place in places.removed
        if went_along or (removal.there and not removal.silent and not _is_there(removal.entry)):
            ledger.gone(removal.entry)
            yield Removal(removal.entry, "", removal.seconds)
        else:
            yield removal


class _Places:
    """The places that entries lie in: which were removed, and which do not answer.

    One that does not is borne with once, for `PATIENCE`, and asked no more: what lies there stays in the ledger, for a
    later sweep. One that is to be removed itself, as a cluster of the run's own is, takes with it what lies in it.
    """

    def __init__(self, owed: list[Entry]) -> None:
        self.removed: set[str] = set()
        self._silent: set[str] = set()
        self._doomed = {place for entry in owed for place in entry.find.get("places", ())}

    def remove(self, entry: Entry, deadline: float, each: float) -> Removal:
        """Removes the entry, unless its place does not answer."""
        if entry.place in self._silent:
            return Removal(entry, "not tried: nobody answers where it is", 0.0, silent=True)
        begun = time.monotonic()
        given_up = min(deadline, begun if entry.place in self._doomed else begun + PATIENCE)
        while True:
            with bearing_silence(PATIENCE):
                removal = _remove(entry, min(each, max(0.0, deadline - time.monotonic())))
            if not removal.silent or time.monotonic() >= given_up:
                break
            time.sleep(PAUSE)
        if removal.silent:
            self._silent.add(entry.place)
        return replace(removal, seconds=time.monotonic() - begun)


def _is_there(entry: Entry) -> bool:
    """A last look at what was still there: it was on its way, or has gone with something older."""
    try:
        return remover_of(entry.kind).exists(entry)
    except E2EFailure:
        return True


def _remove(entry: Entry, budget: float) -> Removal:
    start = time.monotonic()
    try:
        removal = _try(entry, budget)
    except Exception:  # Robot Framework's, which a signal raises anywhere: it must not cost this entry its removal
        try:
            removal = _try(entry, max(0.0, budget - (time.monotonic() - start)))
        except Exception as broken:  # nor must one entry's trouble keep the others from theirs
            removal = Removal(entry, SECRETS.redact(f"{type(broken).__name__}: {broken}"), 0.0)
    return replace(removal, seconds=time.monotonic() - start)


def _try(entry: Entry, budget: float) -> Removal:
    remover = remover_of(entry.kind)
    try:
        if remover.exists(entry):
            remover.remove(entry, budget)
            if remover.exists(entry):
                return Removal(entry, "still there after its removal", 0.0, there=True)
    except E2EFailure as failure:
        silent = failure.cause.name in SILENT and not isinstance(failure, WrongPlace)
        there = isinstance(failure, WaitTimedOut)
        return Removal(entry, SECRETS.redact(failure.seen), 0.0, silent, there)
    return Removal(entry, "", 0.0)


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
