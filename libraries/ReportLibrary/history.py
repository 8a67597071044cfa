"""The history of runs: a file with one JSON object a line, and what many runs tell that one does not.

`python -m ReportLibrary.history FILE` prints it in Markdown: a trend table, the rate of failures and flakes by cause,
and a matrix of versions and results (`--matrix` prints that alone, for docs).

A line holds what evidence.json has of a run, without messages and facts of single pods; `history` is the version of the
format, and fields are only ever added within a major version.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

from .markdown import table

FORMAT = "1.0"
LAST = 20
"""Runs that the trend table shows."""
TREND = ("checkpoint", "restore", "freeze gap", "downtime")
"""Measurements that the trend table shows."""
Run = dict[str, Any]


def append(file: Path, evidence: Mapping[str, Any]) -> None:
    """Appends a run as one line, by one write: runs that end at the same time do not tear each other's lines.

    A last line that was never ended is left to itself.

    Raises:
        OSError: the file cannot be written, or not to the line's end.
    """
    data = json.dumps(line(evidence), ensure_ascii=False, allow_nan=False).encode() + b"\n"
    handle = os.open(file, os.O_RDWR | os.O_APPEND | os.O_CREAT, 0o644)
    try:
        size = os.fstat(handle).st_size
        if size and os.pread(handle, 1, size - 1) != b"\n":
            data = b"\n" + data
        if os.write(handle, data) != len(data):
            raise OSError("the disk took only a part of the line")
    finally:
        os.close(handle)


def line(evidence: Mapping[str, Any]) -> Run:
    """A run as the history has it, from what evidence.json has."""
    facts, found = evidence["environment"], evidence["summary"]
    return {
        "history": FORMAT,
        "run": evidence["run"],
        "complete": evidence["complete"],
        "versions": _versions(evidence),
        "emulated": facts["emulated"],
        **{name: found[name] for name in ("passed", "failed", "skipped", "worst_blame")},
        "tests": [_outcome(one) for one in evidence["tests"]],
        "suites": [_outcome(one) for one in evidence["suites"] if one["cause"]],
        "measurements": found["measurements"],
    }


def _outcome(one: Mapping[str, Any]) -> dict[str, Any]:
    first = one["retries"]["first_failure"]["cause"] if one["retries"] else None
    return {
        "suite": one["suite"],
        "name": one["name"],
        "status": one["status"],
        "cause": one["cause"] and one["cause"]["name"],
        "blame": one["cause"] and one["cause"]["blame"],
        "retried": first and {"cause": first["name"], "blame": first["blame"]},
        "seconds": one["duration"],
        "verdicts": [str(verdict["verdict"]) for verdict in one["verdicts"] if "verdict" in verdict],
    }


def chart(facts: Mapping[str, Any]) -> str | None:
    """The chart with its version where that is known, from what evidence.json has of the environment."""
    asked = Path(facts["chart"]).name if facts["chart"] else None
    return facts["other"].get("chart_version") or asked


def _versions(evidence: Mapping[str, Any]) -> dict[str, str | None]:
    facts = evidence["environment"]
    nodes = facts["nodes"] or []
    known = {name: _all(node.get(name) for node in nodes) for name in ("kubelet", "runtime", "kernel", "architecture")}
    return {
        "provider": facts["provider"],
        "kubernetes": facts["kubernetes"],
        **known,
        "chart": chart(facts),
        "propagator": " ".join(filter(None, (facts["other"].get("propagator"), facts["propagator"]["era"]))) or None,
        **{str(name): str(value) for name, value in facts["other"].items() if name.endswith("version")},
        "robot": evidence["run"]["robot"],
        "python": evidence["run"]["python"],
    }


def _all(values: Iterable[object]) -> str | None:
    return ", ".join(sorted({str(value) for value in values if value})) or None


def read(file: Path) -> tuple[list[Run], int]:
    """The runs, oldest first, and how many lines are none: of a run that was killed while it wrote.

    Raises:
        OSError: the file cannot be read.
    """
    runs, broken = [], 0
    for text in file.read_text("utf-8", errors="replace").splitlines():
        if not text.strip():
            continue
        try:
            run = json.loads(text)
            good = str(run["history"]).startswith("1.") and isinstance(run["tests"], list)
        except (ValueError, KeyError, TypeError):
            good = False
        if good:
            runs.append(run)
        else:
            broken += 1
    return sorted(runs, key=lambda run: str(run["run"]["start"])), broken


def trend(runs: list[Run]) -> str:
    """The last runs, oldest first, with the medians of what was measured."""
    rows = [
        (
            run["run"]["start"][:16].replace("T", " "),
            run["versions"]["provider"],
            run["versions"]["kubernetes"],
            *(run[name] for name in ("passed", "failed", "skipped")),
            f"{run['run']['duration']:.0f}",
            *(_median(run, name) for name in TREND),
        )
        for run in runs[-LAST:]
    ]
    measured = [f"{name} (s)" for name in TREND]
    return table(["run", "provider", "kubernetes", "passed", "failed", "skipped", "took (s)", *measured], rows)


def _median(run: Run, name: str) -> str:
    return next((f"{one['median']:.3g}" for one in run["measurements"] if one["name"] == name), "")


def flakes(runs: list[Run]) -> str:
    """Failures by cause: of how many tests that were run, and how many were flakes.

    A flake is a failure of a test that passed when it was run again, or in another run with the very same versions.
    """
    executed = sum(test["status"] in ("PASS", "FAIL") for run in runs for test in run["tests"])
    passed = {(_key(run), test["suite"], test["name"]) for run in runs for test in run["tests"] if _went_well(test)}
    failures: dict[tuple[str, str], int] = defaultdict(int)
    flaky: dict[tuple[str, str], int] = defaultdict(int)
    for run, test, cause in _failures(runs):
        failures[cause] += 1
        flaky[cause] += (_key(run), test["suite"], test["name"]) in passed
    rows = [
        (name, blame, count, f"{count / executed:.2%}", flaky[name, blame], f"{flaky[name, blame] / executed:.2%}")
        for (name, blame), count in sorted(failures.items(), key=lambda item: (-item[1], item[0]))
    ]
    titles = ["cause", "whose fault", "failures", f"of {executed} tests run", "flakes", "flake rate"]
    return table(titles, rows) if rows else f"None of {executed} tests that were run failed.\n"


def _went_well(test: Mapping[str, Any]) -> bool:
    return bool(test["status"] == "PASS")


def _failures(runs: Iterable[Run]) -> Iterator[tuple[Run, Mapping[str, Any], tuple[str, str]]]:
    for run in runs:
        for test in run["tests"]:
            if test["retried"]:
                yield run, test, (test["retried"]["cause"], test["retried"]["blame"])
            if test["cause"]:
                yield run, test, (test["cause"], test["blame"])


def _key(run: Run) -> str:
    return json.dumps(run["versions"], sort_keys=True)


def matrix(runs: list[Run]) -> str:
    """Versions and results: a row for each set of versions, with what its newest run came to."""
    columns = ("provider", "kubernetes", "runtime", "chart", "propagator")
    groups: dict[tuple[str, ...], list[Run]] = defaultdict(list)
    for run in runs:
        groups[tuple(run["versions"].get(name) or "" for name in columns)].append(run)
    rows = [
        (*versions, _result(own[-1]), _result_counts(own), own[-1]["run"]["start"][:10])
        for versions, own in sorted(groups.items())
    ]
    return table([*columns, "newest result", "good of all runs", "newest run"], rows)


def _result(run: Run) -> str:
    if run["failed"] or run["worst_blame"]:
        causes = sorted({str(one["cause"]) for one in [*run["tests"], *run["suites"]] if one["cause"]})
        return f"failed: {', '.join(causes)}"
    if not run["passed"]:
        return "nothing proved"
    real = "emulated, " if run["emulated"] else ""
    return f"{real}{run['passed']} passed" + (f", {run['skipped']} skipped" if run["skipped"] else "")


def _result_counts(runs: list[Run]) -> str:
    good = sum(bool(run["passed"]) and not run["worst_blame"] for run in runs)
    return f"{good} of {len(runs)}"


def main(arguments: list[str] | None = None) -> int:
    """Runs the command; ends with 2 where there is no readable history."""
    parser = argparse.ArgumentParser(prog="python -m ReportLibrary.history", description=__doc__.split("\n\n")[0])
    parser.add_argument("file", type=Path, help="the file that HISTORY_FILE named")
    parser.add_argument("--matrix", action="store_true", help="only the matrix of versions and results")
    options = parser.parse_args(arguments)
    try:
        runs, broken = read(options.file)
    except OSError as problem:
        print(f"{options.file}: {problem.strerror}", file=sys.stderr)
        return 2
    if not runs:
        print(f"{options.file}: no run is in it", file=sys.stderr)
        return 2
    if options.matrix:
        print(matrix(runs), end="")
        return 0
    print(f"## Trend\n\n{trend(runs)}\n## Failures by cause\n\n{flakes(runs)}\n## Compatibility\n\n{matrix(runs)}")
    if broken:
        print(f"Lines that are no run, as one leaves that is killed while it writes: {broken}")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
