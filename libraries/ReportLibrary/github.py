"""What GitHub Actions shows of a run: a job summary in Markdown, and an annotation at each test that failed.

Workflow commands and the file of GITHUB_STEP_SUMMARY: docs.github.com, "Workflow commands for GitHub Actions".
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from . import evidence
from .evidence import Evidence, Outcome
from .history import chart
from .markdown import folded, table, text

SUMMARY_FILE, INSIDE, WORKSPACE = "GITHUB_STEP_SUMMARY", "GITHUB_ACTIONS", "GITHUB_WORKSPACE"
LARGEST = 1024 * 1024
"""Bytes that GitHub takes of the summary of a step; it shows nothing of a larger one."""
CUT = "\n\nThe rest is left out, for GitHub shows no more than 1 MiB.\n"
LONGEST_MESSAGE = 20_000
"""Characters of a failure's message that are shown."""


def append(file: Path, run: Mapping[str, Any]) -> None:
    """Appends the summary of a run to the file of the step, as much of it as GitHub shows.

    Raises:
        OSError: the file cannot be written.
    """
    taken = file.stat().st_size if file.exists() else 0
    data = summary(run).encode()
    room = LARGEST - 1 - taken
    if len(data) > room:
        data = data[: max(0, room - len(CUT))].decode(errors="ignore").encode() + CUT.encode()
    with file.open("ab") as stream:
        stream.write(data)


def summary(run: Mapping[str, Any]) -> str:
    """A run in Markdown, from what evidence.json has."""
    parts = [f"## {run['suites'][0]['name']}: {_verdict(run)}\n", _where(run["environment"])]
    failures = [one for one in [*run["tests"], *run["suites"]] if one["cause"]]
    if failures:
        rows = [(one["name"], one["cause"]["name"], one["cause"]["blame"], one["cause"]["meaning"]) for one in failures]
        parts.append(table(["failed", "cause", "whose fault", "which means"], rows))
        parts += [folded(one["name"], one["message"][:LONGEST_MESSAGE]) for one in failures]
    again = [(one["name"], one["retries"]["first_failure"]["cause"]["name"]) for one in run["tests"] if one["retries"]]
    if again:
        parts.append(table(["run again", "cause of the first failure"], again))
    found = run["summary"]
    if found["leftovers"]:
        parts.append(table(["left behind"], [(name,) for name in found["leftovers"]]))
    if found["skips"]:
        parts.append(table(["skipped", "reason"], [(one["test"], one["reason"]) for one in found["skips"]]))
    if found["measurements"]:
        parts.append(_measured(found["measurements"]))
    return "\n".join(parts) + "\n"


def annotated(run: Evidence, environment: Mapping[str, str] = os.environ) -> Iterator[str]:
    """A workflow command for each failure, at the line of its test."""
    for outcome, failure in evidence.failed([*run.tests, *run.suites]):
        where = {"file": _path(outcome, environment), "line": str(outcome.line or 1)} if outcome.source else {}
        where["title"] = f"{outcome.name}: {failure.cause}"
        told = ",".join(f"{name}={_property(value)}" for name, value in evidence.redacted(where).items())
        yield f"::error {told}::{_data(evidence.redacted(failure.message))}"


def _verdict(run: Mapping[str, Any]) -> str:
    found = run["summary"]
    count = found["passed"] + found["failed"] + found["skipped"]
    if worst := found["worst_blame"]:
        return f"{found['failed']} of {count} tests failed, whose fault: {worst}"
    if not found["passed"]:
        return "nothing was proved"
    return f"{found['passed']} of {count} tests passed" + (", the others were skipped" if found["skipped"] else "")


def _where(facts: Mapping[str, Any]) -> str:
    parts = [
        f"Kubernetes {facts['kubernetes']}" if facts["kubernetes"] else None,
        f"provider {facts['provider']}" if facts["provider"] else None,
        f"chart {named}" if (named := chart(facts)) else None,
        f"propagator {facts['propagator']['url']}" if facts["propagator"]["url"] else None,
    ]
    told = ", ".join(text(part) for part in parts if part)
    emulated = " The cluster was emulated: no process was really checkpointed." if facts["emulated"] else ""
    return f"On {told}.{emulated}\n" if told else "No environment was brought up.\n"


def _measured(measurements: list[dict[str, Any]]) -> str:
    rows = [
        (one["name"], one["unit"], one["count"], *(f"{one[name]:.3g}" for name in ("least", "median", "most")))
        for one in measurements
    ]
    return table(["measured", "unit", "times", "least", "median", "most"], rows)


def _path(outcome: Outcome, environment: Mapping[str, str]) -> str:
    """From the root of the checkout, where the file is in it."""
    file = Path(outcome.source or "")
    if file.is_dir():
        file /= "__init__.robot"
    root = Path(environment.get(WORKSPACE) or Path.cwd())
    return str(file.relative_to(root) if file.is_relative_to(root) else file)


def _data(value: str) -> str:
    return value.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _property(value: str) -> str:
    return _data(value).replace(":", "%3A").replace(",", "%2C")
