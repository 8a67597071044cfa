"""The index of the keywords' pages leads to each of them."""

from __future__ import annotations

import re
from urllib.parse import unquote

from tests import docs_build
from tests.checks import SCRATCH, static_checks

FAIL_BY_NOTHING_OF_THEIR_OWN = {
    "Collect Diagnostics",
    "Get Fate Of Connection",
    "Get Propagator Era",
    "Get Resource Use",
    "Get Verdicts",
    "Keep Everything This Run Made",
    "List Leftovers",
    "Log Pod Before And After",
    "Mend Connection To Propagator",
    "Record Checkpoint Storage",
    "Record Leftovers",
    "Release Connections",
    "Remove Everything This Run Made",
    "Remove Leftovers",
    "Set Step Outcome",
    "Stop Control Arm",
}


def test_every_keyword_of_a_library_says_what_it_raises() -> None:
    of_libraries = [one for _, doc in docs_build.documentation() if doc.type == "LIBRARY" for one in doc.keywords]
    assert len(of_libraries) > 100
    assert {one.name for one in of_libraries if not one.to_dictionary()["raises"]} == FAIL_BY_NOTHING_OF_THEIR_OWN


def test_every_keyword_is_in_the_index_and_every_link_leads_to_a_page() -> None:
    documented = docs_build.documentation()
    links = re.findall(r"href='([^']+)'", docs_build.index(documented))
    pages = {page for page, _ in documented}
    assert {link.partition("#")[0] for link in links} == pages
    linked = {(link.partition("#")[0], unquote(link.partition("#")[2])) for link in links if "#" in link}
    public = [(page, one) for page, doc in documented for one in doc.keywords if "robot:private" not in one.tags]
    assert linked == {(page, keyword.name) for page, keyword in public}
    assert [keyword.name for _, keyword in public if not keyword.short_doc.endswith(".")] == []


def test_a_check_builds_the_pages() -> None:
    commands = [command for _, command in static_checks()]
    assert any("tests.docs_build" in command and f"{SCRATCH}/keywords" in command for command in commands)
