"""What a run has on its host: processes that carry its mark, with them their open ports, and files."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from pathlib import Path

MARK = "E2E_TEST_MARK"
"""Environment variable that a run's processes inherit, whatever becomes of their parents."""


def processes(mark: str) -> dict[int, str]:
    """The processes with that mark in their environment that are no zombies: pid and command line."""
    return {int(folder.name): command for folder, command in _marked(f"{MARK}={mark}".encode())}


def files(*folders: Path) -> list[str]:
    """Every file and folder below these folders."""
    return sorted(str(path) for folder in folders for path in folder.rglob("*"))


def _marked(mark: bytes) -> Iterator[tuple[Path, str]]:
    for folder in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError):
            if mark in (folder / "environ").read_bytes().split(b"\0"):
                yield folder, (folder / "cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace").strip()
