"""Packages that only some runs need: without them nothing is lost but what they are for."""

from __future__ import annotations

from importlib.util import find_spec

from harness.failures import BadInput

REQUIREMENTS = "requirements-observability.txt"


def need(package: str, name: str, value: object) -> None:
    """Makes sure of a package before anything is created.

    Args:
        package: the module to look for, the packages around it included.
        name: what was asked for.
        value: and how.

    Raises:
        BadInput: it is not installed; says how to.
    """
    try:
        found = find_spec(package)
    except ModuleNotFoundError:  # of a package around it
        found = None
    if found is None:
        raise BadInput(name, value, f"left out, or its packages be installed: pip install -r {REQUIREMENTS}")
