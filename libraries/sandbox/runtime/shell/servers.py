"""Commands that stay: servers (nginx, redis, an echo of nc) and memory eaters (stress, tail of /dev/zero)."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from .. import nginx as nginx_server
from .. import redis as redis_server
from .memory import Thread
from .tokens import Unsupported

if TYPE_CHECKING:
    from .machine import Machine

_SIZE = re.compile(r"^(\d+)([bkmg]?)b?$", re.IGNORECASE)
_UNITS = {"": 1, "b": 1, "k": 2**10, "m": 2**20, "g": 2**30}
_GREED = 500 * 2**20
"""Bytes a second that `tail /dev/zero` takes."""


def pause(_machine: Machine, thread: Thread, _argv: list[str]) -> int | None:
    """Sleeps for ever."""
    thread.blocked = "forever"
    return None


def nginx(machine: Machine, thread: Thread, argv: list[str]) -> int | None:
    """nginx, with the configuration of now; in the foreground, or as a daemon beside a script."""
    if any(flag in argv for flag in ("-s", "-t", "-T", "-v", "-V")):
        raise Unsupported(f"{' '.join(argv)!r}")
    main = argv[argv.index("-c") + 1] if "-c" in argv[:-1] else nginx_server.MAIN
    files = machine.place.files
    try:
        machine.memory.nginx = nginx_server.configuration(files, machine.place_of(thread).path(main))
    except FileNotFoundError as missing:
        text = f'nginx: [emerg] open() "{missing}" failed (2: No such file or directory)\n'
        machine.write(thread, "stderr", text.encode())
        return 1
    machine.memory.serves.add("nginx")
    foreground = "daemon off" in " ".join(argv) or b"daemon off" in files.read(main)
    if foreground:
        thread.blocked = "forever"
    return None if foreground else 0


def redis(machine: Machine, thread: Thread, argv: list[str]) -> int | None:
    """redis-server; of its options only the port does something, and those that would change answers are refused."""
    refused = [arg for arg in argv if arg in ("--requirepass", "--cluster-enabled", "--replicaof", "--tls-port")]
    if refused:
        raise Unsupported(f"redis-server {refused[0]}")
    port = int(argv[argv.index("--port") + 1]) if "--port" in argv[:-1] else redis_server.PORT
    memory = machine.memory
    memory.redis = redis_server.Redis(started=thread.due, version=machine.place.version or redis_server.VERSION)
    memory.ports[port] = "redis"
    memory.serves.add("redis")
    text = f"emulated redis: ready to accept connections on port {port}; it keeps nothing on disk\n"
    machine.write(thread, "stdout", text.encode())
    thread.blocked = "forever"
    return None


def nc(machine: Machine, thread: Thread, argv: list[str]) -> int | None:
    """`nc -lk -p PORT -e cat` echoes what each connection says; without -l it is a command like others."""
    flags = "".join(arg[1:] for arg in argv[1:] if arg.startswith("-"))
    if "l" not in flags:
        return machine.deliver(thread, machine.call(thread, argv, machine.stdin, {}), (), machine.expander_of(thread))
    ports = [arg for arg in argv[1:] if arg.isdigit()]
    if argv[-2:] not in (["-e", "cat"], ["-e", "/bin/cat"]) or len(ports) != 1:
        raise Unsupported(f"{' '.join(argv)!r}")
    machine.memory.ports[int(ports[0])] = "echo"
    thread.blocked = "forever"
    return None


def stress(machine: Machine, thread: Thread, argv: list[str]) -> int | None:
    """stress, stress-ng: --vm N workers hold --vm-bytes each, --cpu N keep a core busy each, for --timeout seconds."""
    words = [part for arg in argv[1:] for part in arg.split("=", 1)]
    known = {"--vm", "-m", "--vm-bytes", "--cpu", "-c", "--vm-hang", "--timeout", "-t", "--vm-keep", "-v", "--verbose"}
    if any(word.startswith("-") and word not in known for word in words):
        raise Unsupported(f"{' '.join(argv)!r}")
    given = {word: words[at + 1] for at, word in enumerate(words[:-1]) if word.startswith("-")}
    workers = int(given.get("--vm") or given.get("-m") or 0)
    machine.memory.held += workers * _bytes(given.get("--vm-bytes", "256M"))
    machine.memory.busy += int(given.get("--cpu") or given.get("-c") or 0)
    timeout = given.get("--timeout") or given.get("-t")
    if timeout is None:
        thread.blocked = "forever"
        return None
    thread.due += int(timeout.rstrip("s")) * 10**9
    return 0


def eat(machine: Machine, thread: Thread) -> None:
    """`tail /dev/zero`: takes ever more memory."""
    machine.memory.growth = (thread.due, _GREED)
    thread.blocked = "forever"


def _bytes(text: str) -> int:
    match = _SIZE.match(text)
    if not match:
        raise Unsupported(f"a size of {text!r}")
    return int(match[1]) * _UNITS[match[2].lower()]
