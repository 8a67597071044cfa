"""Why something failed: small rules over facts that were collected about it.

A failure names a cause when it is raised, out of what was known at that place. Some of these causes are general ("not
Ready", "the checkpoint failed"), and facts from elsewhere (events, states, logs, the server's words) may tell a better
one. Each rule says which words in which facts mean what, and which general causes it may take the place of. Where no
rule fits, the cause stays as it was and the strongest facts are told.
"""

from __future__ import annotations

import builtins
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum

from .causes import CAUSES, Cause
from .failures import cause_of_text
from .secrets import SECRETS

MOST_FACTS = 5
LONGEST_FACT = 400
RESTORED = "-restored"
LOOK_LINE = re.compile(r"^Look next: .*\n(?=\Z)", re.MULTILINE)
POD_NAMED = re.compile(r"\b[Pp]ods? \"?([a-z0-9][a-z0-9.-]*[a-z0-9])")


class Source(StrEnum):
    """Where a fact comes from."""

    FAILURE = "failure"
    """The failure's own text, which holds the server's words."""
    POD = "pod"
    EVENT = "event"
    NODE = "node"
    CEDANA = "cedana"
    """Which of Cedana's own pods were at work."""
    LOG = "log"
    QUOTA = "quota"
    """A quota of a namespace."""
    NAMESPACE = "namespace"


@dataclass(frozen=True)
class Fact:
    """Something that was seen.

    Attributes:
        text: in words, as it is shown.
        name, namespace: of the object that it is about; both empty where it is about the whole cluster.
        strength: the greater, the more it tells of what is wrong.
        tells: the cause that it shows outright, where it was collected for that; may be empty.
    """

    source: Source
    text: str
    name: str = ""
    namespace: str = ""
    strength: int = 1
    tells: str = ""

    def __str__(self) -> str:
        line = SECRETS.redact(" ".join(self.text.split()))
        return line if len(line) <= LONGEST_FACT else f"{line[:LONGEST_FACT]}..."


@dataclass(frozen=True)
class Rule:
    """Facts from `sources` with words that match `pattern` mean `cause`, where the cause was one of `instead_of`."""

    cause: str
    pattern: str
    sources: frozenset[Source]
    instead_of: frozenset[str]

    def fits(self, raised: str, fact: Fact) -> bool:
        """Whether the fact tells this rule's cause."""
        return raised in self.instead_of and fact.source in self.sources and bool(re.search(self.pattern, fact.text))


STATES = frozenset({Source.POD, Source.EVENT})
ANYWHERE = frozenset({Source.FAILURE, Source.POD, Source.EVENT, Source.LOG})
WORDS = frozenset({Source.FAILURE, Source.EVENT, Source.LOG})

QUOTA_WORDS = (
    r"exceeded quota|failed quota: |(minimum|maximum) \S+ usage per (Container|Pod|PersistentVolumeClaim) is"
    r"|\S+ max limit to request ratio per (Container|Pod) is"
)
"""What the admission of ResourceQuotas and LimitRanges says (plugin/pkg/admission/limitranger, 1.33)."""

NOT_READY = frozenset(
    {"unknown", "not-ready", "install-timeout", "helm-failed", "restored-pod-not-ready", "restored-pod-unstable"}
)
CRASHED = NOT_READY | {"crash-loop", "witness-missing", "evidence-missing"}
CHECKPOINT = frozenset({"unknown", "checkpoint-failed", "checkpoint-timeout"})
RESTORE = frozenset({"unknown", "restore-failed", "restore-timeout", "restored-pod-missing", "restored-pod-not-ready"})

SYMPTOMS = NOT_READY | CHECKPOINT | RESTORE | {"crash-loop", "witness-missing", "evidence-missing"}
"""Causes that say what was seen rather than why: whose fault it is can only be guessed from them."""
CIRCUMSTANCES = frozenset({Source.NODE, Source.CEDANA, Source.LOG})
"""Facts from there were seen beside the failure; that they are why it failed is likely, not certain."""
SO_FAR = ", as far as was known at this moment; the test's own message has what was found out after it"
PLACES = frozenset({Source.QUOTA, Source.NAMESPACE})
"""Facts from there are about everything in a place."""
BECAUSE, LIKELY = "Because", "Likely because"

RULES = (
    # The most telling ones first: the first rule that fits wins.
    Rule("disk-full", r"(?i)no space left on device|disk quota exceeded", ANYWHERE, CRASHED | CHECKPOINT | RESTORE),
    Rule(
        "criu-missing",
        r'CRIU binary not found or too old|exec: "criu": executable file not found',
        ANYWHERE,
        CHECKPOINT | RESTORE,
    ),
    # The first request of all, and nobody who knows the API would answer it so.
    Rule(
        "propagator-answer",
        r"GET /v2/user to succeed\nSeen: 404: (an empty body|<)",
        frozenset({Source.FAILURE}),
        frozenset({"propagator-refused"}),
    ),
    Rule("open-connection", r"Connected TCP socket, consider using", WORDS, CHECKPOINT),
    Rule("external-socket", r"External socket is used", WORDS, CHECKPOINT),
    Rule("pid-taken", r"Can't fork for \d+: File exists", ANYWHERE, RESTORE),
    Rule("restore-disabled", r"restore via CreateContainer is disabled by configuration", ANYWHERE, RESTORE),
    # The words of the stock propagator, which says what it knows of a failure.
    Rule("checkpoint-disabled", r"feature gate ContainerCheckpoint is off", WORDS, CHECKPOINT),
    Rule("checkpoint-forbidden", r"subresource\(s\)=\[checkpoint\]", WORDS, CHECKPOINT),
    Rule("agent-not-ready", r"no node agent is Ready|whose agent does not answer", WORDS, CHECKPOINT | RESTORE),
    Rule("archive-broken", r"the kubelet's archive of container \S+ is broken", WORDS, CHECKPOINT),
    Rule("cannot-come-back", r"refused: (this cannot be restored|no node .*can restore it)", WORDS, RESTORE),
    Rule("criu-dump", r"criu failed: type DUMP|Dumping FAILED", WORDS, CHECKPOINT),
    Rule("criu-restore", r"criu failed: type RESTORE|Restoring FAILED", ANYWHERE, RESTORE),
    Rule("quota", QUOTA_WORDS, ANYWHERE, NOT_READY | RESTORE),
    Rule("webhook-refused", r"admission webhook .* denied|failed calling webhook", ANYWHERE, NOT_READY | RESTORE),
    Rule("out-of-memory", r"OOMKilled|OOMKilling", STATES, CRASHED),
    Rule("evicted", r"\bEvicted\b|\bPreempted\b|The node was low on resource", STATES, CRASHED | RESTORE),
    Rule(
        "image-pull",
        r"ErrImagePull|ImagePullBackOff|ErrImageNeverPull|InvalidImageName|Failed to pull image",
        STATES,
        NOT_READY | RESTORE,
    ),
    # The manager's taint of nodes whose helper is not Ready (chart of Cedana, since 0.7.0).
    Rule(
        "helper-not-ready",
        r"untolerated taint.? \{?cedana\.ai/not-ready",
        STATES | {Source.FAILURE},
        NOT_READY | RESTORE | {"unschedulable"},
    ),
    Rule("unschedulable", r"FailedScheduling|not scheduled: |nodes? (are|is) available", STATES, NOT_READY | RESTORE),
    Rule("volume-mount", r"FailedMount|FailedAttachVolume|FailedMapVolume", STATES, NOT_READY | RESTORE),
    Rule("container-config", r"CreateContainerConfigError", STATES, NOT_READY | RESTORE),
    Rule("pod-network", r"FailedCreatePodSandBox|NetworkNotReady", STATES, NOT_READY | RESTORE),
    Rule("node-not-ready", r"is not Ready", frozenset({Source.NODE}), CRASHED | CHECKPOINT | RESTORE),
    Rule(
        "cedana-crash",
        r"^Cedana's (pod .* CrashLoopBackOff|manager keeps ending|helper .* keeps ending)",
        frozenset({Source.CEDANA}),
        CRASHED | {"checkpoint-timeout", "restore-timeout"},
    ),
    Rule(
        "crash-loop",
        r"CrashLoopBackOff|Back-off restarting failed container",
        STATES,
        frozenset({"unknown", "not-ready", "witness-missing"}),
    ),
    Rule(
        "helper-not-ready",
        r"^no Ready helper|^Cedana's helper .* ended once",
        frozenset({Source.CEDANA}),
        frozenset({"checkpoint-timeout", "restored-pod-not-ready"}),
    ),
    Rule(
        "manager-not-ready",
        r"^no Ready manager|^Cedana's manager ended once",
        frozenset({Source.CEDANA}),
        frozenset({"checkpoint-timeout", "restore-timeout"}),
    ),
    Rule(
        "probe-failed", r"Unhealthy", frozenset({Source.EVENT}), frozenset({"unknown", "not-ready", "install-timeout"})
    ),
)

_PYTHON = "|".join(
    name for name, kind in vars(builtins).items() if isinstance(kind, type) and issubclass(kind, Exception)
)
ROBOTS_WORDS = (
    (r"Execution terminated by signal", "interrupted"),
    (r"^\s*(\d+\) )?(Test|Task|Keyword) timeout .* exceeded\.", "robot-timeout"),
    (
        r"No keyword with name '|Variable '[^']*' not found|Keyword '[^']*' (expected|got|missing)|Argument '[^']*' got"
        r"|Multiple keywords (with name|matching)|is a reserved keyword|Evaluating expression '",
        "suite-error",
    ),
    # What is raised on purpose has no class name in front: E2EFailure suppresses it, and Robot drops the generic ones.
    (rf"^\s*(\d+\) )?({_PYTHON}|ApiException|JSONDecodeError|MaxRetryError): ", "harness-error"),
)
"""What texts mean that name no cause: Robot Framework's own (robot/running, 7.5) and Python's exceptions."""


def cause_of_message(message: str) -> Cause:
    """The cause that a failure's text names or, where it names none, that its words tell; else `unknown`.

    Of several failures in one text, which Robot Framework parts by empty lines, the first one with a cause counts: the
    later ones are those of teardowns.
    """
    told = (cause_of_text(part) or _cause_of_words(part) for part in message.split("\n\n"))
    return next((cause for cause in told if cause), CAUSES["unknown"])


def _cause_of_words(text: str) -> Cause | None:
    fits = (cause for pattern, cause in ROBOTS_WORDS if re.search(pattern, text, re.MULTILINE))
    return next((CAUSES[cause] for cause in fits), None)


def so_far(message: str) -> str:
    """The text of a failure that has just been raised, with a cause that is only what was seen marked as such."""
    return re.sub(
        r"^(Cause: ([a-z-]+) \(\w+\))$",
        lambda line: f"{line[1]}{SO_FAR}" if line[2] in SYMPTOMS else line[1],
        message,
        flags=re.MULTILINE,
    )


@dataclass(frozen=True)
class Diagnosis:
    """What the facts say of a failure.

    Attributes:
        message: the failure's text that this is about.
        raised: the cause that the failure had.
        cause: the cause that it has in the light of the facts; may be the same.
        because: the fact that tells it, or shows it where it is as it was; None where there is none.
        facts: the strongest ones, strongest first.
    """

    message: str
    raised: Cause
    cause: Cause
    because: Fact | None
    facts: tuple[Fact, ...] = ()

    @property
    def certain(self) -> bool:
        """Whether what tells the cause is about the failure itself, and not only about what was around it."""
        because = self.because
        if because is None or because.source not in CIRCUMSTANCES:
            return because is not None
        return because.tells == self.cause.name and because.name in self.message

    def is_about(self, message: str) -> bool:
        """Whether that text tells the failure that this explains, perhaps among others."""
        told = re.split(r"\n(?:Look next|Cause): ", self.message, maxsplit=1)[0].strip()
        return bool(told) and told in message

    def told(self, message: str) -> str:
        """A failure's text with the cause as it is now, and the facts that tell it, or those that may; told once."""
        if self.because:
            seen = f"Seen: {self.because}" in message
            words = [f"Cause: {self.cause}"]
            words += [] if seen else [f"{BECAUSE if self.certain else LIKELY}: {self.because}"]
        elif self.cause.name == "unknown" and self.facts:
            words = [f"Cause: {self.cause}", *(f"Known: {fact}" for fact in self.facts)]
        else:
            return message
        if "\n".join(words) in message:
            return message
        named = re.search(r"^Cause: .*$", message, re.MULTILINE)
        if named is None:
            return "\n".join([message, *words])
        before = message[: named.start()]
        if self.cause is not self.raised:  # what the failure said to look at was said of another cause
            before = LOOK_LINE.sub("", before)
        return before + "\n".join(words) + message[named.end() :]

    def to_dict(self) -> dict[str, object]:
        """As in the evidence file."""
        return {"raised": self.raised.name, "facts": [str(fact) for fact in self.facts]}


def diagnose(message: str, facts: Iterable[Fact], *, about: Sequence[str] = ()) -> Diagnosis:
    """What `facts` say of the failure with this text.

    Args:
        message: the failure's text.
        facts: whatever was collected; those about other things are passed over.
        about: names of objects that the failure is about, beside those that its text names.
    """
    raised = cause_of_message(message)
    told = [Fact(Source.FAILURE, message), *_about(message, list(facts), about)]
    found = ((rule, fact) for rule in RULES for fact in told if rule.fits(raised.name, fact))
    rule, because = next(found, (None, None))
    cause = CAUSES[rule.cause] if rule else raised
    shown = [fact for fact in told if fact.tells == cause.name]
    because = next(iter(shown), because)
    rest = sorted(told[1:], key=lambda fact: -fact.strength)
    if because and because.source is Source.FAILURE:
        because = Fact(Source.FAILURE, _line_of(rule.pattern if rule else "", message))
    strongest = ([because] if because else []) + [fact for fact in rest if fact != because]
    return Diagnosis(message, raised, cause, because, tuple(strongest[:MOST_FACTS]))


def _about(message: str, facts: list[Fact], names: Sequence[str]) -> list[Fact]:
    """The facts about what the failure is about: the pods that are meant, else what is named, else all of a namespace
    that is named; and those about everything."""
    words = {word.strip(".:;,'\"()") for word in message.split()}
    words |= {word.rpartition("/")[2] for word in words}
    pods = {*names, *POD_NAMED.findall(message)}
    everywhere = [fact for fact in facts if not fact.name or (fact.source in PLACES and fact.name in words)]
    for meant in (pods, words):  # a container has often the name of a pod
        if named := [fact for fact in facts if fact.name and {fact.name, _original(fact.name)} & meant]:
            return everywhere + named
    return everywhere + [fact for fact in facts if fact.name and fact.namespace in words]


def _original(name: str) -> str:
    return name.split(RESTORED, maxsplit=1)[0]


def _line_of(pattern: str, message: str) -> str:
    """The line of a failure's text in which the words end that match."""
    match = re.search(pattern, message)
    end = match.end() if match else len(message)
    begin = message.rfind("\n", 0, end - 1) + 1
    return message[begin:].splitlines()[0].removeprefix("Seen: ")
