"""Child processes that the ledger owes: found by a mark in their environment, which their own children inherit."""

from __future__ import annotations

import contextlib
import secrets
from collections.abc import Iterator
from pathlib import Path

from .ledger import LEDGER, Entry
from .processes import ProcessId

MARK = "CEDANA_E2E_PROCESS"
GRACE = 10.0
"""Seconds between SIGTERM and SIGKILL."""


@contextlib.contextmanager
def owed(name: str) -> Iterator[dict[str, str]]:
    """A child process of that name is owed while the block goes on; gives the variables for its environment."""
    mark = new_mark()
    entry = LEDGER.intend("process", name, mark=mark)
    yield {MARK: mark}
    LEDGER.gone(entry)  # not after an exception: whether the child has ended is then seen by its removal


def new_mark() -> str:
    """A mark that no other process has."""
    return secrets.token_hex(8)


def marked(mark: str) -> list[ProcessId]:
    """The running processes with that mark; none where there is no /proc."""
    return [found for found in map(ProcessId.of, _pids(f"{MARK}={mark}".encode())) if found.alive()]


def _pids(variable: bytes) -> Iterator[int]:
    for file in Path("/proc").glob("[0-9]*/environ"):
        with contextlib.suppress(OSError):  # somebody else's, or gone meanwhile
            if variable in file.read_bytes().split(b"\0"):
                yield int(file.parent.name)


class ProcessRemover:
    """Ends the processes with the entry's mark."""

    def exists(self, entry: Entry) -> bool:
        """Whether one of them runs."""
        return bool(marked(entry.find["mark"]))

    def remove(self, entry: Entry, budget: float) -> None:
        """Ends them: SIGTERM, then SIGKILL."""
        for process in marked(entry.find["mark"]):
            process.end(min(GRACE, budget))
