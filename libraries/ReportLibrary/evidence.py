"""The evidence of a run, for machines: a plain model, and its JSON file.

The fields are described, and promised, in evidence.schema.json beside this module. A field is never renamed or given
another meaning within a major version; new ones may be added.
"""

from __future__ import annotations

import json
import platform
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, is_dataclass, replace
from datetime import date, datetime, timedelta
from enum import Enum
from math import isfinite
from pathlib import Path
from typing import Any

from harness.causes import Blame, Cause
from harness.diagnosis import Diagnosis, cause_of_message
from harness.secrets import SECRETS
from harness.trails import Trail

from . import summary

SCHEMA = Path(__file__).with_name("evidence.schema.json")
SCHEMA_VERSION = "1.2"
FILE_NAME = "evidence.json"

PASS, FAIL, SKIP, RUNNING = "PASS", "FAIL", "SKIP", "RUNNING"
STOPPED = "Test execution stopped due to a fatal error."
"""What it says of a test that it never began, because of an earlier failure."""
WORST_FIRST = (Blame.PRODUCT, Blame.HARNESS, Blame.UNKNOWN, Blame.SERVICE, Blame.ENVIRONMENT)
"""What a run is remembered for when its failures have several causes: what is ours to fix, or the product's, first."""
ENVIRONMENT = ("provider", "emulated", "kubernetes", "nodes", "chart")
"""Facts with a field of their own; `propagator_era` and `propagator_url` go to `propagator`, the rest to `other`."""


@dataclass
class Notes:
    """What keywords handed in while a test or suite was running."""

    verdicts: list[dict[str, Any]] = field(default_factory=list)
    measurements: list[dict[str, Any]] = field(default_factory=list)
    phases: list[dict[str, Any]] = field(default_factory=list)
    leftovers: list[str] = field(default_factory=list)
    written: tuple[Any, dict[str, Any]] | None = field(default=None, repr=False, compare=False)
    """What was last written of the test or suite, and of which state of it."""

    @property
    def count(self) -> int:
        """How many there are; they only ever become more."""
        return len(self.verdicts) + len(self.measurements) + len(self.phases) + len(self.leftovers)


@dataclass(frozen=True)
class Failure:
    """A failure and its cause; without a known one the cause is `unknown`.

    Attributes:
        stopped_by: of a test that never began: why the run was stopped.
    """

    message: str
    stopped_by: Cause | None = None

    @property
    def cause(self) -> Cause:
        """The cause that the message names, or that Robot Framework's own words tell."""
        if self.stopped_by:
            return self.stopped_by
        return cause_of_message(self.message)

    @property
    def is_of_teardown(self) -> bool:
        """Whether it was the clean-up that failed, and nothing before it."""
        return self.message.lower().startswith(
            ("suite teardown failed", "parent suite teardown failed", "teardown failed")
        )

    def to_dict(self) -> dict[str, Any]:
        """As in the file."""
        return {"message": self.message, "cause": cause_dict(self.cause)}


@dataclass(frozen=True)
class Outcome:
    """How a test or suite went.

    Attributes:
        suite: the full name of the suite, of a suite itself its parent's; empty where there is none.
        duration: seconds.
        retried: earlier attempts that failed, first one first.
        stopped_by: of a test that never began: why the run was stopped.
        diagnosis: what was found out about its failure.
        source: the file of the suite, or its directory.
        line: where a test begins in it.
    """

    suite: str
    name: str
    status: str
    message: str
    start: datetime
    duration: float
    notes: Notes
    retried: tuple[Failure, ...] = ()
    stopped_by: Cause | None = None
    diagnosis: Diagnosis | None = None
    source: Path | None = None
    line: int | None = None

    @property
    def full_name(self) -> str:
        """As Robot Framework has it."""
        return f"{self.suite}.{self.name}" if self.suite else self.name

    @property
    def failure(self) -> Failure | None:
        """The failure, where it failed."""
        return Failure(self.message, self.stopped_by) if self.status == FAIL else None

    def to_dict(self) -> dict[str, Any]:
        """As in the file, without a secret.

        It is made anew only when something has changed: a run writes its file after each test, with all before it.
        """
        own = [getattr(self, name) for name in self.__dataclass_fields__ if name != "notes"]
        state = SECRETS.count, self.notes.count, own
        if self.notes.written is None or self.notes.written[0] != state:
            self.notes.written = state, redacted(self._told())
        return self.notes.written[1]

    def _told(self) -> dict[str, Any]:
        return {
            "suite": self.suite,
            "name": self.name,
            "status": self.status,
            "message": self.message,
            "cause": cause_dict(self.failure.cause) if self.failure else None,
            "diagnosis": self.diagnosis.to_dict() if self.diagnosis else None,
            "start": timestamp(self.start),
            "duration": round(self.duration, 3),
            "retries": {"count": len(self.retried), "first_failure": self.retried[0].to_dict()}
            if self.retried
            else None,
            "verdicts": self.notes.verdicts,
            "measurements": self.notes.measurements,
            "phases": self.notes.phases,
            "leftovers": self.notes.leftovers,
        }


class SuiteOutcome(Outcome):
    """How a suite went: it fails by itself only when its own set-up or teardown does, which its message then tells."""

    @property
    def failure(self) -> Failure | None:
        """The failure of its set-up or teardown."""
        return super().failure if self.message else None


@dataclass(frozen=True)
class Evidence:
    """All of a run, up to now or complete."""

    run_id: str
    start: datetime
    end: datetime
    complete: bool
    robot: str
    environment: dict[str, Any]
    tests: list[Outcome]
    suites: list[Outcome]
    storage: Mapping[str, Any] | None = None

    def to_dict(self) -> dict[str, Any]:
        """As in the file, without a secret."""
        whole: dict[str, Any] = redacted(
            {
                "schema": SCHEMA_VERSION,
                "complete": self.complete,
                "run": {
                    "id": self.run_id,
                    "start": timestamp(self.start),
                    "end": timestamp(self.end),
                    "duration": round((self.end - self.start).total_seconds(), 3),
                    "robot": self.robot,
                    "python": platform.python_version(),
                },
                "environment": environment_dict(self.environment),
                "summary": self.summary(),
            }
        )
        return whole | {
            "tests": [test.to_dict() for test in self.tests],
            "suites": [suite.to_dict() for suite in self.suites],
        }

    @property
    def worst_blame(self) -> Blame | None:
        """Whose fault the run is remembered for; None when nothing failed. A clean-up that fails after something else
        has failed follows from it more often than not, and does not count."""
        failures = [one.failure for one in [*self.tests, *self.suites] if one.failure]
        blames = {one.cause.blame for one in failures if not one.is_of_teardown}
        blames = blames or {one.cause.blame for one in failures}
        return next((blame for blame in WORST_FIRST if blame in blames), None)

    def summary(self) -> dict[str, Any]:
        """The run in a few figures, as in the file."""
        counts = {status: sum(test.status == status for test in self.tests) for status in (PASS, FAIL, SKIP)}
        everybody = [*self.tests, *self.suites]
        leftovers = sorted({name for one in everybody for name in one.notes.leftovers})
        return {
            "passed": counts[PASS],
            "failed": counts[FAIL],
            "skipped": counts[SKIP],
            "skips": summary.skips(self.tests),
            "worst_blame": self.worst_blame.value if self.worst_blame else None,
            "leftovers": leftovers,
            "measurements": summary.measurements(everybody),
            "resource_use": summary.resource_use(everybody),
            "checkpoints": summary.checkpoints(self.storage, leftovers),
        }


def explained(tests: list[Outcome], suites: list[Outcome]) -> list[Outcome]:
    """The tests, those that never began with the cause of the failure that stopped the run."""
    failures = [one.failure for one in [*tests, *suites] if one.failure and one.message != STOPPED]
    if not failures:
        return tests
    return [replace(test, stopped_by=failures[0].cause) if test.message == STOPPED else test for test in tests]


def write(evidence: Evidence, directory: Path) -> Path:
    """Writes evidence.json into `directory`, whole or not at all; indented when the run is complete."""
    directory.mkdir(parents=True, exist_ok=True)
    file = directory / FILE_NAME
    draft = file.with_suffix(".json.part")
    known = evidence.to_dict()
    with draft.open("w", encoding="utf-8") as out:
        # Indented it takes many times as long; written piece by piece, for as a whole it would take too much memory.
        out.writelines(_indented(known) if evidence.complete else [_json(known)])
        out.write("\n")
    return draft.replace(file)


def _indented(value: Any, indent: str = "\n") -> Iterator[str]:
    """JSON; a list or object that holds no other is in one line, as a witness's trail has hundreds of them."""
    holder = isinstance(value, dict | list | Trail)
    items = value.values() if isinstance(value, dict) else value
    if not holder or not any(isinstance(item, dict | list | tuple | Trail) for item in items):
        yield _json(value)
        return
    inner = f"{indent} "
    begin, end = "{}" if isinstance(value, dict) else "[]"
    separator = begin
    for key, item in value.items() if isinstance(value, dict) else enumerate(value):
        yield f"{separator}{inner}"
        if isinstance(value, dict):
            yield f"{_json(key)}: "
        yield from _indented(item, inner)
        separator = ","
    yield f"{indent}{end}"


def _json(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, allow_nan=False, default=list)


def environment_dict(facts: Mapping[str, Any]) -> dict[str, Any]:
    """The recorded facts in their places; a fact that nobody recorded is null."""
    known: dict[str, Any] = {name: facts.get(name) for name in ENVIRONMENT}
    known["propagator"] = {"era": facts.get("propagator_era"), "url": facts.get("propagator_url")}
    placed = (*ENVIRONMENT, "propagator_era", "propagator_url")
    known["other"] = {name: value for name, value in facts.items() if name not in placed}
    return known


def cause_dict(cause: Cause) -> dict[str, str]:
    """A cause as in the file."""
    return {"name": cause.name, "blame": cause.blame.value, "meaning": cause.meaning}


def without_credentials(url: str) -> str:
    """A URL without user, password, query and fragment, even where the password is not encoded as it should be."""
    return re.sub(r"^(\w+://).*@", r"\1", url.split("?", maxsplit=1)[0].split("#", maxsplit=1)[0])


def timestamp(moment: datetime) -> str:
    """ISO 8601 with the offset from UTC; a naive time is local, as Robot Framework's are."""
    return moment.astimezone().isoformat(timespec="milliseconds")


def plain(value: Any) -> Any:
    """`value` made of what JSON has, mappings, lists, texts, numbers, truth values and null, and of trails."""
    if isinstance(value, Trail):
        return value
    for kind, convert in _CONVERSIONS:
        if isinstance(value, kind):
            return plain(convert(value))
    if hasattr(value, "to_dict"):
        value = value.to_dict()
    elif is_dataclass(value) and not isinstance(value, type):
        value = {name: getattr(value, name) for name in value.__dataclass_fields__}
    if isinstance(value, Mapping):
        return {str(key): plain(item) for key, item in value.items()}
    if isinstance(value, Iterable) and not isinstance(value, str):
        return [plain(item) for item in value]
    known = value is None or isinstance(value, bool | int | str) or (isinstance(value, float) and isfinite(value))
    return value if known else str(value)


_CONVERSIONS: tuple[tuple[type, Any], ...] = (
    (Enum, lambda value: value.value),
    (timedelta, lambda value: value.total_seconds()),
    (date, lambda value: value.isoformat()),
    (bytes, lambda value: value.decode(errors="replace")),
)


def redacted(value: Any) -> Any:
    """`value` with every known secret masked, in keys too."""
    if isinstance(value, str):
        return SECRETS.redact(value)
    if isinstance(value, Mapping):
        return {redacted(key): redacted(item) for key, item in value.items()}
    if isinstance(value, list):
        return [redacted(item) for item in value]
    return value


def failed(outcomes: Iterable[Outcome]) -> Iterator[tuple[Outcome, Failure]]:
    """Those that failed, with their failure."""
    for outcome in outcomes:
        if outcome.failure:
            yield outcome, outcome.failure
