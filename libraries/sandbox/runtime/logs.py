"""A container's log as containerd keeps it: whole lines with the time of their first byte."""

from __future__ import annotations

import asyncio
import time
from dataclasses import dataclass, field

from .surroundings import Host

SECOND = 1_000_000_000
_LINE_HEAD = len("2026-11-25T01:41:51.127420589Z stdout F \n")


@dataclass(frozen=True, slots=True)
class Line:
    """One line of output: when (ns since the epoch), on which stream (`stdout` or `stderr`), without its newline."""

    at: int
    stream: str
    text: bytes


@dataclass
class Log:
    """Lines in the order in which they were written; output without a newline yet stays pending.

    It is the newest file of the log, which is what the kubelet serves: where the host has a limit, a log that has grown
    over it begins anew. `dropped` counts the lines before; `size` is its bytes. `watchers` are set when something is
    written and when the container ends.
    """

    lines: list[Line] = field(default_factory=list)
    pending: dict[str, Line] = field(default_factory=dict)
    watchers: set[asyncio.Event] = field(default_factory=set)
    host: Host = field(default_factory=Host)
    dropped: int = 0
    size: int = 0

    def write(self, at: int, stream: str, data: bytes) -> None:
        """Adds output; each newline ends a line."""
        if stream in self.pending:
            begun = self.pending.pop(stream)
            at, data = begun.at, begun.text + data
        *whole, rest = data.split(b"\n")
        for text in whole:
            self.lines.append(Line(at, stream, text))
            self.size += len(text) + _LINE_HEAD
            if 0 < self.host.log_limit < self.size:
                self._rotate()
        if rest:
            self.pending[stream] = Line(at, stream, rest)
        self.notify()

    def _rotate(self) -> None:
        self.dropped += len(self.lines)
        self.lines = []
        self.size = 0

    def notify(self) -> None:
        """Wakes those who follow the log."""
        for watcher in self.watchers:
            watcher.set()


def rfc3339_nano(at: int) -> str:
    """Nanoseconds since the epoch as containerd writes them: RFC 3339, UTC, nine decimals."""
    seconds, nanos = divmod(at, SECOND)
    return f"{time.strftime('%Y-%m-%dT%H:%M:%S', time.gmtime(seconds))}.{nanos:09d}Z"


def rfc3339(at: int) -> str:
    """Nanoseconds since the epoch as Kubernetes writes a Time: RFC 3339, UTC, whole seconds."""
    return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(at // SECOND))
