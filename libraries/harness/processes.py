"""Processes identified beyond their number: a pid is used again, a pid with its start time is not."""

from __future__ import annotations

import contextlib
import os
import signal
import sys
from dataclasses import dataclass
from pathlib import Path

from .failures import OperationFailed, WaitTimedOut
from .waiting import Done, Look, Pending, wait_until

LIBRARIES = Path(__file__).resolve().parents[1]
"""The folder of all our packages."""


@dataclass(frozen=True)
class ProcessId:
    """A process: its pid and the kernel's start time of it (clock ticks since boot; 0 where /proc is missing)."""

    pid: int
    started: int

    @staticmethod
    def of(pid: int) -> ProcessId:
        """The process that has this pid now."""
        return ProcessId(pid, _start_time(pid))

    def alive(self) -> bool:
        """Whether this very process still runs. A zombie does not."""
        if self.pid <= 0:  # to the kernel these mean groups of processes, our own among them
            return False
        try:
            os.kill(self.pid, 0)
        except ProcessLookupError:
            return False
        except PermissionError:
            pass
        return _start_time(self.pid) == self.started and not _is_zombie(self.pid)

    def end(self, grace: float) -> None:
        """SIGTERM, after `grace` seconds SIGKILL; returns when it is gone.

        Raises:
            OperationFailed: it survived SIGKILL for 5 s.
        """
        for number, patience in ((signal.SIGTERM, grace), (signal.SIGKILL, 5.0)):
            if not self.alive():
                return
            with contextlib.suppress(ProcessLookupError):
                os.kill(self.pid, number)
            with contextlib.suppress(WaitTimedOut):
                wait_until(self._gone, timeout=patience, expected=f"process {self.pid} to end")
        if self.alive():
            raise OperationFailed(f"process {self.pid} to end", "it still runs after SIGKILL", cause="leftovers")

    def _gone(self) -> Look[None]:
        with contextlib.suppress(ChildProcessError):
            os.waitpid(self.pid, os.WNOHANG)
        return Pending(f"process {self.pid} runs") if self.alive() else Done(None)


def clean_environment(**extra: str) -> dict[str, str]:
    """The environment for a child process: ours without credentials of this project's, with `extra`.

    Those of a cloud stay: the kubeconfigs of EKS and others have commands that need them to log in to the cluster.
    """
    secret = {"CEDANA_AUTH_TOKEN", "HF_TOKEN"}
    return {name: value for name, value in os.environ.items() if name not in secret} | extra


def python_command(module: str, *arguments: str) -> list[str]:
    """The command line that runs one of our modules with this Python; it needs `LIBRARIES` as PYTHONPATH."""
    return [sys.executable, "-m", module, *arguments]


def _stat(pid: int) -> list[str]:
    try:
        text = Path(f"/proc/{pid}/stat").read_text()
    except OSError:
        return []
    return text.rpartition(")")[2].split()


def _start_time(pid: int) -> int:
    fields = _stat(pid)
    return int(fields[19]) if fields else 0


def _is_zombie(pid: int) -> bool:
    fields = _stat(pid)
    return bool(fields) and fields[0] == "Z"
