"""Compiles a small shell script into a flat list of operations, so that a running script's state is plain data.

An operation is run by `machine.Machine`; a copy of its program counters and variables is a copy of the process.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from .tokens import Token, Tokenizer, Unsupported, Word

_ASSIGNMENT = re.compile(r"^([A-Za-z_][A-Za-z0-9_]*)=")
_WITNESS = re.compile(r"witness/1 nonce=")
_SLEEP = re.compile(r"sleep[\s(]+([0-9]*\.?[0-9]+)")
_READS = re.compile(r"\bread\b")
_WITNESS_NAMES = re.compile(r"witness/1 nonce=\$\{?(\w+)\}? step=\$\{?(\w+)\}? chain=\$\{?(\w+)\}?")
WITNESS_INTERVAL = 0.2
REDIRECTIONS = ("<", ">", ">>", "<&", ">&")


@dataclass(frozen=True)
class Redirect:
    """`fd operator target`: operator `<`, `>`, `>>`, `<&` or `>&`."""

    fd: int
    operator: str
    target: Word


@dataclass(frozen=True)
class Simple:
    """Assignments, words and redirections of one simple command."""

    assignments: tuple[tuple[str, Word], ...]
    words: tuple[Word, ...]
    redirects: tuple[Redirect, ...]


@dataclass(frozen=True)
class Run:
    """Runs a pipeline."""

    commands: tuple[Simple, ...]
    negated: bool = False


@dataclass(frozen=True)
class Jump:
    """Goes to `target`: always (`on` None), when the last status was 0 (True), or when it was not (False)."""

    target: int
    on: bool | None = None


@dataclass(frozen=True)
class Spawn:
    """Starts the operations that follow in the background and goes on at `target`."""

    target: int


@dataclass(frozen=True)
class Subshell:
    """Runs the operations that follow in a shell of their own, then goes on at `target`."""

    target: int


@dataclass(frozen=True)
class Settle:
    """Sets the last status to 0, as at the end of a loop and of an `if` without a branch taken."""


@dataclass(frozen=True)
class ForStart:
    """Begins a `for` loop: expands its words."""

    loop: int
    words: tuple[Word, ...]


@dataclass(frozen=True)
class ForNext:
    """Takes the next word of a `for` loop into a variable, or leaves to `target`."""

    loop: int
    name: str
    target: int


@dataclass(frozen=True)
class Endless:
    """From here on nothing can end the thread (an infinite loop without exit or break)."""


@dataclass(frozen=True)
class Witness:
    """The witness loop: one step each `interval` seconds; `names` are the script's nonce, step and chain variables."""

    interval: float
    names: tuple[str, str, str] | None


@dataclass(frozen=True)
class End:
    """The thread ends with the last status."""


Op = Run | Jump | Spawn | Subshell | Settle | ForStart | ForNext | Endless | Witness | End
Program = tuple[Op, ...]


def compile_script(source: str) -> Program:
    """The program of a script. Raises Unsupported for what is not emulated."""
    return _Compiler(source).program()


def witness_of(text: str) -> Witness:
    """The witness that a text declares; its interval is that of the `sleep` after the declaration, or before it."""
    names = _WITNESS_NAMES.search(text)
    declared = _WITNESS.search(text)
    tail = text[declared.end() :] if declared else text
    sleeps = _SLEEP.search(tail) or _SLEEP.search(text)
    return Witness(float(sleeps.group(1)) if sleeps else WITNESS_INTERVAL, names.groups() if names else None)  # type: ignore[arg-type]


def is_witness(text: str) -> bool:
    """Whether a command line or script declares the witness."""
    return bool(_WITNESS.search(text))


class _Compiler:
    def __init__(self, source: str) -> None:
        tokenizer = Tokenizer(source)
        self.source = tokenizer.source
        self.tokens: list[Token] = tokenizer.tokens()
        self.at = 0
        self.ops: list[Op] = []
        self.loops: list[tuple[int, list[int]]] = []
        self.fors = 0

    def program(self) -> Program:
        self._list(())
        if self.at < len(self.tokens):
            raise Unsupported(f"{self._describe()} in a script")
        self.ops.append(End())
        return tuple(self.ops)

    def _list(self, ends: tuple[str, ...]) -> None:
        self._skip_lines()
        while self.at < len(self.tokens) and self._keyword() not in ends and self._operator() != ")":
            start = len(self.ops)
            self._and_or()
            if self._operator() == "&":
                self._to_background(start)
            if self._operator() not in (";", "&", "\n"):
                break
            self.at += 1
            self._skip_lines()

    def _to_background(self, start: int) -> None:
        first = self.ops[start]
        if isinstance(first, Subshell) and first.target == len(self.ops):
            self.ops[start] = Spawn(first.target)
            return
        body = [_moved(op, start, 1) for op in self.ops[start:]]
        self.ops[start:] = [Spawn(start + len(body) + 2), *body, End()]

    def _and_or(self) -> None:
        self._pipeline()
        while (operator := self._operator()) in ("&&", "||"):
            self.at += 1
            self._skip_lines()
            skip = self._placeholder()
            self._pipeline()
            self.ops[skip] = Jump(len(self.ops), on=operator == "||")

    def _pipeline(self) -> None:
        negated = self._take("!")
        compound = {"while": self._while, "until": self._while, "for": self._for, "if": self._if, "{": self._group}
        keyword = self._keyword()
        if self._operator() == "(":
            self._subshell()
        elif keyword in compound:
            compound[keyword]()
        elif keyword in ("case", "function"):
            raise Unsupported(f"{keyword} in a script")
        else:
            commands = [self._simple()]
            while self._operator() == "|":
                self.at += 1
                self._skip_lines()
                commands.append(self._simple())
            self._emit_run(commands, negated)
            return
        if negated or self._operator() in ("|", *REDIRECTIONS):
            raise Unsupported("a pipe, redirection or negation of a compound command in a script")

    def _emit_run(self, commands: list[Simple], negated: bool) -> None:
        name = commands[0].words[0].plain if commands[0].words else None
        if name in ("break", "continue") and len(commands) == 1:
            if not self.loops:
                raise Unsupported(f"{name} outside of a loop")
            begin, breaks = self.loops[-1]
            if name == "break":
                breaks.append(self._placeholder())
            else:
                self.ops.append(Jump(begin))
            return
        self.ops.append(Run(tuple(commands), negated))

    def _subshell(self) -> None:
        self.at += 1
        begin = self._placeholder()
        self._list(())
        if self._operator() != ")":
            raise Unsupported("a ( that is not closed")
        self.at += 1
        self.ops.append(End())
        self.ops[begin] = Subshell(len(self.ops))

    def _group(self) -> None:
        self.at += 1
        self._list(("}",))
        self._expect("}")

    def _while(self) -> None:
        first = self.at
        until = self._keyword() == "until"
        self.at += 1
        begin = len(self.ops)
        self._list(("do",))
        self._expect("do")
        condition = self.ops[begin:]
        leave = self._placeholder()
        breaks: list[int] = []
        self.loops.append((begin, breaks))
        self._list(("done",))
        self.loops.pop()
        last = self._expect("done")
        text = self.source[self.tokens[first].start : last.end]
        if is_witness(text) and not _READS.search(text):
            self.ops[begin:] = [witness_of(text)]
            return
        self.ops.append(Jump(begin))
        self.ops[leave] = Jump(len(self.ops), on=until)
        for each in breaks:
            self.ops[each] = Jump(len(self.ops))
        self.ops.append(Settle())
        if not until and not breaks and _always(condition) and not re.search(r"\b(exit|exec|kill|set)\b", text):
            self.ops[begin:] = [Endless(), *(_moved(op, begin, 1) for op in self.ops[begin:])]

    def _for(self) -> None:
        self.at += 1
        name = self._next_word().plain
        if name is None or not name.isidentifier() or self._keyword() != "in":
            raise Unsupported("a for loop without a plain name and in")
        self.at += 1
        words: list[Word] = []
        while self._operator() == "":
            words.append(self._next_word())
        self._skip_lines(also=";")
        self._expect("do")
        self.fors += 1
        loop = self.fors
        self.ops.append(ForStart(loop, tuple(words)))
        begin = self._placeholder()
        breaks: list[int] = []
        self.loops.append((begin, breaks))
        self._list(("done",))
        self.loops.pop()
        self._expect("done")
        self.ops.append(Jump(begin))
        self.ops[begin] = ForNext(loop, name, len(self.ops))
        for each in breaks:
            self.ops[each] = Jump(len(self.ops))

    def _if(self) -> None:
        self.at += 1
        exits: list[int] = []
        while True:
            self._list(("then",))
            self._expect("then")
            skip = self._placeholder()
            self._list(("elif", "else", "fi"))
            exits.append(self._placeholder())
            self.ops[skip] = Jump(len(self.ops), on=False)
            if not self._take("elif"):
                break
        if self._take("else"):
            self._list(("fi",))
        else:
            self.ops.append(Settle())
        self._expect("fi")
        for each in exits:
            self.ops[each] = Jump(len(self.ops))

    def _simple(self) -> Simple:
        assignments: list[tuple[str, Word]] = []
        words: list[Word] = []
        redirects: list[Redirect] = []
        while self.at < len(self.tokens):
            token = self.tokens[self.at]
            if token.operator in REDIRECTIONS:
                redirects.append(self._redirect(words))
            elif token.word is None:
                break
            elif not words and (assignment := _assignment(token.word)):
                assignments.append(assignment)
                self.at += 1
            else:
                words.append(self._next_word())
        if self._operator() == "(":
            raise Unsupported("a function in a script")
        if not (assignments or words or redirects):
            raise Unsupported(f"{self._describe()} where a command should be")
        return Simple(tuple(assignments), tuple(words), tuple(redirects))

    def _redirect(self, words: list[Word]) -> Redirect:
        token = self.tokens[self.at]
        fd = 0 if token.operator.startswith("<") else 1
        before = self.tokens[self.at - 1] if self.at else None
        number = words[-1].plain or "" if words and before and before.word and before.end == token.start else ""
        if len(number) == 1 and number.isdigit():
            words.pop()
            fd = int(number)
        self.at += 1
        return Redirect(fd, token.operator, self._next_word())

    def _next_word(self) -> Word:
        token = self.tokens[self.at] if self.at < len(self.tokens) else None
        if token is None or token.word is None:
            raise Unsupported(f"{self._describe()} where a word should be")
        self.at += 1
        return token.word

    def _placeholder(self) -> int:
        self.ops.append(End())
        return len(self.ops) - 1

    def _skip_lines(self, also: str = "\n") -> None:
        while self._operator() in ("\n", also) and self._operator():
            self.at += 1

    def _operator(self) -> str:
        return self.tokens[self.at].operator if self.at < len(self.tokens) else "end"

    def _keyword(self) -> str:
        token = self.tokens[self.at] if self.at < len(self.tokens) else None
        return (token.word.plain or "") if token and token.word else ""

    def _take(self, keyword: str) -> bool:
        if self._keyword() == keyword:
            self.at += 1
            return True
        return False

    def _expect(self, keyword: str) -> Token:
        self._skip_lines(also=";")
        if not self._take(keyword):
            raise Unsupported(f"{self._describe()} where {keyword!r} should be")
        return self.tokens[self.at - 1]

    def _describe(self) -> str:
        if self.at >= len(self.tokens):
            return "the end"
        token = self.tokens[self.at]
        return repr(self.source[token.start : token.end])


def _assignment(word: Word) -> tuple[str, Word] | None:
    first = word.parts[0] if word.parts else None
    match = _ASSIGNMENT.match(first.text) if first and first.kind == "text" and not first.quoted else None
    if not match or first is None:
        return None
    rest = first.text[match.end() :]
    parts = ((type(first)("text", rest, False),) if rest else ()) + word.parts[1:]
    return match.group(1), Word(parts)


def _always(condition: list[Op]) -> bool:
    if len(condition) != 1 or not isinstance(condition[0], Run) or len(condition[0].commands) != 1:
        return False
    words = condition[0].commands[0].words
    return len(words) == 1 and words[0].plain in ("true", ":")


def _moved(op: Op, start: int, by: int) -> Op:
    """The operation with its target moved, where the target lies behind `start`."""
    if isinstance(op, Jump) and op.target >= start:
        return Jump(op.target + by, op.on)
    if isinstance(op, Spawn | Subshell):
        return type(op)(op.target + by)
    if isinstance(op, ForNext):
        return ForNext(op.loop, op.name, op.target + by)
    return op
