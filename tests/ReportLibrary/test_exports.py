"""What a run tells GitHub and the history, and that no such place can fail a run."""

import json
import re

import pytest
from tests.ReportLibrary.suites.known import VALUE

from harness.secrets import Secrets
from ReportLibrary import github
from ReportLibrary.markdown import folded, table


@pytest.fixture(scope="module")
def exported(robot, tmp_path_factory):
    """A run with every place asked for, and what is in them."""
    place = tmp_path_factory.mktemp("places")
    (place / "summary.md").write_text("of an earlier step\n")
    environment = {
        "GITHUB_STEP_SUMMARY": str(place / "summary.md"),
        "GITHUB_ACTIONS": "true",
        "GITHUB_WORKSPACE": str(github.Path(__file__).parent),
        "HISTORY": str(place / "history.jsonl"),
    }
    return robot("exported.robot", "--xunit", "xunit.xml", env=environment), place


def test_the_job_summary_is_appended(exported):
    text = (exported[1] / "summary.md").read_text()
    assert text.startswith("of an earlier step\n## Exported: 1 of 3 tests failed, whose fault: service\n")
    assert "On Kubernetes v1.33.13+emulated, provider sandbox, chart cedana. The cluster was emulated" in text
    assert "| Refused | auth | service |" in text
    assert "<details><summary>Refused</summary>" in text
    assert "a token | that is 100% good&#10;Seen: 401, said &lt;b&gt;&lt;secret&gt;&lt;/b&gt;" in text
    assert "| Skipped | no GPU here |" in text
    assert "| restore | s | 1 | 0.5 | 0.5 | 0.5 |" in text


def test_annotations_stand_on_lines_of_their_own(exported):
    (line,) = [line for line in exported[0].lines if line.startswith("::")]
    where, _, message = line.removeprefix("::error ").partition("::")
    assert where == "file=suites/exported.robot,line=11,title=Refused%3A auth (service)"
    assert message.startswith("Expected: a token | that is 100%25 good%0ASeen: 401, said <b><secret></b>%0ACause:")


def test_nothing_of_github_elsewhere(robot):
    run = robot("exported.robot")
    assert not [line for line in run.lines if line.startswith("::")]


def test_a_place_that_cannot_be_written_is_told_and_fails_nothing(robot, tmp_path):
    there = robot("exported.robot", env={"GITHUB_STEP_SUMMARY": str(tmp_path / "none" / "x")})
    assert there.returned == 1
    assert [line for line in there.lines if line.startswith(f"The job summary {tmp_path}/none/x could not be written")]


def test_no_secret_leaves(exported):
    secrets = Secrets()
    secrets.add(VALUE)
    texts = [*exported[0].bytes().values(), *(file.read_bytes() for file in exported[1].iterdir())]
    assert not [text for text in texts if secrets.found_in(text)]


def test_junit_has_the_cause_in_the_message(exported):
    text = (exported[0].out / "xunit.xml").read_text()
    assert re.search(r'<failure message="[^"]*Cause: auth \(service\)', text)


def test_the_history_has_a_line(exported):
    (line,) = (exported[1] / "history.jsonl").read_text().splitlines()
    run = json.loads(line)
    assert (run["passed"], run["failed"], run["skipped"], run["worst_blame"]) == (1, 1, 1, "service")
    assert run["versions"]["runtime"] == "containerd://2.1.9"
    assert [(test["name"], test["cause"], test["verdicts"]) for test in run["tests"]] == [
        ("Continued", None, ["continued"]),
        ("Refused", "auth", []),
        ("Skipped", None, []),
    ]
    assert run["measurements"][0]["name"] == "restore"


def test_a_summary_larger_than_github_shows_is_cut(exported, tmp_path):
    run = json.loads((exported[0].out / "evidence.json").read_text())
    run["tests"] = [dict(run["tests"][1], message="ä" * 19_000)] * 60
    file = tmp_path / "summary.md"
    file.write_text("x" * 1000)
    github.append(file, run)
    assert github.LARGEST - 3 < file.stat().st_size < github.LARGEST
    assert file.read_text().endswith(github.CUT)


def test_values_are_no_markup():
    assert table(["a"], [("x|<b>\n*y* `z`",)]) == "| a |\n| --- |\n| x\\|&lt;b&gt; \\*y\\* \\`z\\` |\n"
    assert folded("<t>", "a\n\n</pre>") == (
        "<details><summary>&lt;t&gt;</summary>\n\n<pre>a&#10;&#10;&lt;/pre&gt;</pre>\n\n</details>\n"
    )
