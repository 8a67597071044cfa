"""Where links in reports lead to: items of log.html, diagnostics, the archive."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from robot.libraries.BuiltIn import BuiltIn

from harness.secrets import SECRETS

if TYPE_CHECKING:
    from .evidence import Outcome

KEYWORDS = ("KEYWORD", "SETUP", "TEARDOWN")
FLAT = "robot:flatten"
"""Tag of keywords of which the log shows nothing but messages."""


@dataclass(frozen=True)
class Places:
    """Where links lead to; empty where there is nothing.

    Attributes:
        log: log.html, from report.html.
        items: ids in the log, by the full name of a test or suite that failed.
        pages: diagnostics, from report.html, by the same.
        archive: of the run, from report.html.
    """

    log: str
    items: Mapping[str, str]
    pages: Mapping[str, str]
    archive: str

    def item(self, outcome: Outcome, words: str) -> str:
        """A link into the log."""
        target = self.items.get(outcome.full_name, "")
        return f"[{self.log}#{target}|{plain(words)}]" if self.log and target else plain(words)

    def page(self, outcome: Outcome, words: str) -> str:
        """A link to its diagnostics."""
        target = self.pages.get(outcome.full_name, "")
        return f"[{target}|{plain(words)}]" if target else ""


def plain(words: str) -> str:
    """Words without what Robot's markup would take for a link, a table or a line of its own."""
    line = " ".join(SECRETS.redact(words).split())
    return line.replace("|", "¦").replace("[", "(").replace("]", ")")


def deepest(item: Any) -> Any:
    """The innermost failed keyword of a test, set-up and teardown included, that the log shows; None where none did."""
    if getattr(item, "type", "") in KEYWORDS and FLAT in item.tags:
        return None
    body = [item.setup if getattr(item, "has_setup", False) else None, *getattr(item, "body", ())]
    body.append(item.teardown if getattr(item, "has_teardown", False) else None)
    for one in body:
        if one is not None and getattr(one, "status", "") == "FAIL":
            return deepest(one) or one
    return None


def failed_item(item: Any) -> str:
    """The id of the innermost failed keyword of a test or suite that ends, else its own. Robot Framework forgets the
    keywords of a test soon after its end."""
    found: str = (deepest(item) or item).id
    return found


def relative(target: Path, base: Path) -> str:
    """A link from a file in the directory `base`."""
    return quote(Path(os.path.relpath(target, base)).as_posix())


def file_of(variable: str) -> Path | None:
    """The file that Robot Framework will write, such as that of `LOG FILE`; None where it writes none."""
    path = BuiltIn().get_variable_value(f"${{{variable}}}")
    return Path(path) if path and path != "NONE" else None
