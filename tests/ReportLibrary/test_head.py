"""What stands on top of a report, and how failures are read for it."""

from datetime import datetime

import pytest
from robot.utils import html_format

from harness.failures import NotAsExpected
from harness.secrets import SECRETS
from ReportLibrary import head, wording
from ReportLibrary.evidence import Evidence, Notes, Outcome, SuiteOutcome
from ReportLibrary.places import Places

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
    assert "| =Expected= | it to go on |" in text
    assert "Look next: the helper's log." in text
    assert "[diagnostics/a/index.html|" in text
    assert "[run.zip|run.zip]" in text


def test_the_worst_blame_is_on_top_and_other_causes_are_named():
    text = told(test_of("b", "FAIL", AUTH), test_of("a", "FAIL", RESTARTED))
    assert "(process-restarted)" in text.splitlines()[0]
    assert "| =Also= | The propagator refused the token (auth). In b |" in text
    assert "same cause" not in text


def test_tests_with_one_cause_are_told_as_one():
    suite = SuiteOutcome("", "S", "FAIL", f"Suite setup failed:\n{AUTH}", NOW, 1.0, Notes())
    missing = "Expected: a\nSeen: b\nCause: environment-missing (environment)"
    tests = [test_of(name, "FAIL", AUTH) for name in "abc"]
    text = told(*tests, test_of("d", "FAIL", missing), test_of("e", "PASS"), suites=[suite], environment={})
    hit = "[log.html#s1-t1-k2|a], b, c, d"
    assert f"| =What failed= | set-up of suite S; by the same cause also {hit} |" in text
    assert "Also" not in text
    assert "(environment-missing)" not in text


LEFT = str(NotAsExpected("nothing to be left", "pod web", cause="leftovers"))


def test_a_clean_up_that_failed_after_something_else_is_not_the_root_cause():
    suite = SuiteOutcome("", "S", "FAIL", f"Suite teardown failed:\n{LEFT}", NOW, 1.0, Notes())
    tests = [test_of("a", "FAIL", AUTH), test_of("b", "FAIL", f"Parent suite teardown failed:\n{LEFT}")]
    text = told(*tests, suites=[suite])
    assert text.startswith("FAILED: 2 of 2 tests failed, 0 passed. The propagator refused the token (auth).")
    assert "| =Also= | Something that this run created is still there (leftovers)." in text


def test_a_clean_up_alone_that_failed_says_that_the_tests_held():
    suite = SuiteOutcome("", "S", "FAIL", f"Suite teardown failed:\n{LEFT}", NOW, 1.0, Notes())
    text = told(test_of("b", "FAIL", f"Parent suite teardown failed:\n{LEFT}"), suites=[suite])
    assert text.startswith("FAILED: what the tests check held, but the clean-up after them failed (1 tests).")
    assert "| =What failed= | clean-up of suite S; by the same cause also b |" in text


def test_other_causes_say_how_many_they_hit():
    text = told(*(test_of(name, "FAIL", AUTH) for name in "bcd"), test_of("a", "FAIL", RESTARTED))
    assert "| =Also= | The propagator refused the token (auth). In b and 2 more |" in text


CHANGED = str(
    NotAsExpected(
        "pod web-restored to be as pod web was",
        "2 fields differ\n  field               was           is\n  metadata.labels[a]  some | value  (absent)\n"
        "  spec.nodeName       n1            n2",
        cause="pod-changed",
    )
)


def test_what_differs_in_a_pod_is_a_table():
    text = told(test_of("a", "FAIL", CHANGED))
    assert (
        "| =What differs= | =Was= | =Is= |\n| metadata.labels(a) | some ¦ value | (absent) |\n| spec.nodeName | n1"
        in text
    )
    assert "| =Fact 1= | 2 fields differ, see the table (" in text
    assert html_format(text).count("<table") == 3  # why, what differs, words


def test_a_thing_that_is_wholly_lost_is_one_difference():
    lost = [("spec.volumes[a].emptyDir", "{}", "(absent)"), ("spec.volumes[a].b", "1", "(absent)")]
    new = [("spec.containers[c].env[X].name", "(absent)", "X"), ("spec.containers[c].env[X].value", "(absent)", "1")]
    other = [
        ("spec.containers[c].image", "a", "b"),
        ("spec.containers[c].args[0]", "a", "(absent)"),
        ("spec.x", "1", "2"),
    ]
    assert wording.gathered([*lost, *new, *other]) == [
        ("spec.volumes[a]", "there, with 2 fields", "(absent)"),
        ("spec.containers[c].env[X]", "(absent)", "there, with 2 fields"),
        *other,
    ]


def test_of_many_differences_some_are_shown():
    rows = "\n".join(f"  spec.f{number}  a  b" for number in range(15))
    text = told(test_of("a", "FAIL", f"Expected: a\nSeen: 15\n  field  was  is\n{rows}\nCause: pod-changed (product)"))
    assert text.count("| a | b |") == 10
    assert "| and 5 more |  |  |" in text


def test_only_words_that_appear_are_explained():
    text = told(test_of("a", "FAIL", RESTARTED))
    assert "| =helper= | Cedana's pod on each node" in text
    assert "=nonce=" not in text
    assert "Words used here" not in told(test_of("a", "PASS"))


@pytest.mark.parametrize(
    ("facts", "words"),
    [
        ({"chart": "oci://r/charts/cedana"}, "Cedana chart cedana (its install did not come to its end)"),
        (
            {"chart": "/x/cedana", "chart_version": "cedana-0.7.0", "app_version": "v1"},
            "Cedana chart cedana-0.7.0 (Cedana v1)",
        ),
        ({"chart_version": "cedana-0.7.0"}, "Cedana chart cedana-0.7.0"),
        ({}, ""),
    ],
)
def test_the_chart_is_told_even_where_it_was_not_installed(facts, words):
    text = told(test_of("a", "FAIL", RESTARTED), environment=SANDBOX | facts)
    assert (f"; {words}; Robot" in text) if words else ("chart" not in text)


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
    nasty = "[javascript:alert(1)|click] | a | <script>x</script> tok-head-s3cret\n  x  y  z\n  [a|b]  | c |  <i>d"
    text = told(test_of("a", "FAIL", str(NotAsExpected("x", nasty, cause="auth"))))
    shown = html_format(text)
    assert 'href="javascript' not in shown
    assert "<script" not in shown
    assert "s3cret" not in text
    assert "<i>" not in shown
    assert shown.count("<table") == 3  # why, what differs, words


def test_robot_makes_links_of_it():
    shown = html_format(told(test_of("a", "FAIL", RESTARTED)))
    assert '<a href="log.html#s1-t1-k2">a</a>' in shown
