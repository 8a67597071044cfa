"""Runs compiled scripts in virtual time: nothing happens until somebody asks for the state at a moment."""

from __future__ import annotations

from collections.abc import Callable

from . import archive as _archive  # noqa: F401 (makes its commands known)
from . import attributes as _attributes  # noqa: F401 (makes its commands known)
from . import commands, descriptors
from . import network as _network  # noqa: F401 (makes its commands known)
from . import text as _text  # noqa: F401 (makes its commands known)
from .builtins import BUILTINS
from .commands import Place, Result
from .launch import ERREXIT, SHELLS, base_name, compiled, program_of
from .memory import SECOND, Memory, Thread, begin_witness
from .program import (
    End,
    Endless,
    ForNext,
    ForStart,
    Jump,
    Op,
    Program,
    Redirect,
    Run,
    Settle,
    Simple,
    Spawn,
    Subshell,
    Witness,
)
from .tokens import Unsupported
from .words import Expander

Sink = Callable[[int, str, bytes], None]
"""Takes output: when (ns), stream (`stdout` or `stderr`), bytes."""

_COMMAND_COST = 1_000_000
"""Nanoseconds of virtual time that a command takes, so that a loop without a sleep does not run for ever."""


class Machine:
    """The processes of one container (or of one exec): a memory, run where `place` says, writing to `sink`.

    `complete` says whether the image holds only commands that the emulation knows: there an unknown command is not
    found (127); elsewhere it raises Unsupported. `redirects` are those of the command that is being run.
    """

    def __init__(self, memory: Memory, place: Place, sink: Sink, *, complete: bool = True, stdin: bytes = b"") -> None:
        self.memory = memory
        self.place = place
        self.sink = sink
        self.complete = complete
        self.stdin = stdin
        self.exit_code: int | None = None
        self.exited_at = 0
        self.current: Thread | None = None
        self.redirects: tuple[Redirect, ...] = ()

    @classmethod
    def start(
        cls, argv: list[str], place: Place, sink: Sink, now: int, *, complete: bool = True, stdin: bytes = b""
    ) -> Machine:
        """A machine at the beginning of a command line. Raises Unsupported and FileNotFoundError."""
        program, positional = program_of(argv, lambda name: place.files.read(place.path(name)))
        memory = Memory(exported=set(place.env), started=now)
        memory.threads.append(Thread(0, program, {**place.env, **positional}, now, cwd=place.cwd))
        return cls(memory, place, sink, complete=complete, stdin=stdin)

    def advance(self, now: int) -> None:
        """Lets everything happen that is due at `now`. Raises Unsupported where a script asks for the unknown."""
        while self.exit_code is None and (thread := self._next(now)):
            self.current = thread
            if thread.witness:
                self._witness_steps(thread, now)
            else:
                self._step(thread)

    @property
    def next_due(self) -> int | None:
        """When something happens next (ns), or None when nothing will by itself."""
        return (
            min((t.due for t in self.memory.threads if not t.blocked), default=None) if self.exit_code is None else None
        )

    @property
    def next_end(self) -> int | None:
        """When the process may end next (ns): only its first thread can end it."""
        main = self.memory.threads[0] if self.memory.threads and self.exit_code is None else None
        if main is None or main.endless or main.witness or main.blocked == "forever":
            return None
        return self.next_due if main.blocked else main.due

    def _next(self, now: int) -> Thread | None:
        due = [t for t in self.memory.threads if not t.blocked and t.due <= now]
        return min(due, key=lambda t: t.due) if due else None

    def _witness_steps(self, thread: Thread, now: int) -> None:
        witness = thread.witness
        assert witness is not None
        others = [t.due for t in self.memory.threads if t is not thread and not t.blocked]
        limit = min([now, *others])
        while thread.due <= limit:
            self.sink(thread.due, "stdout", witness.advance())
            thread.due += witness.pause
            if thread.due <= now and others:
                break

    def _step(self, thread: Thread) -> None:
        op = thread.program[thread.at]
        thread.at += 1
        if isinstance(op, Run):
            self._run(thread, op)
        elif isinstance(op, End):
            self.end(thread)
        else:
            self._control(thread, op)
            if isinstance(op, Jump) and op.on is None:
                thread.due += 1000

    def _control(self, thread: Thread, op: Op) -> None:
        if isinstance(op, Jump):
            if op.on is None or op.on == (thread.status == 0):
                thread.at = op.target
        elif isinstance(op, Spawn):
            self._spawn(thread, thread.program, thread.at)
            thread.at = op.target
            thread.status = 0
        elif isinstance(op, Subshell):
            self._spawn(thread, thread.program, thread.at, parent=thread.number)
            thread.at, thread.blocked = op.target, "child"
        elif isinstance(op, ForStart):
            thread.loops[op.loop] = self.expander_of(thread).fields(op.words)
        elif isinstance(op, ForNext):
            words = thread.loops[op.loop]
            if words:
                thread.variables[op.name] = words.pop(0)
            else:
                thread.at = op.target
        else:
            self._mark(thread, op)

    @staticmethod
    def _mark(thread: Thread, op: Op) -> None:
        if isinstance(op, Settle):
            thread.status = 0
        elif isinstance(op, Endless):
            thread.endless = True
        elif isinstance(op, Witness):
            thread.witness = begin_witness(op, thread.variables)

    def _spawn(self, thread: Thread, program: Program, at: int, parent: int | None = None) -> None:
        self.memory.spawned += 1
        child = Thread(
            self.memory.spawned, program, dict(thread.variables), thread.due, at, cwd=thread.cwd, parent=parent
        )
        child.descriptors = dict(thread.descriptors)
        self.memory.threads.append(child)

    def end(self, thread: Thread) -> None:
        """A thread ends with its status; the first one ends the process."""
        if thread is self.memory.threads[0]:
            self.exit_code = thread.status
            self.exited_at = thread.due
            return
        self.memory.threads.remove(thread)
        for other in self.memory.threads:
            if other.number == thread.parent and other.blocked == "child":
                other.blocked, other.status, other.due = "", thread.status, max(other.due, thread.due)
            elif other.blocked == "children" and len(self.memory.threads) == 1:
                other.blocked, other.due = "", max(other.due, thread.due)

    def _run(self, thread: Thread, op: Run) -> None:
        status = self._simple(thread, op.commands[0]) if len(op.commands) == 1 else self._pipe(thread, op.commands)
        if status is not None:
            thread.status = int(status == 0) if op.negated else status
            if thread.last or (thread.status and not op.negated and _stops_at_failure(thread)):
                self.end(thread)

    def _simple(self, thread: Thread, command: Simple) -> int | None:
        """The status, or None when the command has not ended (or the thread's status is set)."""
        expander = self.expander_of(thread)
        values = {name: expander.text(word) for name, word in command.assignments}
        argv = expander.fields(command.words)
        if argv[:1] == ["exec"] and len(argv) > 1:
            thread.last = True
            argv = argv[1:]
        if argv == ["exec"] and command.redirects:
            return descriptors.redirect(self, thread, command.redirects)
        if not argv or argv == ["exec"]:
            thread.variables.update(values)
            return thread.status if any(p.kind == "sub" for _, w in command.assignments for p in w.parts) else 0
        self.redirects = command.redirects
        if base_name(argv[0]) in BUILTINS:
            return BUILTINS[base_name(argv[0])](self, thread, argv)
        thread.due += _COMMAND_COST
        if base_name(argv[0]) in SHELLS:
            program, positional = program_of(argv, lambda name: self.place.files.read(self.place_of(thread).path(name)))
            self._spawn(thread, program, 0, parent=thread.number)
            self.memory.threads[-1].variables |= values | positional
            thread.blocked = "child"
            return None
        try:
            source = descriptors.source_of(self, thread, command.redirects)
            result = self.call(thread, argv, source.rest(), values)
        except OSError as error:
            self.write(thread, "stderr", f"sh: can't open {error}: {commands.reason(error)}\n".encode())
            return 1
        return self.deliver(thread, result, command.redirects, expander)

    def _pipe(self, thread: Thread, stages: tuple[Simple, ...]) -> int:
        expander, data, status = self.expander_of(thread), self.stdin, 0
        thread.due += _COMMAND_COST
        for stage in stages:
            argv = expander.fields(stage.words)
            if not argv or not _may_be_piped(argv):
                raise Unsupported(f"{' '.join(argv)!r} in a pipe")
            source = next((r for r in stage.redirects if r.operator == "<"), None)
            if source is not None:
                data = self.place_of(thread).read(expander.text(source.target))
            result = self.call(thread, argv, data, {})
            data, status = result.out, result.status
            if stage is stages[-1]:
                return self.deliver(thread, result, stage.redirects, expander)
            self.write(thread, "stderr", result.err)
        return status

    def call(self, thread: Thread, argv: list[str], stdin: bytes, values: dict[str, str]) -> Result:
        """Runs one command. Raises Unsupported for what is not known (of an incomplete image) or not in this way."""
        command = commands.find(argv[0])
        if command is None:
            if not self.complete:
                raise Unsupported(f"the command {argv[0]!r}")
            return Result(127, err=f"sh: {argv[0]}: not found\n".encode())
        place = self.place_of(thread)
        place.env = {**place.env, **values}
        try:
            return command(argv[1:], stdin, place)
        except (ValueError, IndexError) as error:
            raise Unsupported(f"{' '.join(argv)!r}") from error

    def deliver(self, thread: Thread, result: Result, redirects: tuple[Redirect, ...], expander: Expander) -> int:
        """Writes what a command put out to where its redirections say, and gives its status."""
        targets = {1: "stdout", 2: "stderr"}
        for redirect in redirects:
            name = expander.text(redirect.target)
            if redirect.operator == ">&":
                targets[redirect.fd] = descriptors.target_of(thread, name) or targets.get(int(name), "stdout")
            elif redirect.operator in (">", ">>"):
                path = _STREAMS.get(name) or self.place_of(thread).path(name)
                try:
                    if path.startswith("/") and path != "/dev/null" and redirect.operator == ">":
                        self.place.files.write(path, b"")
                except OSError as error:
                    self.write(thread, "stderr", f"sh: can't create {name}: {commands.reason(error)}\n".encode())
                    return 1
                targets[redirect.fd] = path
        thread.due += int(result.waited * SECOND)
        self.write(thread, targets[1], result.out)
        self.write(thread, targets[2], result.err)
        return result.status

    def write(self, thread: Thread, target: str, data: bytes) -> None:
        """Writes to a stream, a file, or (a number) an open file."""
        if not data or target == "/dev/null":
            return
        if target.startswith("/"):
            self.place.files.write(target, data, append=True)
        elif target.isdigit():
            descriptors.write(self, int(target), data)
        else:
            self.sink(thread.due, target, data)

    def place_of(self, thread: Thread) -> Place:
        """Where a thread runs."""
        env = {name: thread.variables[name] for name in thread.variables if name in self.memory.exported}
        return Place(
            self.place.files, self.place.hostname, env, thread.due, thread.cwd, self.place.around, self.place.version
        )

    def expander_of(self, thread: Thread) -> Expander:
        """Expands words with a thread's variables."""
        known = {"?": str(thread.status), "$": str(thread.number + 1), "#": "0"}
        return Expander(_Layered(thread.variables, known), lambda script: self._capture(thread, script))

    def _capture(self, thread: Thread, script: str) -> str:
        output: list[bytes] = []
        inner = Machine(
            Memory(
                [Thread(0, compiled(script), dict(thread.variables), thread.due, cwd=thread.cwd)],
                exported=self.memory.exported,
            ),
            self.place,
            lambda at, stream, data: output.append(data) if stream == "stdout" else self.sink(at, stream, data),
            complete=self.complete,
        )
        inner.advance(thread.due + SECOND)
        if inner.exit_code is None:
            raise Unsupported(f"$({script}) takes more than a second")
        thread.status = inner.exit_code
        thread.due = max(thread.due, inner.exited_at)
        return b"".join(output).decode(errors="replace")


class _Layered(dict[str, str]):
    def __init__(self, variables: dict[str, str], more: dict[str, str]) -> None:
        super().__init__(variables)
        self.update(more)


_STREAMS = {
    "/dev/stdout": "stdout",
    "/proc/1/fd/1": "stdout",
    "/dev/stderr": "stderr",
    "/proc/1/fd/2": "stderr",
}


def _may_be_piped(argv: list[str]) -> bool:
    name = base_name(argv[0])
    follows = name == "tail" and any(flag.startswith("-") and flag.lower().endswith("f") for flag in argv)
    return not follows and (name in commands.COMMANDS or name not in (*BUILTINS, *SHELLS))


def _stops_at_failure(thread: Thread) -> bool:
    """Whether `set -e` holds and the failure is not one that `&&`, `||`, `if` or a loop looks at."""
    following = thread.program[thread.at]
    return ERREXIT in thread.variables and not (isinstance(following, Jump) and following.on is not None)
