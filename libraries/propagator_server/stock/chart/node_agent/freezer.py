"""Containers held still by their cgroups, so that the containers of a pod can be cut at one moment.

A dump of a container whose own cgroup is frozen fails, and so does one of a pod that is frozen as a whole; while others
of the pod are frozen it works (measured). Whatever is frozen is noted in a file before, and the file is touched as long
as somebody attends to it: who finds it left alone thaws what it names (`watchdog`).
"""

from __future__ import annotations

import json
import os
import threading
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

HEARTBEAT = 0.3
LEFT_ALONE = 2.0
"""Seconds without a touch after which nobody attends to what is frozen."""
LONGEST = 300.0
"""Seconds for which anything may be frozen."""
_SETTLE = 5.0
_POLL = 0.002


class FreezeError(Exception):
    """A cgroup is not there, or does not do what it is told."""


class Cgroup:
    """The cgroup of one container: of version 2 with `cgroup.freeze`, of version 1 with `freezer.state`."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._second = (folder / "cgroup.freeze").exists()

    def freeze(self) -> None:
        """Holds its processes; returns when they stand. Raises FreezeError."""
        self._write("1" if self._second else "FROZEN")
        deadline = time.monotonic() + _SETTLE
        while not self.is_frozen():
            if time.monotonic() > deadline:
                raise FreezeError(f"the processes in {self.folder} do not stand still after {_SETTLE:g} s")
            time.sleep(_POLL)

    def thaw(self) -> None:
        """Lets them go on; a cgroup that is gone is no error. Raises FreezeError."""
        if self.folder.is_dir():
            self._write("0" if self._second else "THAWED")

    def is_frozen(self) -> bool:
        """Whether all of its processes stand."""
        with suppress(OSError):
            if self._second:
                return "frozen 1" in (self.folder / "cgroup.events").read_text()
            return (self.folder / "freezer.state").read_text().strip() == "FROZEN"
        return False

    def _write(self, state: str) -> None:
        try:
            (self.folder / ("cgroup.freeze" if self._second else "freezer.state")).write_text(state)
        except OSError as failed:
            raise FreezeError(f"{self.folder}: {failed}") from None


class Freezer:
    """The cgroups of a node below `root` (its /sys/fs/cgroup), and the file with what is frozen."""

    def __init__(self, root: Path, notes: Path) -> None:
        self._root, self._notes = root, notes
        self._alone = threading.Lock()

    @property
    def works(self) -> bool:
        """Whether the node's cgroups are there to be written."""
        return os.access(self._top, os.W_OK)

    @property
    def _top(self) -> Path:
        """Where containers' cgroups begin; of version 1, whose root may be read only, the freezer's own hierarchy."""
        first = self._root / "freezer"
        return first if first.is_dir() else self._root

    def find(self, container_id: str) -> Cgroup:
        """The cgroup of a container by the runtime's id. Raises FreezeError."""
        for folder, names, _ in os.walk(self._top):
            for name in names:
                if container_id and container_id in name:
                    return Cgroup(Path(folder, name))
        raise FreezeError(f"container {container_id or '(none)'} has no cgroup on this node")

    @contextmanager
    def attending(self, cgroups: Iterable[Cgroup]) -> Iterator[None]:
        """These may be frozen within it, and are thawed at its end; one pod of the node at a time."""
        held = list(cgroups)
        with self._alone:
            ended = threading.Event()
            self._note(held)
            touching = threading.Thread(target=self._touch, args=(ended,), daemon=True)
            touching.start()
            try:
                yield
            finally:
                try:
                    thaw_all(each.folder for each in held)
                finally:
                    ended.set()
                    touching.join()
                    self._notes.unlink(missing_ok=True)

    def _note(self, held: list[Cgroup]) -> None:
        text = json.dumps({"folders": [str(each.folder) for each in held], "until": time.time() + LONGEST})
        new = self._notes.with_suffix(".new")
        new.write_text(text)
        new.replace(self._notes)

    def _touch(self, ended: threading.Event) -> None:
        while not ended.wait(HEARTBEAT):
            with suppress(OSError):
                os.utime(self._notes)


def thaw_all(folders: Iterable[Path]) -> list[str]:
    """Thaws them, past any that fails; what failed."""
    failed = []
    for folder in folders:
        try:
            Cgroup(folder).thaw()
        except FreezeError as problem:
            failed.append(str(problem))
    return failed


def thaw_what_is_left(notes: Path, *, now: bool) -> list[Path]:
    """Thaws what the notes name, where nobody attends to it any more (`now`: in any case); what that was."""
    try:
        known = json.loads(notes.read_text())
        touched = notes.stat().st_mtime
    except (OSError, ValueError):
        return []
    if not now and time.time() - touched < LEFT_ALONE and time.time() < known["until"]:
        return []
    folders = [Path(each) for each in known["folders"]]
    if not thaw_all(folders):
        notes.unlink(missing_ok=True)
    return folders
