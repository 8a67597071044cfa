"""`python -m tests.benchmarks [--only NAME]... [--runs N]`: prints a table for each benchmark."""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[2] / "libraries"))


def main() -> int:
    """Runs the command."""
    from . import catalogue

    names = {benchmark.name: benchmark for benchmark in catalogue.ALL}
    told = "\n".join(f"  {one.name:<9} {one.about}" for one in catalogue.ALL)
    parser = argparse.ArgumentParser(
        prog="python -m tests.benchmarks",
        description=f"Measures; what a target misses is said, and is no failure.\n\n{told}",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--only", action="append", choices=names, metavar="NAME", help="that one; may be repeated")
    parser.add_argument("--runs", type=int, default=5, help="paired runs, or rounds, of each (default 5)")
    parser.add_argument("--lifecycles", type=int, default=1000, help="of the soak (default 1000)")
    options = parser.parse_args()
    if options.runs < 1 or options.lifecycles < 1:
        parser.error("--runs and --lifecycles must be 1 or more")
    with tempfile.TemporaryDirectory(prefix="cedana-e2e-benchmarks-") as folder:
        os.environ["LEDGER_DIR"] = f"{folder}/ledger"
        for benchmark in [names[name] for name in options.only or names]:
            begun = time.monotonic()
            print(f"\n## {benchmark.name}: {benchmark.about}\n", flush=True)
            print(benchmark.measure(options, Path(folder)), flush=True)
            print(f"\n({time.monotonic() - begun:.0f} s)", flush=True)
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
