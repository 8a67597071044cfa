"""What of a native cluster no API tells: the versions of runc and CRIU on its host."""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path

SECONDS = 10
_NUMBER = re.compile(r"\bversion:? (\S+)", re.IGNORECASE)


def versions(data: Path) -> dict[str, str]:
    """By the name of the tool; empty where it is not there, or does not tell.

    Args:
        data: the data directory of k3s, which brings its own runc; a CRIU of the host is the one that runc finds.
    """
    return {"runc": _of(next(data.glob("data/*/bin/runc"), None)), "criu": _of(shutil.which("criu"))}


def _of(executable: Path | str | None) -> str:
    if not executable:
        return ""
    try:
        said = subprocess.run([executable, "--version"], capture_output=True, text=True, check=False, timeout=SECONDS)
    except (OSError, subprocess.TimeoutExpired):
        return ""
    found = _NUMBER.search(said.stdout)
    return found[1] if found else ""
