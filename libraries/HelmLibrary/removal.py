"""Removing a release that a ledger owes, with what its chart keeps."""

from __future__ import annotations

from datetime import datetime, timedelta

from harness.kube import recorded
from harness.ledger import Entry

from .engines import find_engine
from .manifests import Thing
from .operations import Helm
from .uninstalling import is_there

CLOCKS = timedelta(seconds=30)
"""By how much the clocks of the cluster and of this machine may differ."""


class ReleaseRemover:
    """Uninstalls the very release that the entry names."""

    def exists(self, entry: Entry) -> bool:
        """Whether Helm keeps a revision of it, or something that its chart keeps is there."""
        kept = [Thing(**facts) for facts in entry.find.get("kept", ())]
        cluster = recorded(entry)
        return _is_stored(_helm(entry), entry) or any(is_there(cluster, thing) for thing in kept)

    def remove(self, entry: Entry, budget: float) -> None:
        """Uninstalls it, or goes on with an uninstall that was broken off."""
        helm = _helm(entry)
        if _is_stored(helm, entry):
            helm.remove(entry.find["release"], entry, wait=True, timeout=budget)
        else:
            helm.remove_kept(entry, budget)


def _is_stored(helm: Helm, entry: Entry) -> bool:
    """Whether Helm keeps a revision of that very release, and not of another one of its name.

    Where the run did not live to learn how its release is told from others, it is the one whose first revision was made
    in the time that the install was given.
    """
    there = dict(helm.revisions(entry.find["release"]))
    if (known := entry.find.get("stored")) is not None:
        return not there.keys().isdisjoint(known)
    return bool(there) and _made_by_install(entry, min(there.values()))


def _made_by_install(entry: Entry, made: datetime) -> bool:
    if not entry.at:
        return False
    begun = datetime.fromisoformat(entry.at)
    return begun - CLOCKS <= made <= begun + timedelta(seconds=entry.find["within"]) + CLOCKS


def _helm(entry: Entry) -> Helm:
    return Helm(find_engine(), recorded(entry), entry.find["namespace"])
