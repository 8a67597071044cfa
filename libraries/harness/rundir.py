"""The run's own directory: everything that this project writes to disk for a run, apart from Robot's output."""

from __future__ import annotations

import shutil
import tempfile
import threading
from pathlib import Path

from .ledger import LEDGER, Entry

_made: list[Path] = []
_making = threading.Lock()


def private_directory() -> Path:
    """A directory of the run's own, mode 0700, made at the first call; the ledger owes its removal."""
    with _making:  # a control arm may ask for it at the same moment
        if not _made or not _made[0].exists():
            # A signal's exception may have come between the lines below, so that it is ours and there already.
            ours = LEDGER.find("directory", path=str(_path()))
            entry = ours or LEDGER.intend("directory", f"cedana-e2e-{LEDGER.run_id}", path=str(_path()))
            _path().mkdir(mode=0o700, exist_ok=ours is not None)
            _made[:] = [_path()]
            LEDGER.made(entry)
        return _made[0]


def _path() -> Path:
    return Path(tempfile.gettempdir()) / f"cedana-e2e-{LEDGER.run_id}"


class DirectoryRemover:
    """Removes the directory that an entry names; only one that this project made can be named in an entry."""

    def exists(self, entry: Entry) -> bool:
        """Whether the directory is still there."""
        return Path(entry.find["path"]).exists()

    def remove(self, entry: Entry, budget: float) -> None:  # noqa: ARG002 - one interface for all removers
        """Removes it with what is in it."""
        shutil.rmtree(entry.find["path"], ignore_errors=False)
