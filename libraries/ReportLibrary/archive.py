"""One archive of a run that failed, to hand on: report, log, evidence, diagnostics; written when the last of them is.

Robot's output.xml, from which log and report are made, is not in it: it is as large again, and for machines.
"""

from __future__ import annotations

import zipfile
from collections.abc import Iterator
from pathlib import Path

from harness.secrets import SECRETS

from .evidence import FILE_NAME
from .exchange_tables import WHOLE
from .robot_internals import Outermost

DIAGNOSTICS = "diagnostics"


class Archive:
    """Waits, from `begin` on, for Robot Framework's last file.

    Attributes:
        path: of the archive.
        wanted: whether it will be written: there is something to hand on.
    """

    def __init__(self) -> None:
        self._after = Outermost(self)
        self._files: list[Path] = []
        self._last = ""
        self._directory = Path()
        self.path = Path()
        self.wanted = False

    def begin(self, directory: Path, run_id: str, files: dict[str, Path]) -> None:
        """A run has begun.

        Args:
            directory: where its evidence and diagnostics will be.
            run_id: for the archive's name.
            files: what Robot Framework will write, in its order, by kind: `output`, `log`, `report`.
        """
        beside = files["log"].parent if "log" in files else directory
        shown = [file for kind, file in files.items() if kind != "output"]
        self._directory, self._files = directory, [*shown, beside / WHOLE]
        self._last = next(reversed(files), "")
        self.wanted = False
        self.path = directory / f"cedana-e2e-{run_id}.zip"
        self._after.attach()

    def output_file(self, _path: Path) -> None:
        """Robot's output.xml is there."""
        self._written("output")

    def log_file(self, _path: Path) -> None:
        """So is log.html."""
        self._written("log")

    def report_file(self, _path: Path) -> None:
        """And report.html."""
        self._written("report")

    def _written(self, kind: str) -> None:
        if kind != self._last:
            return
        self._after.detach()
        if self.wanted:
            write(self.path, self._directory, [*self._files, self._directory / FILE_NAME])


def write(path: Path, directory: Path, files: list[Path]) -> None:
    """Writes the archive, whole or not at all; what stands outside of `directory` is put beside the rest."""
    draft = path.with_suffix(".zip.part")
    with zipfile.ZipFile(draft, "w", zipfile.ZIP_DEFLATED) as archive:
        for file in _all(directory, files):
            inside = file.is_relative_to(directory)
            name = file.relative_to(directory).as_posix() if inside else file.name
            if not SECRETS.found_in(content := file.read_bytes()):
                archive.writestr(f"{path.stem}/{name}", content)
    draft.replace(path)


def _all(directory: Path, files: list[Path]) -> Iterator[Path]:
    yield from (file for file in files if file.is_file())
    yield from sorted(file for file in (directory / DIAGNOSTICS).rglob("*") if file.is_file())
