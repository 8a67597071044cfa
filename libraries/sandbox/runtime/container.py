"""One emulated container: a machine, a file tree and a log, started from an image or from a snapshot."""

from __future__ import annotations

import secrets
from dataclasses import dataclass, field
from typing import Any

from .files import FileTree, Mount
from .images import Image
from .logs import Line, Log
from .shell.builtins import BUILTINS
from .shell.commands import COMMANDS, Place, reason
from .shell.launch import SHELLS, base_name
from .shell.machine import Machine
from .shell.memory import Memory, Thread
from .shell.program import End, Program, is_witness, witness_of
from .shell.tokens import Unsupported
from .snapshot import ContainerSnapshot

_BIN = ("/bin/", "/usr/bin/", "/usr/local/bin/", "/sbin/", "/usr/sbin/")
_NOT_EMULATED_NAMES = """
awk sed grep egrep find xargs sort uniq wget curl nc ping top ps kill killall dd df du mount ln cp mv stat tee nproc
free uptime yes expr readlink realpath timeout nohup ip ifconfig route netstat nslookup tar gzip apk apt apt-get dpkg
perl bc diff vi less more watch hexdump base64 dirname mktemp which time nice openssl python python3
"""
_NOT_EMULATED = frozenset(_NOT_EMULATED_NAMES.split())
CREATE_FAILED = (
    "failed to create containerd task: failed to create shim task: OCI runtime create failed: runc create failed: "
    "unable to start container process: error during container init: "
)


class StartError(Exception):
    """The container cannot be started; the message is the runtime's."""


@dataclass(frozen=True)
class Setup:
    """What the kubelet gives a container: its spec, image, environment, mounts and the pod's host name."""

    spec: dict[str, Any]
    image: Image
    env: dict[str, str]
    mounts: tuple[Mount, ...]
    hostname: str
    hosts: bytes = b""

    @property
    def argv(self) -> list[str]:
        """What runs: the spec's command and args over the image's, with $(NAME) of the environment put in."""
        command, args = self.spec.get("command") or [], self.spec.get("args") or []
        if not command and not args:
            # Args alone replace the image's command: the entrypoints of the known images run what they are given.
            args = list(self.image.command)
        return [with_env(text, self.env) for text in (*command, *args)]


@dataclass
class Container:
    """A container that was started once; a restart makes a new one."""

    setup: Setup
    attempt: int
    started_at: int
    id: str = field(default_factory=lambda: secrets.token_hex(32))
    log: Log = field(default_factory=Log)
    machine: Machine | None = None
    is_stand_in: bool = False
    exit_code: int | None = None
    finished_at: int = 0
    origin: ContainerSnapshot | None = None
    files: FileTree = field(init=False)

    def __post_init__(self) -> None:
        self.files = FileTree(
            {**self.image.files, "/etc/hostname": f"{self.setup.hostname}\n".encode(), "/etc/hosts": self.setup.hosts},
            self.setup.mounts,
        )

    @property
    def name(self) -> str:
        """The container's name in the pod."""
        return str(self.setup.spec["name"])

    @property
    def image(self) -> Image:
        """The image that it runs."""
        return self.setup.image

    @property
    def running(self) -> bool:
        """Whether it has not ended yet."""
        return self.exit_code is None

    @property
    def container_ports(self) -> set[int]:
        """The containerPorts that the spec declares."""
        return {int(port["containerPort"]) for port in self.setup.spec.get("ports") or []}

    @property
    def declared_ports(self) -> set[int]:
        """The ports that the spec names, in ports and in probes."""
        found = self.container_ports
        named = {p.get("name"): int(p["containerPort"]) for p in self.setup.spec.get("ports") or []}
        for kind in ("readinessProbe", "livenessProbe", "startupProbe"):
            probe = self.setup.spec.get(kind) or {}
            for how in ("httpGet", "tcpSocket", "grpc"):
                port = (probe.get(how) or {}).get("port")
                found |= {named[port]} if port in named else {int(str(port))} if str(port or "").isdigit() else set()
        return found

    def begin(self) -> None:
        """Starts the image's or the spec's command. Raises StartError."""
        argv = self.setup.argv
        place = Place(
            self.files, self.setup.hostname, self.setup.env, self.started_at, self.setup.spec.get("workingDir") or "/"
        )
        if not argv and self.image.complete:
            raise StartError(
                f'failed to generate container "{self.id}" spec: failed to generate spec: no command specified'
            )
        if argv:
            self._check_exists(argv[0])
        try:
            self.machine = self._machine(argv, place)
        except FileNotFoundError as error:
            self.machine = self._scripted(
                f'echo "sh: can\'t open {error}: No such file or directory" >&2; exit 2', place
            )
        except Unsupported as error:
            self._stand_in(argv, place, str(error))
        self.advance(self.started_at)

    def resume(self, snapshot: ContainerSnapshot, cut: int, *, extra_line: bool) -> None:
        """Goes on from a snapshot taken at `cut` (ns): the same memory, the source's log before its own lines.

        `extra_line` copies one line more than the cut, which the restored process then prints again: containerd copies
        the log after the process has resumed.
        """
        self.origin = snapshot
        self.is_stand_in = snapshot.stand_in
        self.log = snapshot.copied_log()
        self.files.layer = dict(snapshot.layer)
        self.files.made = set(snapshot.made)
        place = Place(self.files, snapshot.hostname, snapshot.env, self.started_at)
        memory = snapshot.memory.copy() if snapshot.memory else Memory()
        if extra_line and snapshot.memory:
            self._copy_next_line(snapshot.memory.copy(), place)
        memory.shift(self.started_at - cut)
        self.machine = Machine(memory, place, self._write, complete=self.image.complete)
        self.advance(self.started_at)

    def advance(self, now: int) -> None:
        """Lets everything happen that is due."""
        machine = self.machine
        if machine is None or not self.running:
            return
        try:
            machine.advance(now)
        except Unsupported as error:
            self._give_up(str(error))
        except OSError as error:
            self._give_up(reason(error))
        if machine.exit_code is not None:
            self.exit_code, self.finished_at = machine.exit_code, machine.exited_at
            self.log.notify()

    def stop(self, now: int, exit_code: int) -> None:
        """Ends it from outside."""
        self.advance(now)
        if self.running:
            self.exit_code, self.finished_at = exit_code, now
            self.log.notify()

    def discard(self, now: int) -> None:
        """Ends it without working out what it did since it was last looked at: nobody will."""
        if self.running:
            self.exit_code, self.finished_at = 137, now
        self.log.notify()

    def snapshot(self, now: int) -> ContainerSnapshot:
        """Its state at `now`; it keeps running."""
        self.advance(now)
        memory = self.machine.memory.copy() if self.machine and self.running else None
        place = self.machine.place if self.machine else None
        return ContainerSnapshot(
            self.name,
            self.image.reference,
            memory,
            dict(self.files.layer),
            frozenset(self.files.made),
            dict(place.env if place else self.setup.env),
            place.hostname if place else self.setup.hostname,
            tuple(self.log.lines),
            dict(self.log.pending),
            self.is_stand_in,
            tuple(self.setup.argv),
        )

    def termination_message(self) -> str:
        """What it left in its terminationMessagePath, or (policy FallbackToLogsOnError) the end of its log."""
        path = self.setup.spec.get("terminationMessagePath") or "/dev/termination-log"
        try:
            return self.files.read(path).decode(errors="replace")[-4096:]
        except OSError:
            pass
        if self.setup.spec.get("terminationMessagePolicy") == "FallbackToLogsOnError" and self.exit_code:
            tail = b"".join(line.text + b"\n" for line in self.log.lines[-80:])
            return tail.decode(errors="replace")[-2048:]
        return ""

    def term_exit_code(self) -> int:
        """With what it ends on SIGTERM: nginx ends well, a stand-in too; a shell or sleep as PID 1 is killed (137)."""
        serves = self.machine is not None and "nginx" in self.machine.memory.serves
        return 0 if serves or self.is_stand_in else 137

    def _write(self, at: int, stream: str, data: bytes) -> None:
        self.log.write(at, stream, data)

    def _machine(self, argv: list[str], place: Place) -> Machine:
        if not argv or not self._is_emulated(argv[0]):
            raise Unsupported(f"{argv[0]!r}" if argv else "the image's own command")
        return Machine.start(argv, place, self._write, self.started_at, complete=self.image.complete)

    def _scripted(self, script: str, place: Place) -> Machine:
        return Machine.start(["sh", "-c", script], place, self._write, self.started_at)

    def _check_exists(self, name: str) -> None:
        if not self.image.complete or self.files.exists(name) or base_name(name) == "pause":
            return
        known = base_name(name) in COMMANDS or base_name(name) in (*BUILTINS, *SHELLS, *_NOT_EMULATED)
        known = known and not (base_name(name) == "nginx" and not self.image.has_nginx)
        if "/" not in name:
            if not known:
                raise StartError(f'{CREATE_FAILED}exec: "{name}": executable file not found in $PATH')
        elif not (known and name.startswith(_BIN)):
            raise StartError(f'{CREATE_FAILED}exec: "{name}": stat {name}: no such file or directory')

    def _is_emulated(self, name: str) -> bool:
        return base_name(name) in COMMANDS or base_name(name) in (*BUILTINS, *SHELLS)

    def _stand_in(self, argv: list[str], place: Place, what: str) -> None:
        """Sleeps for ever in place of what is not emulated; a witness that is declared in it still steps."""
        text = " ".join(argv)
        self.is_stand_in = "nginx" not in text
        note = f"emulated container: {what} is not emulated; a sleeping stand-in runs in its place\n"
        self.log.write(self.started_at, "stdout", note.encode())
        program: Program = (End(),)
        thread = Thread(0, program, dict(self.setup.env), self.started_at, blocked="forever")
        memory = Memory([thread], exported=set(self.setup.env), started=self.started_at)
        if is_witness(text):
            thread.program, thread.blocked = (witness_of(text),), ""
        if not self.is_stand_in:
            memory.serves.add("nginx")
        self.machine = Machine(memory, place, self._write, complete=False)

    def _give_up(self, what: str) -> None:
        """A thread came to something that is not emulated: the log says so and it sleeps."""
        assert self.machine is not None
        thread = self.machine.current
        assert thread is not None
        thread.blocked = "forever"
        self.log.write(
            thread.due, "stderr", f"emulated container: {what} is not emulated; it sleeps from here on\n".encode()
        )

    def _copy_next_line(self, memory: Memory, place: Place) -> None:
        """Copies the line that the source printed next, with its time, by letting a copy of it run on."""
        lines: list[Line] = []
        ahead = Machine(memory, place, lambda at, stream, data: lines.append(Line(at, stream, data.rstrip(b"\n"))))
        if any(thread.witness for thread in memory.threads) and ahead.next_due is not None:
            ahead.advance(ahead.next_due)
            self.log.lines.extend(lines[:1])


def with_env(text: str, env: dict[str, str]) -> str:
    """A text with $(NAME) replaced by the environment's values."""
    for name, value in env.items():
        if "$(" not in text:
            break
        text = text.replace(f"$({name})", value)
    return text
