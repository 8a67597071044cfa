"""The keywords as a user of the library sees them."""

import pytest
from robot.libdoc import LibraryDocumentation
from tests.ReportLibrary.conftest import ROOT

LIBRARY = LibraryDocumentation(str(ROOT / "libraries" / "ReportLibrary"))


def test_the_keywords():
    assert [keyword.name for keyword in LIBRARY.keywords] == [
        "Collect Diagnostics",
        "Export Results",
        "Log Pod Before And After",
        "Publish Evidence",
        "Record Checkpoint Storage",
        "Record Environment",
        "Record Leftovers",
        "Record Measurement",
        "Record Phase",
        "Record Verdict",
        "Set Step Outcome",
    ]


@pytest.mark.parametrize("keyword", LIBRARY.keywords, ids=lambda keyword: keyword.name)
def test_each_is_explained_with_an_example(keyword):
    assert keyword.short_doc.rstrip().endswith(".")
    assert "```robotframework" in keyword.doc
    assert keyword.name in keyword.doc
    assert all(argument.type for argument in keyword.args if not argument.is_marker)
