"""How the step tree looks: text from steps, and nothing else.

├── Deploying test nginx pod...                                 0.4 s
├── Polling checkpoint status... [COMPLETED]                    0.6 s
└── Test completed successfully
"""

from __future__ import annotations

from dataclasses import dataclass

RETRIED = "Skipped for Retry"
"""What RetryFailed 0.2 puts at the end of the message of a failed test that it runs again."""


@dataclass(frozen=True)
class Look:
    """How wide the tree may be, and whether the terminal can show line-drawing characters."""

    width: int = 78
    unicode: bool = True

    @property
    def branch(self) -> str:
        """In front of a step."""
        return "  ├── " if self.unicode else "  |-- "

    @property
    def beside(self) -> str:
        """In front of a line that is no step."""
        return "  │   " if self.unicode else "  |   "

    @property
    def last(self) -> str:
        """In front of the last line of a test."""
        return "  └── " if self.unicode else "  `-- "

    @property
    def time_ends(self) -> int:
        """The column at which a step's time ends: two before Robot's own status of a test."""
        return self.width - 10


@dataclass
class Step:
    """A step; `outcome` is what it came to, in words of its own, `status` Robot's PASS, FAIL or SKIP."""

    name: str
    outcome: str = ""
    status: str = "PASS"
    seconds: float = 0.0


def begun(step: Step, look: Look) -> str:
    """The line of a step that has begun, without an end."""
    name = one_line(step.name)
    return f"{look.branch}{name.rstrip('. ')}..."


def shortened(text: str, room: int) -> str:
    """`text` in one line, and in `room` characters."""
    line = one_line(text)
    return line if len(line) <= room else f"{line[: max(0, room - 3)]}..."


def ended(step: Step, look: Look) -> tuple[str, str, str]:
    """What completes the line of `begun`: the outcome, the status where it is to be seen (FAIL, SKIP), the time."""
    outcome = f" {one_line(step.outcome)}" if step.outcome else ""
    status = step.status if step.status in ("FAIL", "SKIP") else ""
    if status:
        outcome += " "
    time = f"{step.seconds:.1f} s"
    used = len(begun(step, look)) + len(outcome) + len(status)
    gap = max(2, look.time_ends - used - len(time))
    return outcome, status, f"{' ' * gap}{time}\n"


def closing(status: str, message: str, look: Look) -> str:
    """The last line of a test, as wide as Robot's own line for a test, so that its status follows in its place."""
    room = look.width - 9
    text = look.last + _ending(status, message)
    if len(text) > room:
        text = text[: room - 3] + "..."
    return f"{text:<{room}} "


def _ending(status: str, message: str) -> str:
    first = one_line(message.strip().partition("\n")[0])
    if status == "SKIP" and message.rstrip().endswith(RETRIED):
        return f"Test failed and is retried: {first}"
    words = {"FAIL": "Test failed", "SKIP": "Test skipped"}.get(status)
    if words is None:
        return "Test completed successfully"
    return f"{words}: {first}" if first else words


def one_line(text: str) -> str:
    """`text` without line breaks and control characters."""
    return "".join(character for character in " ".join(text.split()) if character.isprintable())
