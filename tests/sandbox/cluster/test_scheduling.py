"""Where pods go, and what the scheduler says when they can go nowhere."""

from __future__ import annotations

from sandbox import kinds

HEAD = "0/2 nodes are available"
UNHELPFUL = f"preemption: {HEAD}: 2 Preemption is not helpful for scheduling."


async def _refusal(hands, name):
    def message():
        conditions = hands.status(name).get("conditions") or []
        return next((c["message"] for c in conditions if c.get("reason") == "Unschedulable"), "")

    return await hands.until(message, lambda: hands.status(name))


def _label(cluster, node, **labels):
    cluster.store.change(kinds.NODE, None, node, lambda obj: obj["metadata"]["labels"].update(labels))


def _taint(cluster, node, **taint):
    cluster.store.change(kinds.NODE, None, node, lambda obj: obj["spec"].setdefault("taints", []).append(taint))


async def test_a_node_selector_decides(hands, cluster):
    hands.pod("p", ["sleep", "60"], nodeSelector={"disk": "ssd"})
    assert await _refusal(hands, "p") == f"{HEAD}: 2 node(s) didn't match Pod's node affinity/selector. {UNHELPFUL}"
    assert ("FailedScheduling", await _refusal(hands, "p")) in hands.events("p")
    _label(cluster, "node-2", disk="ssd")
    await hands.running("p")
    assert hands.get(kinds.POD, "p")["spec"]["nodeName"] == "node-2"


async def test_requests_are_held_against_what_is_left(hands):
    hands.pod("a", ["sleep", "60"], resources={"requests": {"cpu": "12"}})
    hands.pod("b", ["sleep", "60"], resources={"requests": {"cpu": "12"}})
    hands.pod("c", ["sleep", "60"], resources={"requests": {"cpu": "12"}})
    assert await _refusal(hands, "c") == (
        f"{HEAD}: 2 Insufficient cpu. preemption: {HEAD}: 2 No preemption victims found for incoming pod."
    )


async def test_room_that_is_freed_is_used(hands, cluster):
    for name in "ab":
        hands.pod(name, ["sleep", "60"], resources={"requests": {"cpu": "12"}})
    hands.pod("c", ["sleep", "60"], resources={"requests": {"cpu": "12"}})
    await _refusal(hands, "c")
    cluster.store.remove(kinds.POD, "test", "a")
    await hands.running("c")


async def test_taints_are_minded_and_tolerated(hands, cluster):
    for node in ("node-1", "node-2"):
        _taint(cluster, node, key="dedicated", value="x", effect="NoSchedule")
    hands.pod("p", ["sleep", "60"])
    assert (await _refusal(hands, "p")).startswith(f"{HEAD}: 2 node(s) had untolerated taint {{dedicated: x}}. ")
    hands.pod("q", ["sleep", "60"], tolerations=[{"key": "dedicated", "operator": "Equal", "value": "x"}])
    await hands.running("q")


async def test_a_cordoned_node_takes_no_more_pods(hands, cluster):
    cluster.store.change(kinds.NODE, None, "node-1", lambda node: node["spec"].update(unschedulable=True))
    for number in range(4):
        hands.pod(f"p{number}", ["sleep", "60"])
    for number in range(4):
        assert (await hands.running(f"p{number}"))["spec"]["nodeName"] == "node-2"
    taints = cluster.store.get(kinds.NODE, None, "node-1")["spec"]["taints"]
    assert taints[0]["key"] == "node.kubernetes.io/unschedulable"


async def test_anti_affinity_spreads_and_affinity_gathers(hands):
    term = {"labelSelector": {"matchLabels": {"app": "x"}}, "topologyKey": "kubernetes.io/hostname"}
    apart = {"podAntiAffinity": {"requiredDuringSchedulingIgnoredDuringExecution": [term]}}
    for name in "abc":
        hands.pod(name, ["sleep", "60"], labels={"app": "x"}, affinity=apart)
    nodes = {(await hands.running(name))["spec"]["nodeName"] for name in "ab"}
    assert nodes == {"node-1", "node-2"}
    assert "2 node(s) didn't match pod anti-affinity rules" in await _refusal(hands, "c")


async def test_affinity_follows_the_other_pod(hands):
    hands.pod("a", ["sleep", "60"], labels={"app": "x"}, nodeName="node-2")
    await hands.running("a")
    term = {"labelSelector": {"matchLabels": {"app": "x"}}, "topologyKey": "kubernetes.io/hostname"}
    near = {"podAffinity": {"requiredDuringSchedulingIgnoredDuringExecution": [term]}}
    hands.pod("b", ["sleep", "60"], affinity=near)
    assert (await hands.running("b"))["spec"]["nodeName"] == "node-2"


async def test_a_node_that_is_lost_loses_its_pods_in_time(hands, cluster):
    tolerations = [
        {"key": f"node.kubernetes.io/{key}", "operator": "Exists", "effect": "NoExecute", "tolerationSeconds": 0}
        for key in ("not-ready", "unreachable")
    ]
    hands.pod("p", ["sleep", "60"], nodeName="node-2", tolerations=tolerations)
    await hands.running("p")
    cluster.node_life.lose("node-2")
    await hands.until(lambda: not hands.get(kinds.POD, "p"))
    taints = {t["key"] for t in cluster.store.get(kinds.NODE, None, "node-2")["spec"]["taints"]}
    assert taints == {"node.kubernetes.io/unreachable"}


async def test_pods_spread_over_the_nodes(hands, cluster):
    rule = {
        "maxSkew": 1,
        "topologyKey": "kubernetes.io/hostname",
        "whenUnsatisfiable": "DoNotSchedule",
        "labelSelector": {"matchLabels": {"app": "x"}},
    }
    for number in range(4):
        hands.pod(f"p{number}", ["sleep", "60"], labels={"app": "x"}, topologySpreadConstraints=[rule])
    nodes = [(await hands.running(f"p{number}"))["spec"]["nodeName"] for number in range(4)]
    assert sorted(nodes) == ["node-1", "node-1", "node-2", "node-2"]
    cluster.store.change(kinds.NODE, None, "node-1", lambda node: node["spec"].update(unschedulable=True))
    hands.pod("p4", ["sleep", "60"], labels={"app": "x"}, topologySpreadConstraints=[rule])
    await hands.running("p4")
    hands.pod("p5", ["sleep", "60"], labels={"app": "x"}, topologySpreadConstraints=[rule])
    assert "1 node(s) didn't match pod topology spread constraints, 1 node(s) were unschedulable" in await _refusal(
        hands, "p5"
    )


def _priority_class(hands, name, value, **more):
    body = {"apiVersion": "scheduling.k8s.io/v1", "metadata": {"name": name}, "value": value, **more}
    hands.create(kinds.PRIORITY_CLASS, body)


async def test_a_pod_of_high_priority_makes_others_go(hands):
    _priority_class(hands, "low", 10)
    _priority_class(hands, "high", 1000)
    _priority_class(hands, "polite", 1000, preemptionPolicy="Never")
    half = {"resources": {"requests": {"cpu": "10"}}, "terminationGracePeriodSeconds": 0}
    for name in ("a", "b"):
        hands.pod(name, ["sleep", "3600"], **({"priorityClassName": "low"} if name == "a" else {}), **half)
        await hands.running(name)
    hands.pod("waits", ["sleep", "3600"], priorityClassName="polite", **half)
    await hands.until(lambda: "Insufficient cpu" in str(hands.status("waits")), lambda: hands.status("waits"))
    assert hands.get(kinds.POD, "a")
    assert hands.get(kinds.POD, "b")
    hands.pod("vip", ["sleep", "3600"], priorityClassName="high", **half)
    await hands.running("vip")
    assert not hands.get(kinds.POD, "b"), "the pod of the lowest priority is the one to go"
    assert hands.get(kinds.POD, "a")
    assert [reason for reason, _ in hands.events("b")].count("Preempted") == 1
    message = next(message for reason, message in hands.events("vip") if reason == "FailedScheduling")
    assert message == "0/2 nodes are available: 2 Insufficient cpu."


async def test_no_pod_goes_where_that_would_not_help(hands):
    _priority_class(hands, "high", 1000)
    hands.pod("a", ["sleep", "3600"])
    await hands.running("a")
    hands.pod("vip", ["sleep", "3600"], priorityClassName="high", resources={"requests": {"cpu": "1000"}})
    await hands.until(lambda: hands.events("vip"))
    assert "preemption: 0/2 nodes are available: 2 No preemption victims found" in hands.events("vip")[0][1]
    assert hands.ready("a")
