"""A suite tries to let a secret out in every way there is."""

import base64
import html
import urllib.parse

import pytest

from harness.secrets import Secrets

SECRET = "s3cr3t-t0ken/with+odd&<chars>-tail9x7q"
HALF = 8


def forms():
    yield SECRET[:HALF]
    yield SECRET[-HALF:]
    yield urllib.parse.quote(SECRET, safe="")[:12]
    yield from (base64.b64encode(b"x" * shift + SECRET.encode()).decode()[4:16] for shift in range(3))


@pytest.fixture(scope="module")
def leaks(robot):
    return robot("leaks.robot", "--loglevel", "TRACE", "--debugfile", "debug.txt", "--xunit", "xunit.xml")


def test_no_byte_of_the_secret_is_left(leaks):
    written = leaks.bytes()
    assert {"output.xml", "log.html", "report.html", "xunit.xml", "debug.txt", "console"} <= set(written)
    for name, content in written.items():
        for form in forms():
            assert form.encode() not in content, name


@pytest.mark.parametrize("output", ["output.json", "legacy.xml"])
def test_other_formats(robot, output):
    options = ["--legacyoutput"] if output.startswith("legacy") else []
    run = robot("leaks.robot", "--loglevel", "TRACE", "--output", output, *options)
    for name, content in run.bytes().items():
        assert SECRET[:HALF].encode() not in content, name


def test_console_is_masked_below_the_log_level(robot):
    run = robot("leaks.robot", "--loglevel", "NONE", "--test", "Logs")
    assert "also console <secret>" in run.lines
    assert SECRET[:HALF] not in run.console


def test_the_log_still_tells_the_story(leaks):
    log = leaks.bytes()["output.xml"].decode()
    for text in (
        "before &lt;secret&gt; after</msg>",
        "Return: '&lt;secret&gt;'",
        '<group name="Group &lt;secret&gt;">',
        "Told",
        "GET http://x/?token=&lt;secret&gt;&amp;a=1 failed",
        "RuntimeError: outer &lt;secret&gt;",
    ):
        assert text in log, text


@pytest.mark.parametrize(
    ("test", "status", "message"),
    [
        ("Structures", "PASS", ""),
        ("Passes", "PASS", "passed <secret>"),
        ("Templated", "FAIL", "Several failures occurred:\n\n1) <secret>\n\n2) before <secret> after"),
        ("Skips", "SKIP", "skipped <secret>"),
        ("Fatal Stays Fatal", "FAIL", "FatalError: fatal <secret>"),
        ("Not Run After Fatal", "FAIL", "Test execution stopped due to a fatal error."),
    ],
)
def test_redaction_never_changes_how_a_run_goes(leaks, test, status, message):
    found = next(one for one in leaks.result.suite.tests if one.name == test)
    assert (found.status, found.message) == (status, message)


def test_failures_around_the_tests(robot):
    run = robot("leaks_around.robot", "--loglevel", "TRACE")
    assert run.result.suite.tests[0].message == (
        "Parent suite setup failed:\nbefore <secret> after\n\nAlso parent suite teardown failed:\nouter <secret>"
    )
    for name, content in run.bytes().items():
        assert SECRET[:HALF].encode() not in content, name


@pytest.mark.parametrize(
    ("text", "masked"),
    [
        ("x s3cr3t-t0k...", "x <secret>..."),
        ("s3cr3t-t0ken/w... and s3cr3t-t0...", "<secret>... and <secret>..."),
        ("s3cr3t-...", "s3cr3t-..."),
        ("s3cr3t-t other...", "s3cr3t-t other..."),
        ("s3cr3t-t0ke", "s3cr3t-t0ke"),
    ],
)
def test_a_secret_that_was_cut_off(text, masked):
    secrets = Secrets()
    secrets.add(SECRET)
    assert secrets.redact(text) == masked


def test_a_secret_in_html():
    secrets = Secrets()
    secrets.add(SECRET)
    assert secrets.redact(f"<td>{html.escape(SECRET)}</td>") == "<td><secret></td>"
