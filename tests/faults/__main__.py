"""`python -m tests.faults`: the suites against every fault of the sandbox, and on sandboxes without one."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path

from . import running
from .catalogue import SAMPLE, Fault, faults
from .clean import Circumstances, circumstances, suites
from .judging import Judged, closing_line, table

CLEAN_RUNS, CLEAN_RUNS_OF_SAMPLE = 200, 2


def main(arguments: Sequence[str]) -> int:
    """Runs what is asked for; 0 when the suites did what is expected of them."""
    given = _parse(arguments)
    known = {fault.name: fault for fault in faults()}
    unknown = [name for name in given.only if name not in known]
    if unknown:
        print(f"no fault {', '.join(unknown)}; there are {', '.join(known)}", file=sys.stderr)
        return 2
    names = given.only or (list(SAMPLE) if given.sample else list(known))
    clean = given.clean if given.clean is not None else _clean_runs(given)
    jobs: list[Callable[[], Judged]] = [partial(_with_fault, known[name], given.keep) for name in names]
    drawn = [circumstances(given.seed, number, suites()) for number in range(clean)]
    jobs += [partial(_clean, one, given.keep and given.keep / f"clean-{n}") for n, one in enumerate(drawn, start=1)]
    judged = _all(jobs, given.jobs)
    print(f"\n{table(judged)}\n\n{closing_line(judged)}", flush=True)
    return 0 if all(one.good for one in judged) else 1


def _parse(arguments: Sequence[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.faults", description=__doc__)
    parser.add_argument("--sample", action="store_true", help="some faults of each group")
    parser.add_argument("--only", action="append", default=[], metavar="NAME", help="this fault; repeatable")
    parser.add_argument("--clean", type=int, metavar="N", help="how many runs without a fault")
    parser.add_argument("--seed", type=int, default=1, metavar="N", help="of what the clean runs differ in")
    parser.add_argument("--jobs", type=int, default=2, metavar="N", help="runs side by side (default 2)")
    parser.add_argument("--keep", type=Path, metavar="DIR", help="keep each run's output in a folder there")
    return parser.parse_args(arguments)


def _clean_runs(given: argparse.Namespace) -> int:
    return 0 if given.only else CLEAN_RUNS_OF_SAMPLE if given.sample else CLEAN_RUNS


def _all(jobs: Sequence[Callable[[], Judged]], side_by_side: int) -> list[Judged]:
    with ThreadPoolExecutor(side_by_side) as pool:
        waiting = [pool.submit(job) for job in jobs]
        judged = []
        for one in waiting:
            judged.append(one.result())
            print(_line(judged[-1]), flush=True)
    return judged


def _line(one: Judged) -> str:
    name = one.fault.name if one.fault else f"without a fault: {one.circumstances}"
    expected = (one.fault.cause or "tolerated") if one.fault else "passes"
    return f"{'ok' if one.good else '--'} {name}: expected {expected}, came {one.words}"


def _with_fault(fault: Fault, keep: Path | None) -> Judged:
    waits = running.IMPATIENT if fault.cause else running.BRIEF
    kept = keep and keep / fault.name
    return _judged(fault, lambda: running.run(fault.name, suites=[fault.path], waits=waits, keep=kept))


def _clean(drawn: Circumstances, keep: Path | None) -> Judged:
    run = partial(running.run, None, *drawn.options, suites=drawn.paths, waits=running.BRIEF, keep=keep)
    return _judged(None, run, str(drawn))


def _judged(fault: Fault | None, run: Callable[[], running.Ran], circumstances: str = "") -> Judged:
    try:
        return Judged(fault, run(), circumstances=circumstances)
    except Exception as problem:
        return Judged(fault, None, f"no run: {type(problem).__name__}: {problem}", circumstances)


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
