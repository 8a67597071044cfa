"""What a running script holds in memory: plain data, so that copying it is checkpointing the process."""

from __future__ import annotations

import hashlib
import secrets
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from ..nginx import Directive
from ..redis import Redis
from .program import Program, Witness

if TYPE_CHECKING:
    from ..http_witness import ServedWitness

SECOND = 1_000_000_000
_STEP_COST = 2_500_000
"""Nanoseconds that a step of the witness takes besides its sleep (2 to 3 ms on the recorded nodes)."""


@dataclass
class WitnessState:
    """The memory of a witness: nonce, last step, last chain value; and the seconds between steps."""

    nonce: str
    step: int
    chain: str
    interval: float

    def advance(self) -> bytes:
        """Takes one step and gives its line. chain(n) = the first 16 hex of sha256 of "<chain(n-1)> <nonce> <n>"."""
        self.step += 1
        self.chain = hashlib.sha256(f"{self.chain} {self.nonce} {self.step}".encode()).hexdigest()[:16]
        return f"witness/1 nonce={self.nonce} step={self.step} chain={self.chain}\n".encode()

    @property
    def pause(self) -> int:
        """Nanoseconds from this step to the next."""
        return int(self.interval * SECOND) + _STEP_COST + int(self.chain[:4], 16) * 15


def begin_witness(op: Witness, variables: dict[str, str]) -> WitnessState:
    """The state before the first step, with the values that the script has drawn already."""
    nonce, step, chain = (variables.get(name, "") for name in op.names) if op.names else ("", "", "")
    if len(nonce) != 16 or set(nonce) - set("0123456789abcdef"):
        nonce = secrets.token_hex(8)
    return WitnessState(nonce, int(step) if step.isdigit() else 0, chain if len(chain) == 16 else "0" * 16, op.interval)


@dataclass
class OpenFile:
    """A file that a shell has open: its handle in the file tree, and where the next byte is read or written.

    Shells that were started by the one that opened it share it, as open(2) has it for processes.
    """

    handle: int
    offset: int = 0
    appends: bool = False


@dataclass
class Thread:
    """One running shell: where it is in its program, its variables, and when it goes on (ns since the epoch).

    `blocked` says what it waits for besides time: `` (only time), `forever`, `children` (wait), `child` (a nested sh).
    `descriptors` are the numbers of the memory's open files by those that its script has for them.
    """

    number: int
    program: Program
    variables: dict[str, str]
    due: int
    at: int = 0
    status: int = 0
    cwd: str = "/"
    blocked: str = ""
    endless: bool = False
    last: bool = False
    parent: int | None = None
    loops: dict[int, list[str]] = field(default_factory=dict)
    witness: WitnessState | None = None
    descriptors: dict[int, int] = field(default_factory=dict)

    def copy(self) -> Thread:
        """An independent copy (the program is shared: it never changes)."""
        return replace(
            self,
            variables=dict(self.variables),
            loops={loop: list(words) for loop, words in self.loops.items()},
            witness=replace(self.witness) if self.witness else None,
            descriptors=dict(self.descriptors),
        )


@dataclass
class Memory:
    """All threads of a container's process, what it serves, its counters, and how much memory it takes.

    ports: what listens on them besides nginx (`redis`, `echo`). held: bytes that a memory eater took. growth: since
    when (ns) it takes how many bytes a second. nginx: the configuration that it started with. busy: cores that its
    workers keep busy. traps: what the first shell does on a signal, by the signal's name. served: a witness that is
    asked over HTTP. opened: the files that its shells have open.
    """

    threads: list[Thread] = field(default_factory=list)
    serves: set[str] = field(default_factory=set)
    counters: dict[str, int] = field(default_factory=dict)
    exported: set[str] = field(default_factory=set)
    started: int = 0
    spawned: int = 0
    ports: dict[int, str] = field(default_factory=dict)
    nginx: Directive | None = None
    redis: Redis | None = None
    held: int = 0
    growth: tuple[int, int] | None = None
    busy: float = 0.0
    traps: dict[str, str] = field(default_factory=dict)
    served: ServedWitness | None = None
    opened: dict[int, OpenFile] = field(default_factory=dict)

    def copy(self) -> Memory:
        """An independent copy."""
        threads = [thread.copy() for thread in self.threads]
        return replace(
            self,
            threads=threads,
            serves=set(self.serves),
            counters=dict(self.counters),
            exported=set(self.exported),
            ports=dict(self.ports),
            redis=self.redis.copy() if self.redis else None,
            traps=dict(self.traps),
            served=self.served.copy() if self.served else None,
            opened={number: replace(one) for number, one in self.opened.items()},
        )

    def shift(self, nanoseconds: int) -> None:
        """Lets everything that is due come later, as after a freeze."""
        for thread in self.threads:
            thread.due += nanoseconds
        if self.growth:
            self.growth = (self.growth[0] + nanoseconds, self.growth[1])
