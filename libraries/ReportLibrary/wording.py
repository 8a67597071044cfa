"""A failure's message read back into its parts, and what to do next by whose fault it is."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, field

from harness.causes import Blame, Cause
from harness.diagnosis import cause_of_message
from harness.remedies import REMEDIES

PARTS = re.compile(r"^(Expected|Seen|Look next|Cause|Because|Known): ", re.MULTILINE)
MOST_FACTS = 3
LONGEST = 300
SAME = 60
"""Characters by which two facts are known to be the same."""
OF_ROBOT = re.compile(r"^((Parent s|S)uite (setup|teardown) failed|Setup failed|Teardown failed):\s*", re.IGNORECASE)

WHOSE = {
    Blame.PRODUCT: "the product under test: what installs, checkpoints or restores did wrong",
    Blame.ENVIRONMENT: "the environment: cluster, node, image, quota or a setting, not checkpoint or restore",
    Blame.SERVICE: "the propagator service: away, refusing, or not what answered; no verdict on checkpoint and restore",
    Blame.HARNESS: "this test project itself",
    Blame.UNKNOWN: "not known",
}
NEXT = {
    Blame.PRODUCT: "Report it to those who make checkpoint and restore, with the archive of this run.",
    Blame.ENVIRONMENT: "Put the cluster or the setting right, and run again; nothing is proved about the product.",
    Blame.SERVICE: "Ask those who run the propagator, or try again later; nothing is proved about the product.",
    Blame.HARNESS: "Report it to those who look after these tests, with the archive of this run.",
    Blame.UNKNOWN: "No known cause fits. Judge by the facts here, and look into the diagnostics for more.",
}


@dataclass(frozen=True)
class Told:
    """What a failure's message says.

    Attributes:
        facts: in plain words, the strongest first.
        look: what the failure itself says to look at next; may be empty.
    """

    cause: Cause
    facts: list[str] = field(default_factory=list)
    look: str = ""

    @property
    def root(self) -> str:
        """The root cause in one line."""
        if self.cause.blame is Blame.UNKNOWN:
            return f"The cause is not known for certain ({self.cause.name}). {self.cause.meaning}"
        return f"{self.cause.meaning.rstrip('.')} ({self.cause.name})."

    @property
    def next(self) -> list[str]:
        """What to do next, the most particular first."""
        end = "" if self.look.endswith(("?", "!")) else "."
        look = f"Look next: {self.look}{end}" if self.look else ""
        known = REMEDIES[self.cause.name]
        return [part for part in (known, look, NEXT[self.cause.blame]) if part]


def read(message: str, cause: Cause | None = None) -> Told:
    """The parts of a failure's message; of several failures in one, of the first."""
    cause = cause or cause_of_message(message)
    parts = _parts(_first(message, cause))
    seen = [*parts.get("Seen", ()), *parts.get("", ())]
    expected = [f"expected: {one}" for one in parts.get("Expected", ())]
    because = [*parts.get("Because", ()), *parts.get("Known", ())]
    facts = distinct([shortened(one) for one in [*seen, *because, *expected]])
    return Told(cause, facts[:MOST_FACTS], " ".join(parts.get("Look next", ())).rstrip("."))


def distinct(facts: Iterable[str]) -> list[str]:
    """Facts without those that another one has told already, by their beginnings."""
    told: list[str] = []
    for fact in facts:
        if not any(fact[:SAME] in one for one in told):
            told.append(fact)
    return told


def shortened(words: str) -> str:
    """In one line, and not too long for a summary."""
    line = " ".join(words.split())
    return line if len(line) <= LONGEST else f"{line[:LONGEST]}…"


def _first(message: str, cause: Cause) -> str:
    blocks = [block for block in message.split("\n\n") if block.strip()]
    return next((block for block in blocks if f"Cause: {cause.name} (" in block), blocks[0] if blocks else "")


def _parts(block: str) -> dict[str, list[str]]:
    """The parts by their names; what stands in front of the first one has none."""
    pieces = PARTS.split(OF_ROBOT.sub("", block))
    found: dict[str, list[str]] = {}
    for name, words in zip(["", *pieces[1::2]], pieces[::2], strict=True):
        if words.strip():
            found.setdefault(name, []).append(words.strip())
    return found
