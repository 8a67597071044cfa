"""Where benchmarks run: sandboxes with Cedana in them, whole processes with their costs, and what a process holds."""

from __future__ import annotations

import os
import resource
import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import mkdtemp

from tests.end_to_end.runner import ROOT, Folders
from tests.end_to_end.sandboxes import Facts, settings_of, started
from tests.end_to_end.shared_cedana import installed

LONGEST = 600.0
"""Seconds after which a process that is measured is killed: it hangs."""


@dataclass(frozen=True)
class Cost:
    """What a process cost: `seconds` of wall, `cpu` seconds with its children's, `peak` megabytes resident."""

    seconds: float
    cpu: float
    peak: float
    status: int
    console: str


@contextmanager
def place(*options: str) -> Iterator[tuple[Facts, dict[str, str]]]:
    """A sandbox in which Cedana is installed; its facts, and the settings of runs that use it."""
    with started(*options) as facts, installed(facts) as shared:
        yield facts, settings_of(facts) | shared


def fresh(folder: Path) -> Folders:
    """New folders for a run, below that one."""
    return Folders.below(Path(mkdtemp(dir=folder)))


def cost_of(command: Sequence[str], environment: dict[str, str]) -> Cost:
    """Runs a command to its end."""
    begun = time.monotonic()
    process = subprocess.Popen(
        command, cwd=ROOT, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    )
    assert process.stdout
    limit = threading.Timer(LONGEST, process.kill)
    limit.start()
    console = process.stdout.read()
    limit.cancel()
    _, status, used = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    seconds = time.monotonic() - begun
    return Cost(seconds, used.ru_utime + used.ru_stime, used.ru_maxrss / 1024, process.returncode, console)


def robot(folders: Folders, *arguments: str, **settings: str) -> Cost:
    """Runs Robot Framework with those arguments.

    Raises:
        RuntimeError: it did not pass; has the end of the console.
    """
    command = [sys.executable, "-m", "robot", "--outputdir", str(folders.output), *arguments]
    found = cost_of(command, folders.environment(**settings))
    return passed(found, "robot " + " ".join(arguments))


def passed(found: Cost, what: str) -> Cost:
    """The cost of something that must have worked.

    Raises:
        RuntimeError: it did not.
    """
    if found.status:
        raise RuntimeError(f"{what}: exit status {found.status}\n{found.console[-3000:]}")
    return found


def resident(pid: int | str = "self") -> float:
    """Megabytes of a process that are in memory."""
    pages = int(Path(f"/proc/{pid}/statm").read_text().split()[1])
    return pages * resource.getpagesize() / 2**20


def open_files() -> int:
    """How many files this process has open."""
    return len(list(Path("/proc/self/fd").iterdir()))
