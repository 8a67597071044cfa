"""Which facts are taken from what a cluster told."""

from datetime import UTC, datetime

import pytest

from harness.diagnosis import Source
from ReportLibrary.facts import facts
from ReportLibrary.seen import Seen

NOW = datetime(2026, 1, 1, 12, tzinfo=UTC)


def pod(name, *, uid="u", node="n1", ready=True, component="", state=None, phase="Running"):
    yes = "True" if ready else "False"
    labels = {"app.kubernetes.io/component": component} if component else {}
    return {
        "metadata": {"name": name, "uid": uid, "namespace": "shop", "labels": labels},
        "spec": {"nodeName": node},
        "status": {
            "phase": phase,
            "conditions": [{"type": "Ready", "status": yes}, {"type": "PodScheduled", "status": "True"}],
            "containerStatuses": [{"name": "c", "ready": ready, "state": state or {"running": {}}}],
        },
    }


def event(reason, *, name="web", uid="u", at="12:00:00", kind="Pod", type="Warning"):  # noqa: A002
    about = {"kind": kind, "name": name, "uid": uid}
    return {
        "metadata": {},
        "type": type,
        "reason": reason,
        "message": "m",
        "involvedObject": about,
        "lastTimestamp": f"2026-01-01T{at}Z",
    }


def seen(**known):
    return Seen("cedana-system", **known)


def texts(found, source):
    return [fact.text for fact in found if fact.source is source]


def test_warnings_are_facts_newest_first():
    events = [event("A"), event("B", at="12:00:05"), event("Fine", type="Normal")]
    found = facts(seen(pods={"shop": [pod("web", ready=False)]}, events={"shop": events}))
    assert texts(found, Source.EVENT) == ["event of Pod web: B: m", "event of Pod web: A: m"]


def test_events_of_an_earlier_pod_of_that_name_are_none():
    events = [event("Old", uid="before", at="11:00:00"), event("New", uid="u")]
    assert texts(facts(seen(events={"shop": events})), Source.EVENT) == ["event of Pod web: New: m"]
    found = facts(seen(pods={"shop": [pod("web", uid="third")]}, events={"shop": events}))
    assert texts(found, Source.EVENT) == []


def test_trouble_that_a_pod_got_past_is_none():
    events = [event("FailedScheduling"), event("FailedMount"), event("Failed"), event("Unhealthy")]
    started = facts(seen(pods={"shop": [pod("web", ready=False)]}, events={"shop": events}))
    assert texts(started, Source.EVENT) == ["event of Pod web: Unhealthy: m"]
    waiting = pod("web", ready=False, state={"waiting": {"reason": "ContainerCreating"}})
    found = facts(seen(pods={"shop": [waiting]}, events={"shop": events}))
    assert "event of Pod web: FailedMount: m" in texts(found, Source.EVENT)
    assert "event of Pod web: FailedScheduling: m" not in texts(found, Source.EVENT)


def test_a_container_that_ended_before_is_told():
    web = pod("web")
    web["status"]["containerStatuses"][0] |= {"lastState": {"terminated": {"exitCode": 127}}, "restartCount": 2}
    log = "2026-01-01T12:00:01Z a\n2026-01-01T12:00:01Z b\n2026-01-01T12:00:01Z \n2026-01-01T12:00:02Z c: not found\n"
    (known,) = facts(seen(pods={"shop": [web]}, previous={("shop", "web", "c"): f"{log[:22]}first\n{log}"}))
    assert (known.text, known.tells) == (
        "container c of pod web ended 2 times, the last time with exit code 127, its command is not there; "
        "its previous log ends: a / b / c: not found",
        "crash-loop",
    )
    (known,) = facts(seen(pods={"shop": [web]}, previous={("shop", "web", "c"): ""}))
    assert known.text.endswith("; its previous log is empty")
    (known,) = facts(seen(pods={"shop": [web]}))
    assert known.text.endswith("its command is not there")


def test_a_container_that_ended_and_was_not_started_again_is_told():
    web = pod("web", ready=False, state={"terminated": {"exitCode": 3}})
    log = "2026-01-01T12:00:01Z no more\n"
    known = facts(seen(pods={"shop": [web]}, logs={("shop", "web", "c"): log}))[0]
    assert known.text == "container c of pod web ended once with exit code 3; its log ends: no more"
    web["status"]["containerStatuses"][0] |= {"state": {"waiting": {}}, "lastState": {"terminated": {"exitCode": 3}}}
    web["status"]["containerStatuses"][0]["restartCount"] = 2
    assert facts(seen(pods={"shop": [web]}))[0].text.startswith("container c of pod web ended 3 times, the last time")


def test_a_container_of_cedana_that_ended_before_is_told_as_such():
    own = pod("m", ready=False)
    own["status"]["containerStatuses"][0] |= {"lastState": {"terminated": {"exitCode": 1}}, "restartCount": 1}
    known = facts(seen(pods={"cedana-system": [own]}))[0]
    assert (known.text, known.tells) == ("container c of pod m ended once with exit code 1", "cedana-crash")


@pytest.mark.parametrize(
    ("limits", "why"),
    [
        ({"memory": "128Mi"}, "it used more than its memory limit of 128Mi"),
        ({"cpu": "1"}, "node n1 ran out of memory"),
    ],
)
def test_a_container_that_took_too_much_memory_is_told_with_its_limit(limits, why):
    web = pod("web")
    web["spec"]["containers"] = [{"name": "b"}, {"name": "c", "resources": {"limits": limits}}]
    web["status"]["containerStatuses"][0]["lastState"] = {"terminated": {"reason": "OOMKilled", "exitCode": 137}}
    (known,) = facts(seen(pods={"shop": [web]}))
    assert (known.text, known.tells) == (
        f"container c of pod web was killed: {why} (OOMKilled, exit code 137)",
        "out-of-memory",
    )


def test_a_container_that_says_nothing_is_told():
    known = seen(pods={"shop": [pod("web")]}, logs={("shop", "web", "c"): "", ("cedana-system", "h", "c"): ""})
    assert texts(facts(known), Source.LOG) == ["the log of container c of pod web is empty: it has written nothing yet"]
    known.logs["shop", "web", "c"] = "a line\n"
    assert texts(facts(known), Source.LOG) == []


def test_a_namespace_that_does_not_go_away_is_told():
    left = "Some content in the namespace has finalizers remaining: x.io/detach in 1 resource instances"
    conditions = [{"type": "A", "status": "False", "message": "fine"}, {"type": "B", "status": "True", "message": left}]
    going = {
        "metadata": {"name": "going", "deletionTimestamp": "2026-01-01T12:00:00Z", "finalizers": ["y.io/hold"]},
        "spec": {"finalizers": ["kubernetes"]},
        "status": {"conditions": conditions},
    }
    stays = {"metadata": {"name": "stays"}}
    known = seen(namespaces={"going": going, "stays": stays})
    begin = "namespace going is being deleted since 2026-01-01T12:00:00Z, and does not go away: "
    assert texts(facts(known), Source.NAMESPACE) == [f"{begin}{left}; finalizers: y.io/hold"]
    going |= {"status": {}} | {"metadata": going["metadata"] | {"finalizers": []}}
    assert texts(facts(known), Source.NAMESPACE) == [f"{begin}nothing tells why"]


def test_a_pod_that_was_restored_elsewhere_is_told():
    def made(name, namespace, at="12:00:01"):
        return {"metadata": {"name": name, "namespace": namespace, "creationTimestamp": f"2026-01-01T{at}Z"}}

    pods = [made("web-restored", "other"), made("web-restored", "shop"), made("web", "other")]
    pods.append(made("old-restored", "other", "11:00:00"))
    found = facts(seen(pods={"shop": []}, elsewhere=pods), NOW)
    assert [(fact.text, fact.tells) for fact in found] == [
        (
            "pod web-restored was made in another namespace, other, at 2026-01-01T12:00:01Z",
            "restored-pod-missing",
        )
    ]


def test_a_pod_that_was_evicted_is_told_with_the_reason():
    web = pod("web", ready=False, phase="Failed")
    web["status"] |= {"reason": "Evicted", "message": "The node was low on resource: memory."}
    found = facts(seen(pods={"shop": [web]}))
    assert texts(found, Source.POD)[0].endswith("; Evicted: The node was low on resource: memory.")


def test_quotas_without_room_are_told():
    def quota(name, used):
        return {"metadata": {"name": name}, "status": {"hard": {"pods": "10", "memory": "1Gi"}, "used": used}}

    quotas = [quota("room", {"pods": "9", "memory": "1023Mi"}), quota("full", {"pods": "9", "memory": "1024Mi"})]
    assert texts(facts(seen(quotas={"shop": quotas})), Source.QUOTA) == [
        "ResourceQuota full of namespace shop is used up: memory 1024Mi of 1Gi"
    ]


def test_a_pod_that_is_ready_is_no_fact():
    assert texts(facts(seen(pods={"shop": [pod("web")]})), Source.POD) == []


def test_nodes_in_trouble_are_told_for_their_pods():
    conditions = [{"type": "Ready", "status": "False", "message": "gone"}, {"type": "DiskPressure", "status": "False"}]
    nodes = [{"metadata": {"name": "n1"}, "status": {"conditions": conditions}}, {"metadata": {"name": "n2"}}]
    found = facts(seen(pods={"shop": [pod("web")]}, nodes=nodes))
    assert [(fact.text, fact.name) for fact in found if fact.source is Source.NODE] == [
        ("node n1 is not Ready: gone", "web")
    ]


def test_cedana_that_is_at_work_is_no_fact():
    own = [pod("m", component="manager", node="n2"), pod("h", component="helper", node="n1")]
    assert texts(facts(seen(pods={"shop": [pod("web")], "cedana-system": own})), Source.CEDANA) == []


def test_cedana_that_is_missing_where_it_is_needed():
    own = [pod("h", component="helper", node="n2")]
    assert texts(facts(seen(pods={"shop": [pod("web")], "cedana-system": own})), Source.CEDANA) == [
        "no Ready manager of Cedana in namespace cedana-system",
        "no Ready helper of Cedana on node n1, where pod web is",
    ]


def test_cedana_that_nobody_needed_yet_is_no_fact():
    assert facts(seen(pods={"cedana-system": []})) == []


def test_cedana_that_could_not_be_asked_about_is_no_fact():
    assert texts(facts(seen(pods={"shop": [pod("web")]})), Source.CEDANA) == []


def test_errors_in_cedanas_logs_since_the_test_began():
    log = "\n".join(
        [
            "2026-01-01T11:00:00.123456789Z error of another time",
            "2026-01-01T12:00:01.123456789Z level=info all is well",
            "2026-01-01T12:00:02.123456789Z Error (criu/x.c:1): Dumping FAILED.",
            "no time error",
        ]
    )
    known = seen(pods={"shop": [pod("web")]}, logs={("cedana-system", "h", "c"): log, ("shop", "web", "c"): log})
    assert texts(facts(known, NOW), Source.LOG) == ["log of h c: Error (criu/x.c:1): Dumping FAILED."]


def test_cedana_that_ended_since_the_test_began_is_told_although_it_is_back():
    own = [pod("m", component="manager", node="n2"), pod("h", component="helper"), pod("h2", component="helper")]
    for one, at in zip(own, ("12:00:03", "12:00:04", "11:00:00"), strict=True):
        ended = {"reason": "Error", "exitCode": 2, "finishedAt": f"2026-01-01T{at}Z"}
        one["status"]["containerStatuses"][0]["lastState"] = {"terminated": ended}
    found = facts(seen(pods={"shop": [pod("web")], "cedana-system": own}), NOW)
    assert [(fact.text, fact.name) for fact in found if fact.source is Source.CEDANA] == [
        ("Cedana's manager ended once, last at 2026-01-01T12:00:03Z: Error, exit code 2", ""),
        ("Cedana's helper on node n1 ended once, last at 2026-01-01T12:00:04Z: Error, exit code 2", "web"),
    ]
