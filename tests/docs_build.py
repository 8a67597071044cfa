"""`python -m tests.docs_build [folder]` makes a page of every library and resource, and an index that leads to them."""

from __future__ import annotations

import html
import sys
from collections.abc import Iterable
from pathlib import Path
from urllib.parse import quote

from robot.libdoc import libdoc
from robot.libdocpkg import LibraryDocumentation
from robot.libdocpkg.model import LibraryDoc

from .checks import LIBRARIES, ROOT, keyword_libraries

FOLDER = ROOT / "docs" / "keywords"
STYLE = """
:root { color-scheme: light dark; font: 16px/1.5 system-ui, sans-serif }
body { max-width: 60rem; margin: 2rem auto; padding: 0 1rem }
td { padding: .2rem 1rem .2rem 0; vertical-align: top }
code { font-size: .95em }
"""
START = """
<p>What the suites say is made of <em>sentences</em>, keywords of a resource such as <code>Restore Workload</code>. They
remember the workload that a test is about. Sentences are made of <em>verbs</em>, keywords of a library such as
<code>Restore Pod</code>, which take all that they need as arguments. To begin, read the sentences of
<a href="lifecycle.resource.html">lifecycle.resource</a>; to write a check of your own, look here for a verb.</p>
"""


def sources() -> list[Path]:
    """The folders of the libraries and the files of the resources."""
    return [*(LIBRARIES / name for name in keyword_libraries()), *sorted((ROOT / "resources").glob("*.resource"))]


def page_of(source: Path) -> str:
    """The name of its page."""
    return f"{source.name}.html"


def index(documented: Iterable[tuple[str, LibraryDoc]]) -> str:
    """The page that leads to the others: libraries, resources, and every keyword with its first sentence."""
    documented = list(documented)
    rooms = {"LIBRARY": "Libraries", "SUITE": "Resources", "RESOURCE": "Resources"}
    parts = ["<!doctype html><html lang='en'><meta charset='utf-8'><title>Keywords</title>"]
    parts += [f"<meta name='viewport' content='width=device-width'><style>{STYLE}</style><h1>Keywords</h1>", START]
    for room in ("Libraries", "Resources"):
        rows = [
            (_link(page, page.removesuffix(".html")), html.escape(_first_sentence(doc.doc)))
            for page, doc in documented
            if rooms[doc.type] == room
        ]
        parts.append(f"<h2>{room}</h2>{_table(rows)}")
    keywords = sorted(
        (keyword.name, page, keyword.short_doc)
        for page, doc in documented
        for keyword in doc.keywords
        if "robot:private" not in keyword.tags
    )
    rows = [
        (_link(f"{page}#{quote(name)}", name), html.escape(f"{short} ({page.removesuffix('.html')})"))
        for name, page, short in keywords
    ]
    parts.append(f"<h2>All keywords</h2>{_table(rows)}")
    return "\n".join([*parts, "</html>\n"])


def documentation() -> list[tuple[str, LibraryDoc]]:
    """Each page with what is documented there."""
    return [(page_of(source), LibraryDocumentation(str(source))) for source in sources()]


def build(folder: Path) -> None:
    """Writes all pages."""
    folder.mkdir(parents=True, exist_ok=True)
    for source in sources():
        libdoc(str(source), str(folder / page_of(source)), quiet=True)
    (folder / "index.html").write_text(index(documentation()))
    print(f"{folder / 'index.html'} and a page each for {len(sources())} libraries and resources")


def _first_sentence(doc: str) -> str:
    return " ".join(doc.strip().partition("\n\n")[0].split())


def _link(to: str, text: str) -> str:
    return f"<a href='{html.escape(to)}'><code>{html.escape(text)}</code></a>"


def _table(rows: Iterable[tuple[str, str]]) -> str:
    return "<table>" + "".join(f"<tr><td>{left}</td><td>{right}</td></tr>\n" for left, right in rows) + "</table>"


if __name__ == "__main__":
    build(Path(sys.argv[1]) if len(sys.argv) > 1 else FOLDER)
