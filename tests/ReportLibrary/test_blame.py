"""The exit status by whose fault it was."""

import json

import pytest

from harness.causes import Blame
from ReportLibrary import blame


def evidence(worst=None, *, passed=1, complete=True):
    cause = {"name": "auth", "blame": worst, "meaning": "."} if worst else None
    return {
        "complete": complete,
        "summary": {"passed": passed, "worst_blame": worst},
        "tests": [{"name": "A", "cause": cause}],
        "suites": [{"name": "S", "cause": None}],
    }


@pytest.fixture
def judge(tmp_path, capsys):
    def judged(content):
        file = tmp_path / "evidence.json"
        file.write_text(content if isinstance(content, str) else json.dumps(content))
        return blame.main([str(file)]), capsys.readouterr().out

    return judged


@pytest.mark.parametrize(
    ("whose", "status"), [("product", 1), ("harness", 3), ("unknown", 4), ("service", 5), ("environment", 6)]
)
def test_each_has_its_status(judge, whose, status):
    assert judge(evidence(whose)) == (status, f"{whose}: auth - A\n")


def test_everybody_who_can_be_blamed_has_one_of_his_own():
    assert set(blame.STATUS) == set(Blame)
    assert len(set(blame.STATUS.values()) | {0, blame.UNREADABLE}) == len(Blame) + 2


def test_a_green_run(judge):
    assert judge(evidence()) == (0, "nothing failed, 1 passed\n")


@pytest.mark.parametrize("content", [evidence(complete=False), evidence(passed=0)])
def test_a_run_that_proved_nothing_is_not_green(judge, content):
    assert judge(content)[0] == 4


@pytest.mark.parametrize("content", ["", "[]", "{}", '{"tests": 1}'])
def test_what_is_no_evidence(judge, content):
    assert judge(content)[0] == 2


def test_a_file_that_is_not_there(tmp_path):
    assert blame.main([str(tmp_path / "none.json")]) == 2
