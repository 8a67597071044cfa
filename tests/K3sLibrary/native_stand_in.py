"""A stand-in k3s for tests of the native provider, and whether this machine lets them run."""

from __future__ import annotations

import fcntl
import os
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from K3sLibrary.native import host

STAND_IN = Path(__file__).with_name("stand_in")
TOOLS = ("ip", "mount", "umount", "pivot_root", "unshare")


NAMESPACES = ("unshare", "--mount", "--net", "--pid", "--fork", "--kill-child", "--mount-proc")
"""In which a script can leave traces: they end with it."""
SHIELD = """
import subprocess
from pathlib import Path
subprocess.run(["mount", "--make-rprivate", "/"], check=True)
spare = "/mnt"
subprocess.run(["mount", "-t", "tmpfs", "tmpfs", spare], check=True)
for number, folder in enumerate(["/run", "/var/lib", "/var/log", "/etc", "/usr/local/bin"]):
    upper, work = Path(spare, f"upper{number}"), Path(spare, f"work{number}")
    upper.mkdir()
    work.mkdir()
    options = f"lowerdir={folder},upperdir={upper},workdir={work}"
    subprocess.run(["mount", "-t", "overlay", "-o", options, "overlay", folder], check=True)
"""
"""The beginning of such a script: what it writes into the system's directories goes with its namespaces."""


def why_not() -> str:
    """Why a native k3s cannot be tried on this machine; empty where it can."""
    if sys.platform != "linux" or os.geteuid() != 0:
        return "needs root on Linux"
    if lacking := [name for name in TOOLS if not shutil.which(name)]:
        return f"needs the commands {', '.join(lacking)}"
    tried = subprocess.run(["unshare", "--mount", "--net", "--pid", "--cgroup", "--fork", "true"], check=False)
    return "needs the right to make namespaces" if tried.returncode else ""


@contextmanager
def alone() -> Iterator[None]:
    """No other test of a native k3s goes on meanwhile: some compare what this host has before and after."""
    with Path(tempfile.gettempdir(), "cedana-e2e-native-tests.lock").open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


def new(before: host.Listing) -> list[str]:
    """What this host has that it had not before; only what names a native cluster where others run containers."""
    after = host.listing("cedana-e2e-none", "none")
    busy = before.busy or after.busy
    named = re.compile(r"cedana-e2e-[0-9a-f]{8}-[0-9a-f]{4}|\bce[0-9a-f]{8}h")
    return sorted(line for line in after.lines - before.lines if not busy or named.search(line))


def executable(folder: Path) -> Path:
    """The stand-in as an executable file; `folder` also gets an iptables where this machine has none."""
    folder.mkdir(parents=True, exist_ok=True)
    if not shutil.which("iptables"):
        script = folder / "iptables.py"
        shutil.copy(STAND_IN / "iptables.py", script)
        for name in ("iptables", "iptables-save"):
            _write(
                folder / name,
                f'#!{sys.executable}\nimport sys\nsys.path.insert(0, "{folder}")\nimport iptables\n'
                "raise SystemExit(iptables.main(sys.argv[1:]))\n",
            )
    file = folder / "k3s"
    _write(file, f'#!/bin/sh\nexec {sys.executable} {STAND_IN / "k3s.py"} "$@"\n')
    return file


def environment(tools: Path) -> dict[str, str]:
    """Variables with which the stand-ins in `tools` are found, after what the machine itself has."""
    return os.environ | {"PATH": f"{os.environ['PATH']}:{tools}"}


def _write(file: Path, text: str) -> None:
    file.write_text(text)
    file.chmod(0o755)
