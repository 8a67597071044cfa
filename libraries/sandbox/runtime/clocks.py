"""What /proc shows of times: when the node was booted, for how long it runs, and when a process was started.

The files have the lines and the fields of proc_stat(5), proc_uptime(5) and proc_pid_stat(5). Times are right; of the
rest only a process's name and number are, and all else is 0. A restored process is a new one to the kernel: CRIU cannot
set when it was started (checkpoint-restore/criu issue 2504), so that is when it was restored. Time namespaces, which
CRIU makes at a restore, are not emulated: they shift the boot and the starts alike.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

from .surroundings import Host

SECOND = 1_000_000_000
TICK = SECOND // 100
"""Nanoseconds of a clock tick (USER_HZ)."""
_OF_FIRST = "/proc/1/stat"
_FIELDS = 52


def of_process(number: int, name: str, state: str, started: int, host: Host) -> bytes:
    """A process's `stat`; `started` is in nanoseconds of the cluster's time."""
    fields = [*("0" for _ in range(_FIELDS))]
    fields[:3] = [str(number), f"({name[:15]})", state]
    fields[17:20] = ["20", "0", "1"]
    fields[21] = str((started - host.booted) // TICK)
    return (" ".join(fields) + "\n").encode()


def shown(name: str, started: int, host: Host) -> dict[str, bytes]:
    """The files of a container whose first process has that name. Those that say something else each time are empty
    here: `now` has them."""
    return {**dict.fromkeys(_NOW, b""), _OF_FIRST: of_process(1, name, "S", started, host)}


def now(path: str, host: Host, at: int) -> bytes | None:
    """What such a file says at a time of the cluster; None for another file."""
    say = _NOW.get(path)
    return say(host, at) if say else None


def _system(host: Host, _at: int) -> bytes:
    booted = (host.booted + host.ahead) // SECOND
    cpus = "".join(f"{name} {' '.join(['0'] * 10)}\n" for name in ("cpu ", "cpu0"))
    return f"{cpus}intr 0\nctxt 0\nbtime {booted}\nprocesses 1\nprocs_running 1\nprocs_blocked 0\nsoftirq 0\n".encode()


def _uptime(host: Host, at: int) -> bytes:
    seconds = (at - host.booted) / SECOND
    return f"{seconds:.2f} {seconds:.2f}\n".encode()


_NOW: Mapping[str, Callable[[Host, int], bytes]] = {
    "/proc/stat": _system,
    "/proc/uptime": _uptime,
    "/proc/self/stat": lambda host, at: of_process(2, "cat", "R", at, host),
}
