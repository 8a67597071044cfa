"""`python -m ReportLibrary.blame evidence.json`: whose fault a failed run was, as an exit status for pipelines.

    0  all is well: tests passed and nothing failed
    1  product: checkpoint or restore did wrong
    2  this command was called wrongly, or there is no readable evidence
    3  harness: this project, or the suite
    4  unknown: the facts do not tell, the run did not come to its end, or nothing was tested
    5  service: the propagator is unreachable or refuses
    6  environment: cluster, node, image, quota, or a setting

A run with failures of several kinds counts as the first of 1, 3, 4, 5, 6 that applies.
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from typing import Any

from harness.causes import Blame

from .evidence import FILE_NAME

STATUS = {Blame.PRODUCT: 1, Blame.HARNESS: 3, Blame.UNKNOWN: 4, Blame.SERVICE: 5, Blame.ENVIRONMENT: 6}
UNREADABLE = 2


def main(arguments: list[str] | None = None) -> int:
    """Runs the command: a line for each failure, and the exit status."""
    parser = argparse.ArgumentParser(
        prog="python -m ReportLibrary.blame", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("file", type=Path, nargs="?", default=Path(FILE_NAME), help=f"{FILE_NAME} of a run")
    file = parser.parse_args(arguments).file
    try:
        evidence = json.loads(file.read_text("utf-8"))
        lines, status = judged(evidence)
    except (OSError, ValueError, KeyError, TypeError) as problem:
        print(f"{file}: no readable evidence ({type(problem).__name__}: {problem})")
        return UNREADABLE
    print("\n".join(lines))
    return status


def judged(evidence: dict[str, Any]) -> tuple[list[str], int]:
    """What to say of a run, and the exit status."""
    failures = [one for one in [*evidence["tests"], *evidence["suites"]] if one["cause"]]
    lines = [f"{one['cause']['blame']}: {one['cause']['name']} - {one['name']}" for one in failures]
    worst = evidence["summary"]["worst_blame"]
    if worst:
        return lines, STATUS[Blame(worst)]
    if not evidence["complete"]:
        return ["unknown: the run did not come to its end"], STATUS[Blame.UNKNOWN]
    if not evidence["summary"]["passed"]:
        return ["unknown: nothing was tested"], STATUS[Blame.UNKNOWN]
    return [f"nothing failed, {evidence['summary']['passed']} passed"], 0


if __name__ == "__main__":
    raise SystemExit(main())
