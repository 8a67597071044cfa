"""Reports as a browser has them: what must be there is there, nothing is an error, and nothing wider than a phone."""

import re
import shutil
import subprocess
import zipfile

import pytest

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")
pytestmark = [pytest.mark.slow, pytest.mark.skipif(CHROMIUM is None, reason="there is no chromium")]
QUIET = ("--disable-background-networking", "--disable-component-update", "--disable-sync", "--no-first-run")


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
    assert "<title>Timeline of Starts Afresh</title>" in page
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


def test_an_interrupted_run_says_so(opened, robot):
    page = opened("report.html", robot("interrupted.robot"))
    assert "FAILED: 2 of 2 tests failed" in page
    assert "The cause is not known for certain (interrupted). The run was stopped from outside." in page


def test_one_archive_has_it_all_and_no_secret(told):
    [path] = told.out.glob("cedana-e2e-*.zip")
    with zipfile.ZipFile(path) as archive:
        names = {name.partition("/")[2] for name in archive.namelist()}
    assert "output.xml" not in names
    assert {"log.html", "report.html", "evidence.json"} <= names
    assert not list(told.out.glob("*.part"))
