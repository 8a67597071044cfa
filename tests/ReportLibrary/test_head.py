"""What stands on top of a report, and how failures are read for it."""

import re
from datetime import datetime

import pytest
from robot.utils import html_format

from harness.causes import CAUSES, Blame
from harness.diagnosis import SYMPTOMS
from harness.failures import BadInput, NotAsExpected
from harness.remedies import PARTICULAR, REMEDIES
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


@pytest.mark.parametrize("cause", CAUSES.values(), ids=lambda cause: cause.name)
def test_each_cause_has_a_line_and_something_to_do(cause):
    read = wording.read(f"Expected: a\nSeen: b\nCause: {cause}")
    assert cause.name in read.root
    assert read.next
    assert ("not known" in read.root) == (cause.blame is Blame.UNKNOWN or cause.name in SYMPTOMS)


def test_blame_that_is_only_guessed_is_told_as_a_guess():
    read = wording.read("Expected: a\nSeen: b\nCause: restore-timeout (product)")
    assert read.whose.startswith("not known for certain. Probably the product under test")
    shown = wording.read("Expected: a\nSeen: b\nCause: crash-loop (environment)\nBecause: c")
    assert shown.whose.startswith("the environment")
    assert "not known" not in shown.root
    sure = wording.read(RESTARTED)
    assert sure.whose.startswith("the product under test")
    likely = wording.read("Expected: a\nSeen: b\nCause: helper-not-ready (product)\nLikely because: it ended")
    assert likely.whose.startswith("probably the product under test")
    assert "likely, not certain" in likely.root
    assert likely.facts == ["it ended", "b"]


KILLED = "container web of pod shop was killed: it used more than its memory limit of 64Mi (OOMKilled, exit code 137)"
QUOTA = "exceeded quota: small, requested: pods=1, used: pods=3, limited: pods=3"
PULL = 'container c waits: ErrImagePull (failed to pull and unpack image "r/a:1": {})'


CASES = [
    ("out-of-memory", KILLED, ["resources.limits.memory", "container web in pod shop", "now 64Mi"]),
    ("out-of-memory", "container web of pod shop was killed: node n1 ran out of memory (", ["node n1", "has none"]),
    ("crash-loop", "container web of pod shop ended once with exit code 3", ["previous log", "exit code 3"]),
    ("crash-loop", "container web of pod shop ended once with exit code 3; its previous log is empty", ["nothing"]),
    ("cedana-crash", "container m of pod c-1 ended 2 times, the last time with exit code 1", ["Cedana's pod c-1"]),
    ("cedana-crash", "container m of pod c-1 ended once with exit code 1; its previous log is empty", ["nothing"]),
    ("quota", QUOTA, ["ResourceQuota small", "used pods=3", "allowed pods=3"]),
    ("quota", "failed quota: small: must specify limits.memory for: web", ["limits.memory for: web"]),
    (
        "quota",
        "maximum memory usage per Container is 64Mi, but limit is 1Gi",
        ["LimitRange", "per Container is 64Mi"],
    ),
    ("webhook-refused", 'admission webhook "policy.example" denied the request', ["webhook policy.example"]),
    ("image-pull", PULL.format("toomanyrequests: slow down"), ["r/a:1", "no more pulls"]),
    ("image-pull", PULL.format("lookup r: no such host"), ["r/a:1", "DNS"]),
    ("image-pull", PULL.format("pull access denied"), ["r/a:1", "credentials"]),
    ("image-pull", PULL.format("not found"), ["r/a:1 exists"]),
    ("image-pull", 'Failed to apply tag: couldn\'t parse image name "A:1": invalid', ["A:1 cannot be", "NGINX_IMAGE"]),
    (
        "propagator-answer",
        "x\nExpected: GET /v2/user to succeed\nSeen: 404: an empty body",
        ["not the propagator's API"],
    ),
    (
        "cluster-refused",
        '500: Get "https://x": dial tcp 10.2.0.10:10250: connect: refused',
        ["kubelet at 10.2.0.10:10250"],
    ),
    ("cluster-refused", "500: etcdserver: leader changed", ["failed by itself (500)"]),
    ("cluster-refused", "401: Unauthorized", ["renew its token"]),
    ("cluster-refused", '403: User "ci" cannot create resource "pods" in API group', ["user ci", "create pods"]),
    (
        "restored-pod-missing",
        "pod a-restored was made in another namespace, default, at",
        ["a-restored in namespace default"],
    ),
    (
        "install-timeout",
        "DaemonSet cedana-helper has 0 of 2 pods ready; pod cedana-helper-1 is Running (so",
        ["pod cedana-helper-1 of DaemonSet cedana-helper"],
    ),
    ("unschedulable", "0/2 nodes are available: 2 Insufficient cpu. preemption: no", ["says: 2 Insufficient cpu."]),
    ("stuck-terminating", "being deleted (finalizers: x.io/detach)", ["finalizer x.io/detach"]),
    (
        "stuck-terminating",
        "namespace a is being deleted since x: finalizers: x.io/y",
        ["Namespace a", "finalizer x.io/y"],
    ),
    ("stuck-terminating", "in namespace a because it is being terminated", ["Namespace a was deleted earlier"]),
    ("bad-chart", 'no matches for kind "Thing" in version "x.io/v1"; ensure', ["has a Thing (x.io/v1)"]),
    ("evicted", "The node was low on resource: ephemeral-storage. Threshold", ["Free ephemeral-storage on"]),
    ("propagator-unreachable", "TLS failed: certificate has expired", ["renew", "(certificate has expired)"]),
    ("propagator-unreachable", "TLS failed: Hostname mismatch, certificate is not valid for 'a'", ["another host"]),
    ("propagator-unreachable", "TLS failed: unable to get local issuer certificate", ["CEDANA_CA_BUNDLE"]),
    ("propagator-unreachable", "no connection: [Errno -2] Name or service not known", ["host name", "DNS"]),
    ("propagator-unreachable", "no connection: [Errno 111] Connection refused", ["Nothing listens"]),
    ("propagator-unreachable", "no connection within the connect timeout", ["Nothing answers"]),
    (
        "leftovers",
        'helm-release n/cedana: Helm said: admission webhook "policy.example" denied the request',
        ["webhook policy.example", "helm-release n/cedana", "sweep"],
    ),
    ("manager-not-ready", "status x\nLikely because: Cedana's manager ended once, last at", ["previous log"]),
    ("helper-not-ready", "x\nLikely because: Cedana's helper on node n1 ended once", ["previous log", "node n1"]),
    ("helper-not-ready", "had untolerated taint {cedana.ai/not-ready: }", ["DaemonSet of Cedana's helpers"]),
    ("auth", "401: invalid token", ["CEDANA_AUTH_TOKEN"]),
    ("auth", "403: not yours", ["right account or role"]),
    ("node-not-ready", "node n1 is not Ready: gone", ["node n1"]),
    ("container-config", 'CreateContainerConfigError (secret "x" not found)', ['secret "x"']),
]


def test_every_remedy_that_names_the_thing_is_tested():
    untested = [
        pattern
        for name, pattern, _ in PARTICULAR
        if not any(cause == name and re.search(pattern, f"Seen: {seen}") for cause, seen, _ in CASES)
    ]
    assert untested == []


@pytest.mark.parametrize(("cause", "seen", "names"), CASES)
def test_what_to_do_names_the_thing(cause, seen, names):
    (first, *_) = wording.read(f"Expected: a\nSeen: {seen}\nLook next: z\nCause: {cause} (environment)").next
    assert all(name in first for name in names), first
    assert first != REMEDIES[cause]


def test_what_is_known_is_told_once_and_without_words_for_machines():
    uid = "2d3f67a2-49f8-4544-a9a7-b3b1398287e1"
    back_off = f"back-off 20s restarting failed container=web pod=web_shop({uid})"
    facts = wording.distinct(
        [
            "container web of pod web was killed",
            f"pod web is Running; container web waits: CrashLoopBackOff ({back_off}) (so for the last 4 s of 15 s)",
            f"pod web is Running; container web waits: CrashLoopBackOff ({back_off}); container web ended",
            f"event of Pod web: BackOff: Back-off restarting failed container web in pod web_shop({uid})",
        ]
    )
    assert facts == [
        "container web of pod web was killed",
        "pod web is Running; container web waits: CrashLoopBackOff (the kubelet waits 20s before it starts it again) "
        "(so for the last 4 s of 15 s)",
        "container web ended",
    ]


def test_words_of_one_trouble_with_an_image_are_told_once():
    wrong = 'Failed to apply default image tag "A": couldn\'t parse image name "A": invalid reference format'
    facts = [f"container c waits: InvalidImageName ({wrong})", f"event of Pod a: InspectFailed: {wrong}"]
    assert wording.distinct([*facts, "event of Pod a: Failed: Error: InvalidImageName"]) == facts[:1]


def test_a_hint_that_says_the_same_as_another_is_left_out():
    message = "Expected: a\nSeen: b\nLook next: {}\nCause: restore-failed (product)"
    assert len(wording.read(message.format("the log of the Cedana helper")).next) == 2
    assert "Look next: quite another thing." in wording.read(message.format("quite another thing")).next


def test_of_a_long_fact_the_end_is_kept_as_well():
    short = wording.shortened(f"begin {'x ' * 500} end")
    assert short.startswith("begin ") and short.endswith(" end") and " … " in short
    assert len(short) <= wording.LONGEST + 3


def test_bad_input_is_its_own_fact():
    read = wording.read(str(BadInput("PROVIDER", "x", "one of a, b")))
    assert read.facts == ["PROVIDER is 'x'; it must be one of a, b."]


def test_of_several_failures_the_one_with_the_cause_is_read():
    read = wording.read(f"odd words\n\nAlso teardown failed:\n{AUTH}")
    assert read.facts[0] == "401"


def test_plain_words():
    assert plain("a\n b | [c]") == "a b ¦ (c)"
