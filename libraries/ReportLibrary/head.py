"""What stands on top of report.html and log.html: the documentation of the run's first suite, in Robot's own markup.

Robot escapes HTML in it. What could be taken for markup of a link or a table is taken out of texts from elsewhere.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from typing import Any

from harness.causes import Blame
from harness.secrets import SECRETS

from . import wording
from .evidence import FAIL, Evidence, Failure, Outcome, failed
from .places import Places, plain

MOST_CAUSES = 6
NOT_REAL = "no real container or CRIU ran"


def of(evidence: Evidence, places: Places) -> str:
    """The verdict in a sentence, and a table that says why, what to do, and where it ran."""
    failures = list(failed([*evidence.suites, *evidence.tests]))
    main = first(evidence, failures)
    rows = list(_rows(evidence, failures, main, places))
    table = "\n".join(f"| ={title}= | {words} |" for title, words in rows)
    return SECRETS.redact(f"{plain(verdict(evidence, main))}\n\n{table}")


def first(evidence: Evidence, failures: list[tuple[Outcome, Failure]]) -> tuple[Outcome, Failure] | None:
    """The failure that the run is remembered for: the earliest of the worst blame, those of teardowns last."""
    mine = [one for one in failures if one[1].cause.blame is evidence.worst_blame]
    own = [one for one in mine if not one[1].stopped_by] or mine
    return min(own, key=lambda one: (_is_of_teardown(one[1].message), one[0].start), default=None)


def verdict(evidence: Evidence, main: tuple[Outcome, Failure] | None) -> str:
    """One sentence, and whether all that was on an emulated cluster."""
    emulated = f" On an emulated cluster: {NOT_REAL}." if evidence.environment.get("emulated") else ""
    return f"{_counted(evidence, main)}{emulated}"


def _counted(evidence: Evidence, main: tuple[Outcome, Failure] | None) -> str:
    counts = Counter(test.status for test in evidence.tests)
    count, passed, skipped = len(evidence.tests), counts["PASS"], counts["SKIP"]
    aside = f", {skipped} skipped" if skipped else ""
    if main is None and not passed:
        return f"NOTHING PROVED: none of {count} tests passed or failed{aside}."
    if main is None:
        return f"PASSED: {passed} of {count} tests{aside}; what they check held."
    failures = counts[FAIL]
    what = f"{failures} of {count} tests failed" if failures else "set-up or clean-up failed"
    return f"FAILED: {what}, {passed} passed{aside}. {wording.read(main[1].message, main[1].cause).root}"


def _rows(
    evidence: Evidence,
    failures: list[tuple[Outcome, Failure]],
    main: tuple[Outcome, Failure] | None,
    places: Places,
) -> Iterator[tuple[str, str]]:
    if main:
        yield from _why(main, places)
        yield from _others(failures, main, places)
    yield "Where it ran", plain(where(evidence))
    yield "Versions", plain(versions(evidence))
    if places.archive:
        yield "Hand on", f"[{places.archive}|{places.archive}] has this report, the evidence and the diagnostics"


def _why(main: tuple[Outcome, Failure], places: Places) -> Iterator[tuple[str, str]]:
    outcome, failure = main
    told = wording.read(failure.message, failure.cause)
    yield "Root cause", f"*{plain(told.root)}*"
    yield "Cause and blame", f"``{failure.cause.name}``: {plain(wording.WHOSE[failure.cause.blame])}"
    yield "What failed", places.item(outcome, outcome.name)
    facts = list(told.facts)
    if failure.cause.blame is Blame.UNKNOWN and outcome.diagnosis:
        facts = [*facts[:1], *(wording.shortened(str(fact)) for fact in outcome.diagnosis.facts)]
    elif outcome.diagnosis:
        facts += [wording.shortened(str(fact)) for fact in outcome.diagnosis.facts]
    for number, fact in enumerate(wording.distinct(facts)[: wording.MOST_FACTS], start=1):
        yield f"Fact {number}", f"{plain(fact)} ({places.item(outcome, 'see the log')})"
    yield "Do next", " ".join(plain(part) for part in told.next)
    if page := places.page(outcome, "events, logs and states at the time of the failure"):
        yield "Diagnostics", page


def _others(
    failures: list[tuple[Outcome, Failure]], main: tuple[Outcome, Failure], places: Places
) -> Iterator[tuple[str, str]]:
    counts = Counter(failure.cause.name for _, failure in failures)
    shown = [main[1].cause.name]
    for outcome, failure in failures:
        name = failure.cause.name
        if name in shown or len(shown) > MOST_CAUSES:
            continue
        shown.append(name)
        words = f"{failure.cause.meaning} ({name}, {counts[name]} times), first in"
        yield "Also", f"{plain(words)} {places.item(outcome, outcome.name)}"


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
    if facts.get("chart"):
        parts.append(f"chart {str(facts['chart']).rstrip('/').rpartition('/')[2]}")
    return "; ".join([*parts, f"Robot Framework {evidence.robot}"])


def _is_of_teardown(message: str) -> bool:
    return message.lower().startswith(("suite teardown failed", "parent suite teardown failed", "teardown failed"))
