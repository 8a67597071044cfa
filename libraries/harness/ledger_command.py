"""`python -m harness.ledger list|sweep [run]`: what runs owe, and removing what dead ones do, or one of them."""

from __future__ import annotations

import argparse

from .ledger import LEDGER, Entry, ReadLedger, all_ledgers, ledger_directory, left_behind
from .removal import remove_all


def main(arguments: list[str] | None = None) -> int:
    """Runs the command; exit status 1 when something is left."""
    parser = argparse.ArgumentParser(prog="python -m harness.ledger", description=__doc__)
    parser.add_argument("command", choices=["list", "sweep"])
    parser.add_argument("--budget", type=float, default=120.0, help="seconds for a sweep in all (default 120)")
    parser.add_argument("run", nargs="?", help="id of a run, as `list` shows it (default: all)")
    options = parser.parse_args(arguments)
    return _list(options.run) if options.command == "list" else _sweep(options.budget, options.run)


def _tidy() -> None:
    """Deletes the ledgers of dead runs that owe nothing, and what this command itself wrote to disk."""
    for ledger in all_ledgers():
        if not ledger.alive:
            ledger.close()
    for _ in remove_all(LEDGER, budget=10.0, each=10.0):
        pass


def _list(run: str | None) -> int:
    ledgers = [ledger for ledger in all_ledgers() if ledger.owed() and run in (None, ledger.run_id)]
    for ledger in ledgers:
        print(f"run {ledger.run_id} ({_state(ledger)}), {ledger.file}")
        for entry in ledger.owed():
            print(f"  {entry}{f'  at {entry.place}' if entry.place else ''}")
    if not ledgers:
        print(f"nothing is owed ({ledger_directory()})")
    return 0


def _state(ledger: ReadLedger) -> str:
    """Of a kept one only a sweep makes an end."""
    return ", ".join(["still going" if ledger.alive else "dead", *(["kept"] if ledger.kept else [])])


def _goes_along(removed: Entry) -> None:
    """What other runs that are dead had made behind a place that is gone is gone with it."""
    places = removed.find.get("places", ())
    for ledger in left_behind() if places else ():
        for entry in ledger.owed():
            if entry.place in places:
                ledger.gone(entry)


def _sweep(budget: float, run: str | None) -> int:
    if any(ledger.alive for ledger in all_ledgers() if ledger.run_id == run):
        print(f"run {run} is still going; it removes what it made itself")
        return 1
    left = 0
    # A later run may have used what an earlier one kept.
    for ledger in reversed(left_behind()):
        if run not in (None, ledger.run_id):
            continue
        print(f"run {ledger.run_id}")
        for removal in remove_all(ledger, budget=budget, each=60.0):
            print(f"  {removal}")
            left += removal.left
            if not removal.left:
                _goes_along(removal.entry)
    _tidy()
    print(f"{left} left" if left else "nothing is left")
    return 1 if left else 0
