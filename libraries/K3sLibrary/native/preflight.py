"""Whether this host can carry a cluster: everything that is missing, said at once, before anything is made."""

from __future__ import annotations

import gzip
import os
import platform
import shutil
import subprocess
import sys
from collections.abc import Iterable
from pathlib import Path

from harness.failures import OperationFailed

from . import cgroups

DISK = 4 << 30
MEMORY = 1 << 30
"""Bytes: images, containers and logs of the cluster and of Cedana; and what k3s itself needs to come up."""
COMMANDS = ("ip", "mount", "umount", "pivot_root", "unshare")
FILTERS = ("iptables", "nft")
FOR_CHECKPOINTS = (
    "CHECKPOINT_RESTORE",
    "NAMESPACES",
    "UTS_NS",
    "IPC_NS",
    "PID_NS",
    "NET_NS",
    "FHANDLE",
    "EVENTFD",
    "EPOLL",
    "UNIX_DIAG",
    "INET_DIAG",
    "INET_UDP_DIAG",
    "PACKET_DIAG",
    "NETLINK_DIAG",
)
"""Options of the kernel that CRIU needs (criu.org/Linux_kernel)."""
NAMESPACES = ("mnt", "pid", "net", "cgroup", "ipc", "uts")
CHECK_SECONDS = 30


def check(directory: Path) -> None:
    """Looks at this host; nothing is changed.

    Args:
        directory: where the cluster's files are to lie.

    Raises:
        OperationFailed: lists everything that is missing; cause `host-unfit`.
    """
    found = missing(directory)
    if found:
        raise OperationFailed(
            "this host to be able to run k3s, which PROVIDER=k3s needs",
            "; ".join(found),
            "PROVIDER=existing runs the suites on a cluster that is there already",
            cause="host-unfit",
        )


def missing(directory: Path) -> list[str]:
    """What is missing, a sentence each."""
    if sys.platform != "linux":
        return [f"it runs {sys.platform}, and a native k3s needs Linux"]
    found = [] if os.geteuid() == 0 else ["the run is not root's (user id 0)"]
    found += _tools()
    found += [f"the kernel has no {name} namespaces" for name in NAMESPACES if not Path("/proc/self/ns", name).exists()]
    found += cgroups.missing()
    found += checkpoints(kernel_options())
    return found + room(directory)


def _tools() -> Iterable[str]:
    lacking = [name for name in COMMANDS if not shutil.which(name)]
    if lacking:
        yield f"the commands {', '.join(lacking)} are missing (packages iproute2, mount, util-linux)"
    if not any(map(shutil.which, FILTERS)):
        yield "neither iptables nor nft is there, by one of which pods reach other networks (package iptables)"


def checkpoints(options: dict[str, str] | None) -> list[str]:
    """What the kernel lacks for checkpoints; nothing where its options cannot be read.

    Args:
        options: of the kernel, None where they cannot be read.
    """
    off = [name for name in FOR_CHECKPOINTS if options is not None and options.get(name) not in ("y", "m")]
    return [f"the kernel was built without CONFIG_{', CONFIG_'.join(off)}, which CRIU needs"] if off else []


def doubts() -> list[str]:
    """What the host's own CRIU finds wrong, where there is one; Cedana brings another, which may do better."""
    criu = shutil.which("criu")
    if not criu:
        return []
    try:
        ended = subprocess.run([criu, "check"], capture_output=True, text=True, check=False, timeout=CHECK_SECONDS)
    except (OSError, subprocess.TimeoutExpired) as problem:
        return [f"`criu check` does not work: {problem}"]
    words = ended.stderr + ended.stdout
    errors = [line for line in words.splitlines() if "Error" in line] or [words.strip()]
    return [f"`criu check` fails: {' '.join(errors[-2:])}"] if ended.returncode else []


def kernel_options(sources: Iterable[Path] | None = None) -> dict[str, str] | None:
    """The kernel's options as it was built, from where distributions put them; None where they do not."""
    release = platform.release()
    places = sources or (
        Path("/proc/config.gz"),
        Path(f"/boot/config-{release}"),
        Path(f"/lib/modules/{release}/config"),
    )
    for place in places:
        try:
            text = gzip.decompress(place.read_bytes()) if place.suffix == ".gz" else place.read_bytes()
        except OSError:
            continue
        lines = [line for line in text.decode(errors="replace").splitlines() if line.startswith("CONFIG_")]
        return {line.partition("=")[0].removeprefix("CONFIG_"): line.partition("=")[2] for line in lines}
    return None


def room(directory: Path, memory: str | None = None) -> list[str]:
    """What is missing of disk and memory.

    Args:
        directory: is looked at where it will lie, as far as its path is there.
        memory: the text of /proc/meminfo.
    """
    place = directory.absolute()
    while not place.exists():
        place = place.parent
    found = []
    if not place.is_dir():
        found.append(f"{place} is no directory, and the cluster's files are to lie in {directory}")
    elif (free := shutil.disk_usage(place).free) < DISK:
        found.append(f"{place} has {free / 2**30:.1f} GiB free, and {DISK >> 30} GiB are needed (K3S_DIR is elsewhere)")
    for line in (memory if memory is not None else Path("/proc/meminfo").read_text()).splitlines():
        name, _, value = line.partition(":")
        if name == "MemAvailable" and (free := int(value.split()[0]) << 10) < MEMORY:
            found.append(f"{free / 2**20:.0f} MiB of memory are available, and {MEMORY >> 20} MiB are needed")
    return found
