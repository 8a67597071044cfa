"""The embedded sandbox: a process of its own that serves an emulated cluster, a propagator and a chart."""

from __future__ import annotations

import contextlib
import json
import os
import select
import socket
import subprocess
import time
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from harness.children import MARK, new_mark
from harness.failures import OperationFailed
from harness.ledger import LEDGER, Entry
from harness.processes import LIBRARIES, ProcessId, clean_environment, python_command
from harness.rundir import private_directory
from harness.secrets import SECRETS

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
        process = self._launch(errors, keep, mark)
        me = ProcessId.of(process.pid)
        LEDGER.made(self._entry, pid=me.pid, started=me.started)
        told = _first_line(process, timeout, errors)
        SECRETS.add(told["token"])
        LEDGER.made(self._entry, places=[told["kubeconfig"], told["propagator_url"]])
        return Started(
            kubeconfig=Path(told["kubeconfig"]),
            propagator_url=told["propagator_url"],
            token=told["token"],
            chart=told["chart"],
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
        found = []
        if "pid" in find and ProcessId(find["pid"], find["started"]).alive():
            found.append(f"process {find['pid']} of the sandbox")
        for place in find.get("places", ()):
            if "://" in place:
                found += [f"an open port at {place}"] if _is_open(place) else []
            elif Path(place).parent.exists():
                found.append(f"folder {Path(place).parent}")
        return found

    def _launch(self, errors: Path, keep: bool, mark: str) -> subprocess.Popen[bytes]:
        options = ["--default-storage", *(["--outlive-parent"] if keep else ["--parent", str(os.getpid())])]
        with errors.open("wb") as error_stream:
            return subprocess.Popen(
                python_command("sandbox", *options),
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=error_stream,
                env=clean_environment(PYTHONPATH=str(LIBRARIES), **{MARK: mark}),
                start_new_session=True,  # Ctrl-C is for the run, which takes the sandbox down in order
            )


def _is_open(url: str) -> bool:
    address = urlsplit(url)
    with socket.socket() as probe:
        return probe.connect_ex((address.hostname or "", address.port or 0)) == 0


def _first_line(process: subprocess.Popen[bytes], timeout: float, errors: Path) -> dict[str, Any]:
    assert process.stdout is not None
    deadline = time.monotonic() + timeout
    text = b""
    with process.stdout as pipe:
        while not text.endswith(b"\n"):
            ready, _, _ = select.select([pipe], [], [], max(0.0, deadline - time.monotonic()))
            chunk = os.read(pipe.fileno(), 65536) if ready else b""
            if not chunk:
                with contextlib.suppress(subprocess.TimeoutExpired):
                    process.wait(0 if not ready else STOP_GRACE)
                raise OperationFailed(
                    f"the sandbox to serve within {timeout:g} s",
                    f"exit status {process.returncode}: {_tail(errors)}" if ready else f"no answer: {_tail(errors)}",
                    "`PYTHONPATH=libraries python -m sandbox` starts it by hand",
                    cause="cluster-start",
                )
            text += chunk
    told: dict[str, Any] = json.loads(text)
    return told


def _tail(errors: Path) -> str:
    lines = errors.read_text(errors="replace").strip().splitlines()
    return " | ".join(lines[-5:]) or "nothing on its error stream"
