"""The step tree as it stands on the console."""

import re
import subprocess
import sys
from dataclasses import replace

import pytest
from tests.ReportLibrary.conftest import HERE, environment

from ReportLibrary.tree import Look, Step, begun, closing, ended


@pytest.fixture(scope="module")
def story(robot):
    return robot("story/")


def test_the_whole_story_in_a_file(story, golden):
    golden("story.txt", story.lines)


def test_no_colour_codes_in_a_file(story):
    assert "\033" not in story.console


def test_a_terminal_shows_the_same_story_in_colour(story, robot_on_terminal):
    run = robot_on_terminal("story/")
    assert "... \033[31mFAIL\033[0m" in run.console
    assert "| \033[32mPASS\033[0m |" in run.console
    assert on_screen(run) == story.lines


def on_screen(run):
    """What a terminal shows: carriage returns done, colours and links off."""
    text = re.sub(r"\033(\[\d+m|\]8;;.*?\033\\)", "", run.console)
    lines = [line.rstrip("\r").rpartition("\r")[2] for line in text.split("\n")[:-1]]
    return replace(run, console="\n".join(lines)).lines


def test_a_line_is_begun_before_its_step_is_done(robot):
    """The step itself kills the run, so that what is on the console was there while the step ran."""
    run = robot("killed.robot")
    assert run.squeezed[-2:] == ["  ├── Done before the end... 0.0 s", "  ├── Being killed..."]


def test_a_warning_that_goes_elsewhere_breaks_no_line(robot):
    run = robot("story/", "--test", "Warns", with_errors=False)
    assert sum("Deploying with a warning" in line for line in run.lines) == 1
    assert sum("Deploying with words" in line for line in run.lines) == 2


def test_two_runs_in_one_process(robot, tmp_path):
    code = "import sys, robot\nfor out in sys.argv[2:]: robot.run(sys.argv[1], outputdir=out, report=None, log=None)"
    suite, outs = str(HERE / "suites" / "imported_twice.robot"), [str(tmp_path / "one"), str(tmp_path / "two")]
    run = subprocess.run(
        [sys.executable, "-c", code, suite, *outs], env=environment({}), capture_output=True, text=True, check=True
    )
    assert run.stdout.count("├── Only one line of me...") == 2
    assert [run.stdout.count(f"Evidence: {out}") for out in outs] == [1, 1]


def test_colours_as_the_user_asks(robot, robot_on_terminal):
    assert "\033[31mFAIL" in robot("story/", "--consolecolors", "ansi", "--test", "Fails In A Step").console
    assert "\033[3" not in robot_on_terminal("story/", "--consolecolors", "off").console


def test_ascii_where_the_console_has_no_utf_8(robot):
    run = robot("story/", "--test", "Fails In A Step", env={"PYTHONIOENCODING": "ascii"})
    assert "  |-- Restoring pod via API... FAIL 0.0 s" in run.squeezed
    assert any(line.startswith("  `-- Test failed: ") for line in run.lines)
    assert run.console.isascii()


@pytest.mark.parametrize("console", ["dotted", "quiet", "none"])
def test_silent_on_other_consoles(robot, console):
    run = robot("story/", "--console", console)
    assert "Deploying test nginx pod" not in run.console
    assert "├" not in run.console
    if console != "dotted":
        assert run.lines == ["[ WARN ] watch out", "hello"][console == "none" :]


def test_no_output_files(robot):
    run = robot("story/", "--output", "NONE", "--log", "NONE", "--report", "NONE", "--test", "Skips")
    assert "  ├── Looking for a GPU... SKIP 0.0 s" in run.squeezed
    assert run.returned == 0


def test_nothing_is_drawn_in_a_dry_run(robot):
    run = robot("story/", "--dryrun", "--test", "Fails In A Step")
    assert "├" not in run.console
    assert run.returned == 0


def test_one_tree_however_often_the_library_is_imported(robot):
    run = robot("imported_twice.robot")
    assert run.squeezed[3:6] == [
        "Once",
        "  ├── Only one line of me... 0.0 s",
        "  └── Test completed successfully | PASS |",
    ]


def test_outcome_stands_in_the_log_too(story):
    suite = story.result.suite.suites[0]
    group = next(item for item in suite.tests[0].body if getattr(item, "type", "") == "GROUP")
    assert group.name == "Polling checkpoint status"
    assert group.body[0].messages[0].message == "[COMPLETED]"


@pytest.mark.parametrize("unicode", [True, False])
def test_times_stand_in_one_column(unicode):
    look = Look(78, unicode)
    steps = [Step("Short", seconds=0.04), Step("Polling", "[COMPLETED]", seconds=123.45), Step("Bad", status="FAIL")]
    lines = [begun(step, look) + "".join(ended(step, look)) for step in steps]
    assert {len(line.rstrip("\n")) for line in lines} == {68}


def test_names_stay_on_one_line():
    assert begun(Step("Two\nlines \033[1mand a colour..."), Look()) == "  ├── Two lines [1mand a colour..."


@pytest.mark.parametrize(
    ("status", "message", "line"),
    [
        ("PASS", "", "Test completed successfully"),
        ("PASS", "set by the test", "Test completed successfully"),
        ("FAIL", "first\nsecond", "Test failed: first"),
        ("FAIL", "", "Test failed"),
        ("SKIP", "no GPU", "Test skipped: no GPU"),
        ("SKIP", "broken\nSkipped for Retry", "Test failed and is retried: broken"),
    ],
)
def test_last_lines(status, message, line):
    assert closing(status, message, Look()).rstrip() == f"  └── {line}"
    assert len(closing(status, message, Look())) == 70
