"""The ledger: what a run made outside its own memory, written to a file before it is made.

A file of JSON lines for each run, mode 0600, only ever appended to: a header, then `intend` (before a thing is made),
`made` (with what was learnt, such as an id) and `gone`. Removal goes through the entries in reverse and on past a
failing one. The file is deleted when nothing is owed any more, so what is found there later belongs to a run that was
killed. An entry holds what is needed to find a thing again, and never a secret.
"""

from __future__ import annotations

import contextlib
import errno
import json
import os
import secrets
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from .failures import OperationFailed
from .processes import ProcessId


@dataclass
class Entry:
    """One thing that is owed a removal.

    Attributes:
        kind: selects the remover, see `harness.removal.REMOVERS`.
        name: as a person would call it.
        place: the kubeconfig or URL that it lives behind; what lives behind a removed place is gone with it.
        find: what the remover needs to find it.
        state: `intended` (perhaps made), `made` or `gone`.
        at: when it was intended, as `2026-01-31T12:00:00Z` by this machine's clock; empty when that is not told.
        ledger: the one that it stands in.
    """

    number: int
    kind: str
    name: str
    place: str = ""
    find: dict[str, Any] = field(default_factory=dict)
    state: str = "intended"
    ledger: Ledger | None = field(default=None, repr=False, compare=False)
    at: str = ""

    def __str__(self) -> str:
        return f"{self.kind} {self.name}"


class Ledger:
    """The ledger of one run, opened at the first entry. Thread-safe."""

    def __init__(self, directory: Path | None = None, run_id: str | None = None) -> None:
        self.run_id = run_id or secrets.token_hex(4)
        self._directory = directory
        self._lock = threading.RLock()
        self._owed: dict[int, Entry] = {}
        self._count = 0
        self.file: Path | None = None
        self.kept = False
        self.environment: dict[str, Any] = {}
        self._lead = ""

    def intend(self, kind: str, name: str, /, *, place: str = "", **find: Any) -> Entry:
        """Writes down a thing that is about to be made; on disk when this returns."""
        with self._lock:
            entry = Entry(self._count + 1, kind, name, place, find, ledger=self, at=_now())
            facts = {"id": entry.number, "kind": kind, "name": name, "place": place, "find": find, "at": entry.at}
            self._write({"op": "intend", **facts})
            self._owe(entry)
            return entry

    def made(self, entry: Entry, **found: Any) -> None:
        """The thing is there; `found` adds what is now known. An entry of a dead run is noted in its own ledger."""
        if entry.ledger not in (None, self):
            entry.ledger.made(entry, **found)
            return
        with self._lock:
            entry.find.update(found)
            entry.state = "made"
            self._write({"op": "made", "id": entry.number, "find": found})

    def gone(self, entry: Entry) -> None:
        """The thing is gone, or was never made."""
        if entry.ledger not in (None, self):
            entry.ledger.gone(entry)
            return
        with self._lock:
            if entry.state == "gone":
                return
            entry.state = "gone"
            self._write({"op": "gone", "id": entry.number}, durable=False)
            self._owed.pop(entry.number, None)

    def owed(self) -> list[Entry]:
        """What is not gone, in the order of its making."""
        with self._lock:
            return list(self._owed.values())

    def find(self, kind: str, /, **find: Any) -> Entry | None:
        """The newest entry of that kind that is owed and has these facts."""
        for entry in reversed(self.owed()):
            if entry.kind == kind and all(entry.find.get(key) == value for key, value in find.items()):
                return entry
        return None

    def keep(self, **environment: Any) -> None:
        """What is owed, if anything, stays on purpose: only an explicit sweep removes it.

        Args:
            environment: how another run reaches what is kept; no secrets, but files that hold them.
        """
        with self._lock:
            if not self.owed():
                return
            self.kept, self.environment = True, environment
            self._write({"op": "kept", "environment": environment})

    def close(self) -> None:
        """Deletes the file when nothing is owed; else it stays for a later sweep."""
        with self._lock:
            if self.file and not self.owed():
                self.file.unlink(missing_ok=True)
                self.file = None
                self._count = 0

    def _owe(self, entry: Entry) -> None:
        self._owed[entry.number], self._count = entry, entry.number

    def _write(self, line: dict[str, Any], *, durable: bool = True) -> None:
        """Writes a line. One that is not durable may be lost with the machine, and only with it: what is gone is then
        looked for once more.

        Raises:
            OperationFailed: it cannot be written; what it was to say must not be done.
        """
        try:
            self._append(line, durable=durable)
        except OSError as problem:
            full = problem.errno in (errno.ENOSPC, errno.EDQUOT)
            raise OperationFailed(
                f"the ledger in {self._directory or ledger_directory()} to be written",
                problem.strerror or str(problem),
                "LEDGER_DIR, which may name another directory; nothing is made that is not in the ledger first",
                cause="disk-full" if full else "bad-settings",
            ) from problem

    def _append(self, line: dict[str, Any], *, durable: bool) -> None:
        if self.file is None:
            self.file = self._create()
        lead, self._lead = self._lead, "\n"  # stays when the disk is full in the middle of a line
        with self.file.open("a") as out:
            out.write(lead + json.dumps({"at": _now()} | line) + "\n")
            out.flush()
            if durable:
                os.fsync(out.fileno())
        self._lead = ""

    def _create(self) -> Path:
        directory = self._directory or ledger_directory()
        directory.mkdir(mode=0o700, parents=True, exist_ok=True)
        file = directory / f"{self.run_id}.jsonl"
        me = ProcessId.of(os.getpid())
        header = {"run": self.run_id, "pid": me.pid, "started": me.started, "at": _now()}
        # It gets its name when the header is in it: a ledger without one would look like that of a dead run.
        draft = file.with_suffix(f".{me.pid}")
        handle = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        try:
            with os.fdopen(handle, "w") as out:
                out.write(json.dumps(header) + "\n")
                out.flush()
                os.fsync(out.fileno())
            draft.rename(file)
        except OSError:
            draft.unlink(missing_ok=True)
            raise
        _sync_directory(directory)
        return file


class ReadLedger(Ledger):
    """A ledger that some run left behind, read from its file. A torn last line is passed over."""

    def __init__(self, file: Path) -> None:
        super().__init__(file.parent, file.stem)
        self.file = file
        self.process = ProcessId(0, 0)
        text = file.read_text()
        self._lead = "\n" if text and not text.endswith("\n") else ""  # what is written next must not join a torn line
        for line in _lines(text):
            self._replay(line)

    @property
    def alive(self) -> bool:
        """Whether the run that writes it is still going."""
        return self.process.pid > 0 and self.process.alive()

    def _replay(self, line: dict[str, Any]) -> None:
        if "run" in line:
            self.process = ProcessId(int(line["pid"]), int(line["started"]))
        elif line["op"] == "kept":
            self.kept, self.environment = True, line.get("environment", {})
        elif line["op"] == "intend":
            facts = line["id"], line["kind"], line["name"], line["place"], dict(line["find"])
            self._owe(Entry(*facts, ledger=self, at=line.get("at", "")))
        elif entry := self._owed.get(line["id"]):
            entry.find.update(line.get("find", {}))
            entry.state = line["op"]
            if entry.state == "gone":
                del self._owed[entry.number]


def ledger_directory() -> Path:
    """LEDGER_DIR, or the user's state directory (XDG_STATE_HOME, else ~/.local/state)."""
    if chosen := os.environ.get("LEDGER_DIR"):
        return Path(chosen)
    state = os.environ.get("XDG_STATE_HOME") or Path.home() / ".local" / "state"
    return Path(state) / "cedana-e2e" / "ledger"


def left_behind(directory: Path | None = None) -> list[ReadLedger]:
    """The ledgers of runs that are dead and owe something, oldest first."""
    return [ledger for ledger in all_ledgers(directory) if not ledger.alive and ledger.owed()]


def all_ledgers(directory: Path | None = None) -> list[ReadLedger]:
    """Every ledger on disk, oldest first."""
    files = (directory or ledger_directory()).glob("*.jsonl")
    return [ReadLedger(file) for file in sorted(files, key=lambda file: file.stat().st_mtime)]


def _lines(text: str) -> Iterator[dict[str, Any]]:
    for line in text.splitlines():
        with contextlib.suppress(ValueError):
            yield json.loads(line)


def _sync_directory(directory: Path) -> None:
    handle = os.open(directory, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def _now() -> str:
    return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())


LEDGER = Ledger()


if __name__ == "__main__":
    from harness.ledger_command import main

    raise SystemExit(main())
