"""Removing a cluster in containers: everything with its label, and nothing else of the daemon's."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from harness.failures import OperationFailed
from harness.ledger import Entry
from harness.waiting import Done, Look, Pending, wait_until

from .daemon import client, refusals
from .machine import CLUSTER

if TYPE_CHECKING:
    from python_on_whales import DockerClient


class DockerRemover:
    """Removes the containers, volumes and network that have the label of the entry."""

    def exists(self, entry: Entry) -> bool:
        """Whether anything with that label is there. Without a daemon nobody can tell, so it counts as there."""
        try:
            return bool(left(client(), entry.find["cluster"]))
        except OperationFailed:
            return True

    def remove(self, entry: Entry, budget: float) -> None:
        """Removes all of it and returns when it is gone."""
        remove(client(), entry.find["cluster"], budget)


def left(docker: DockerClient, cluster: str) -> list[str]:
    """What there is with the label of the cluster, by name."""
    label = _labelled(cluster)
    with refusals("list what it has"):
        containers = [f"container {one.name}" for one in docker.container.list(all=True, filters=label)]
        volumes = [f"volume {one.name}" for one in docker.volume.list(filters=label)]
        networks = [f"network {one.name}" for one in docker.network.list(filters=label)]
    return containers + volumes + networks


def remove(docker: DockerClient, cluster: str, timeout: float) -> None:
    """Removes containers with their anonymous volumes, then volumes, then the network.

    Raises:
        OperationFailed: the daemon refuses.
        WaitTimedOut: something with that label is still there; cause `leftovers`.
    """
    label = _labelled(cluster)
    with refusals(f"remove what is labelled {CLUSTER}={cluster}"):
        docker.container.remove(docker.container.list(all=True, filters=label), force=True, volumes=True)
        docker.volume.remove([*docker.volume.list(filters=label)])
        docker.network.remove([*docker.network.list(filters=label)])

    def look() -> Look[None]:
        there = left(docker, cluster)
        return Pending(", ".join(there)) if there else Done(None)

    wait_until(look, timeout=timeout, expected="Docker to have nothing of the cluster any more", cause="leftovers")


def _labelled(cluster: str) -> list[tuple[Literal["label"], str]]:
    return [("label", f"{CLUSTER}={cluster}")]
