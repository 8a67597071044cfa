"""How a failure's message is read back: cause and whose fault, facts, what to do next."""

import re

import pytest

from harness.causes import CAUSES, Blame
from harness.diagnosis import SYMPTOMS
from harness.failures import BadInput, NotAsExpected
from harness.remedies import PARTICULAR, REMEDIES
from ReportLibrary import wording
from ReportLibrary.places import plain

RESTARTED = str(NotAsExpected("it to go on", "restarted: step 1", "the helper's log", cause="process-restarted"))
AUTH = str(NotAsExpected("the token to be accepted", "401", cause="auth"))


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
    ("disk-full", "mkdir /var/lib/x/new-1: no space left on device", ["holds /var/lib/x/new-1"]),
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
