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
    """`value` as HTML: secrets masked first, then escaped."""
    return value if isinstance(value, Markup) else Markup(html.escape(SECRETS.redact(str(value))))


def joined(*parts: object) -> Markup:
    """Parts one after the other."""
    return Markup("".join(text(part) for part in parts))


def link(target: str, words: object) -> Markup:
    """A link; a target without a scheme of its own only, so that no text from outside becomes a script."""
    return Markup(f'<a href="{html.escape(SECRETS.redact(target))}">{text(words)}</a>')


def bold(words: object) -> Markup:
    """Words in bold."""
    return Markup(f"<b>{text(words)}</b>")


def folded(title: object, body: str) -> Markup:
    """A text that is shown when its title is clicked; as it stands, with its line breaks."""
    shown = f'<pre style="white-space:pre-wrap;overflow-wrap:anywhere;margin:2px 0">{text(body)}</pre>'
    return Markup(f"<details><summary>{text(title)}</summary>{shown}</details>")


def table(caption: object, head: Sequence[object], rows: Iterable[Sequence[object]], kind: str) -> Markup:
    """A table; `kind` is its class, by which it can be found."""
    heads = "".join(f'<th scope="col">{text(cell)}</th>' for cell in head)
    body = "".join(f"<tr>{''.join(f'<td>{text(cell)}</td>' for cell in row)}</tr>" for row in rows)
    words = f'<caption style="text-align:left;font-weight:bold">{text(caption)}</caption>'
    look = 'cellpadding="3" style="border-collapse:collapse;text-align:left"'
    whole = f'<table class="{kind}" {look}>{words}<tr>{heads}</tr>{body}</table>'
    return Markup(f'<div style="overflow-x:auto">{whole}</div>')


def seconds(value: float) -> str:
    """A time as people read it."""
    return f"{value * 1000:.0f} ms" if value < 1 else f"{value:.1f} s"
