"""What stands on top of a report, and how failures are read for it."""

from datetime import datetime

import pytest
from robot.utils import html_format

from harness.causes import CAUSES, Blame
from harness.failures import BadInput, NotAsExpected
from harness.secrets import SECRETS
from ReportLibrary import head, wording
from ReportLibrary.evidence import Evidence, Notes, Outcome, SuiteOutcome
from ReportLibrary.places import Places, plain

NOW = datetime(2026, 1, 1)
RESTARTED = str(NotAsExpected("it to go on", "restarted: step 1", "the helper's log", cause="process-restarted"))
AUTH = str(NotAsExpected("the token to be accepted", "401", cause="auth"))
EMULATED = "On an emulated cluster: no real container or CRIU ran."
PLACES = Places("log.html", {"S.a": "s1-t1-k2"}, {"S.a": "diagnostics/a/index.html"}, "run.zip")
SANDBOX = {
    "provider": "sandbox",
    "emulated": True,
    "kubernetes": "v1.33",
    "nodes": [{"name": "n", "runtime": "containerd://2"}],
}


def test_of(name, status, message="", start=NOW):
    return Outcome("S", name, status, message, start, 1.0, Notes())


test_of.__test__ = False


def told(*tests, suites=(), environment=SANDBOX):
    evidence = Evidence("1", NOW, NOW, True, "7.5", environment, list(tests), list(suites))
    return head.of(evidence, PLACES)


def test_a_run_that_passed():
    text = told(test_of("a", "PASS"), test_of("b", "SKIP", "why"))
    assert text.splitlines()[0] == f"PASSED: 1 of 2 tests, 1 skipped; what they check held. {EMULATED}"
    assert "emulated: no real container or CRIU ran" in text
    assert "Kubernetes v1.33; runtime containerd 2" in text
    assert "Root cause" not in text


def test_a_real_cluster_is_not_called_emulated():
    assert "mulated" not in told(test_of("a", "PASS"), environment=SANDBOX | {"emulated": False}).splitlines()[0]


def test_a_run_of_skips_proves_nothing():
    assert told(test_of("a", "SKIP", "why")).startswith("NOTHING PROVED")


def test_a_failure_is_told_with_its_cause_facts_and_what_to_do():
    text = told(test_of("a", "FAIL", RESTARTED), test_of("b", "PASS"))
    meaning = "The process started afresh instead of going on (process-restarted)."
    assert text.splitlines()[0] == f"FAILED: 1 of 2 tests failed, 1 passed. {meaning} {EMULATED}"
    assert f"| =Root cause= | *{meaning}* |" in text
    assert "| =Fact 1= | restarted: step 1 ([log.html#s1-t1-k2|see the log]) |" in text
    assert "| =Fact 2= | expected: it to go on" in text
    assert "Look next: the helper's log." in text
    assert "[diagnostics/a/index.html|" in text
    assert "[run.zip|run.zip]" in text


def test_the_worst_blame_is_on_top_and_other_causes_are_named():
    text = told(test_of("b", "FAIL", AUTH), test_of("a", "FAIL", RESTARTED))
    assert "(process-restarted)" in text.splitlines()[0]
    assert "| =Also= | The propagator refused the token. (auth, 1 times), first in b |" in text


def test_a_failed_set_up_is_told():
    suite = SuiteOutcome("", "S", "FAIL", f"Suite setup failed:\n{AUTH}", NOW, 1.0, Notes())
    text = told(test_of("a", "FAIL", f"Parent suite setup failed:\n{AUTH}"), suites=[suite], environment={})
    assert "(auth)" in text.splitlines()[0]
    assert "| =Fact 1= | 401" in text
    assert "not known: the run ended before there was a cluster" in text


def test_an_unknown_cause_says_so():
    text = told(test_of("a", "FAIL", "something odd"))
    assert "The cause is not known for certain (unknown)." in text
    assert "| =Fact 1= | something odd" in text


def test_no_markup_and_no_secret_gets_into_it():
    SECRETS.add("tok-head-s3cret")
    nasty = "[javascript:alert(1)|click] | a | <script>x</script> tok-head-s3cret"
    text = told(test_of("a", "FAIL", str(NotAsExpected("x", nasty, cause="auth"))))
    shown = html_format(text)
    assert 'href="javascript' not in shown
    assert "<script" not in shown
    assert "s3cret" not in text
    assert shown.count("<table") == 1


def test_robot_makes_links_of_it():
    shown = html_format(told(test_of("a", "FAIL", RESTARTED)))
    assert '<a href="log.html#s1-t1-k2">a</a>' in shown


@pytest.mark.parametrize("cause", CAUSES.values(), ids=lambda cause: cause.name)
def test_each_cause_has_a_line_and_something_to_do(cause):
    read = wording.read(f"Expected: a\nSeen: b\nCause: {cause}")
    assert cause.name in read.root
    assert read.next
    assert ("not known" in read.root) == (cause.blame is Blame.UNKNOWN)


def test_bad_input_is_its_own_fact():
    read = wording.read(str(BadInput("PROVIDER", "x", "one of a, b")))
    assert read.facts == ["PROVIDER is 'x'; it must be one of a, b."]


def test_of_several_failures_the_one_with_the_cause_is_read():
    read = wording.read(f"odd words\n\nAlso teardown failed:\n{AUTH}")
    assert read.facts[0] == "401"


def test_plain_words():
    assert plain("a\n b | [c]") == "a b ¦ (c)"
