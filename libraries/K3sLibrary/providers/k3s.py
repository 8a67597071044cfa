"""A k3s of the run's own, natively on this host: Linux, as root."""

from __future__ import annotations

import subprocess
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from harness.children import new_mark
from harness.failures import BadInput, OperationFailed
from harness.kube import Cluster
from harness.ledger import LEDGER, Entry
from harness.rundir import private_directory
from harness.sources import SOURCES, Tale
from harness.waiting import Done, Look, Pending, wait_until

from ..native import binary, host, network, preflight, readiness, remains, server, versions
from .base import Started

DIRECTORY = Path("/var/lib/cedana-e2e")
TARBALLS = (".tar", ".tar.gz", ".tgz", ".tar.zst", ".tzst", ".tar.lz4", ".tar.bz2", ".tbz")
"""Names by which k3s knows what to import (pkg/agent/containerd of k3s-io/k3s)."""
FIRST_WORD = 30.0
"""Seconds for the namespaces to be made."""


@dataclass(frozen=True)
class NativeOptions:
    """What can be chosen of a native k3s.

    Attributes:
        version: of the release that is fetched where `binary` is not given.
        binary: a k3s that is on this host already.
        images: a tarball of images that are imported before the first pod, for a host without a registry.
        directory: where the cluster's files lie: on a disk, with room for images.
        tell: is given a line for people, and whether it is a warning.
    """

    version: str = binary.DEFAULT_VERSION
    binary: Path | None = None
    images: Path | None = None
    directory: Path = DIRECTORY
    tell: Callable[[str, bool], object] = lambda line, warning: None  # noqa: ARG005


class NativeProvider:
    """Runs `k3s server` in namespaces of its own."""

    def __init__(self) -> None:
        self.options = NativeOptions()
        self._entry: Entry | None = None
        self._before = host.Listing()
        self._process: subprocess.Popen[bytes] | None = None

    def start(self, *, kubeconfig: Path | None, context: str | None, timeout: float, keep: bool) -> Started:  # noqa: ARG002
        """Starts k3s and waits until it is ready; it ends when this process does, unless `keep`.

        Raises:
            BadInput: binary or images cannot be used.
            OperationFailed: this host cannot carry it (cause `host-unfit`), k3s cannot be fetched (`download-failed`),
                or it ended (`cluster-start`), with its last words.
            WaitTimedOut: it did not become ready; says what was missing.
        """
        images = self.options.images
        if images and not (images.is_file() and images.name.endswith(TARBALLS)):
            raise BadInput("images", images, f"the path of a tarball with images, whose name ends with {TARBALLS[0]}")
        preflight.check(self.options.directory)
        for doubt in preflight.doubts():
            self.options.tell(f"{doubt}; Cedana's own CRIU may do better", True)
        executable = self._executable()
        deadline = time.monotonic() + timeout  # a download has its own time
        machine = self._intend(executable, keep)
        server.prepare(machine, images)
        self._begin(machine)
        place = private_directory() / f"kubeconfig-{machine.mark}"
        LEDGER.made(self._entry_of(), places=[str(place)])
        self._wait_for_api(machine, place, deadline - time.monotonic())
        server.drop_tar(machine)
        left = max(1.0, deadline - time.monotonic())
        readiness.wait_until_ready(Cluster(machine.way.name, place), left, lambda: self._must_run(machine))
        return Started(kubeconfig=place, tools=versions.versions(machine.data))

    def _executable(self) -> Path:
        if self.options.binary:
            return binary.local(self.options.binary)
        return binary.fetched(self.options.version, lambda line: self.options.tell(line, False))

    def stop(self, timeout: float) -> None:
        """Ends it and removes what it had on this host."""
        if self._entry and self._entry.state != "gone":
            remains.remove(self._entry.find, timeout)
            LEDGER.gone(self._entry)
            SOURCES.withdraw(self._entry.find["name"])

    def traces(self) -> list[str]:
        """What this host has since the start that it had not before, as far as it can be this cluster's."""
        if self._entry is None:
            return []
        find = self._entry.find
        after = host.listing(find["name"], find["mark"])
        listed = host.difference(self._before, after, find["name"], find["link"])
        return list(dict.fromkeys([*remains.left(find), *listed]))

    def _intend(self, executable: Path, keep: bool) -> server.Machine:
        """Writes down everything that will be there by its name, before it is made."""
        mark = new_mark()
        name = f"cedana-e2e-{LEDGER.run_id}-{mark[:4]}"
        way = network.plan(name, mark)
        self._before = host.listing(name, mark)
        machine = server.Machine(self.options.directory.absolute() / name, executable, way, mark, keep)
        self._entry = LEDGER.intend(
            "k3s",
            name,
            name=name,
            mark=mark,
            link=way.link,
            subnet=way.subnet,
            directory=str(machine.directory),
            parents=[str(folder) for folder in machine.directory.parents if not folder.exists()],
            forwarding=network.forwarding(),
        )
        SOURCES.offer(name, Tale(f"log of k3s {name}", lambda: server.last_words(machine)))
        return machine

    def _begin(self, machine: server.Machine) -> None:
        self._process = server.launch(machine, server.snapshotter_for(machine.directory))
        told = server.word(self._process, FIRST_WORD)
        if "pid" not in told:
            raise self._ended(machine, told)
        network.lay(machine.way, told["pid"], self._entry_of().find["forwarding"])
        server.go(self._process)

    def _wait_for_api(self, machine: server.Machine, place: Path, timeout: float) -> None:
        def look() -> Look[None]:
            self._must_run(machine)
            if not server.kubeconfig(machine, place):
                return Pending("k3s has written no kubeconfig yet", "cluster-start")
            return Done(None)

        wait_until(
            look,
            timeout=timeout,
            expected="k3s to start",
            look_next=f"{machine.log}, which is in the diagnostics",
            cause="cluster-start",
        )

    def _must_run(self, machine: server.Machine) -> None:
        if self._process and self._process.poll() is not None:
            raise self._ended(machine, server.word(self._process, 0))

    def _ended(self, machine: server.Machine, told: dict[str, object]) -> OperationFailed:
        lines = server.last_words(machine, 5).split("\n") if "error" not in told else []
        words = " | ".join(line for line in lines if line) or str(told.get("error", "it said nothing"))
        status = f"with status {told['ended']}" if "ended" in told else "before k3s was started"
        look = f"{machine.log}, which is in the diagnostics"
        return OperationFailed("k3s to go on running", f"it ended {status}: {words}", look, cause="cluster-start")

    def _entry_of(self) -> Entry:
        assert self._entry
        return self._entry
