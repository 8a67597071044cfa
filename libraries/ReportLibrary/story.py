"""Tells each step and each test in log.html: what was asked of the propagator, a timeline, why it failed.

Messages are written where they belong: at the end of a step into the step, at the end of a test into the test.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from functools import partial
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING, Any

from robot.api import logger

from harness.exchanges import EXCHANGES

from . import glossary, markup, pictures, wording
from .exchange_tables import Whole, tables
from .markup import Markup
from .pictures import Span
from .places import deepest, relative
from .robot_internals import running
from .tree import Step

if TYPE_CHECKING:
    from robot import result
    from robot import running as data

    from .evidence import Notes
    from .recorder import Recorder


class Story:
    """Listener that tells tests; it is told of their steps."""

    ROBOT_LISTENER_PRIORITY = -20  # after the recorder, which explains failures

    def __init__(self, recorder: Recorder) -> None:
        self._recorder = recorder
        self._steps: list[tuple[Step, Any]] = []
        self._told = 0
        self._documented: set[tuple[str | None, str | None]] = set()
        self._whole = Whole()

    def start_suite(self, _data: data.TestSuite, _result: result.TestSuite) -> None:
        """A story of its own."""
        self._documented.clear()
        self._begin()

    def start_test(self, _data: data.TestCase, _result: result.TestCase) -> None:
        """Another one."""
        self._begin()

    def step_ended(self, step: Step, group: Any) -> None:
        """A step is over, and still open for messages."""
        self._steps.append((step, group))
        new, self._told = EXCHANGES.since(self._told), EXCHANGES.count
        if new:
            _say(tables(new, partial(self._whole.keep, self._recorder.log_directory, step.name)))

    def end_keyword(self, _data: data.Keyword, result: result.Keyword) -> None:
        """Of a keyword that a suite uses again and again, the log has the documentation once: where it came first."""
        if (result.owner, result.name) in self._documented:
            result.doc = ""
        self._documented.add((result.owner, result.name))

    def end_test(self, _data: data.TestCase, result: result.TestCase) -> None:
        """The whole test, as far as it went."""
        if not running() or not self._steps:
            return
        notes = self._recorder.notes_of(result)
        if result.failed:
            _say(why(result, self._recorder.page_of(result), self._recorder.log_directory))
        _say(steps(self._steps))
        _say(pictures.timeline(f"Timeline of {result.name}", [*self._spans(), *of_notes(notes)]))
        for verdict in notes.verdicts:
            title = f"Witness of {verdict.get('workload')}: {verdict.get('sentence')}"
            _say(pictures.witness(title, _trail(verdict), of_phases(notes)))

    def close(self) -> None:
        """The run is over."""
        self._whole.close()

    def _begin(self) -> None:
        self._steps, self._told = [], EXCHANGES.count

    def _spans(self) -> Iterator[Span]:
        for step, group in self._steps:
            yield Span("step", step.name, group.start_time.timestamp(), step.seconds, step.status)


def steps(some: Sequence[tuple[Step, Any]]) -> Markup:
    """A table with a line for each step."""
    rows = [
        (markup.link(f"#{group.id}", step.name), markup.seconds(step.seconds), step.status, step.outcome)
        for step, group in some
    ]
    return markup.table("Steps", ("Step", "Time", "Result", "Came to"), rows, "steps")


def why(test: Any, page: Path | None, base: Path) -> Markup:
    """Why a test failed: the cause, facts with a link to where it failed, what to do next, and what rare words mean."""
    told = wording.read(test.message)
    where = deepest(test)
    rows: list[tuple[object, object]] = [
        ("Root cause", markup.bold(told.root)),
        ("Whose fault", told.whose),
        *((("Expected", told.expected),) if told.expected else ()),
        *(("Fact", fact) for fact in told.facts),
        ("Do next", " ".join(told.next)),
    ]
    if where:
        rows.append(("Failed in", markup.link(f"#{where.id}", where.name or where.type)))
    if page:
        rows.append(("Diagnostics", markup.link(relative(page, base), "events, logs, states")))
    tables = [markup.table("Why it failed", ("", ""), rows, "why")]
    if told.differences:
        tables.append(markup.table("What differs", ("", "Was", "Is"), told.differences, "differences"))
    if words := glossary.of(" ".join(str(cell) for row in rows for cell in row)):
        tables.append(markup.folded("Words used here", "\n".join(f"{term}: {meaning}" for term, meaning in words)))
    return markup.joined(*tables)


def pods(before: Mapping[str, Any], after: Mapping[str, Any]) -> Markup:
    """A table of the pod before and after: what is in it, and what differs."""
    old, new = dict(_pod_facts(before)), dict(_pod_facts(after))
    rows = [
        (name, old.get(name, "none"), new.get(name, "none"), "same" if old.get(name) == new.get(name) else "differs")
        for name in [*old, *(name for name in new if name not in old)]
    ]
    return markup.table("The pod before and after", ("", "Before", "After", ""), rows, "pods")


def _pod_facts(pod: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    meta, spec, status = (pod.get(name) or {} for name in ("metadata", "spec", "status"))
    yield "name", str(meta.get("name"))
    yield "UID", str(meta.get("uid"))
    yield "created", str(meta.get("creationTimestamp"))
    yield "node", str(spec.get("nodeName"))
    yield "IP", str(status.get("podIP"))
    yield "phase", str(status.get("phase"))
    for name, value in sorted((meta.get("labels") or {}).items()):
        yield f"label {name}", str(value)
    for one in status.get("containerStatuses") or []:
        state = (one.get("state") or {}).get("running") or {}
        yield f"container {one['name']}: image", str(one.get("image"))
        yield f"container {one['name']}: id", str(one.get("containerID"))
        yield f"container {one['name']}: started", str(state.get("startedAt"))
        yield f"container {one['name']}: restarts", str(one.get("restartCount"))


def of_phases(notes: Notes) -> list[Span]:
    """The phases of the workload's life."""
    known = [one for one in notes.phases if one.get("start")]
    return [
        Span("phase", str(one["phase"]), datetime.fromisoformat(one["start"]).timestamp(), float(one["seconds"]))
        for one in known
    ]


def of_notes(notes: Notes) -> Iterator[Span]:
    """Phases, and of each verdict how long the process stood still and was away."""
    yield from of_phases(notes)
    for verdict in notes.verdicts:
        if gap := _freeze_gap(verdict):
            yield gap
        lasted, first = verdict.get("downtime_seconds"), verdict.get("first_step_at")
        if lasted and first:
            yield Span("downtime", "downtime", datetime.fromisoformat(first).timestamp() - lasted, float(lasted))


def _freeze_gap(verdict: Mapping[str, Any]) -> Span | None:
    moments = [
        moment for moment, step, whose in _trail(verdict) if whose == "source" and step >= (verdict.get("b") or 0)
    ]
    gaps = [(later - earlier, earlier) for earlier, later in pairwise(moments)]
    if not gaps or not verdict.get("freeze_gap_seconds"):
        return None
    longest, begin = max(gaps)
    return Span("freeze gap", "freeze gap", begin, longest)


def _trail(verdict: Mapping[str, Any]) -> list[tuple[float, int, str]]:
    return [(float(moment), int(step), str(whose)) for moment, step, whose in verdict.get("trail") or ()]


def _say(words: Markup) -> None:
    if words:
        logger.info(words, html=True)
