"""What stands on top of report.html and log.html: the documentation of the run's first suite, in Robot's own markup.

Robot escapes HTML in it. What could be taken for markup of a link or a table is taken out of texts from elsewhere.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from harness.secrets import SECRETS

from . import glossary, wording
from .evidence import FAIL, Evidence, Failure, Outcome, SuiteOutcome, failed
from .places import Places, plain

MOST_CAUSES = 6
MOST_HIT = 12
MOST_DIFFERENCES = 10
MISSING = "environment-missing"
"""The cause of what could not run because the environment had failed before."""
Failed = tuple[Outcome, Failure]
NOT_REAL = "no real container or CRIU ran"


def of(evidence: Evidence, places: Places, doc: str = "") -> str:
    """The verdict in a sentence, a table that says why, what to do, and where it ran, and what rare words mean.

    Args:
        doc: what is written below it, whose words are explained, too.
    """
    failures = list(failed([*evidence.suites, *evidence.tests]))
    main = first(evidence, failures)
    parts = [plain(verdict(evidence, main)), _table(_rows(evidence, failures, main, places))]
    if main and (rows := list(_differences(main[1]))):
        parts.append(_table(rows, heading=3))
    if doc:
        parts.append(doc)
    words = glossary.of("\n".join(parts))
    if main and words:
        parts.append("Words used here:\n\n" + _table((term, plain(meaning)) for term, meaning in words))
    return SECRETS.redact("\n\n".join(parts))


def _table(rows: Iterable[tuple[str, ...]], heading: int = 1) -> str:
    """Robot's markup of a table. The first cells of all rows are headings, or so many of the first row."""
    lines: list[str] = []
    for row in rows:
        headings = heading if heading == 1 or not lines else 0
        cells = [f"={cell}=" if number < headings else cell for number, cell in enumerate(row)]
        lines.append(f"| {' | '.join(cells)} |")
    return "\n".join(lines)


def first(evidence: Evidence, failures: Sequence[Failed]) -> Failed | None:
    """The failure that the run is remembered for: the earliest of the worst blame, those of teardowns last."""
    mine = [one for one in failures if one[1].cause.blame is evidence.worst_blame]
    own = [one for one in mine if not one[1].stopped_by] or mine
    return min(own, key=lambda one: (one[1].is_of_teardown, one[0].start), default=None)


def verdict(evidence: Evidence, main: Failed | None) -> str:
    """One sentence, and whether all that was on an emulated cluster."""
    emulated = f" On an emulated cluster: {NOT_REAL}." if evidence.environment.get("emulated") else ""
    return f"{_counted(evidence, main)}{emulated}"


def _counted(evidence: Evidence, main: Failed | None) -> str:
    counts = Counter(test.status for test in evidence.tests)
    count, passed, skipped = len(evidence.tests), counts["PASS"], counts["SKIP"]
    aside = f", {skipped} skipped" if skipped else ""
    if main is None and not passed:
        return f"NOTHING PROVED: none of {count} tests passed or failed{aside}."
    if main is None:
        return f"PASSED: {passed} of {count} tests{aside}; what they check held."
    failures = counts[FAIL]
    if main[1].is_of_teardown and not any(one.failure and not one.failure.is_of_teardown for one in evidence.tests):
        cleaned = "what the tests check held, but the clean-up after them failed"
        return f"FAILED: {cleaned} ({count} tests{aside}). {_told(main[1]).root}"
    what = f"{failures} of {count} tests failed" if failures else "set-up or clean-up failed"
    return f"FAILED: {what}, {passed} passed{aside}. {_told(main[1]).root}"


def _rows(
    evidence: Evidence,
    failures: Sequence[Failed],
    main: Failed | None,
    places: Places,
) -> Iterator[tuple[str, str]]:
    if main:
        yield from _why(failures, main, places)
        yield from _others(failures, main, places)
    yield "Where it ran", plain(where(evidence))
    yield "Versions", plain(versions(evidence))
    if places.archive:
        yield "Hand on", f"[{places.archive}|{places.archive}] has this report, the evidence and the diagnostics"


def _why(failures: Sequence[Failed], main: Failed, places: Places) -> Iterator[tuple[str, str]]:
    outcome, failure = main
    told = _told(failure)
    yield "Root cause", f"*{plain(told.root)}*"
    yield "Whose fault", plain(told.whose)
    yield "What failed", _hit(failures, main, places)
    if told.expected:
        yield "Expected", plain(told.expected)
    facts = [*told.facts, *(str(fact) for fact in outcome.diagnosis.facts)] if outcome.diagnosis else told.facts
    for number, fact in enumerate(wording.distinct(facts)[: wording.MOST_FACTS], start=1):
        yield f"Fact {number}", f"{plain(fact)} ({places.item(outcome, 'see the log')})"
    yield "Do next", " ".join(plain(part) for part in told.next)
    if page := places.page(outcome, "events, logs and states at the time of the failure"):
        yield "Diagnostics", page


def _told(failure: Failure) -> wording.Told:
    return wording.read(failure.message, failure.cause)


def _hit(failures: Sequence[Failed], main: Failed, places: Places) -> str:
    """What failed, and the other tests that failed by the same cause or could not run because of it."""
    outcome, failure = main
    itself = places.item(outcome, outcome.name)
    same = [one for one, other in failures if other.cause.name in (failure.cause.name, MISSING) and _is_test(one)]
    same = [one for one in same if one is not outcome]
    if not _is_test(outcome):
        itself = f"{'clean-up' if failure.is_of_teardown else 'set-up'} of suite {itself}"
    if not same:
        return itself
    named = ", ".join(places.item(one, one.name) for one in same[:MOST_HIT])
    more = f" and {len(same) - MOST_HIT} more" if len(same) > MOST_HIT else ""
    return f"{itself}; by the same cause also {named}{more}"


def _is_test(outcome: Outcome) -> bool:
    return not isinstance(outcome, SuiteOutcome)


def _differences(failure: Failure) -> Iterator[tuple[str, ...]]:
    """What differs in a pod, as a table."""
    rows = _told(failure).differences
    if rows:
        yield "What differs", "Was", "Is"
    for row in rows[:MOST_DIFFERENCES]:
        yield tuple(plain(cell) for cell in row)
    if len(rows) > MOST_DIFFERENCES:
        yield f"and {len(rows) - MOST_DIFFERENCES} more", "", ""


def _others(failures: Sequence[Failed], main: Failed, places: Places) -> Iterator[tuple[str, str]]:
    """The other causes, each with what it hit; what could only follow from a failed set-up has none of its own."""
    shown = [main[1].cause.name, MISSING]
    for outcome, failure in failures:
        name = failure.cause.name
        if name in shown or len(shown) > MOST_CAUSES:
            continue
        shown.append(name)
        hit = [one for one, other in failures if other.cause.name == name and (_is_test(one) or one is outcome)]
        more = f" and {len(hit) - 1} more" if len(hit) > 1 else ""
        yield "Also", f"{plain(_told(failure).root)} In {places.item(outcome, outcome.name)}{more}"


def where(evidence: Evidence) -> str:
    """Provider, emulated or real, and the nodes."""
    facts = evidence.environment
    if not facts:
        return "not known: the run ended before there was a cluster"
    emulated = facts.get("emulated")
    kind = f"emulated: {NOT_REAL}" if emulated else "a real cluster"
    kind = "not known whether emulated" if emulated is None else kind
    nodes = facts.get("nodes") or []
    return f"provider {facts.get('provider', 'not known')} ({kind}), {len(nodes)} node(s); {_service(facts)}"


def _service(facts: Mapping[str, Any]) -> str:
    era = f" (era {facts['propagator_era']})" if facts.get("propagator_era") else ""
    return f"propagator {facts['propagator_url']}{era}" if facts.get("propagator_url") else "no propagator was reached"


def versions(evidence: Evidence) -> str:
    """Of what ran."""
    facts = evidence.environment
    nodes = [node for node in facts.get("nodes") or [] if isinstance(node, Mapping)]
    parts = [f"Kubernetes {facts.get('kubernetes') or 'not known'}"]
    for name in ("runtime", "kernel", "architecture"):
        if values := sorted({str(node[name]).replace("://", " ") for node in nodes if node.get(name)}):
            parts.append(f"{name} {', '.join(values)}")
    if chart := _chart(facts):
        parts.append(f"Cedana chart {chart}")
    return "; ".join([*parts, f"Robot Framework {evidence.robot}"])


def _chart(facts: Mapping[str, Any]) -> str:
    """With its version where it was installed; where not, as it was to be."""
    if facts.get("chart_version"):
        app = f" (Cedana {facts['app_version']})" if facts.get("app_version") else ""
        return f"{facts['chart_version']}{app}"
    asked = str(facts.get("chart") or "").rstrip("/").rpartition("/")[2]
    return f"{asked} (its install did not come to its end)" if asked else ""
