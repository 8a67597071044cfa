"""Running a child process that a timeout can end, gently first."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from harness.children import owed

GRACE = 10.0
"""Seconds between SIGTERM and SIGKILL: Helm uses them to mark the release as failed instead of pending."""


@dataclass(frozen=True)
class Finished:
    """A child process that has ended. `stopped` says that it was ended because its time was up."""

    status: int
    output: str
    errors: str
    stopped: bool


def run(
    command: Sequence[str], *, environment: Mapping[str, str], timeout: float, text: str = "", grace: float = GRACE
) -> Finished:
    """Runs `command` in a process group of its own, with `text` as its input, and waits for its end.

    Args:
        timeout: seconds; then SIGTERM, `grace` seconds later SIGKILL, both to the whole group.

    An exception that comes while waiting (Ctrl-C, Robot's timeout) ends the group the same way before it goes on.
    """
    with owed(f"{Path(command[0]).name} {' '.join(command[1:3])}") as mark:
        child = _start(command, {**environment, **mark})
        stopped = False
        try:
            output, errors = child.communicate(text, timeout)
        except subprocess.TimeoutExpired:
            stopped = True
            output, errors = _end(child, grace)
        except BaseException:
            _end(child, grace)
            raise
        return Finished(child.returncode, output, errors, stopped)


def _start(command: Sequence[str], environment: Mapping[str, str]) -> subprocess.Popen[str]:
    return subprocess.Popen(
        command,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env=environment,
        text=True,
        errors="replace",
        start_new_session=True,
    )


def _end(child: subprocess.Popen[str], grace: float) -> tuple[str, str]:
    _signal(child, signal.SIGTERM)
    try:
        return child.communicate(timeout=grace)
    except subprocess.TimeoutExpired:
        _signal(child, signal.SIGKILL)
        return child.communicate()


def _signal(child: subprocess.Popen[str], number: signal.Signals) -> None:
    with contextlib.suppress(ProcessLookupError):
        os.killpg(child.pid, number)
