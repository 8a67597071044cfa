"""From a command line to its program: shells run scripts, anything else is one command."""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache

from .program import End, Program, Run, Simple, compile_script
from .tokens import Part, Unsupported, Word

SHELLS = ("sh", "bash", "ash", "dash")

ERREXIT = "-e"
"""The variable under which `set -e` is remembered; no script can name it."""

compiled = lru_cache(maxsize=1024)(compile_script)


def program_of(argv: list[str], read: Callable[[str], bytes]) -> tuple[Program, dict[str, str]]:
    """The program of a command line, and its positional variables; `read` opens a script file.

    Raises Unsupported, and FileNotFoundError for a script file that is not there.
    """
    if base_name(argv[0]) not in SHELLS:
        return (Run((_literal(argv),)), End()), {}
    rest = argv[1:]
    while rest and rest[0].startswith("-") and not rest[0].endswith("c"):
        rest = rest[1:]
    if not rest:
        raise Unsupported("an interactive shell")
    errexit = (
        {ERREXIT: "1"}
        if any("e" in flags for flags in argv[1 : len(argv) - len(rest) + 2] if flags[0:1] == "-")
        else {}
    )
    if rest[0].startswith("-"):
        source, positional = rest[1] if len(rest) > 1 else "", rest[2:]
    else:
        source, positional = read(rest[0]).decode(errors="replace"), rest
    return compiled(source), errexit | {str(i): value for i, value in enumerate(positional)}


def base_name(name: str) -> str:
    """`sh` of `/bin/sh`."""
    return name.rsplit("/", 1)[-1]


def _literal(argv: list[str]) -> Simple:
    return Simple((), tuple(Word((Part("text", text, True),)) for text in argv), ())
