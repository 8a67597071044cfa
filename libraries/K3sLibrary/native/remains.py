"""What a cluster has on this host, all of it by names that stand in the ledger before anything is made."""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from harness.children import marked
from harness.failures import OperationFailed, WaitTimedOut
from harness.ledger import Entry
from harness.processes import ProcessId
from harness.waiting import Done, Look, Pending, wait_until

from . import cgroups, network

GRACE = 12.0
"""Seconds for k3s to end by itself."""


class NativeRemover:
    """Ends a cluster and removes what it has on this host."""

    def exists(self, entry: Entry) -> bool:
        """Whether anything of it is there."""
        return bool(left(entry.find))

    def remove(self, entry: Entry, budget: float) -> None:
        """Removes all of it; processes get some seconds to end by themselves."""
        remove(entry.find, budget)


def left(find: Mapping[str, Any]) -> list[str]:
    """What is there, by name: processes, links and rules, cgroups, the directory."""
    found = [f"process {process.pid} of {find['name']}" for process in processes(find)]
    found += network.left(find["name"], find["link"])
    found += [f"cgroup {folder}" for folder in cgroups.folders(find["name"])[-1:]]
    return found + ([f"directory {find['directory']}"] if Path(find["directory"]).exists() else [])


def processes(find: Mapping[str, Any]) -> list[ProcessId]:
    """Every process of the cluster: those that carry its mark, and those in its cgroups."""
    found = [*marked(find["mark"]), *cgroups.processes(find["name"])]
    return [process for process in dict.fromkeys(found) if process.pid != os.getpid()]


def remove(find: Mapping[str, Any], budget: float) -> None:
    """Removes everything.

    Raises:
        OperationFailed, WaitTimedOut: something does not go; it is named.
    """
    _end_processes(find, budget)
    network.remove(find["name"], find["link"], find["subnet"])
    network.restore_forwarding(find["forwarding"])
    cgroups.remove(find["name"], min(GRACE, budget))
    _remove_directory(Path(find["directory"]))
    for parent in find["parents"]:
        with contextlib.suppress(OSError):  # another cluster's directory is in it
            Path(parent).rmdir()


def _end_processes(find: Mapping[str, Any], budget: float) -> None:
    """SIGTERM to the outermost, which passes it on; then SIGKILL to all of them."""
    outermost = min(marked(find["mark"]), key=lambda process: process.started, default=None)
    if outermost:
        with contextlib.suppress(ProcessLookupError):
            os.kill(outermost.pid, signal.SIGTERM)
        with contextlib.suppress(WaitTimedOut):
            _wait_for_the_end(find, min(GRACE, budget))
    for process in processes(find):
        with contextlib.suppress(ProcessLookupError):
            os.kill(process.pid, signal.SIGKILL)
    _wait_for_the_end(find, GRACE)


def _wait_for_the_end(find: Mapping[str, Any], timeout: float) -> None:
    def look() -> Look[None]:
        running = processes(find)
        for process in running:
            with contextlib.suppress(ChildProcessError):
                os.waitpid(process.pid, os.WNOHANG)
        names = ", ".join(str(process.pid) for process in running)
        return Pending(f"processes {names} run") if running else Done(None)

    wait_until(look, timeout=timeout, expected=f"the processes of {find['name']} to end", cause="leftovers")


def _remove_directory(directory: Path) -> None:
    """Never reaches into a file system that is still mounted there: it may be the host's."""
    for place in reversed(_mounts_below(directory)):
        network.run("umount", "--lazy", place, check=False)
    if mounts := _mounts_below(directory):
        raise OperationFailed(f"nothing to be mounted below {directory}", ", ".join(mounts), cause="leftovers")
    if directory.exists():
        shutil.rmtree(directory)


def _mounts_below(directory: Path) -> list[str]:
    places = [line.split()[4] for line in Path("/proc/self/mountinfo").read_text().splitlines()]
    return [place for place in places if Path(place).is_relative_to(directory)]
