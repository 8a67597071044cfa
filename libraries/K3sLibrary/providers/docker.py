"""A k3s of the run's own in containers of a Docker daemon, by python-on-whales."""

from __future__ import annotations

import time
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from robot.api import logger

from harness.children import new_mark
from harness.failures import BadInput
from harness.kube import Cluster
from harness.ledger import LEDGER, Entry
from harness.rundir import private_directory
from harness.sources import SOURCES, Tale
from harness.waiting import Done, Look, Pending, wait_until

from ..docker import daemon, machine, removal
from ..native import readiness
from ..native.binary import DEFAULT_VERSION
from .base import Started

if TYPE_CHECKING:
    from python_on_whales import DockerClient

REPOSITORY = "docker.io/rancher/k3s"
FEW = 9


@dataclass(frozen=True)
class DockerOptions:
    """What can be chosen of a k3s in containers.

    Attributes:
        version: of k3s; the image's tag has it with `-` for `+`.
        image: instead of that of the version.
        nodes: how many, the server included; each is a container.
        images: a tarball of images that each node imports at its start.
        registries: a registries.yaml of k3s: mirrors for registries.
        cgroupns: cgroup namespace of the containers, `private` or `host`; None: as the daemon does it.
    """

    version: str = DEFAULT_VERSION
    image: str | None = None
    nodes: int = 1
    images: Path | None = None
    registries: Path | None = None
    cgroupns: str | None = None

    @property
    def reference(self) -> str:
        """The image that is run."""
        return self.image or f"{REPOSITORY}:{self.version.replace('+', '-')}"


class DockerProvider:
    """Runs a server and agents of k3s as privileged containers, in a network of their own."""

    def __init__(self) -> None:
        self.options = DockerOptions()
        self._entry: Entry | None = None
        self._docker: DockerClient | None = None

    def start(self, *, kubeconfig: Path | None, context: str | None, timeout: float, keep: bool) -> Started:  # noqa: ARG002
        """Starts the containers and waits until the cluster is ready. They outlive this process until removed.

        Raises:
            BadInput: nodes, images or registries cannot be used.
            NotAsExpected, OperationFailed: there is no Docker that can carry it (cause `host-unfit`), the image cannot
                be pulled (`image-pull`), or a container ended (`cluster-start`), with its last words.
            WaitTimedOut: it did not become ready; says what was missing.
        """
        deadline = time.monotonic() + timeout
        _check(self.options)
        docker = daemon.client()
        for doubt in daemon.check(docker):
            logger.warn(doubt)
        logger.info(f"Image: {self.options.reference}.")
        machine.pull(docker, self.options.reference)
        entry, plan = self._intend(docker)
        machine.make(docker, plan)
        place = private_directory() / f"kubeconfig-{plan.name}"
        LEDGER.made(entry, places=[str(place)])
        _wait_for_api(docker, plan, place, deadline - time.monotonic())
        left = max(1.0, deadline - time.monotonic())
        cluster = Cluster(plan.name, place)
        readiness.wait_until_ready(cluster, left, partial(machine.must_run, docker, plan), nodes=self.options.nodes)
        return Started(kubeconfig=place)

    def stop(self, timeout: float) -> None:
        """Removes containers, volumes and network."""
        if self._entry and self._docker and self._entry.state != "gone":
            removal.remove(self._docker, self._entry.find["cluster"], timeout)
            LEDGER.gone(self._entry)
            SOURCES.withdraw(self._entry.name)

    def traces(self) -> list[str]:
        """What the daemon still has with this cluster's label."""
        if self._entry is None or self._docker is None:
            return []
        return removal.left(self._docker, self._entry.find["cluster"])

    def _intend(self, docker: DockerClient) -> tuple[Entry, machine.Plan]:
        """Writes down by which label everything will be found, before any of it is made."""
        self._docker = docker
        mark = new_mark()
        name = f"cedana-e2e-{LEDGER.run_id}-{mark[:4]}"
        labels = {machine.RUN: LEDGER.run_id, machine.CLUSTER: name}
        chosen = self.options
        plan = machine.Plan(name, labels, chosen.reference, chosen.nodes - 1)
        plan = replace(plan, images=chosen.images, registries=chosen.registries, cgroupns=chosen.cgroupns)
        self._entry = LEDGER.intend("docker", name, cluster=name)
        told = [Tale(f"log of container {one}", partial(machine.logs, docker, one)) for one in plan.nodes]
        SOURCES.offer(name, *told)
        return self._entry, plan


def _check(options: DockerOptions) -> None:
    if not 1 <= options.nodes <= FEW:
        raise BadInput("nodes", options.nodes, f"1 to {FEW}")
    if options.cgroupns not in (None, "private", "host"):
        raise BadInput("cgroupns", options.cgroupns, "private or host")
    for name, file in (("images", options.images), ("registries", options.registries)):
        if file and not file.is_file():
            raise BadInput(name, file, "the path of a file")


def _wait_for_api(docker: DockerClient, plan: machine.Plan, place: Path, timeout: float) -> None:
    def look() -> Look[None]:
        machine.must_run(docker, plan)
        if not machine.kubeconfig(docker, plan, place):
            return Pending("k3s has written no kubeconfig yet", "cluster-start")
        return Done(None)

    wait_until(
        look,
        timeout=timeout,
        expected=f"k3s in container {plan.name} to start",
        look_next=f"the log of {plan.name}, which is in the diagnostics",
        cause="cluster-start",
    )
