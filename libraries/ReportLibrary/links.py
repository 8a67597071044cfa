"""A table of files in a message of log.html."""

from __future__ import annotations

import html
import os
from collections.abc import Iterable
from pathlib import Path
from urllib.parse import quote

from harness.secrets import SECRETS

from .diagnostics import Found


def table(found: Iterable[Found], base: Path) -> str:
    """HTML: each title with a link to its file, or with the reason why there is none.

    Args:
        base: the directory of log.html, which links start from.
    """
    rows = "".join(f"<tr><td>{_escaped(one.title)}</td><td>{_target(one, base)}</td></tr>" for one in found)
    return f"<table>{rows}</table>"


def _target(one: Found, base: Path) -> str:
    if one.file is None:
        return _escaped(one.problem)
    path = Path(os.path.relpath(one.file, base)).as_posix()
    return f'<a href="{quote(path)}">{_escaped(one.file.name)}</a>'


def _escaped(text: str) -> str:
    return html.escape(SECRETS.redact(text))
