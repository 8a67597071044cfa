"""A failure's message read back into its parts, and what to do next by whose fault it is."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from itertools import groupby

from harness.causes import Blame, Cause
from harness.diagnosis import LIKELY, SYMPTOMS, cause_of_message
from harness.remedies import REMEDIES, particular

PARTS = re.compile(rf"^(Expected|Seen|Look next|Cause|Because|{LIKELY}|Known): ", re.MULTILINE)
MOST_FACTS = 3
LONGEST = 300
BEGINNING = 0.6
"""Of what is too long this share is its beginning, the rest its end."""
SAME_SUBJECTS = 2
"""From so many words in common on, two hints are taken to be the same."""
SAME = 60
"""Characters by which two facts are known to be the same."""
OF_ROBOT = re.compile(r"^((Parent s|S)uite (setup|teardown) failed|Setup failed|Teardown failed):\s*", re.IGNORECASE)
DIFFERENCE = re.compile(r"^ {2}(\S.*?) {2,}(\S.*?) {2,}(\S.*)$", re.MULTILINE)
"""A row of the table of what differs, with columns two spaces apart; the first one is its heading."""
THING = re.compile(r"spec\.\w+\[[^\]]*\](\.volumeMounts\[[^\]]*\]|\.env\[[^\]]*\]|\.resources|\.securityContext)?")
ABSENT = "(absent)"

WHOSE = {
    Blame.PRODUCT: "the product under test: what installs, checkpoints or restores did wrong",
    Blame.ENVIRONMENT: "the environment: cluster, node, image, quota or a setting; nothing is proved about the product",
    Blame.SERVICE: "the propagator service: away, refusing, or not what answered; nothing is proved about the product",
    Blame.HARNESS: "this test project itself; nothing is proved about the product",
    Blame.UNKNOWN: "not known",
}
EITHER = {
    "auth": "the token that this run was given, or the service that should know it: which, is not known",
    "propagator-unreachable": "the address that this run was given, the way to it, or the service: which, is not known",
    "propagator-answer": "the address that this run was given, or the service that answers there",
    "rate-limited": "nobody's: the service protects itself",
    "cluster-refused": "the cluster, or the rights of the user whose kubeconfig this run has; nothing is proved about "
    "the product",
    "heartbeat-missing": "the propagator, which is to begin them, or Cedana in the cluster: which, is not known",
    "image-pull": "the image's name, its registry, or the nodes' way to it; nothing is proved about the product",
    "install-timeout": "the product's own pods, or what they need of the environment: which, is not known",
    "helm-failed": "the chart, what Helm was given, or the cluster: which, is not known",
    "leftovers": "what was to remove it, which may be this test project or what it asked: the facts say what refused",
    "robot-timeout": "not known: the time was over before the step could say what it saw",
}
"""Causes of which it is known better whose fault they can be."""
GUESSED = "not known for certain. Probably {}. It was seen that this failed, not why"
LIKELY_ONLY = "probably {}. What points to it was seen beside the failure"
NEXT = {
    Blame.PRODUCT: "Report it to those who make checkpoint and restore, with the archive of this run.",
    Blame.ENVIRONMENT: "Then run again.",
    Blame.SERVICE: "If that is right, ask those who run the propagator.",
    Blame.HARNESS: "Report it to those who look after these tests, with the archive of this run.",
    Blame.UNKNOWN: "Judge by the facts here; the diagnostics have more.",
}
_UID = r"\([0-9a-f]{8}-[0-9a-f-]{27}\)"
CALMER = (
    (
        rf"[Bb]ack-off (\S+) restarting failed container=\S+ pod=\S+?{_UID}",
        r"the kubelet waits \1 before it starts it again",
    ),
    (rf"Back-off restarting failed container (\S+) in pod \S+?{_UID}", r"Back-off restarting failed container \1"),
    (rf"_[a-z0-9-]+{_UID}", ""),
    (r" ?\(so for the last 0(\.0)? s of [\d.]+ s\)", ""),
    (r"\brpc error: code = \w+ desc = ", ""),
    (r" preemption: 0/\d+ nodes are available: [^;]*?\.(?=\s|$)", ""),
)
"""Words of machines that hide what they say from people, and what they become."""
ALIKE = (
    (r"^(pod \S+ is) (pending|running( but not ready)?|failed|succeeded)$", r"\1"),
    (r"^(event of \w+ \S+: |cedana's |expected: |log of \S+ \S+: |\d+ of \d+ failed: )", ""),
    (r" ?\(so for the last [^)]*\)", ""),
    (r".*back-off restarting failed container.*", "crashloopbackoff"),
    (r".*crashloopbackoff.*", "crashloopbackoff"),
    (
        r"^failed: error: \w+$|.*(back-off pulling image|failed to pull image|couldn't parse image name).*",
        "imagepullbackoff",
    ),
    (r".*(imagepullbackoff|invalidimagename).*", "imagepullbackoff"),
    (r"^failedscheduling: ", "not scheduled: "),
    (r".*no space left on device.*", "disk full"),
)
"""By which two clauses are known to tell the same."""


@dataclass(frozen=True)
class Told:
    """What a failure's message says.

    Attributes:
        facts: in plain words, the strongest first.
        expected: what should have been.
        look: what the failure itself says to look at next; may be empty.
        shown: a fact tells the cause, rather than only what was seen.
        likely: that fact was only seen beside the failure.
        differences: rows of what differs: what, what it was, what it is.
        remedy: what to do about just this one; may be empty.
    """

    cause: Cause
    facts: list[str] = field(default_factory=list)
    expected: str = ""
    look: str = ""
    shown: bool = False
    likely: bool = False
    differences: list[tuple[str, str, str]] = field(default_factory=list)
    remedy: str = ""

    @property
    def guessed(self) -> bool:
        """Whether the cause says only what was seen, and not why."""
        return self.cause.name in SYMPTOMS and not self.shown and self.cause.blame is not Blame.UNKNOWN

    @property
    def root(self) -> str:
        """The root cause in one line."""
        if self.cause.name == "unknown":
            return f"The cause is not known for certain ({self.cause.name}). {self.cause.meaning}"
        if self.cause.blame is Blame.UNKNOWN:
            return f"{self.cause.meaning.rstrip('.')} ({self.cause.name}); whose fault that is, is not known."
        if self.guessed:
            return f"{self.cause.meaning.rstrip('.')} ({self.cause.name}); why is not known beyond the facts below."
        likely = "; likely, not certain" if self.likely else ""
        return f"{self.cause.meaning.rstrip('.')} ({self.cause.name}){likely}."

    @property
    def whose(self) -> str:
        """Whose fault it is, as far as that is known."""
        words = EITHER.get(self.cause.name, WHOSE[self.cause.blame])
        if self.guessed and self.cause.name not in EITHER:
            return GUESSED.format(words)
        return LIKELY_ONLY.format(words) if self.likely else words

    @property
    def next(self) -> list[str]:
        """What to do next, the most particular first."""
        end = "" if self.look.endswith(("?", "!")) else "."
        look = f"Look next: {self.look}{end}" if self.look else ""
        known = [self.remedy] if self.remedy else [REMEDIES[self.cause.name], look]
        if len(_subjects(known[0]) & _subjects(look)) >= SAME_SUBJECTS:
            known = known[:1]
        return [part for part in (*known, NEXT[self.cause.blame]) if part]


def _subjects(words: str) -> set[str]:
    """What words are about: the longer of them."""
    return set(re.findall(r"[a-z]{5,}", words.lower()))


def read(message: str, cause: Cause | None = None) -> Told:
    """The parts of a failure's message; of several failures in one, of the first."""
    cause = cause or cause_of_message(message)
    block = _first(message, cause)
    parts = _parts(block)
    because, likely = (parts.get(name, []) for name in ("Because", LIKELY))
    seen = [*parts.get("Seen", ()), *parts.get("", ())]
    differences = gathered(DIFFERENCE.findall(seen[0])[1:]) if seen else []
    if differences:
        seen[0] = f"{seen[0].splitlines()[0]}, see the table"
    return Told(
        cause,
        distinct([*because, *likely, *seen, *parts.get("Known", ())])[:MOST_FACTS],
        expected=shortened(" ".join(parts.get("Expected", ()))),
        look=" ".join(parts.get("Look next", ())).rstrip("."),
        shown=bool(because or likely),
        likely=bool(likely),
        differences=differences,
        remedy=particular(cause.name, block),
    )


def gathered(rows: Iterable[tuple[str, str, str]]) -> list[tuple[str, str, str]]:
    """Rows of what differs, with those of a thing that is wholly lost or new as one."""
    found = []
    for thing, same in groupby(rows, _thing):
        group = list(same)
        for now, kind in ((2, "lost"), (1, "new")):
            if len(group) > 1 and all(row[now] == ABSENT for row in group):
                there = f"there, with {len(group)} fields"
                group = [(thing, there, ABSENT) if kind == "lost" else (thing, ABSENT, there)]
        found += group
    return found


def _thing(row: tuple[str, str, str]) -> str:
    """What a field is of: the innermost named one of volumes, containers, mounts."""
    match = THING.match(row[0])
    return match[0] if match else row[0]


def distinct(facts: Iterable[str]) -> list[str]:
    """Facts as people read them, without the clauses that an earlier one has told already."""
    told: list[str] = []
    kept = []
    for fact in facts:
        new = [clause for clause in _clauses(fact) if not _is_told(_alike(clause), told)]
        told += [_alike(clause) for clause in new]
        if new:
            kept.append(shortened("; ".join(new)))
    return kept


def shortened(words: str) -> str:
    """In one line, without words that are for machines only, and not too long for a summary: of what is, beginning and
    end."""
    line = _calmed(words)
    if len(line) <= LONGEST:
        return line
    head = round(LONGEST * BEGINNING)
    return f"{line[:head].rstrip()} … {line[head - LONGEST :].lstrip()}"


def _calmed(words: str) -> str:
    lines = [" ".join(line.split()) for line in words.splitlines()]
    line = "".join(f"{one}{' ' if one.endswith((':', ',', ';', '.')) else '; '}" for one in lines if one).rstrip("; ")
    for pattern, calm in CALMER:
        line = re.sub(pattern, calm, line)
    return line


def _clauses(fact: str) -> Iterator[str]:
    yield from (clause for clause in re.split(r";\s+", _calmed(fact)) if clause)


def _alike(clause: str) -> str:
    words = clause.lower().strip(" .")
    for pattern, same in ALIKE:
        words = re.sub(pattern, same, words)
    return words


def _is_told(clause: str, told: Iterable[str]) -> bool:
    return any(clause[:SAME] in one for one in told)


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
