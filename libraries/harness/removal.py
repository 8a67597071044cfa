"""Removing what a ledger owes: in reverse, past failures, within a budget, and a listing of what is left."""

from __future__ import annotations

import importlib
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Protocol

from .failures import E2EFailure
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
    "sandbox": "K3sLibrary.removal:SandboxRemover",
    "namespace": "KubernetesLibrary.removal:NamespaceRemover",
    "object": "KubernetesLibrary.removal:ObjectRemover",
    "helm-release": "HelmLibrary.removal:ReleaseRemover",
    "cluster-registration": "PropagatorLibrary.removal:RegistrationRemover",
    "checkpoint": "PropagatorLibrary.removal:CheckpointRemover",
    "heartbeat-policy": "PropagatorLibrary.removal:PolicyRemover",
}
"""Which code removes which kind, as module:class. They are loaded when they are needed, so that the harness depends on
no keyword library."""


@dataclass(frozen=True)
class Removal:
    """What became of one entry; `silent` where its cluster did not answer."""

    entry: Entry
    problem: str
    seconds: float
    silent: bool = False

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
            ledger.gone(removal.entry)
            yield Removal(removal.entry, "", removal.seconds)
        else:
            yield removal
    ledger.close()


def _remove(entry: Entry, budget: float) -> Removal:
    start = time.monotonic()
    problem, silent = "", False
    try:
        remover = remover_of(entry.kind)
        if remover.exists(entry):
            remover.remove(entry, budget)
            if remover.exists(entry):
                problem = "still there after its removal"
    except Exception as failure:  # one entry's trouble must not keep the others from their removal
        seen = failure.seen if isinstance(failure, E2EFailure) else f"{type(failure).__name__}: {failure}"
        problem = SECRETS.redact(seen)
        silent = isinstance(failure, E2EFailure) and failure.cause.name == "cluster-unreachable"
    return Removal(entry, problem, time.monotonic() - start, silent)


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
