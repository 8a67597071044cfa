"""Faults on the command line."""

from __future__ import annotations

import argparse
import json
from collections.abc import Mapping
from typing import Any

from .declaration import Fault


def fault_of(text: str) -> tuple[Fault, Mapping[str, str]]:
    """The fault that `NAME[:key=value...]` asks for. Raises ValueError, which says what is allowed."""
    from .engine import parsed

    return parsed(text)


class ListFaults(argparse.Action):
    """Prints every fault as a JSON line, and ends."""

    def __init__(self, *arguments: Any, **named: Any) -> None:
        super().__init__(*arguments, **{**named, "nargs": 0})

    def __call__(self, parser: argparse.ArgumentParser, *_: Any) -> None:
        """Prints."""
        from .catalogue import CATALOGUE

        for fault in CATALOGUE.values():
            print(json.dumps(fault.shown()))
        parser.exit()
