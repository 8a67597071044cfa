"""All suites carry the tags that they are chosen by, and what can skip says what it needs."""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest
from robot import running
from robot.running import ResourceFile
from robot.running.model import Keyword
from robot.utils import normalize

from tests import proof_table
from tests.tags import EVERYWHERE, GENERAL, NEEDS, ROOT, TOPICS, WITHOUT_MEANING, first_sentence, meanings, suites

CAN_SKIP = {"skip": 1, "skipif": 2}
"""Keywords that skip, and how many arguments they have when they give a reason."""
FORBIDDEN = {"passexecution", "passexecutionif", "setteststatus"}
"""They would make a pass of what was not proved."""
RAISES_SKIP = re.compile(r"^    def (\w+)\(.*?(?=^    (?:@|def )|\Z)", re.MULTILINE | re.DOTALL)

ALL = suites()
TESTS = [pytest.param(suite, test, id=f"{suite.file.name}: {test.name}") for suite in ALL for test in suite.model.tests]


def called(body: object) -> Iterator[tuple[str, tuple[str, ...]]]:
    """The keywords that a body calls, and their arguments, in all its blocks; names as arguments count, too."""
    for item in getattr(body, "body", None) or ():
        if isinstance(item, Keyword):
            arguments = tuple(map(str, item.args))
            yield normalize(str(item.name).rpartition(".")[2], ignore="_"), arguments
            yield from ((normalize(one, ignore="_"), arguments[at:]) for at, one in enumerate(arguments, 1))
        else:
            yield from called(item)
    for around in ("setup", "teardown"):
        if getattr(body, f"has_{around}", False):
            keyword = getattr(body, around)
            yield normalize(str(keyword.name), ignore="_"), tuple(map(str, keyword.args))


@cache
def skipping_library_keywords() -> frozenset[str]:
    """Keywords of the libraries that skip by themselves."""
    found = set()
    for file in (ROOT / "libraries").glob("*Library/**/*.py"):
        found |= {normalize(one[1], ignore="_") for one in RAISES_SKIP.finditer(file.read_text()) if "Skip" in one[0]}
    return frozenset(found)


@cache
def user_keywords() -> dict[str, object]:
    """The user keywords of all resources by name."""
    files = [ResourceFile.from_file_system(file) for file in (ROOT / "resources").rglob("*.resource")]
    return {normalize(str(keyword.name), ignore="_"): keyword for file in files for keyword in file.keywords}


def reached(*begin: object, of: running.TestSuite | None = None) -> set[str]:
    """The names of all keywords that are called from there, through user keywords, however deep."""
    known = user_keywords() | {
        normalize(str(one.name), ignore="_"): one for one in (of.resource.keywords if of is not None else ())
    }
    names: set[str] = set()
    waiting = [name for body in begin for name, _ in called(body)]
    while waiting:
        name = waiting.pop()
        if name not in names:
            names.add(name)
            if name in known:
                waiting += [inner for inner, _ in called(known[name])]
    return names


def can_skip(suite: running.TestSuite, test: object) -> bool:
    """Whether the test, or the set-up of its suite, may skip it."""
    return bool(reached(suite, test, of=suite) & (CAN_SKIP.keys() | skipping_library_keywords()))


def test_there_are_suites_to_look_at() -> None:
    assert ALL
    assert ALL[0].file.name == "lifecycle.robot"


@pytest.mark.parametrize(("suite", "test"), TESTS)
def test_a_test_carries_the_tags_that_it_is_chosen_by(suite, test) -> None:
    tags = set(test.tags)
    assert tags >= set(EVERYWHERE)
    topics = {suite.topic, *TOPICS}
    assert tags & topics, f"none of the capability tags {sorted(topics)}"
    unknown = {tag for tag in tags if tag not in meanings(ALL) and not tag.startswith(WITHOUT_MEANING)}
    assert not unknown, "tests/tags.py has no such tags"


@pytest.mark.parametrize(("suite", "test"), TESTS)
def test_a_test_that_may_skip_says_what_it_needs_and_no_other_does(suite, test) -> None:
    needs = set(test.tags) & set(NEEDS)
    assert bool(needs) == can_skip(suite.model, test), "a needs-... tag and a skip go together"


@pytest.mark.parametrize(("suite", "test"), TESTS)
def test_a_test_says_what_it_proves(suite, test) -> None:
    assert first_sentence(test.doc).endswith(".")
    assert suite.proves.endswith(".")


def test_only_the_lifecycle_is_smoke() -> None:
    assert {suite.topic for suite in ALL if "smoke" in suite.tags} == {"lifecycle"}


def test_no_topic_is_also_a_general_tag() -> None:
    assert not {suite.topic for suite in ALL} & {*GENERAL, *NEEDS}


def bodies() -> list[object]:
    """Everything that calls keywords."""
    return [*user_keywords().values(), *(each for suite in ALL for each in (suite.model, *suite.model.tests))]


@pytest.mark.parametrize("body", bodies(), ids=lambda body: str(body.name))
def test_nothing_passes_without_proof_and_no_skip_is_without_a_reason(body) -> None:
    for name, arguments in called(body):
        assert name not in FORBIDDEN
        assert len(arguments) >= CAN_SKIP.get(name, 0), f"{name} without a reason"


WAYS = {
    "its own": ("", "Skip    no GPU"),
    "through a keyword": ("", "Maybe"),
    "an argument": ("", "Run Keyword If    ${x}    Skip    no GPU"),
    "the suite's set-up": ("Suite Setup    Maybe", "No Operation"),
    "the suite's test set-up": ("Test Setup    Maybe", "No Operation"),
}


@pytest.mark.parametrize("way", WAYS)
def test_a_skip_is_found_wherever_it_stands(way, tmp_path: Path) -> None:
    setting, step = WAYS[way]
    text = f"*** Settings ***\n{setting}\n*** Test Cases ***\nOne\n    {step}\n"
    text += "*** Keywords ***\nMaybe\n    GROUP    looking\n        IF    ${x}    Skip    no GPU\n    END\n"
    (tmp_path / "one.robot").write_text(text)
    suite = suites(tmp_path)[0].model
    assert can_skip(suite, suite.tests[0])


def test_what_never_skips_is_not_taken_for_it(tmp_path: Path) -> None:
    (tmp_path / "one.robot").write_text("*** Test Cases ***\nOne\n    Log    Skipping nothing\n")
    suite = suites(tmp_path)[0].model
    assert not can_skip(suite, suite.tests[0])


def test_the_readmes_tables_are_the_suites() -> None:
    assert proof_table.in_readme(proof_table.PROOF) == proof_table.proofs(ALL)
    assert proof_table.in_readme(proof_table.TAGS) == proof_table.tags(ALL)


def test_a_documentation_is_told_by_its_first_sentence() -> None:
    assert first_sentence("One pod is\nrestored. Then more.") == "One pod is restored."
    assert first_sentence("All at once") == "All at once"
