"""Rules over facts: each with the words that it is about, what it leaves alone, and what is said where none fits."""

import pytest

from harness.causes import CAUSES
from harness.diagnosis import RULES, SO_FAR, Fact, Source, cause_of_message, diagnose, so_far

NOT_READY = "Expected: pod web to be Ready within 60 s\nSeen: pod web is Pending\nCause: not-ready (environment)"
RESTORED = "Expected: a pod restored from web, Ready\nSeen: it waits\nCause: restored-pod-not-ready (product)"
CHECKPOINT = "Expected: checkpoint action 1 to complete\nSeen: error: {}\nCause: checkpoint-failed (product)"
CHECKPOINT_TIMEOUT = "Expected: checkpoint action 1 to complete\nSeen: created\nCause: checkpoint-timeout (product)"
RESTORE = "Expected: restore action 2 to complete\nSeen: error: {}\nCause: restore-failed (product)"
RESTORE_TIMEOUT = "Expected: restore action 2 to complete\nSeen: created\nCause: restore-timeout (product)"


def event(text, name="web"):
    return Fact(Source.EVENT, text, name, "shop", strength=3)


def pod(text, name="web"):
    return Fact(Source.POD, text, name, "shop", strength=4)


# The words are those of Kubernetes 1.33 (kubelet, scheduler), containerd 2.1, runc 1.3 and CRIU 4.2 as they were seen.
BY_EVENT = {
    "disk-full": "Failed: failed to create containerd task: write /var/lib/x: no space left on device",
    "quota": 'FailedCreate: pods "web-1" is forbidden: exceeded quota: small, requested: pods=1',
    "webhook-refused": 'FailedCreate: admission webhook "policy.example" denied the request: no',
    "out-of-memory": "OOMKilling: Memory cgroup out of memory",
    "evicted": "Evicted: The node was low on resource: memory.",
    "image-pull": 'Failed: Failed to pull image "nginx:nope": not found',
    "unschedulable": "FailedScheduling: 0/2 nodes are available: 2 Insufficient memory.",
    "volume-mount": 'FailedMount: MountVolume.SetUp failed for volume "data": configmap "x" not found',
    "container-config": 'container web waits: CreateContainerConfigError (secret "x" not found)',
    "pod-network": "FailedCreatePodSandBox: Failed to create pod sandbox: plugin type=bridge failed",
    "crash-loop": "BackOff: Back-off restarting failed container web in pod web_shop(4f2c)",
    "probe-failed": "Unhealthy: Readiness probe failed: HTTP probe failed with statuscode: 500",
}
BY_WORDS = [
    ("open-connection", CHECKPOINT, "inet: Connected TCP socket, consider using --tcp-established option."),
    ("external-socket", CHECKPOINT, "sk unix: External socket is used. Consider using --ext-unix-sk option."),
    ("criu-missing", CHECKPOINT, 'failed to check for criu version: exec: "criu": executable file not found in $PATH'),
    ("criu-missing", RESTORE, "CRIU binary not found or too old (<31600)"),
    ("criu-dump", CHECKPOINT, "runc did not terminate successfully: criu failed: type DUMP errno 0"),
    ("criu-restore", RESTORE, "OCI runtime restore failed: criu failed: type RESTORE errno 0"),
    ("pid-taken", RESTORE, "Error (criu/cr-restore.c:1230): Can't fork for 15047: File exists"),
    ("restore-disabled", RESTORE, "checkpoint restore via CreateContainer is disabled by configuration"),
    ("quota", RESTORE, 'failed to create the restored pod: pods "web-restored" is forbidden: exceeded quota: small'),
    ("disk-full", CHECKPOINT, "write pages-1.img: no space left on device"),
    ("checkpoint-disabled", CHECKPOINT, "404 page not found (the kubelet's feature gate ContainerCheckpoint is off)"),
    (
        "checkpoint-forbidden",
        CHECKPOINT,
        "Forbidden (user=a, verb=create, resource=nodes, subresource(s)=[checkpoint])",
    ),
    ("agent-not-ready", CHECKPOINT, "no node agent is Ready on node n1"),
    ("agent-not-ready", RESTORE, "refused: the archive is on n1, whose agent does not answer"),
    ("archive-broken", CHECKPOINT, "the kubelet's archive of container web is broken: the archive is cut off"),
    ("cannot-come-back", RESTORE, "refused: this cannot be restored. container web: /data/log was open in an emptyDir"),
    ("cannot-come-back", RESTORE, "refused: no node of the other cluster can restore it. n1 is arm64"),
]
NO_API = "Expected: GET /v2/user to succeed\nSeen: {}\nCause: propagator-refused (service)"
BY_CEDANA = [
    ("helper-not-ready", CHECKPOINT_TIMEOUT, "no Ready helper of Cedana on node n1, where pod web is", "web"),
    ("manager-not-ready", RESTORE_TIMEOUT, "no Ready manager of Cedana in namespace cedana-system", ""),
    (
        "helper-not-ready",
        CHECKPOINT_TIMEOUT,
        "Cedana's helper on node n1 ended once, last at 12:00: Error, exit code 2",
        "web",
    ),
    ("manager-not-ready", RESTORE_TIMEOUT, "Cedana's manager ended once, last at 12:00: Error, exit code 2", ""),
    ("cedana-crash", RESTORE_TIMEOUT, "Cedana's manager keeps ending, last at 12:00: Error, exit code 2", ""),
    ("cedana-crash", NOT_READY, "Cedana's pod web is Running; container m waits: CrashLoopBackOff", "web"),
]


@pytest.mark.parametrize("cause", BY_EVENT)
def test_an_event_tells_why_a_pod_is_not_ready(cause):
    found = diagnose(NOT_READY, [event(BY_EVENT[cause])])
    assert (found.cause.name, found.raised.name) == (cause, "not-ready")
    assert found.because.text == BY_EVENT[cause]


@pytest.mark.parametrize(("cause", "message", "words"), BY_WORDS)
def test_the_servers_words_tell_why_an_action_failed(cause, message, words):
    found = diagnose(message.format(words), [])
    assert found.cause.name == cause
    assert str(found.because) == f"error: {words}"


@pytest.mark.parametrize(("cause", "message", "text", "name"), BY_CEDANA)
def test_cedanas_own_pods_tell_why_nobody_did_the_work(cause, message, text, name):
    assert diagnose(message, [Fact(Source.CEDANA, text, name)], about=["web"]).cause.name == cause


def test_a_node_that_is_not_ready():
    fact = Fact(Source.NODE, "node n1 is not Ready: kubelet stopped", "web", "shop")
    assert diagnose(NOT_READY, [fact]).cause.name == "node-not-ready"


def test_a_pod_that_no_node_takes_because_its_helper_is_not_ready():
    seen = "0/1 nodes are available: 1 node(s) had untolerated taint {cedana.ai/not-ready: }"
    message = f"Expected: pod web to be Ready\nSeen: not scheduled: {seen}\nCause: unschedulable (environment)"
    assert diagnose(message, []).cause.name == "helper-not-ready"
    assert diagnose(message.replace("cedana.ai", "node.kubernetes.io"), []).cause.name == "unschedulable"


def test_what_does_not_know_the_first_path_of_all_is_not_the_propagator():
    found = diagnose(NO_API.format("404: an empty body"), [])
    assert (found.cause.name, str(found.because)) == ("propagator-answer", "404: an empty body")
    assert found.told(NO_API.format("404: an empty body")).endswith("\nCause: propagator-answer (service)")
    assert diagnose(NO_API.format("404: no such user"), []).cause.name == "propagator-refused"


def test_every_rule_is_tested_and_names_known_causes():
    tested = {
        *BY_EVENT,
        *(one[0] for one in BY_WORDS),
        *(one[0] for one in BY_CEDANA),
        "node-not-ready",
        "propagator-answer",
    }
    assert tested == {rule.cause for rule in RULES}
    assert all(name in CAUSES for rule in RULES for name in (rule.cause, *rule.instead_of))


def test_a_cause_that_says_enough_stays():
    message = "Expected: a\nSeen: another nonce\nCause: process-restarted (product)"
    found = diagnose(message, [event(text) for text in BY_EVENT.values()], about=["web"])
    assert (found.cause.name, found.because) == ("process-restarted", None)
    assert found.told(message) == message


def test_what_happened_to_other_pods_tells_nothing():
    found = diagnose(NOT_READY, [event(BY_EVENT["image-pull"], "web-control"), pod("other is Pending", "other")])
    assert (found.cause.name, found.facts) == ("not-ready", ())


def test_the_restored_pod_is_the_workload_too():
    found = diagnose(RESTORED, [event(BY_EVENT["image-pull"], "web-restored")])
    assert found.cause.name == "image-pull"


def test_where_no_pod_is_named_the_namespace_counts():
    message = "Expected: at least 1 pods with a=b in namespace shop\nSeen: 0\nCause: not-ready (environment)"
    assert diagnose(message, [event(BY_EVENT["quota"], "web-7d9f")]).cause.name == "quota"
    elsewhere = Fact(Source.EVENT, BY_EVENT["quota"], "web-7d9f", "other")
    assert diagnose(message, [elsewhere]).cause.name == "not-ready"


def test_names_can_be_given_that_the_message_does_not_hold():
    log = Fact(Source.LOG, "log of helper: criu failed: type DUMP errno 0", "helper-1", "cedana-system")
    message = CHECKPOINT.format("no details available")
    assert diagnose(message, [log]).cause.name == "checkpoint-failed"
    assert diagnose(message, [log], about=["helper-1"]).cause.name == "criu-dump"


def test_the_message_gets_the_better_cause_and_the_fact():
    told = diagnose(NOT_READY, [event(BY_EVENT["image-pull"])]).told(f"{NOT_READY}\n\nAlso teardown failed:\nx")
    assert told.splitlines()[2:] == [
        "Cause: image-pull (environment)",
        f"Because: {BY_EVENT['image-pull']}",
        "",
        "Also teardown failed:",
        "x",
    ]
    assert cause_of_message(told).name == "image-pull"


def test_what_was_only_seen_beside_the_failure_is_no_certain_cause():
    found = diagnose(
        CHECKPOINT_TIMEOUT, [Fact(Source.CEDANA, "no Ready helper of Cedana on node n1", "web")], about=["web"]
    )
    assert not found.certain
    assert found.told(CHECKPOINT_TIMEOUT).endswith(
        "Cause: helper-not-ready (product)\nLikely because: no Ready helper of Cedana on node n1"
    )


def test_a_cause_that_is_only_what_was_seen_is_marked_as_such_where_it_is_raised():
    assert so_far(NOT_READY) == f"{NOT_READY}{SO_FAR}"
    assert so_far("Expected: a\nCause: auth (service)") == "Expected: a\nCause: auth (service)"
    assert so_far("no cause") == "no cause"


def test_what_was_seen_anyway_is_not_told_again():
    message = CHECKPOINT.format("criu failed: type DUMP errno 0")
    assert diagnose(message, []).told(message) == message.replace("checkpoint-failed", "criu-dump")


def test_a_fact_that_shows_the_cause_that_was_raised_is_told():
    message = NOT_READY.replace("not-ready (", "crash-loop (")
    fact = Fact(Source.POD, "container web ended 3 times, the last time with exit code 1", "web", tells="crash-loop")
    found = diagnose(message, [fact])
    assert (found.cause.name, found.certain) == ("crash-loop", True)
    assert found.told(message) == f"{message}\nBecause: {fact.text}"


def test_a_fact_is_of_the_pod_that_is_meant_and_not_of_one_that_has_the_name_of_its_container():
    message = (
        "Expected: it to restart\nSeen: pod web-control is Running; container web waits\nCause: not-ready (environment)"
    )
    facts = [pod("pod web: OOMKilled"), pod("pod web-control: OOMKilled", "web-control")]
    assert diagnose(message, facts).because.text == "pod web-control: OOMKilled"


def test_what_the_failure_said_to_look_at_goes_with_the_cause_that_it_had():
    message = NOT_READY.replace("\nCause", "\nLook next: the pod\nCause")
    found = diagnose(message, [event(BY_EVENT["image-pull"])])
    told = found.told(f"{message}\n\nAlso teardown failed:\nExpected: a\nLook next: b")
    assert "the pod" not in told
    assert "Look next: b" in told
    assert found.is_about(told)
    assert "the pod" in diagnose(message, []).told(message)


def test_what_was_found_out_is_told_once():
    found = diagnose(NOT_READY, [event(BY_EVENT["image-pull"])])
    assert found.told(found.told(NOT_READY)) == found.told(NOT_READY)
    assert found.is_about(found.told(f"Parent suite setup failed:\n{NOT_READY}"))


def test_without_a_rule_the_strongest_facts_are_told():
    facts = [event("Odd: 1"), Fact(Source.LOG, "log of web: error", "web", "shop", 2), pod("pod web is odd")]
    found = diagnose("web: 1 != 2", facts)
    assert found.told("web: 1 != 2").splitlines() == [
        "web: 1 != 2",
        "Cause: unknown (unknown)",
        "Known: pod web is odd",
        "Known: Odd: 1",
        "Known: log of web: error",
    ]


def test_facts_are_few_and_short():
    found = diagnose("web: 1 != 2", [event("x" * 5000) for _ in range(50)])
    assert len(found.facts) == 5
    assert len(str(found.facts[0])) < 500


@pytest.mark.parametrize(
    ("message", "cause"),
    [
        ("Execution terminated by signal", "interrupted"),
        ("Test timeout 5 minutes exceeded.", "robot-timeout"),
        ("No keyword with name 'Chekpoint Pod' found. Did you mean:", "suite-error"),
        ("Variable '${NAMESPCE}' not found.", "suite-error"),
        ("Keyword 'KubernetesLibrary.Get Pod' expected 2 arguments, got 1.", "suite-error"),
        ("ValueError: Argument 'timeout' got value 'soon' that cannot be converted to timedelta.", "suite-error"),
        ("Parent suite setup failed:\nKeyError: 'x'", "harness-error"),
        ("Several failures occurred:\n\n1) 1 != 2\n\n2) TypeError: x", "harness-error"),
        ("ApiException: (500)", "harness-error"),
        ("1 != 2", "unknown"),
        ("HTTPError: 404 Client Error", "unknown"),
        ("the log said KeyError: x", "unknown"),
        ("KeyError: x\nCause: auth (service)", "auth"),
        ("Execution terminated by signal\n\nAlso teardown failed:\nCause: leftovers (harness)", "interrupted"),
        ("1 != 2\n\nAlso teardown failed:\nCause: leftovers (harness)", "leftovers"),
    ],
)
def test_what_a_message_without_a_cause_means(message, cause):
    assert cause_of_message(message).name == cause
