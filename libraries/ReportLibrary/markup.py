"""Small pieces of HTML for messages of log.html and for pages of diagnostics. Every text is masked and escaped."""

from __future__ import annotations

import html
from collections.abc import Iterable, Sequence

from harness.secrets import SECRETS

BLUE, ORANGE, RED, GREEN, GREY, PURPLE = "#3d85c6", "#d0701a", "#d9463d", "#3f9142", "#7f8790", "#9a6bd0"
"""Colours of shapes: each stands out against log.html's light and dark ground, and against that of our pages."""
GROUNDS = ("#ffffff", "#1c2227")
"""The grounds of log.html in light and dark (robot/htmldata/rebot/common.css, 7.5)."""


class Markup(str):
    """A text that is HTML already."""


def text(value: object) -> Markup:
    """`value` as HTML between tags: secrets masked first, then escaped."""
    return value if isinstance(value, Markup) else Markup(html.escape(SECRETS.redact(str(value)), quote=False))


def quoted(value: object) -> Markup:
    """The same, for an attribute in quotes."""
    return Markup(html.escape(SECRETS.redact(str(value))))


def joined(*parts: object) -> Markup:
    """Parts one after the other."""
    return Markup("".join(text(part) for part in parts))


def link(target: str, words: object) -> Markup:
    """A link; a target without a scheme of its own only, so that no text from outside becomes a script."""
    return Markup(f'<a href="{quoted(target)}">{text(words)}</a>')


def bold(words: object) -> Markup:
    """Words in bold."""
    return Markup(f"<b>{text(words)}</b>")


def folded(title: object, body: str) -> Markup:
    """A text that is shown when its title is clicked; as it stands, with its line breaks."""
    return unfolding(title, Markup(f'<pre style="white-space:pre-wrap;overflow-wrap:anywhere">{text(body)}</pre>'))


def unfolding(title: object, body: Markup) -> Markup:
    """HTML that is shown when its title is clicked."""
    return Markup(f"<details><summary>{text(title)}</summary>{body}</details>")


def table(caption: object, head: Sequence[object], rows: Iterable[Sequence[object]], kind: str) -> Markup:
    """A table; `kind` is its class, by which it can be found.

    End tags that HTML lets one leave out are left out: there are thousands of cells in a log.
    """
    heads = "".join(f"<th>{text(cell)}" for cell in head)
    body = "".join(f"<tr>{''.join(f'<td>{text(cell)}' for cell in row)}" for row in rows)
    words = f'<caption style="text-align:left"><b>{text(caption)}</b></caption>' if caption else ""
    whole = f'<table class="{kind}" cellpadding="3" style="text-align:left">{words}<tr>{heads}{body}</table>'
    return Markup(f'<div style="overflow-x:auto">{whole}</div>')


def seconds(value: float) -> str:
    """A time as people read it."""
    return f"{value * 1000:.0f} ms" if value < 1 else f"{value:.1f} s"
