"""The mutator itself: each mutation changes what it says, and a test that could notice is run and believed."""

from __future__ import annotations

import ast
import textwrap
from pathlib import Path

import pytest

from tests.mutation import equivalent, running
from tests.mutation.coverage import AT_IMPORT, Coverage
from tests.mutation.operators import mutations, spoiled
from tests.mutation.targets import TARGETS, files_of

SOURCE = textwrap.dedent(
    """
    def first(rows: list[int], least: int = 3) -> int | None:
        \"\"\"A docstring.\"\"\"
        assert rows
        for row in rows:
            if row is None or row < least:
                continue
            total[row] += 1
            say("a word of advice")
            return max(row, *(one for one in rows if one > 0))
        if not rows:
            raise ValueError("empty")
        logger.info("done")
        return None
    """
)
EXPECTED = {
    "first: 3 -> 4 in rows: list[int], least: int=3",
    "first: row is None or row < least -> row is None and row < least",
    "first: row is None -> row is not None",
    "first: row < least -> row <= least",
    "first: continue -> break",
    "first: total[row] += 1 -> pass",
    "first: 1 -> 2 in total[row] += 1",
    "first: say('a word of advice') -> pass",
    "first: return max(row, *(one for one in rows if one > 0)) -> return None",
    "first: max(row, *(one for one in rows if one > 0)) -> min(row, *(one for one in rows if one > 0))",
    "first: one > 0 -> True",
    "first: one > 0 -> one >= 0",
    "first: 0 -> 1 in one > 0",
    "first: not rows -> not not rows",
    "first: raise ValueError('empty') -> pass",
    "first: 'empty' -> 'emptyXX' in ValueError('empty')",
}


def test_what_is_spoiled_and_what_is_left_alone() -> None:
    found = {one.what for one in mutations(ast.parse(SOURCE))}
    assert found - {"first: row is None or row < least -> not (row is None or row < least)"} == EXPECTED


@pytest.mark.parametrize("number", range(len(mutations(ast.parse(SOURCE)))))
def test_each_mutation_changes_the_code_as_it_says(number: int) -> None:
    mutation = mutations(ast.parse(SOURCE))[number]
    code = ast.unparse(spoiled(SOURCE, number))
    assert code != ast.unparse(ast.parse(SOURCE))
    assert mutation.after.removeprefix("return ") in " ".join(code.split())
    assert ast.unparse(ast.parse(SOURCE)).count(mutation.before) >= 1


@pytest.mark.parametrize("file", files_of(TARGETS), ids=lambda file: file.name)
def test_mutations_of_the_code_are_some(file: Path) -> None:
    source, before = file.read_text(), ast.unparse(ast.parse(file.read_text()))
    for number in range(0, len(mutations(ast.parse(source))), 9):
        assert ast.unparse(spoiled(source, number)) != before


def test_looking_for_mutations_changes_nothing() -> None:
    tree = ast.parse(SOURCE)
    mutations(tree)
    assert ast.unparse(tree) == ast.unparse(ast.parse(SOURCE))


def test_a_test_that_comes_by_one_of_the_lines_is_run_the_quickest_first() -> None:
    coverage = Coverage()
    coverage.tests["a.py"] = {1: {AT_IMPORT}, 2: {"t::slow"}, 3: {"t::quick", "t::slow"}, 4: {"t::other"}}
    coverage.seconds |= {"t::slow": 2.0, "t::quick": 1.0, "t::other": 3.0, "t::uses it": 0.5, "u::does not": 0.1}
    assert coverage.of("a.py", [2, 3]) == ["t::quick", "t::slow"]
    assert coverage.of("a.py", [1]) == ["t::quick", "t::slow", "t::other", "t::uses it"], "import is everybody's"
    assert coverage.of("a.py", [9]) == coverage.of("b.py", [1]) == []


def test_every_mutant_that_is_named_as_equivalent_is_there_and_has_a_reason() -> None:
    there = {mutant.key for mutant in running.mutants_of(files_of(TARGETS), Coverage())}
    assert set(equivalent.named()) - there == set()


def test_the_list_of_equivalent_ones_needs_reasons() -> None:
    assert equivalent.named("# same\n# value\na\nb\n") == {"a": "same value", "b": "same value"}
    for text in ("a\n", "# why\na\n\nb\n", "# why\na\na\n"):
        with pytest.raises(ValueError, match=r"reason|twice"):
            equivalent.named(text)


MODULE = "def limit(value):\n    return min(value, 7)\n"
TEST = "from victim.code import limit\n\ndef test_low():\n    assert limit(3) == 3\n"
NOTICES = "\ndef test_high():\n    assert limit(9) == 7\n"


@pytest.mark.parametrize(
    ("test", "killed"), [(TEST, {"return None", "max"}), (TEST + NOTICES, {"return None", "max", "8"})]
)
def test_a_spoiled_module_is_noticed_by_a_good_test(test, killed, tmp_path: Path, monkeypatch) -> None:
    victim = tmp_path / "victim"
    victim.mkdir()
    (victim / "__init__.py").touch()
    (victim / "code.py").write_text(MODULE)
    (tmp_path / "test_it.py").write_text(test)
    (tmp_path / "pytest.ini").write_text("[pytest]\npythonpath = .\n")
    monkeypatch.setattr(running, "LIBRARIES", tmp_path)
    monkeypatch.chdir(tmp_path)
    file = victim / "code.py"
    coverage = running.watch([file], ["test_it.py"], tmp_path)
    mutants = list(running.mutants_of([file], coverage))
    assert len(mutants) == 3
    lived = running.survivors(mutants, 2, tmp_path, lambda *_: None)
    died = [one.mutation.after for one in mutants if one not in lived]
    assert {word for word in ("return None", "max", "8") if any(word in after for after in died)} == killed


def test_tests_that_fail_by_themselves_are_no_measure(tmp_path: Path) -> None:
    (tmp_path / "test_it.py").write_text("def test_it():\n    assert False\n")
    with pytest.raises(RuntimeError, match="do not pass without a mutation"):
        running.watch([], [str(tmp_path / "test_it.py")], tmp_path)
