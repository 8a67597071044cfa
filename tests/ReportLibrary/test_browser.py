"""Reports as a browser has them: what must be there is there, nothing is an error, and nothing wider than a phone."""

import re
import shutil
import subprocess
import zipfile

import pytest

from harness.causes import CAUSES
from ReportLibrary import rescue

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")
pytestmark = [pytest.mark.slow, pytest.mark.skipif(CHROMIUM is None, reason="there is no chromium")]
QUIET = ("--disable-background-networking", "--disable-component-update", "--disable-sync", "--no-first-run")

TEN = (
    "process-restarted",
    "process-rewound",
    "checkpoint-failed",
    "restore-timeout",
    "image-pull",
    "quota",
    "auth",
    "propagator-unreachable",
    "webhook-refused",
    "harness-error",
)


@pytest.fixture(scope="module")
def told(robot):
    return robot("told.robot")


@pytest.fixture(scope="module")
def opened(told, tmp_path_factory):
    """The page of a file once its scripts have run."""

    def dump(name, run=None):
        profile = tmp_path_factory.mktemp("chromium")
        ended = subprocess.run(
            [
                CHROMIUM,
                *("--headless", "--no-sandbox", "--disable-gpu", *QUIET),
                *("--enable-logging=stderr", "--virtual-time-budget=3000", f"--user-data-dir={profile}"),
                *("--dump-dom", f"file://{(run or told).out}/{name}"),
            ],
            capture_output=True,
            text=True,
            timeout=60,
            check=True,
        )
        assert "CONSOLE" not in ended.stderr
        return ended.stdout

    return dump


def classes(page):
    """The classes of our tables and pictures in it."""
    return re.findall(r'class="(why|steps|timeline|witness|exchanges|pods)"', page)


def test_the_log_of_a_failed_test_shows_why_and_its_life(opened):
    page = opened("log.html#s1-t2")
    assert {"why", "steps", "timeline", "witness"} <= set(classes(page))
    assert "The process started afresh instead of going on (process-restarted)." in page
    assert "<b>Timeline of Starts Afresh</b>" in page
    assert "<i>2</i>" not in page
    assert "nonce &lt;i&gt;2&lt;/i&gt; came" in page


def test_a_step_shows_what_was_asked(opened):
    page = opened("log.html#s1-t2-k1-k1")
    assert "exchanges" in classes(page)
    assert "/v2/actions (2 times)" in page
    assert "<b>an answer</b>" not in page


def test_a_step_shows_the_pod_before_and_after(opened):
    assert "pods" in classes(opened("log.html#s1-t2-k2-k7"))


def test_the_report_says_on_top_what_broke(opened):
    page = opened("report.html")
    assert page.index("FAILED: 1 of 2 tests failed") < page.index("<h2>Statistics</h2>", page.index("FAILED: 1 of 2"))
    assert "The process started afresh instead of going on (process-restarted)." in page
    assert re.search(r'href="log.html#s1-t2-k2[^"]*"', page)


@pytest.mark.parametrize("cause", TEN)
def test_each_failure_is_told_by_its_cause(opened, robot, cause):
    run = robot("broken.robot", "--variable", f"CAUSE:{cause}", "--variable", "SEEN:<b>it</b> was not so")
    report, log = opened("report.html", run), opened("log.html#s1-t1", run)
    meaning = CAUSES[cause].meaning.rstrip(".")
    for page in (report, log):
        assert meaning in page
        assert cause in page
        assert "<b>it</b>" not in page
    assert {"why", "steps", "timeline", "witness"} <= set(classes(log))
    assert "exchanges" in classes(opened("log.html#s1-t1-k1-k1", run))
    assert "Hand on" in report


def test_a_passed_run_has_its_story_and_nothing_to_hand_on(opened, robot):
    run = robot("told.robot", "--test", "Goes On")
    page = opened("log.html#s1-t1", run)
    assert {"steps", "timeline"} <= set(classes(page))
    assert "why" not in classes(page)
    report = opened("report.html", run)
    assert "PASSED: 1 of 1 tests" in report
    assert "Hand on" not in report
    assert not list(run.out.glob("*.zip"))


def test_a_killed_run_is_told_as_far_as_it_got(opened, robot):
    run = robot("killed.robot")
    assert rescue.main([str(run.out)]) == 0
    assert "KILLED: the run did not come to its end. 0 tests had passed and 0 failed." in opened("report.html", run)
    page = opened("log.html#s1-t1", run)
    assert page.index("Done before the end") < page.index("Being killed", page.index("Done before the end"))
    assert "Cause: interrupted (unknown)" in page


def test_an_interrupted_run_says_so(opened, robot):
    page = opened("report.html", robot("interrupted.robot"))
    assert "FAILED: 2 of 2 tests failed" in page
    assert "The run was stopped from outside (interrupted); whose fault that is, is not known." in page


def test_one_archive_has_it_all_and_no_secret(told):
    [path] = told.out.glob("cedana-e2e-*.zip")
    with zipfile.ZipFile(path) as archive:
        names = {name.partition("/")[2] for name in archive.namelist()}
    assert "output.xml" not in names
    assert {"log.html", "report.html", "evidence.json"} <= names
    assert not list(told.out.glob("*.part"))
