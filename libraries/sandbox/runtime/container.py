"""One emulated container: a machine, a file tree and a log, started from an image or from a snapshot."""

from __future__ import annotations

import re
import secrets
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from . import clocks, http_witness, nginx, usage
from .files import FileTree
from .images import Image
from .logs import SECOND, Log
from .setup import RESTORE_FAILED, Setup, StartError, check_exists, is_emulated
from .shell.commands import Place, reason
from .shell.launch import base_name
from .shell.machine import Machine
from .shell.memory import Memory, Thread
from .shell.program import End, Program, is_witness, witness_of
from .shell.tokens import Unsupported
from .snapshot import ContainerSnapshot

KILLED = 137


@dataclass
class Container:
    """A container that was started once; a restart makes a new one. Its times are the cluster's (ns since the epoch);
    what it prints, and `clock`, are its node's. `process_ports`: where a real process that runs in its place listens;
    None: there is none. `at_end` is called when it has ended. `frozen_at`: since when its cgroup is frozen."""

    setup: Setup
    attempt: int
    started_at: int
    id: str = field(default_factory=lambda: secrets.token_hex(32))
    log: Log = field(default_factory=Log)
    machine: Machine | None = None
    is_stand_in: bool = False
    exit_code: int | None = None
    finished_at: int = 0
    out_of_memory: bool = False
    origin: ContainerSnapshot | None = None
    files: FileTree = field(init=False)
    shown_start: int = field(init=False)
    loads: list[usage.Load] = field(default_factory=list)
    process_ports: set[int] | None = None
    at_end: list[Callable[[], object]] = field(default_factory=list)
    frozen_at: int | None = None
    peers: Callable[[], list[Container]] = list

    def __post_init__(self) -> None:
        self.files = self.setup.file_tree(self.started_at)
        self.log.host = self.setup.surroundings.host
        self.shown_start = self.clock(self.started_at)

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
    def declared_ports(self) -> set[int]:
        """The ports that the spec names, in ports and in probes."""
        ports = self.setup.spec.get("ports") or []
        found = {int(port["containerPort"]) for port in ports}
        named = {p.get("name"): int(p["containerPort"]) for p in ports}
        for kind in ("readinessProbe", "livenessProbe", "startupProbe"):
            probe = self.setup.spec.get(kind) or {}
            for how in ("httpGet", "tcpSocket", "grpc"):
                port = (probe.get(how) or {}).get("port")
                found |= {named[port]} if port in named else {int(str(port))} if str(port or "").isdigit() else set()
        return found

    @property
    def next_end(self) -> int | None:
        """When it may end next by itself (ns), or None."""
        if self.machine is None or not self.running or self.frozen_at is not None:
            return None
        ends = [at for at in (self.machine.next_end, self._out_of_memory_at()) if at is not None]
        return min(ends, default=None)

    def clock(self, at: int) -> int:
        """A time of the cluster as the node's clock shows it now."""
        return at + self.setup.surroundings.host.ahead

    def memory_bytes(self, now: int) -> int:
        """Bytes of memory that it takes (see `usage`)."""
        if self.machine is None or not self.running:
            return 0
        return usage.memory_bytes(self.machine.memory, now) + sum(load.taken for load in self.loads)

    def cores(self) -> float:
        """Cores that it keeps busy (see `usage`)."""
        if self.machine is None or not self.running:
            return 0.0
        used, limit = usage.cores(self.machine.memory) + sum(load.cores for load in self.loads), self.setup.limit("cpu")
        return used if limit is None else min(used, limit)

    @contextmanager
    def bearing(self, load: usage.Load) -> Iterator[None]:
        """It does work that is not in its program, and takes more meanwhile."""
        self.loads.append(load)
        try:
            yield
        finally:
            self.loads.remove(load)

    def begin(self) -> None:
        """Starts the image's or the spec's command. Raises StartError."""
        argv = self.setup.argv
        place = self._place(self.setup.hostname, self.setup.env)
        if not argv and self.image.complete:
            raise StartError(
                f'failed to generate container "{self.id}" spec: failed to generate spec: no command specified'
            )
        if argv:
            check_exists(self.image, self.files, argv[0])
        try:
            self.machine = self._machine(argv, place)
        except FileNotFoundError as error:
            script = f'echo "sh: can\'t open {error}: No such file or directory" >&2; exit 2'
            self.machine = Machine.start(["sh", "-c", script], place, self.write, self.started_at)
        except Unsupported as error:
            self._stand_in(argv, place, str(error))
        self.advance(self.started_at)

    def resume(self, snapshot: ContainerSnapshot, cut: int, *, extra_line: bool) -> None:
        """Goes on from a snapshot taken at `cut` (ns): the same memory, the source's log before its own lines.

        `extra_line` copies one line more than the cut, which the restored process then prints again: containerd copies
        the log after the process has resumed. A mount that the source had and this one has not makes it fail; one more
        than the source had does not show (stock runtimes do so). A file that was open must be there. Raises StartError.
        """
        if snapshot.mounts - {mount.path for mount in self.setup.mounts}:
            raise StartError(RESTORE_FAILED)
        self.files.mounts = tuple(mount for mount in self.files.mounts if mount.path in snapshot.mounts)
        self.origin = snapshot
        self.is_stand_in = snapshot.stand_in
        self.log = snapshot.copied_log()
        self.log.host = self.setup.surroundings.host
        times = clocks.shown(base_name([*snapshot.command, "sh"][0]), self.started_at, self.setup.surroundings.host)
        self.files.image = {**self.files.image, **snapshot.process, **times}
        self.files.layer = dict(snapshot.layer)
        self.files.made = set(snapshot.made)
        self.files.modes = dict(snapshot.modes)
        self.files.handles = dict(snapshot.handles)
        if not all(self.files.exists(held) for held in snapshot.handles.values() if isinstance(held, str)):
            raise StartError(RESTORE_FAILED)
        place = self._place(snapshot.hostname, snapshot.env)
        memory = snapshot.memory.copy() if snapshot.memory else Memory()
        if extra_line and any(thread.witness for thread in memory.threads):
            self.log.lines.extend(snapshot.next_line())
        memory.shift(self.started_at - cut)
        self.machine = Machine(memory, place, self.write, complete=self.image.complete)
        self.advance(self.started_at)

    def advance(self, now: int) -> None:
        """Lets everything happen that is due, in step with the containers that write to a volume of this one."""
        if peers := self.peers():
            _in_step([self, *peers], now)
        self._advance(now)

    def shares_files_with(self, other: Container) -> bool:
        """Whether both can write to a volume, so that what one does depends on when the other did something."""
        mine, others = ({id(m.volume) for m in one.files.mounts if not m.fixed} for one in (self, other))
        return bool(mine & others)

    def _advance(self, now: int) -> None:
        machine = self.machine
        if machine is None or not self.running or self.frozen_at is not None:
            return
        try:
            machine.advance(now)
        except Unsupported as error:
            self._give_up(str(error))
        except OSError as error:
            self._give_up(reason(error))
        if machine.exit_code is not None:
            self._end(machine.exited_at, machine.exit_code)
            return
        full = self._out_of_memory_at()
        if full is not None and full <= now:
            self.kill_for_memory(max(full, self.started_at))

    def stop(self, now: int, exit_code: int | None) -> None:
        """Ends it from outside: with this exit code, or (None) by SIGTERM and, where that is not heeded, SIGKILL."""
        self.advance(now)
        if self.running:
            self._end(now, self._terminated(now) if exit_code is None else exit_code)

    def freeze(self, now: int) -> None:
        """Its processes stand from now on."""
        self.advance(now)
        self.frozen_at = now

    def thaw(self, now: int) -> None:
        """Its processes go on as if no time had passed."""
        frozen, self.frozen_at = self.frozen_at, None
        if frozen is not None and self.machine:
            self.machine.memory.shift(now - frozen)

    def process_ended(self, now: int, exit_code: int) -> None:
        """The real process that runs in its place has ended by itself."""
        if self.running:
            self._end(now, exit_code)

    def kill_for_memory(self, now: int) -> None:
        """The kernel kills it, for it takes more memory than it may."""
        if self.running:
            self.out_of_memory = True
            self._end(now, KILLED)

    def discard(self, now: int) -> None:
        """Ends it without working out what it did since it was last looked at: nobody will."""
        if self.running:
            self._end(now, KILLED)

    def snapshot(self, now: int) -> ContainerSnapshot:
        """Its state at `now`; it keeps running."""
        self.advance(now)
        memory = self.machine.memory.copy() if self.machine and self.running else None
        place = self.machine.place if self.machine else None
        return ContainerSnapshot(
            name=self.name,
            image=self.image.reference,
            memory=memory,
            layer=dict(self.files.layer),
            made=frozenset(self.files.made),
            env=dict(place.env if place else self.setup.env),
            hostname=place.hostname if place else self.setup.hostname,
            log=tuple(self.log.lines),
            pending=dict(self.log.pending),
            source=(self.log, self.log.dropped + len(self.log.lines)),
            stand_in=self.is_stand_in,
            command=tuple(self.setup.argv),
            memory_bytes=self.memory_bytes(now),
            mounts=frozenset(mount.path for mount in self.files.mounts),
            process={path: self.files.image[path] for path in self.setup.process()},
            modes=dict(self.files.modes),
            handles=dict(self.files.handles),
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

    def write(self, at: int, stream: str, data: bytes) -> None:
        """Output of the process, as its node's clock dates it."""
        self.log.write(self.clock(at), stream, data)

    def _end(self, at: int, exit_code: int) -> None:
        self.exit_code, self.finished_at = exit_code, at
        self.log.notify()
        for call in self.at_end:
            call()

    def _place(self, hostname: str, env: dict[str, str]) -> Place:
        return Place(
            self.files, hostname, env, self.started_at, self.setup.cwd, self.setup.surroundings, self.image.version
        )

    def _out_of_memory_at(self) -> int | None:
        limit = self.setup.limit("memory")
        if limit is None or self.machine is None:
            return None
        return usage.exceeded_at(self.machine.memory, int(limit))

    def _terminated(self, now: int) -> int:
        """How it ends on SIGTERM: servers and stand-ins end well, a shell with a trap does what that says, and others
        with PID 1 do not heed it. Of a trap only a handler that exits is emulated."""
        assert self.machine is not None
        handler = self.machine.memory.traps.get("TERM", "")
        if re.search(r"\bexit\b", handler):
            place = self.machine.place_of(self.machine.memory.threads[0])
            last = Machine.start(["sh", "-c", handler], place, self.write, now)
            last.advance(now + SECOND)
            return KILLED if last.exit_code is None else last.exit_code
        return 0 if self.machine.memory.serves or self.is_stand_in else KILLED

    def _machine(self, argv: list[str], place: Place) -> Machine:
        if not argv or not is_emulated(argv[0]):
            raise Unsupported(f"{argv[0]!r}" if argv else "the image's own command")
        return Machine.start(argv, place, self.write, self.started_at, complete=self.image.complete)

    def _stand_in(self, argv: list[str], place: Place, what: str) -> None:
        """Sleeps for ever in place of what is not emulated; a witness that it declares still steps, or answers."""
        text = " ".join(argv)
        served = http_witness.declared(text)
        self.is_stand_in = not served and ("nginx" not in text or not self.files.exists(nginx.MAIN))
        note = f"emulated container: {what} is not emulated; a sleeping stand-in runs in its place\n"
        self.write(self.started_at, "stdout", note.encode())
        program: Program = (End(),)
        thread = Thread(0, program, dict(self.setup.env), self.started_at, blocked="forever")
        memory = Memory([thread], exported=set(self.setup.env), started=self.started_at)
        if served:
            memory.served, memory.ports[served.port] = served, "witness"
        elif is_witness(text):
            thread.program, thread.blocked = (witness_of(text),), ""
        if not self.is_stand_in and not served:
            memory.serves.add("nginx")
            memory.nginx = nginx.configuration(self.files)
        self.machine = Machine(memory, place, self.write, complete=False)

    def _give_up(self, what: str) -> None:
        """A thread came to something that is not emulated: the log says so and it sleeps."""
        assert self.machine is not None
        thread = self.machine.current
        assert thread is not None
        thread.blocked = "forever"
        self.write(
            thread.due, "stderr", f"emulated container: {what} is not emulated; it sleeps from here on\n".encode()
        )


def _in_step(containers: list[Container], now: int) -> None:
    """Lets what is due in several containers happen in the order of its times."""
    while True:
        moving = [one for one in containers if one.running and one.frozen_at is None]
        running = [(one.machine.next_due, one) for one in moving if one.machine]
        due = [(at, one) for at, one in running if at is not None and at <= now]
        if not due:
            return
        at, first = min(due, key=lambda each: each[0])
        first._advance(at)
