"""`python -m tests.chaos [--lifecycles N] [--seed N] [--workers N]`: prints the figures; a problem is exit status 1."""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[2] / "libraries"))


def main() -> int:
    """Runs the command."""
    parser = argparse.ArgumentParser(prog="python -m tests.chaos")
    parser.add_argument("--lifecycles", type=int, default=200)
    parser.add_argument("--seed", type=int, default=1, help="of the dice that say which calls fail, and how")
    parser.add_argument("--workers", type=int, default=8, help="lifecycles that go on at the same time")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="cedana-e2e-chaos-") as folder:
        os.environ["LEDGER_DIR"] = folder
        tempfile.tempdir = folder
        from .campaign import run

        outcome = run(options.lifecycles, seed=options.seed, workers=options.workers)
    print(*outcome.problems, outcome, sep="\n")
    return 1 if outcome.problems else 0


if __name__ == "__main__":
    status = main()
    sys.stdout.flush()
    os._exit(status)  # a lifecycle that waits for ever must not keep the command from its end
