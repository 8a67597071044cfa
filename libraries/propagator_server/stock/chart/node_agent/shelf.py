"""Where an agent keeps archives: a folder of its own in the kubelet's, so that an archive is moved and never copied.

`<id>.tar` is an archive, `<id>.json` what is known of it: an archive without it is not whole and goes. `<id>.intent`
says what the kubelet was asked for, so that what it wrote for an agent that died then can be found and removed.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Protocol

FOLDER = "node-agent"
ID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}")
LONGEST_DUMP = 180.0
"""Seconds for which a kubelet may still be writing an archive that an agent asked for before it died, by default."""
_CHUNK = 1 << 20
Record = dict[str, Any]


class Readable(Protocol):
    """Where bytes come from."""

    def read(self, size: int, /) -> bytes:
        """At most so many; none at the end."""


class Shelf:
    """The archives by the ids of their checkpoints. An archive holds memory and environment in clear: 0600."""

    def __init__(self, kubelets: Path, longest_dump: float = LONGEST_DUMP) -> None:
        self._kubelets, self._longest_dump = kubelets, longest_dump
        self._own = kubelets / FOLDER
        self._own.mkdir(mode=0o700, parents=True, exist_ok=True)

    @property
    def folder(self) -> Path:
        """The agent's own folder."""
        return self._own

    def archive(self, id_: str) -> Path:
        """The path of an archive, whether it is there or not."""
        return self._own / f"{id_}.tar"

    def record(self, id_: str) -> Record | None:
        """What is known of an archive; None where it is not kept."""
        if not ID.fullmatch(id_):
            return None
        try:
            known: Record = json.loads((self._own / f"{id_}.json").read_text())
        except (OSError, ValueError):
            return None
        return known if self.archive(id_).is_file() else None

    def records(self) -> list[Record]:
        """Of all archives."""
        found = (self.record(path.stem) for path in sorted(self._own.glob("*-*.json")))
        return [record for record in found if record]

    def keep(self, record: Record) -> None:
        """Writes down what is known of an archive that is whole. Raises OSError."""
        self._write(self._own / f"{record['id']}.json", record)

    def remove(self, id_: str) -> bool:
        """Removes an archive and what is known of it; whether there was one."""
        if not ID.fullmatch(id_):
            return False
        there = self.archive(id_).exists()
        for suffix in ("json", "tar", "intent"):
            (self._own / f"{id_}.{suffix}").unlink(missing_ok=True)
        return there

    def intend(self, id_: str, pattern: str) -> None:
        """The kubelet is about to be asked for an archive whose name fits the pattern. Raises OSError."""
        before = sorted(path.name for path in self._kubelets.glob(pattern))
        self._write(self._own / f"{id_}.intent", {"pattern": pattern, "before": before, "at": time.time()})

    def take(self, id_: str, name: str) -> Path:
        """Moves an archive of the kubelet's here; its name is free again then. Raises OSError."""
        archive = self.archive(id_)
        (self._kubelets / name).rename(archive)
        archive.chmod(0o600)
        return archive

    def receive(self, id_: str, source: Readable, size: int) -> Path:
        """Writes an archive that comes from elsewhere. Raises OSError, also where less comes than `size` bytes."""
        archive = self.archive(id_)
        descriptor = os.open(archive, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with os.fdopen(descriptor, "wb") as out:
            left = size
            while left and (chunk := source.read(min(left, _CHUNK))):
                out.write(chunk)
                left -= len(chunk)
        if left:
            raise OSError(f"the connection ended {left} bytes before the archive")
        return archive

    def give_up(self, id_: str) -> None:
        """Removes all of a checkpoint that failed: what was moved here, and what the kubelet has left of it."""
        self._sweep_intent(self._own / f"{id_}.intent")
        self.remove(id_)

    def done(self, id_: str) -> None:
        """The kubelet has answered and what it wrote is here."""
        (self._own / f"{id_}.intent").unlink(missing_ok=True)

    def sweep(self, at_work: set[str]) -> list[str]:
        """Removes what no record is of, the checkpoints at work apart; the names of what went.

        What an agent asked for before it died may come as long as its longest dump after that.
        """
        gone = []
        for path in list(self._own.iterdir()):
            id_ = path.stem
            if id_ in at_work:
                continue
            if path.suffix == ".intent":
                gone += self._sweep_intent(path)
                if time.time() - path.stat().st_mtime > self._longest_dump or self.record(id_):
                    path.unlink()
            elif path.suffix == ".tar" and not self.record(id_):
                path.unlink()
                gone.append(path.name)
        return gone

    def clear(self) -> None:
        """Removes everything, the folder too."""
        for path in self._own.glob("*.intent"):
            self._sweep_intent(path)
        shutil.rmtree(self._own, ignore_errors=True)

    def free(self) -> int:
        """Bytes that may still be written there."""
        state = os.statvfs(self._kubelets)
        return state.f_bavail * state.f_frsize

    def _sweep_intent(self, path: Path) -> list[str]:
        return [name for name in self._left_by_kubelet(path) if self._unlink(self._kubelets / name)]

    def _left_by_kubelet(self, intent: Path) -> Iterator[str]:
        try:
            asked = json.loads(intent.read_text())
        except (OSError, ValueError):
            return
        for path in self._kubelets.glob(asked["pattern"]):
            if path.name not in asked["before"] and path.is_file():
                yield path.name

    @staticmethod
    def _unlink(path: Path) -> bool:
        path.unlink(missing_ok=True)
        return True

    @staticmethod
    def _write(path: Path, record: Record) -> None:
        """Whole or not at all, also after a crash of the node."""
        new = path.with_suffix(f"{path.suffix}.new")
        descriptor = os.open(new, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with os.fdopen(descriptor, "w") as out:
            json.dump(record, out)
            out.flush()
            os.fsync(out.fileno())
        new.replace(path)
