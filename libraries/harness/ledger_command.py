"""`python -m harness.ledger list|sweep`: what dead runs owe, and removing it."""

from __future__ import annotations

import argparse

from .ledger import LEDGER, all_ledgers, ledger_directory, left_behind
from .removal import remove_all


def main(arguments: list[str] | None = None) -> int:
    """Runs the command; exit status 1 when something is left."""
    parser = argparse.ArgumentParser(prog="python -m harness.ledger", description=__doc__)
    parser.add_argument("command", choices=["list", "sweep"])
    parser.add_argument("--budget", type=float, default=120.0, help="seconds for a sweep in all (default 120)")
    options = parser.parse_args(arguments)
    return _list() if options.command == "list" else _sweep(options.budget)


def _tidy() -> None:
    """Deletes the ledgers of dead runs that owe nothing, and what this command itself wrote to disk."""
    for ledger in all_ledgers():
        if not ledger.alive:
            ledger.close()
    for _ in remove_all(LEDGER, budget=10.0, each=10.0):
        pass


def _list() -> int:
    ledgers = [ledger for ledger in all_ledgers() if ledger.owed()]
    for ledger in ledgers:
        print(f"run {ledger.run_id} ({'still going' if ledger.alive else 'dead'}), {ledger.file}")
        for entry in ledger.owed():
            print(f"  {entry}{f'  at {entry.place}' if entry.place else ''}")
    if not ledgers:
        print(f"nothing is owed ({ledger_directory()})")
    return 0


def _sweep(budget: float) -> int:
    left = 0
    for ledger in left_behind():
        print(f"run {ledger.run_id}")
        for removal in remove_all(ledger, budget=budget, each=60.0):
            print(f"  {removal}")
            left += removal.left
    _tidy()
    print(f"{left} left" if left else "nothing is left")
    return 1 if left else 0
