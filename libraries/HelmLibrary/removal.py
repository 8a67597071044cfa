"""Removing a release that a ledger owes, with what its chart keeps."""

from __future__ import annotations

from pathlib import Path

from harness.kube import Cluster
from harness.ledger import Entry

from .engines import find_engine
from .manifests import Thing
from .operations import Helm
from .uninstalling import is_there


class ReleaseRemover:
    """Uninstalls the very release that the entry names."""

    def exists(self, entry: Entry) -> bool:
        """Whether Helm keeps a revision of it, or something that its chart keeps is there."""
        kept = [Thing(**facts) for facts in entry.find.get("kept", ())]
        cluster = _cluster(entry)
        return _is_stored(_helm(entry), entry) or any(is_there(cluster, thing) for thing in kept)

    def remove(self, entry: Entry, budget: float) -> None:
        """Uninstalls it, or goes on with an uninstall that was broken off."""
        helm = _helm(entry)
        if _is_stored(helm, entry):
            helm.remove(entry.find["release"], entry, wait=True, timeout=budget)
        else:
            helm.remove_kept(entry, budget)


def _is_stored(helm: Helm, entry: Entry) -> bool:
    """Whether Helm keeps a revision of that very release, and not of one that was installed under its name since."""
    there = helm.stored(entry.find["release"])
    known = entry.find.get("stored")
    return bool(there) if known is None else not set(known).isdisjoint(there)


def _helm(entry: Entry) -> Helm:
    return Helm(find_engine(), _cluster(entry), entry.find["namespace"])


def _cluster(entry: Entry) -> Cluster:
    return Cluster(f"ledger-{entry.number}", Path(entry.place), entry.find["context"])
