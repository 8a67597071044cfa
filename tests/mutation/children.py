"""Children of their own for what a mutant may do: hang, end the process, leave files behind."""

from __future__ import annotations

import os
import shutil
import signal
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from itertools import count, islice
from pathlib import Path
from typing import TypeVar

import pytest

POLL = 0.01
Work = TypeVar("Work")
_NUMBERS = count()


def fork(work: Callable[[], int]) -> int:
    """A child in a group of its own that does `work`, without a word."""
    sys.stdout.flush()
    child = os.fork()
    if child:
        return child
    status = int(pytest.ExitCode.INTERNAL_ERROR)
    try:
        os.setsid()
        nowhere = os.open(os.devnull, os.O_RDWR)
        for stream in (0, 1, 2):
            os.dup2(nowhere, stream)
        status = work()
    finally:
        os._exit(status)


def ended(child: int) -> int | None:
    """A child's exit status; None while it runs."""
    pid, status = os.waitpid(child, os.WNOHANG)
    return os.waitstatus_to_exitcode(status) if pid else None


def kill(child: int) -> None:
    """Ends a child that takes too long, and what it started."""
    with suppress(ProcessLookupError):
        os.killpg(child, signal.SIGKILL)
    os.waitpid(child, 0)


def each(
    works: Sequence[Work],
    workers: int,
    scratch: Path,
    attempt: Callable[[Work, Path], int],
    seconds: Callable[[Work], float],
) -> Iterator[tuple[Work, int | None]]:
    """Attempts each in a child, some at the same time; yields it with its exit status, None when its time was up."""
    waiting = iter(works)
    going: dict[int, tuple[Work, float, Path]] = {}
    try:
        while True:
            for work in islice(waiting, workers - len(going)):
                folder = scratch / f"try{os.getpid()}-{next(_NUMBERS)}"
                child = fork(lambda work=work, folder=folder: _alone(attempt, work, folder))
                going[child] = (work, time.monotonic() + seconds(work), folder)
            if not going:
                return
            for child, (work, end, folder) in list(going.items()):
                status = ended(child)
                if status is None and time.monotonic() < end:
                    continue
                del going[child]
                if status is None:
                    kill(child)
                shutil.rmtree(folder, ignore_errors=True)
                yield work, status
            time.sleep(POLL)
    finally:
        for child in going:
            kill(child)


def _alone(attempt: Callable[[Work, Path], int], work: Work, folder: Path) -> int:
    """Temporary files in a directory of its own: others run at the same time, and have the same names for theirs."""
    folder.mkdir()
    tempfile.tempdir = os.environ["TMPDIR"] = str(folder)
    return attempt(work, folder)
