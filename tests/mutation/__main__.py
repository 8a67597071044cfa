"""`python -m tests.mutation [--only FILE] [--verdict] [--sample N]`, see `--help`: a survivor is exit status 1."""

from __future__ import annotations

import argparse
import os
import random
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path

from . import equivalent, running
from .targets import TARGETS, VERDICT, files_of, tests_of


def main() -> int:
    """Runs the command."""
    parser = argparse.ArgumentParser(prog="python -m tests.mutation", description=__doc__)
    parser.add_argument(
        "--only", metavar="FILE", action="append", help="part of the paths of the modules to spoil; may be repeated"
    )
    parser.add_argument("--verdict", action="store_true", help="only the rules of the verdict, by their own tests")
    parser.add_argument("--sample", type=int, metavar="N", help="only so many mutants, drawn by lot")
    parser.add_argument("--seed", type=int, default=1, help="of that lot")
    parser.add_argument("--workers", type=int, default=os.cpu_count() or 1, help="mutants at the same time")
    options = parser.parse_args()
    targets = VERDICT if options.verdict else TARGETS
    files = [file for file in files_of(targets) if any(part in str(file) for part in options.only or [""])]
    if not files:
        parser.error(f"--only {', '.join(options.only)}: no such module is spoiled; tests/mutation/targets.py has them")
    with tempfile.TemporaryDirectory(prefix="cedana-e2e-mutation-", ignore_cleanup_errors=True) as folder:
        return spoil(files, tests_of(files, targets), options, Path(folder))


def spoil(files: list[Path], tests: list[str], options: argparse.Namespace, scratch: Path) -> int:
    """Spoils the files, one mutation at a time, and prints what became of it."""
    begin = time.monotonic()
    running.import_what_is_heavy()
    coverage = running.watch(files, tests, scratch)
    print(f"the tests pass without a mutation ({time.monotonic() - begin:.0f} s)", flush=True)
    mutants, known = list(running.mutants_of(files, coverage)), equivalent.named()
    named = [mutant for mutant in mutants if mutant.key in known]
    tried = [mutant for mutant in mutants if mutant.key not in known]
    if options.sample is not None:
        tried = random.Random(options.seed).sample(tried, min(options.sample, len(tried)))  # noqa: S311
    killed: Counter[Path] = Counter()

    def told(mutant: running.Mutant, lived: bool) -> None:
        killed[mutant.file] += not lived
        if lived:
            why = "" if mutant.tests else " (no test comes by)"
            print(f"survived: {mutant.key}  # line {mutant.mutation.line}{why}", flush=True)

    lived = running.survivors(tried, options.workers, scratch, told)
    for file in files:
        counts = [sum(one.file == file for one in some) for some in (tried, named, lived)]
        print(f"{file.relative_to(running.LIBRARIES)}: {counts[0]} tried, {killed[file]} killed, {counts[2]} survived")
    print(
        f"mutants: {len(tried)}, killed: {sum(killed.values())}, survived: {len(lived)}, "
        f"named as equivalent: {len(named)} ({time.monotonic() - begin:.0f} s)"
    )
    return 1 if lived else 0


if __name__ == "__main__":
    sys.path.insert(0, str(running.LIBRARIES))
    raise SystemExit(main())
