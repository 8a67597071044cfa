"""The embedded sandbox: a process of its own that serves an emulated cluster, a propagator and a chart."""

from __future__ import annotations

import os
import socket
from pathlib import Path
from urllib.parse import urlsplit

from harness.children import new_mark
from harness.ledger import LEDGER, Entry
from harness.processes import ProcessId
from harness.rundir import private_directory
from harness.secrets import SECRETS
from harness.serving import first_line, launch

from .base import Started

STOP_GRACE = 5.0


class SandboxProvider:
    """Starts `python -m sandbox` and reads the one line that it prints when it serves."""

    def __init__(self) -> None:
        self._entry: Entry | None = None

    def start(self, *, kubeconfig: Path | None, context: str | None, timeout: float, keep: bool) -> Started:  # noqa: ARG002
        """Starts the process; it ends by itself when ours is gone, unless `keep`.

        Raises:
            OperationFailed: it ended, or printed nothing in time; with what it wrote to its error stream.
        """
        errors = private_directory() / "sandbox-errors.txt"
        mark = new_mark()
        self._entry = LEDGER.intend("sandbox", "the sandbox's process", mark=mark)
        options = [
            "--default-storage",
            "--clusters",
            "2",
            *(["--outlive-parent"] if keep else ["--parent", str(os.getpid())]),
        ]
        process = launch("sandbox", *options, errors=errors, mark=mark)
        me = ProcessId.of(process.pid)
        LEDGER.made(self._entry, pid=me.pid, started=me.started)
        told = first_line(process, timeout, errors, "the sandbox", "cluster-start")
        SECRETS.add(told["token"])
        kubeconfigs = [cluster["kubeconfig"] for cluster in told["clusters"]]
        LEDGER.made(self._entry, places=[*kubeconfigs, told["propagator_url"]])
        return Started(
            kubeconfig=Path(told["kubeconfig"]),
            propagator_url=told["propagator_url"],
            token=told["token"],
            chart=told["chart"],
            second_kubeconfig=Path(kubeconfigs[1]),
        )

    def stop(self, timeout: float) -> None:
        """Ends the process and waits for its end."""
        if self._entry and self._entry.state == "made":
            ProcessId(self._entry.find["pid"], self._entry.find["started"]).end(min(STOP_GRACE, timeout))
            LEDGER.gone(self._entry)

    def traces(self) -> list[str]:
        """Its process, its files and its open port, where they are still there."""
        if self._entry is None:
            return []
        find = self._entry.find
        found: list[str] = []
        if "pid" in find and ProcessId(find["pid"], find["started"]).alive():
            found.append(f"process {find['pid']} of the sandbox")
        for place in find.get("places", ()):
            if "://" in place:
                found += [f"an open port at {place}"] if _is_open(place) else []
            elif Path(place).parent.exists():
                found.append(f"folder {Path(place).parent}")
        return list(dict.fromkeys(found))


def _is_open(url: str) -> bool:
    address = urlsplit(url)
    with socket.socket() as probe:
        return probe.connect_ex((address.hostname or "", address.port or 0)) == 0
