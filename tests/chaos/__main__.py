"""`python -m tests.chaos [--lifecycles N] [--minutes N] [--seed N] [--workers N]`: prints the figures.

A problem is exit status 1.
"""

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
    parser = argparse.ArgumentParser(prog="python -m tests.chaos")
    parser.add_argument("--lifecycles", type=int, default=200, help="of a campaign (default 200)")
    parser.add_argument(
        "--minutes", type=float, default=0, help="campaign after campaign, each with the next seed, for so long"
    )
    parser.add_argument("--seed", type=int, default=1, help="of the dice that say which calls fail, and how")
    parser.add_argument("--workers", type=int, default=8, help="lifecycles that go on at the same time")
    options = parser.parse_args()
    problems, seed, end = 0, options.seed, time.monotonic() + 60 * options.minutes
    with tempfile.TemporaryDirectory(prefix="cedana-e2e-chaos-") as folder:
        os.environ["LEDGER_DIR"] = folder
        tempfile.tempdir = folder
        from .campaign import run

        while seed == options.seed or time.monotonic() < end:
            outcome = run(options.lifecycles, seed=seed, workers=options.workers)
            print(*outcome.problems, f"seed {seed}: {outcome}", sep="\n", flush=True)
            problems += len(outcome.problems)
            seed += 1
    return 1 if problems else 0


if __name__ == "__main__":
    status = main()
    sys.stdout.flush()
    os._exit(status)  # a lifecycle that waits for ever must not keep the command from its end
