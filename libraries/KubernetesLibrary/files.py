"""Files of a container, as a command in it shows them: content, mode, whether they are there, whether they grow."""

from __future__ import annotations

from dataclasses import dataclass

from harness.failures import NotAsExpected
from harness.kube import Cluster
from harness.waiting import Done, Look, Pending, wait_until

from .execution import Execution, Place, execute

NO_FILE = "there is no such file"
LONGEST = 60
"""Characters of a content in a failure's message."""
LOOK = "what the runtime saved of the container's writable layer, and which of its files are volumes"


@dataclass(frozen=True)
class File:
    """A file of a container.

    Attributes:
        timeout: seconds for a command that looks at it, or for what is waited for.
        cause: of the failures that say that it is not as it should be.
    """

    cluster: Cluster
    place: Place
    path: str
    timeout: float = 30.0
    cause: str = "unknown"

    def __str__(self) -> str:
        return f"{self.path} in {self.place}"

    def run(self, *command: str, exit_code: int | None = None) -> Execution:
        """Runs a command on it."""
        return execute(self.cluster, self.place, (*command, self.path), self.timeout, exit_code=exit_code)

    @property
    def exists(self) -> bool:
        """Whether it is there."""
        return self.run("test", "-e").exit_code == 0


def read(file: File) -> str | None:
    """The content of a file; None where there is none.

    Raises:
        NotAsExpected: it is there and cannot be read.
        OperationFailed: no command can be run there.
    """
    for _ in range(2):  # it may come between the two commands
        result = file.run("cat")
        if result.exit_code == 0:
            return result.stdout
        if not file.exists:
            return None
    raise NotAsExpected(f"{file} to be a readable file", str(result))


def should_hold(file: File, content: str, mode: int | None) -> None:
    """Fails unless the file has this content and (where one is given) these permission bits.

    Raises:
        NotAsExpected: says what it holds.
    """
    expected = f"{file} to hold {_shown(content)}"
    held = read(file)
    if held is None:
        raise NotAsExpected(expected, NO_FILE, LOOK, cause=file.cause)
    if held.rstrip("\n") != content.rstrip("\n"):
        raise NotAsExpected(expected, f"it holds {_shown(held)}", LOOK, cause=file.cause)
    if mode is None:
        return
    bits = file.run("stat", "-c", "%a", exit_code=0).stdout.strip()
    if int(bits, 8) != mode:
        raise NotAsExpected(f"{file} to have the mode {mode:o}", f"it has {bits}", LOOK, cause=file.cause)


def should_not_exist(file: File) -> None:
    """Fails when there is such a file.

    Raises:
        NotAsExpected: there is.
    """
    if file.exists:
        raise NotAsExpected(f"no {file}", "it is there", LOOK, cause=file.cause)


def wait_until_it_holds(file: File, content: str) -> None:
    """Waits until the file has this content.

    Raises:
        WaitTimedOut: says what it held last.
    """

    def look() -> Look[None]:
        held = read(file)
        if held is not None and held.rstrip("\n") == content.rstrip("\n"):
            return Done(None)
        return Pending(NO_FILE if held is None else f"it holds {_shown(held)}")

    expected = f"{file} to hold {_shown(content)}"
    wait_until(look, timeout=file.timeout, expected=expected, look_next="the log of the container", cause=file.cause)


def should_count_up(file: File, beyond: int) -> int:
    """Waits until the file has more than `beyond` lines, of which each must be its own number, as often as it likes.

    Returns:
        How many lines it has.

    Raises:
        NotAsExpected: a line is not.
        WaitTimedOut: it is not there, or does not grow so far.
    """
    expected = f"line n of {file} to be the number n"

    def look() -> Look[int]:
        held = read(file)
        if held is None:
            return Pending(NO_FILE)
        lines = held.split("\n")[:-1]  # what has no line end yet is still being written
        for number, line in enumerate(lines, 1):
            if set(line.split()) != {str(number)}:
                raise NotAsExpected(expected, f"line {number} is {_shown(line)}", LOOK, cause=file.cause)
        if len(lines) > beyond:
            return Done(len(lines))
        return Pending(f"it has {len(lines)} lines, all of them right")

    return wait_until(
        look,
        timeout=file.timeout,
        expected=f"{file} to have more than {beyond} lines",
        look_next="the log of the container, and whether its process still has the file open",
        cause=file.cause,
    )


def _shown(text: str) -> str:
    line = text.rstrip("\n")
    return repr(line if len(line) <= LONGEST else f"{line[: LONGEST - 4]} ...")
