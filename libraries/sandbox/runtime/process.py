"""What a container's first process shows of itself below /proc/1: whom it runs as, what it may, its environment.

The lines of `status` are some of those in proc_pid_status(5), the numbers of capabilities those of capabilities(7).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from .surroundings import User

_NAMES = """
CHOWN DAC_OVERRIDE DAC_READ_SEARCH FOWNER FSETID KILL SETGID SETUID SETPCAP LINUX_IMMUTABLE NET_BIND_SERVICE
NET_BROADCAST NET_ADMIN NET_RAW IPC_LOCK IPC_OWNER SYS_MODULE SYS_RAWIO SYS_CHROOT SYS_PTRACE SYS_PACCT SYS_ADMIN
SYS_BOOT SYS_NICE SYS_RESOURCE SYS_TIME SYS_TTY_CONFIG MKNOD LEASE AUDIT_WRITE AUDIT_CONTROL SETFCAP MAC_OVERRIDE
MAC_ADMIN SYSLOG WAKE_ALARM BLOCK_SUSPEND AUDIT_READ PERFMON BPF CHECKPOINT_RESTORE
"""
_NAMES_OF_RUNTIME = """
CHOWN DAC_OVERRIDE FSETID FOWNER MKNOD NET_RAW SETGID SETUID SETFCAP SETPCAP NET_BIND_SERVICE SYS_CHROOT KILL
AUDIT_WRITE
"""
_CAPABILITIES, _OF_RUNTIME = _NAMES.split(), _NAMES_OF_RUNTIME.split()
"""What containerd leaves to a container that asks for nothing (its pkg/oci, defaultUnixCaps)."""
FILTERED = 2
"""The seccomp mode of a process with a filter."""


@dataclass(frozen=True)
class Rights:
    """What a process may: its capabilities, whether it may gain more, and its seccomp mode."""

    capabilities: frozenset[str] = frozenset(_OF_RUNTIME)
    no_new_privileges: bool = False
    seccomp: int = 0


def capabilities(add: Iterable[str], drop: Iterable[str], *, privileged: bool) -> frozenset[str]:
    """What a securityContext leaves of the runtime's capabilities: `drop` goes first, `ALL` is all there are."""
    if privileged:
        return frozenset(_CAPABILITIES)
    added, dropped = ({name.removeprefix("CAP_") for name in names} for names in (add, drop))
    left = set() if "ALL" in dropped else set(_OF_RUNTIME) - dropped
    return frozenset(_CAPABILITIES if "ALL" in added else left | added)


def shown(name: str, env: Mapping[str, str], user: User, rights: Rights) -> dict[str, bytes]:
    """The files: of a process of that name. One that is not root's has its capabilities in its bounding set only."""
    bounding = _mask(rights.capabilities)
    effective = bounding if user.uid == 0 else _mask(())
    lines = {
        "Name": name[:15],
        "State": "S (sleeping)",
        "Pid": "1",
        "PPid": "0",
        "Uid": "\t".join([str(user.uid)] * 4),
        "Gid": "\t".join([str(user.gid)] * 4),
        "Groups": " ".join(map(str, sorted(user.groups))),
        "CapInh": _mask(()),
        "CapPrm": effective,
        "CapEff": effective,
        "CapBnd": bounding,
        "CapAmb": _mask(()),
        "NoNewPrivs": str(int(rights.no_new_privileges)),
        "Seccomp": str(rights.seccomp),
    }
    return {
        "/proc/1/status": "".join(f"{key}:\t{value}\n" for key, value in lines.items()).encode(),
        "/proc/1/environ": "".join(f"{key}={value}\0" for key, value in env.items()).encode(),
    }


def _mask(names: Iterable[str]) -> str:
    return f"{sum(1 << _CAPABILITIES.index(name) for name in names if name in _CAPABILITIES):016x}"
