"""What a run has on its host: processes that carry its mark, and files."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from pathlib import Path

MARK = "E2E_TEST_MARK"
"""Environment variable that a run's processes inherit, whatever becomes of their parents."""


def processes(mark: str) -> dict[int, str]:
    """The processes with that mark in their environment that are no zombies: pid and command line."""
    return {int(folder.name): command for folder, command in _marked(f"{MARK}={mark}".encode())}


def ports(mark: str) -> list[int]:
    """The TCP ports on which processes with that mark listen."""
    inodes = {inode for pid in processes(mark) for inode in _sockets(Path(f"/proc/{pid}/fd"))}
    rows = [line.split() for table in ("tcp", "tcp6") for line in _lines(Path("/proc/net") / table)[1:]]
    return sorted(int(row[1].rpartition(":")[2], 16) for row in rows if row[3] == "0A" and row[9] in inodes)


def files(*folders: Path) -> list[str]:
    """Every file and folder below these folders."""
    return sorted(str(path) for folder in folders for path in folder.rglob("*"))


def _marked(mark: bytes) -> Iterator[tuple[Path, str]]:
    for folder in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError):
            if mark in (folder / "environ").read_bytes().split(b"\0"):
                yield folder, (folder / "cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace").strip()


def _sockets(folder: Path) -> Iterator[str]:
    with contextlib.suppress(OSError):
        for link in folder.iterdir():
            with contextlib.suppress(OSError):
                target = str(link.readlink())
                if target.startswith("socket:["):
                    yield target[len("socket:[") : -1]


def _lines(file: Path) -> list[str]:
    return file.read_text().splitlines() if file.exists() else [""]
