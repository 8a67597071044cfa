"""Looks at a run's processes and private files while it goes on, for what must not be seen there."""

from __future__ import annotations

import contextlib
import os
import stat
import threading
from collections.abc import Iterator
from pathlib import Path

from .secret_traces import traces

PERIOD = 0.05
"""Seconds between two looks."""


class ProcessWatch:
    """Watches the process `pid` and its descendants for `secret`, and files below `folders`.

    The process itself may have the secret in its environment, as it was given it; its command line may not. A file may
    hold it when only its owner can read it.

    Attributes:
        found: where it was seen.
        children: command lines of the descendants that were looked at.
    """

    def __init__(self, pid: int, secret: str, *folders: Path) -> None:
        self._pid, self._secret, self._folders = pid, secret, folders
        self.found: set[str] = set()
        self.children: set[str] = set()
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name="process watch", daemon=True)

    def __enter__(self) -> ProcessWatch:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        self._thread.join()

    def _run(self) -> None:
        while not self._stop.wait(PERIOD):
            own = self._look(self._pid, "cmdline")
            for child in _descendants(self._pid):
                command = self._look(child, "cmdline")
                if command in ("", own):
                    continue  # between fork and exec it is still the run itself
                self.children.add(command)
                self._look(child, "environ")
            for folder in self._folders:
                self._look_below(folder)

    def _look(self, pid: int, what: str) -> str:
        with contextlib.suppress(OSError):
            data = Path(f"/proc/{pid}/{what}").read_bytes()
            self.found |= {f"{what} of {pid}: {form}" for form in traces(data, self._secret)}
            return data.replace(b"\0", b" ").decode(errors="replace")
        return ""

    def _look_below(self, folder: Path) -> None:
        # `os.walk` passes over folders that go meanwhile.
        for file in (Path(parent, name) for parent, _, names in os.walk(folder) for name in names):
            with contextlib.suppress(OSError):
                if file.stat().st_mode & (stat.S_IRWXG | stat.S_IRWXO):
                    self.found |= {f"{file}: {form}" for form in traces(file.read_bytes(), self._secret)}


def _descendants(pid: int) -> Iterator[int]:
    for tasks in Path("/proc").glob(f"{pid}/task/*/children"):
        with contextlib.suppress(OSError):
            for child in tasks.read_text().split():
                yield int(child)
                yield from _descendants(int(child))
