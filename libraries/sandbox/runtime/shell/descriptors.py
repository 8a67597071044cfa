"""Files that a shell keeps open: `exec 3< file 4> log`, `read -r line <&3`, `echo line >&4`.

Where the next byte is read or written is the process's, and comes back with its memory; what the file holds is the file
tree's.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from .commands import reason
from .memory import OpenFile, Thread
from .program import Redirect
from .tokens import Unsupported

if TYPE_CHECKING:
    from .machine import Machine

_FIRST = 3


@dataclass
class Source:
    """What a command reads: the data, and how it says how much of it was taken."""

    data: bytes
    take: Callable[[int], None]

    def rest(self) -> bytes:
        """Everything."""
        self.take(len(self.data))
        return self.data

    def line(self) -> tuple[bytes, bool]:
        """The next line without its end, and whether it had one."""
        line, end, _ = self.data.partition(b"\n")
        self.take(len(line + end))
        return line, bool(end)


def redirect(machine: Machine, thread: Thread, redirects: tuple[Redirect, ...]) -> int:
    """`exec` with redirections only: opens files for good. Raises Unsupported for the three standard streams."""
    for each in redirects:
        if each.fd < _FIRST or each.operator.endswith("&"):
            raise Unsupported(f"exec {each.fd}{each.operator} in a script")
        name = machine.expander_of(thread).text(each.target)
        try:
            thread.descriptors[each.fd] = _opened(machine, machine.place_of(thread).path(name), each.operator)
        except OSError as error:
            machine.write(thread, "stderr", f"sh: can't open {name}: {reason(error)}\n".encode())
            thread.status = 2
            machine.end(thread)
            return 2
    return 0


def _opened(machine: Machine, path: str, operator: str) -> int:
    files = machine.place.files
    if operator != "<":
        files.write(path, b"", append=operator == ">>")
    number = max(machine.memory.opened, default=0) + 1
    machine.memory.opened[number] = OpenFile(files.open(path), appends=operator == ">>")
    return number


def source_of(machine: Machine, thread: Thread, redirects: tuple[Redirect, ...]) -> Source:
    """What a command with these redirections reads. Raises OSError for a file that cannot be read."""
    given = [each for each in redirects if each.fd == 0 and each.operator in ("<", "<&")]
    if not given:
        return Source(machine.stdin, lambda _: None)
    name = machine.expander_of(thread).text(given[-1].target)
    if given[-1].operator == "<":
        data = b"" if name == "/dev/null" else machine.place_of(thread).read(name)
        return Source(data, lambda _: None)
    number = thread.descriptors.get(int(name))
    if number is None:
        raise Unsupported(f"<&{name} in a script")
    held = machine.memory.opened[number]

    def take(size: int) -> None:
        held.offset += size

    return Source(machine.place.files.content(held.handle)[held.offset :], take)


def read(machine: Machine, thread: Thread, argv: list[str]) -> int:
    """`read [-r] name... < file`: the words of a line; the last name gets the rest of it. 1 at the end of the file."""
    names = [each for each in argv[1:] if each != "-r"]
    if not names or not all(name.isidentifier() for name in names) or not machine.redirects:
        raise Unsupported(f"{' '.join(argv)!r} without a file")
    try:
        line, ended = source_of(machine, thread, machine.redirects).line()
    except OSError as error:
        machine.write(thread, "stderr", f"sh: can't open {error}: {reason(error)}\n".encode())
        return 1
    words = line.decode(errors="replace").split(None, len(names) - 1)
    for number, name in enumerate(names):
        thread.variables[name] = words[number].rstrip(" \t") if number < len(words) else ""
    return 0 if ended else 1


def target_of(thread: Thread, name: str) -> str:
    """The target of `>&name` where that is an open file; empty for the standard streams."""
    number = thread.descriptors.get(int(name))
    if number is None and int(name) >= _FIRST:
        raise Unsupported(f">&{name} in a script")
    return "" if number is None else str(number)


def write(machine: Machine, number: int, data: bytes) -> None:
    """Writes to an open file, where it is or (opened with `>>`) at its end."""
    held, files = machine.memory.opened[number], machine.place.files
    before = files.content(held.handle)
    at = len(before) if held.appends else held.offset
    files.put(held.handle, before[:at].ljust(at, b"\0") + data + before[at + len(data) :])
    held.offset = at + len(data)
