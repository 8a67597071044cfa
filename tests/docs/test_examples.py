"""Every keyword is documented, and the example in its documentation works."""

from __future__ import annotations

import re
import shutil
import textwrap
from pathlib import Path

import pytest
from robot.libdocpkg import LibraryDocumentation
from robot.libdocpkg.model import KeywordDoc
from tests.checks import keyword_libraries
from tests.end_to_end.runner import ROOT, Folders, run

TEMPLATE = Path(__file__).with_name("examples.robot")
FENCED = re.compile(r"^```robotframework\n(.*?)^```", re.DOTALL | re.MULTILINE)
INDENTED = re.compile(r"^Example:\n\n((?:    .*\n?|\n)+)", re.MULTILINE)
HERE = {
    "https://ci.cedana.ai": "${URL}",
    "oci://registry-1.docker.io/cedana/cedana-helm": "${CHART}",
}
"""What the examples name and a machine without the world outside has elsewhere."""


def keywords() -> dict[str, KeywordDoc]:
    """The keywords of all libraries by name."""
    found = {}
    for library in keyword_libraries():
        for keyword in LibraryDocumentation(f"{ROOT}/libraries/{library}/").keywords:
            assert keyword.name not in found, f"two libraries have a keyword {keyword.name}"
            found[keyword.name] = keyword
    return found


KEYWORDS = keywords()


def example(keyword: KeywordDoc) -> str:
    """The example in a keyword's documentation; empty where there is none."""
    match = FENCED.search(keyword.doc) or INDENTED.search(keyword.doc)
    text = textwrap.dedent(match[1]).strip() if match else ""
    for name, here in HERE.items():
        text = text.replace(name, here)
    return text


@pytest.mark.parametrize("name", KEYWORDS)
def test_a_keyword_says_what_it_takes_and_has_an_example(name: str) -> None:
    keyword = KEYWORDS[name]
    assert keyword.short_doc.endswith(".")
    assert name in example(keyword)
    arguments = [argument.name for argument in keyword.args if argument.name]
    assert [name for name in arguments if not keyword.args.docs.get(name)] == [], "an argument is not documented"
    assert [name for name in arguments if name not in keyword.args.types] == [], "an argument has no type"
    returns = keyword.args.return_type
    assert bool(keyword.args.return_doc) == (returns is not None and str(returns) != "None")


def test_a_keyword_that_checks_or_waits_says_how_it_fails() -> None:
    judging = re.compile(r"\b(Should|Wait)\b")
    named = [name for name, keyword in KEYWORDS.items() if judging.search(name) or "assertion" in keyword.tags]
    assert len(named) > 50
    assert [name for name in named if not KEYWORDS[name].args.raises] == []


def test_every_example_works(tmp_path: Path) -> None:
    folders = Folders.below(tmp_path)
    suite = tmp_path / "examples.robot"
    suite.write_text(_filled_in(TEMPLATE.read_text()))
    for manifest in (ROOT / "resources" / "workloads").glob("*.yaml"):
        shutil.copy(manifest, tmp_path)
    ended = run(folders, "--exitonfailure", what=str(suite))
    assert ended.status == 0, ended.console
    assert folders.left() == []


def _filled_in(template: str) -> str:
    named = re.findall(r"^    <<(.+)>>$", template, re.MULTILINE)
    assert sorted(named) == sorted(KEYWORDS), "each keyword's example is run once"
    text = template.replace("<<libraries>>", str(ROOT / "libraries"))
    for name in named:
        text = text.replace(f"    <<{name}>>\n", textwrap.indent(example(KEYWORDS[name]), "    ") + "\n")
    return text
