"""A table of files in a message of log.html."""

from __future__ import annotations

import html
from collections.abc import Iterable
from pathlib import Path

from harness.secrets import SECRETS

from .diagnostics import Found
from .places import relative


def table(found: Iterable[Found], page: Path, base: Path) -> str:
    """HTML: a link to the page that has all of it, then each title with a link to its file, or why there is none.

    Args:
        page: shows all that was found.
        base: the directory of log.html, which links start from.
    """
    rows = "".join(f"<tr><td>{_escaped(one.title)}</td><td>{_target(one, base)}</td></tr>" for one in found)
    whole = f'<a href="{relative(page, base)}">Events, logs and states on one page</a>'
    return f"{whole}<table>{rows}</table>"


def _target(one: Found, base: Path) -> str:
    if one.file is None:
        return _escaped(one.problem)
    empty = "" if one.file.stat().st_size else " (empty, nothing was written)"
    return f'<a href="{relative(one.file, base)}">{_escaped(one.file.name)}</a>{empty}'


def _escaped(text: str) -> str:
    return html.escape(SECRETS.redact(text))
