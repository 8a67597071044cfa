"""One tree of failures. Each says what was expected, what was seen, what to look at next, and its cause.

E2EFailure
├── NotAsExpected    a check came out otherwise (an AssertionError)
├── WaitTimedOut     the time ran out; says what was last seen and for how long
├── BadInput         a value that cannot be used; nothing was created
└── OperationFailed  a cluster, Helm or the propagator refused or broke
"""

from __future__ import annotations

import re

from .causes import CAUSES, Cause, cause
from .secrets import SECRETS

_CAUSE_LINE = re.compile(r"^Cause: ([a-z-]+) \(", re.MULTILINE)


class E2EFailure(Exception):
    """Base of all failures that this project raises on purpose.

    Args:
        expected: what should have been, as a sentence without a full stop.
        seen: what was, with how long it was waited for where that applies.
        look: what to look at next; may be empty.
        cause: a name from `harness.causes.CAUSES`.
    """

    ROBOT_SUPPRESS_NAME = True

    def __init__(self, expected: str, seen: str, look: str = "", *, cause: str = "unknown") -> None:
        self.cause: Cause = _known(cause)
        self.expected, self.seen, self.look = (SECRETS.redact(part) for part in (expected, seen, look))
        super().__init__(self.text())

    def text(self) -> str:
        """The message: cause first in reading order is the expectation, last the cause's name."""
        lines = [f"Expected: {self.expected}", f"Seen: {self.seen}"]
        if self.look:
            lines.append(f"Look next: {self.look}")
        lines.append(f"Cause: {self.cause}")
        return "\n".join(lines)


class NotAsExpected(E2EFailure, AssertionError):
    """A check came out otherwise than expected."""


class WaitTimedOut(E2EFailure, AssertionError):
    """The time for a wait ran out."""


class BadInput(E2EFailure, ValueError):
    """A value that cannot be used: name and value as given, what is allowed in words; before anything is created."""

    def __init__(self, name: str, value: object, allowed: str, *, look: str = "", cause: str = "bad-settings") -> None:
        self.name, self.value, self.allowed = name, value, allowed
        shown = "empty" if value in ("", None) else f"{str(value)!r}"
        super().__init__(f"{name} to be {allowed}", f"{name} is {shown}", look, cause=cause)

    def text(self) -> str:
        """One sentence: the name, the value and what is allowed."""
        end = f" {self.look}" if self.look else ""
        return f"{self.seen}; it must be {SECRETS.redact(self.allowed)}.{end}\nCause: {self.cause}"


class OperationFailed(E2EFailure):
    """Somebody else's component refused or broke: the cluster, Helm, the propagator."""


class WrongPlace(OperationFailed):
    """Something else answers where a component was: asking again brings no other answer."""


def cause_of_text(message: str) -> Cause | None:
    """The cause that a failure message names, as reports only have the text of a failure."""
    names = _CAUSE_LINE.findall(message)
    return CAUSES.get(names[0]) if names else None


def _known(name: str) -> Cause:
    try:
        return cause(name)
    except KeyError:
        raise LookupError(f"no cause is named {name!r}; harness/causes.py lists them") from None
