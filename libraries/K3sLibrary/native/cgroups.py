"""The cluster's own cgroup in each hierarchy of this host (v1, v2, hybrid): to end its processes, and to look."""

from __future__ import annotations

import contextlib
import os
from dataclasses import dataclass
from pathlib import Path

from harness.processes import ProcessId
from harness.waiting import Done, Look, Pending, wait_until

BASE = Path("/sys/fs/cgroup")
LEAF = "first"
"""The cgroup below the cluster's own that its first processes are in: with v2 only leaves may have any."""
NEEDED = ("cpu", "cpuset", "memory", "pids")
"""Controllers without which k3s or its kubelet does not start (pkg/cgroups of k3s-io/k3s)."""


@dataclass(frozen=True)
class Hierarchy:
    """A mounted hierarchy: where, `cgroup` (v1) or `cgroup2`, and its controllers (v1) or `name=...`."""

    place: Path
    kind: str
    options: str = ""

    @property
    def folder(self) -> str:
        """Its folder below /sys/fs/cgroup; empty for a v2 that is mounted there itself."""
        return "" if self.place == BASE else self.place.name


def hierarchies(mounts: str | None = None) -> list[Hierarchy]:
    """What is mounted, from the text of /proc/self/mountinfo."""
    found = []
    for line in (mounts if mounts is not None else Path("/proc/self/mountinfo").read_text()).splitlines():
        left, _, right = line.partition(" - ")
        kind, _, options = right.split(" ", 2)
        place = Path(left.split()[4])
        if kind in ("cgroup", "cgroup2") and place.is_relative_to(BASE):
            named = [one for one in options.split(",") if one not in ("rw", "ro", "xattr", "clone_children")]
            named = [one for one in named if not one.startswith("release_agent")]
            found.append(Hierarchy(place, kind, ",".join(named) if kind == "cgroup" else ""))
    return found


def missing() -> list[str]:
    """What keeps this host's cgroups from carrying a cluster, a sentence each."""
    mounted = hierarchies()
    if not mounted:
        return ["no cgroups are mounted at /sys/fs/cgroup"]
    offered = {name for one in mounted if one.kind == "cgroup" for name in one.options.split(",")}
    for one in mounted:
        if one.kind == "cgroup2":
            with contextlib.suppress(OSError):
                offered |= set((one.place / "cgroup.controllers").read_text().split())
    lacking = [name for name in NEEDED if name not in offered]
    found = [f"the cgroup controllers {', '.join(lacking)} are missing"] if lacking else []
    return found + [words for one in mounted if (words := undelegated(one.place))]


def undelegated(place: Path) -> str:
    """What keeps a v2 hierarchy's controllers from the cgroups in it: in a container, its root is somebody's cgroup."""
    try:
        if not (place / "cgroup.type").exists():  # the true root, which has none, may hold processes
            return ""
        handed = (place / "cgroup.subtree_control").read_text().split()
        busy = (place / "cgroup.procs").read_text().split()
    except OSError:
        return ""
    lacking = [name for name in NEEDED if name not in handed]
    how = "start the container with the host's cgroup namespace (Docker: --cgroupns=host)"
    return f"{place} has processes and hands no {', '.join(lacking)} on: {how}" if busy and lacking else ""


def create(name: str) -> list[Path]:
    """Makes the cluster's cgroup with its leaf in every hierarchy; those that are there are taken."""
    made = []
    for one in hierarchies():
        if one.kind == "cgroup2":
            _delegate(one.place)
        folder = one.place / name
        for place in (folder, folder / LEAF):
            place.mkdir(exist_ok=True)
            _inherit_cpus(place)
        made.append(folder)
    return made


def _delegate(place: Path) -> None:
    """Hands a v2 hierarchy's controllers to its cgroups, as every kubelet does."""
    with contextlib.suppress(OSError):
        for controller in (place / "cgroup.controllers").read_text().split():
            with contextlib.suppress(OSError):
                (place / "cgroup.subtree_control").write_text(f"+{controller}")


def _inherit_cpus(folder: Path) -> None:
    """A new cpuset of v1 has no processors, so that no process may enter it."""
    for name in ("cpuset.cpus", "cpuset.mems"):
        file, above = folder / name, folder.parent / name
        if file.exists() and above.exists() and not file.read_text().strip():
            file.write_text(above.read_text())


def folders(name: str) -> list[Path]:
    """The cluster's cgroups that there are, with all below them, the deepest first."""
    found = []
    for one in hierarchies():
        for folder, _, _ in os.walk(one.place / name, topdown=False):
            found.append(Path(folder))
    return found


def processes(name: str) -> list[ProcessId]:
    """The processes in the cluster's cgroups."""
    pids: set[int] = set()
    for folder in folders(name):
        with contextlib.suppress(OSError):
            pids |= {int(line) for line in (folder / "cgroup.procs").read_text().split()}
    return [found for found in map(ProcessId.of, sorted(pids - {0})) if found.alive()]


def remove(name: str, timeout: float) -> None:
    """Removes the cluster's cgroups, in which no process may be left.

    Raises:
        WaitTimedOut: one is still in use.
    """

    def look() -> Look[None]:
        for folder in folders(name):
            with contextlib.suppress(OSError):
                folder.rmdir()
        left = folders(name)
        return Pending(f"{left[0]} is in use") if left else Done(None)

    wait_until(look, timeout=timeout, expected=f"the cgroups {name} to go", cause="leftovers")
