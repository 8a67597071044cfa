"""Markdown as GitHub renders it: text from values, such that no value becomes markup."""

from __future__ import annotations

import html
import re
from collections.abc import Iterable, Sequence

_MARKUP = re.compile(r"([\\`*_\[\]#|~$])")


def text(value: object) -> str:
    """A value in one line, as it is read; nothing for None."""
    plain = "" if value is None else " ".join(str(value).split())
    return _MARKUP.sub(r"\\\1", html.escape(plain, quote=False))


def table(titles: Sequence[str], rows: Iterable[Sequence[object]]) -> str:
    """A table, whose cells are values."""
    lines = [titles, ["---"] * len(titles), *([text(cell) for cell in row] for row in rows)]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines) + "\n"


def folded(title: str, body: str) -> str:
    """A text as it stands, folded below its title."""
    return (
        f"<details><summary>{html.escape(title)}</summary>\n\n<pre>{html.escape(body).replace(chr(10), '&#10;')}</pre>"
        "\n\n</details>\n"
    )
