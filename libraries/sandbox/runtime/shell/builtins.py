"""Commands that act on the shell itself or take time: exit, sleep, wait, cd, export, trap, read, and `servers`."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from . import descriptors, servers
from .launch import ERREXIT
from .memory import SECOND, Thread
from .tokens import Unsupported

if TYPE_CHECKING:
    from .machine import Machine


def _exit(machine: Machine, thread: Thread, argv: list[str]) -> int | None:
    if len(argv) > 1 and not argv[1].isdigit():
        raise Unsupported(f"{' '.join(argv)!r}")
    thread.status = int(argv[1]) & 255 if len(argv) > 1 else thread.status
    machine.end(thread)
    return None


def _sleep(_machine: Machine, thread: Thread, argv: list[str]) -> int | None:
    units = {"s": 1, "m": 60, "h": 3600, "d": 86400}
    if "infinity" in argv[1:] or "inf" in argv[1:]:
        thread.blocked = "forever"
        return None
    try:
        seconds = sum(float(a.rstrip("smhd")) * units.get(a[-1], 1) for a in argv[1:])
    except ValueError:
        raise Unsupported(f"{' '.join(argv)!r}") from None
    thread.due += int(seconds * SECOND)
    return 0


def _tail(machine: Machine, thread: Thread, argv: list[str]) -> int | None:
    if any(a.startswith("-") and a.lower().endswith("f") for a in argv[1:]):
        thread.blocked = "forever"
        return None
    if argv[-1] == "/dev/zero":
        servers.eat(machine, thread)
        return None
    return machine.deliver(thread, machine.call(thread, argv, machine.stdin, {}), (), machine.expander_of(thread))


def _trap(machine: Machine, thread: Thread, argv: list[str]) -> int:
    """Kept for the end: of the signals, a container's first shell only ever gets SIGTERM."""
    handler, *signals = argv[1:] or [""]
    if thread is machine.memory.threads[0]:
        machine.memory.traps |= {name.removeprefix("SIG").replace("15", "TERM"): handler for name in signals}
    return 0


def _wait(machine: Machine, thread: Thread, _argv: list[str]) -> int | None:
    if len(machine.memory.threads) == 1:
        return 0
    thread.blocked = "children"
    thread.status = 0
    return None


def _cd(machine: Machine, thread: Thread, argv: list[str]) -> int:
    path = machine.place_of(thread).path(argv[1] if len(argv) > 1 else "/root")
    if not machine.place.files.is_dir(path):
        machine.write(thread, "stderr", f"sh: cd: can't cd to {argv[1]}: No such file or directory\n".encode())
        return 1
    thread.cwd = path
    return 0


def _export(machine: Machine, thread: Thread, argv: list[str]) -> int:
    for each in argv[1:]:
        name, mark, value = each.partition("=")
        machine.memory.exported.add(name)
        if mark:
            thread.variables[name] = value
    return 0


def _unset(_machine: Machine, thread: Thread, argv: list[str]) -> int:
    for name in argv[1:]:
        thread.variables.pop(name, None)
    return 0


def _set(_machine: Machine, thread: Thread, argv: list[str]) -> int:
    for flags in (a for a in argv[1:] if a[:1] in ("-", "+") and "e" in a):
        if flags[0] == "-":
            thread.variables[ERREXIT] = "1"
        else:
            thread.variables.pop(ERREXIT, None)
    return 0


_Builtin = Callable[["Machine", Thread, list[str]], int | None]
BUILTINS: dict[str, _Builtin] = {
    "exit": _exit,
    "return": _exit,
    "sleep": _sleep,
    "tail": _tail,
    "trap": _trap,
    "pause": servers.pause,
    "nginx": servers.nginx,
    "redis-server": servers.redis,
    "valkey-server": servers.redis,
    "nc": servers.nc,
    "stress": servers.stress,
    "stress-ng": servers.stress,
    "wait": _wait,
    "cd": _cd,
    "export": _export,
    "unset": _unset,
    "set": _set,
    "read": descriptors.read,
}
