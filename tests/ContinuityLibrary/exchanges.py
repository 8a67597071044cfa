"""Two processes that exchange messages as the script does, in any order of steps, cut and restored at any moments.

A model for tests: what it knows of every process's memory tells what a correct judge must say.
"""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import dataclass, field, replace

from ContinuityLibrary.cut import Side
from ContinuityLibrary.messages import Exchange, Message, Told

NAMES = ("left", "right")
NONCES = {"left": "a" * 16, "right": "b" * 16}
NOTHING = Message(0, "-")


@dataclass(frozen=True)
class Memory:
    """What a process remembers."""

    step: int = 0
    sent: Message = NOTHING
    got: Message = NOTHING


@dataclass
class World:
    """Two processes and the files between them; `tags` gives a new one for each message, as a random source does."""

    memories: dict[str, Memory] = field(default_factory=lambda: dict.fromkeys(NAMES, Memory()))
    files: dict[str, tuple[Message, Message]] = field(default_factory=dict)
    tags: itertools.count[int] = field(default_factory=itertools.count)
    stamps: itertools.count[int] = field(default_factory=lambda: itertools.count(1))
    told: dict[str, list[Told]] = field(default_factory=lambda: {name: [] for name in NAMES})

    def step(self, name: str) -> None:
        """One step of one process: takes what is new, sends what may be sent, writes its file, prints its line."""
        memory, peer = self.memories[name], NAMES[1 - NAMES.index(name)]
        sent, got = memory.sent, memory.got
        if peer in self.files:
            theirs, acknowledged = self.files[peer]
            got = theirs if theirs != got else got
            if acknowledged == sent:
                sent = Message(sent.number + 1, f"{next(self.tags):08x}")
        self.memories[name] = Memory(memory.step + 1, sent, got)
        self.files[name] = sent, got
        self.told[name].append(Told(next(self.stamps), self.exchange(name)))

    def exchange(self, name: str) -> Exchange:
        """The line of a process as it is."""
        memory = self.memories[name]
        sender = NONCES[NAMES[1 - NAMES.index(name)]] if memory.got != NOTHING else "-"
        sent, got = (one if one != NOTHING else None for one in (memory.sent, memory.got))
        return Exchange(memory.step, NONCES[name], sent, sender, got)

    def run(self, order: Sequence[str]) -> None:
        """Steps in this order."""
        for name in order:
            self.step(name)


@dataclass(frozen=True)
class Restored:
    """A story: the source ran in `order`, each process was cut after so many of these steps, and both went on."""

    order: Sequence[str]
    cuts: dict[str, int]
    files: dict[str, tuple[Message, Message]] = field(default_factory=dict)
    after: int = 12

    def sides(self) -> tuple[list[Side], dict[str, Memory]]:
        """What the two containers told, and their memories at their cuts."""
        source = World()
        memories: dict[str, Memory] = {}
        for at in range(len(self.order) + 1):
            memories |= {name: source.memories[name] for name, cut in self.cuts.items() if cut == at}
            if at < len(self.order):
                source.step(self.order[at])
        copy = World(dict(memories), dict(self.files), source.tags, source.stamps)
        copy.run(NAMES * self.after)
        found = []
        for name in NAMES:
            first = memories[name].step + 1
            before = tuple(one for one in source.told[name] if one.step < first)
            found.append(Side(name, NONCES[name], first, before, tuple(copy.told[name])))
        return found, memories


def without(side: Side, step: int) -> Side:
    """The side without what it told at a step."""
    return replace(side, before=tuple(one for one in side.before if one.step != step))
