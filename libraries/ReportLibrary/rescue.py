"""`python -m ReportLibrary.rescue DIRECTORY` makes log.html and report.html of a run that was killed, as far as it got.

Robot Framework writes output.xml as it goes, and makes the pages of it at the end, which a killed run never reaches.
Here what was open when the run ended is closed, as failed; output.xml itself stays as it is.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Iterator, Mapping
from datetime import datetime, timedelta
from itertools import pairwise
from pathlib import Path
from typing import Any
from xml.etree import ElementTree
from xml.etree.ElementTree import Element

from robot.api import ExecutionResult, ResultWriter

from harness.causes import CAUSES

from .evidence import FILE_NAME
from .places import plain

OUTPUT = "output.xml"
WITH_STATUS = {"suite", "test", "kw", "group", "for", "while", "iter", "if", "branch", "try", "variable", "return"}
WITH_STATUS |= {"continue", "break", "error"}
"""Elements that end with one (Robot Framework's output.xml, schema version 5)."""
CAUSE = CAUSES["interrupted"]
MESSAGE = f"Expected: the run to come to its end\nSeen: it was killed here\nCause: {CAUSE}"
NEXT = (
    "Run again. What the killed run had made is removed by the next one on that cluster, or at once by "
    "``python -m harness.ledger sweep``."
)
UNREADABLE = 2


def read(file: Path) -> tuple[str, list[str]]:
    """What output.xml has, whole, and the names of what was open when it ended, the outermost first.

    Raises:
        OSError: it cannot be read.
        ElementTree.ParseError: it is no output.xml, or nothing of a run is in it.
    """
    parser: ElementTree.XMLPullParser[Element] = ElementTree.XMLPullParser(("start", "end"))
    parser.feed(file.read_bytes())
    opened: list[Element] = []
    root: Element | None = None
    events: Any = parser.read_events()
    for event, element in events:
        root = element if root is None else root
        if event == "start":
            opened.append(element)
        else:
            opened.pop()
    if root is None or root.tag != "robot" or root.find("suite") is None:
        raise ElementTree.ParseError("no suite has begun in it")
    names = [str(one.get("name") or one.tag) for one in opened if one.tag in WITH_STATUS]
    _close(opened)
    return ElementTree.tostring(root, encoding="unicode"), names


def _close(opened: list[Element]) -> None:
    """Ends what is open, from within; a message or an argument that was cut off is left out."""
    last = max((end for one in opened[:1] for _, end in _times(one)), default=None)
    for outer, one in reversed([*pairwise(opened)]):
        if one.tag not in WITH_STATUS:
            outer.remove(one)
            continue
        begun = min((begin for begin, _ in _times(one)), default=last)
        status = ElementTree.SubElement(one, "status", status="FAIL")
        if begun and last:
            status.set("start", begun.isoformat())
            status.set("elapsed", f"{(last - begun).total_seconds():.6f}")
        if one.tag != "suite":
            status.text = MESSAGE


def _times(element: Element) -> Iterator[tuple[datetime, datetime]]:
    """Beginnings and ends of all in it that has times."""
    for one in element.iter():
        if text := one.get("time") or one.get("start"):
            begin = datetime.fromisoformat(text)
            yield begin, begin + timedelta(seconds=float(one.get("elapsed", 0)))


def head(names: list[str], evidence: Mapping[str, Any], doc: str) -> str:
    """What stands on top of the report, in Robot's markup."""
    found = evidence.get("summary") or {}
    facts = evidence.get("environment") or {}
    counted = f"{found.get('passed', 0)} tests had passed and {found.get('failed', 0)} failed."
    kind = "emulated" if facts.get("emulated") else "provider"
    rows = [
        ("Killed amid", " > ".join(plain(name) for name in names)),
        ("Root cause", f"*{plain(CAUSE.meaning)}* (``{CAUSE.name}``)"),
        ("Do next", NEXT),
        ("Where it ran", plain(f"{kind} {facts.get('provider', 'not known')}, {facts.get('kubernetes', 'not known')}")),
    ]
    table = "\n".join(f"| ={title}= | {words} |" for title, words in rows)
    return f"KILLED: the run did not come to its end. {counted}\n\n{table}\n\n{doc}".rstrip()


def rescue(directory: Path) -> list[str]:
    """Writes log.html and report.html, and gives the names of what was open; none where the run came to its end.

    Raises:
        OSError: output.xml cannot be read.
        ElementTree.ParseError: it is none.
    """
    text, names = read(directory / OUTPUT)
    result = ExecutionResult(text)
    if names:
        result.suite.doc = head(names, _evidence(directory), result.suite.doc)
    pages = {kind: str(directory / f"{kind}.html") for kind in ("log", "report")}
    ResultWriter(result).write_results(**pages, stdout=sys.stdout)
    return names


def _evidence(directory: Path) -> dict[str, Any]:
    try:
        found = json.loads((directory / FILE_NAME).read_text("utf-8"))
    except (OSError, ValueError):
        return {}
    return found if isinstance(found, dict) else {}


def main(arguments: list[str] | None = None) -> int:
    """Runs the command; ends with 2 where there is no readable output.xml."""
    parser = argparse.ArgumentParser(prog="python -m ReportLibrary.rescue", description=__doc__.split("\n\n")[0])
    parser.add_argument("directory", type=Path, help="the output directory of the run")
    directory = parser.parse_args(arguments).directory
    try:
        names = rescue(directory)
    except (OSError, ElementTree.ParseError) as problem:
        print(f"{directory / OUTPUT}: no readable output of a run ({problem})")
        return UNREADABLE
    print(f"The run was killed amid: {' > '.join(names)}" if names else "The run had come to its end.")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
