"""A page for the diagnostics of one failure: index.html beside the files, for any browser, without scripts."""

from __future__ import annotations

import re
from collections.abc import Iterable
from pathlib import Path
from typing import Any
from urllib.parse import quote

from harness.diagnosis import Diagnosis
from harness.secrets import SECRETS

from . import markup, wording
from .describe import event_time
from .diagnostics import Found
from .facts import ERROR
from .markup import Markup
from .seen import Seen

NAME = "index.html"
TELLING = re.compile(rf"{ERROR.pattern}|\bwarn(ing)?\b|\brefus|\bdenied\b|\btimed? ?out\b", re.IGNORECASE)
MOST_LINES = 400
"""Of each text its last lines are shown in the page; the file has all of them."""
COLUMNS = ("Last seen", "Times", "Type", "Reason", "Object", "Message")
LOOK = """
:root { color-scheme: light dark; --ground: #ffffff; --ink: #1a1a1a; --mark: #ffe08a; --line: #c8ccd0; --link: #1155cc }
@media (prefers-color-scheme: dark) {
  :root { --ground: #1c2227; --ink: #e2e1d7; --mark: #5c4a00; --line: #424f5a; --link: #8cc4ff } }
body { font: 15px/1.4 sans-serif; margin: 1em; background: var(--ground); color: var(--ink); overflow-wrap: break-word }
a { color: var(--link) } h1 { font-size: 1.3em } h2 { font-size: 1.1em; margin: 1em 0 .3em }
div { overflow-x: auto }
td, th { border-bottom: 1px solid var(--line); padding: 1px 8px 1px 0; text-align: left; vertical-align: top }
.events td, .events th { white-space: nowrap } .events td:last-child { white-space: normal; min-width: 22em }
pre { white-space: pre-wrap; font-size: 13px }
mark { background: var(--mark); color: inherit } summary { cursor: pointer; padding: .2em 0 }
tr.Warning td { background: var(--mark) }
"""


def write(directory: Path, title: str, found: Iterable[Found], seen: Seen, diagnosis: Diagnosis | None) -> Path:
    """Writes the page of what was found into its directory, and gives its path."""
    files = [_file(one) for one in found]
    body = [
        f"<h1>Diagnostics: {markup.text(title)}</h1>",
        *_why(diagnosis),
        *(f"<h2>{markup.text(f'Events of {name}')}</h2>{_events(events)}" for name, events in seen.events.items()),
        "<h2>Logs, states and rows; telling lines are marked</h2>",
        *files,
    ]
    head = (
        f'<meta charset="utf-8"><meta name="viewport" content="width=device-width"><title>{markup.text(title)}</title>'
    )
    page = f'<!DOCTYPE html><html lang="en"><head>{head}</title><style>{LOOK}</style></head><body>{"".join(body)}'
    path = directory / NAME
    path.write_text(f"{page}</body></html>\n", "utf-8", errors="replace")
    return path


def _why(diagnosis: Diagnosis | None) -> list[str]:
    if diagnosis is None:
        return []
    told = wording.read(diagnosis.told(diagnosis.message))
    known = wording.distinct([*told.facts, *map(str, diagnosis.facts)])
    facts = "".join(f"<li>{markup.text(fact)}</li>" for fact in known)
    pre = markup.folded("The failure's message", diagnosis.message)
    return [
        f'<p class="cause"><b>{markup.text(told.root)}</b></p>',
        f"<p>Whose fault: {markup.text(told.whose)}</p>",
        f"<p>Do next: {markup.text(' '.join(told.next))}</p>",
        f"<p>Strongest facts:</p><ul>{facts}</ul>" if facts else "",
        pre,
    ]


def _events(events: list[dict[str, Any]]) -> str:
    """A table, newest first; warnings are marked."""
    rows = []
    for event in sorted(events, key=event_time)[::-1]:
        about = event.get("involvedObject", {})
        cells = (
            event_time(event).strftime("%H:%M:%S"),
            (event.get("series") or {}).get("count") or event.get("count") or 1,
            event.get("type"),
            event.get("reason"),
            f"{about.get('kind')}/{about.get('name')}",
            event.get("message", ""),
        )
        kind = "Warning" if event.get("type") == "Warning" else ""
        rows.append(f'<tr class="{kind}">{"".join(f"<td>{markup.text(cell)}</td>" for cell in cells)}</tr>')
    if not rows:
        return "<p>There are none.</p>"
    head = "".join(
        f'<th scope="col">{name}</th>' for name in ("Last seen", "Times", "Type", "Reason", "Object", "Message")
    )
    return f'<div><table class="events"><tr>{head}</tr>{"".join(rows)}</table></div>'


def _file(one: Found) -> str:
    """One thing, folded; open where it has telling lines and is a log."""
    if one.file is None:
        return f"<p>{markup.text(one.title)}: {markup.text(one.problem)}</p>"
    lines = one.file.read_text("utf-8", errors="replace").splitlines()
    if not lines:
        return f"<p>{markup.text(one.title)}: empty, nothing was written</p>"
    telling = sum(bool(TELLING.search(line)) for line in lines)
    shown = "\n".join(_line(line) for line in lines[-MOST_LINES:])
    left = f"the last {MOST_LINES} of {len(lines)} lines; " if len(lines) > MOST_LINES else ""
    count = f", {telling} telling lines" if telling else ""
    whole = markup.link(quote(one.file.name), one.file.name)
    summary = f"<summary>{markup.text(one.title)}{count}</summary>"
    return f"<details>{summary}<p>{left}whole file: {whole}</p><pre>{shown}</pre></details>"


def _line(line: str) -> Markup:
    words = markup.text(line)
    return Markup(f"<mark>{words}</mark>") if TELLING.search(SECRETS.redact(line)) else words
