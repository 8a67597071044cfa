"""Limits, measures and trouble: what nodes do to their pods."""

from __future__ import annotations

import json

import pytest

from sandbox import kinds
from sandbox.api import objects
from sandbox.connect import measures


def limits(memory):
    """Resources with a memory limit."""
    return {"limits": {"memory": memory}, "requests": {"memory": memory}}


@pytest.mark.parametrize(
    "command",
    [
        ["stress", "--vm", "1", "--vm-bytes", "250M", "--vm-hang", "1"],
        ["tail", "/dev/zero"],
        ["sh", "-c", "echo begun; tail /dev/zero"],
    ],
)
async def test_who_eats_too_much_memory_is_killed(hands, command):
    hands.pod("eater", command, resources=limits("100Mi"), restartPolicy="Never")
    await hands.until(lambda: hands.status("eater").get("phase") == "Failed", lambda: hands.status("eater"))
    ended = hands.state("eater")["terminated"]
    assert (ended["exitCode"], ended["reason"]) == (137, "OOMKilled")


async def test_who_stays_within_the_limit_lives_and_is_measured(hands, cluster):
    hands.pod("eater", ["stress", "--vm", "1", "--vm-bytes", "50M", "--cpu", "2"], resources=limits("100Mi"))
    await hands.running("eater")
    assert hands.run("eater", "cat", "/sys/fs/cgroup/memory.max")[1] == f"{100 * 2**20}\n"
    pod = next(each for each in measures._of_pods(cluster, "test"))
    usage = pod["containers"][0]["usage"]
    assert usage["cpu"] == "2000000000n"
    assert 50 * 1024 < int(usage["memory"].removesuffix("Ki")) < 60 * 1024
    held = cluster.runtime.snapshot(hands.get(kinds.POD, "eater")["metadata"]["uid"])
    assert 50 * 2**20 < held.size < 60 * 2**20


async def test_redis_is_killed_when_its_values_outgrow_the_limit(hands):
    hands.pod("store", image="redis", resources=limits("5Mi"))
    await hands.running("store")
    hands.run("store", "redis-cli", "set", "big", "x" * 4_000_000)
    await hands.until(lambda: hands.status("store")["containerStatuses"][0]["restartCount"] == 1)
    last = hands.status("store")["containerStatuses"][0]["lastState"]["terminated"]
    assert last["reason"] == "OOMKilled"


async def test_a_node_that_is_low_evicts_the_greediest(hands, cluster):
    for name, mebibytes in (("small", 10), ("large", 40), ("asked", 60)):
        more = {"resources": {"requests": {"memory": "80Mi"}}} if name == "asked" else {}
        hands.pod(name, ["stress", "--vm", "1", "--vm-bytes", f"{mebibytes}M"], nodeName="node-1", **more)
        await hands.running(name)
    cluster.kubelet.evictions.press("node-1", "memory")
    assert hands.status("large")["reason"] == "Evicted"
    assert hands.status("large")["phase"] == "Failed"
    assert "The node was low on resource: memory." in hands.status("large")["message"]
    assert hands.status("large")["conditions"][0]["reason"] == "TerminationByKubelet"
    assert "Evicted" in [reason for reason, _ in hands.events("large")]
    await hands.until(lambda: "memory-pressure" in json.dumps(hands.get(kinds.NODE, "node-1")["spec"]))
    cluster.kubelet.evictions.relieve("node-1", "memory")
    assert not any(hands.status(name).get("reason") for name in ("small", "asked"))
    await hands.until(lambda: "taints" not in hands.get(kinds.NODE, "node-1")["spec"])


async def test_a_node_without_memory_notices_by_itself(hands, cluster):
    hands.pod("huge", ["stress", "--vm", "1", "--vm-bytes", "65600M"], nodeName="node-1")
    await hands.running("huge")
    cluster.kubelet.evictions.check("node-1")
    assert hands.status("huge")["reason"] == "Evicted"


async def test_a_lost_node_says_nothing_until_it_is_back(hands, cluster):
    hands.pod("p", ["sh", "-c", "sleep 3600"], nodeName="node-1")
    await hands.running("p")
    cluster.kubelet.cut_off("node-1")
    ready = {c["type"]: c for c in hands.get(kinds.NODE, "node-1")["status"]["conditions"]}["Ready"]
    assert (ready["status"], ready["reason"]) == ("Unknown", "NodeStatusUnknown")
    assert not hands.ready("p")
    assert ("NodeNotReady", "Node is not ready") in hands.events("p")
    objects.delete(cluster, kinds.POD, "test", "p", grace=0)
    later = hands.pod("later", ["sleep", "3600"], nodeName="node-1", tolerations=[{"operator": "Exists"}])
    kept = hands.pod("kept", ["sleep", "3600"])
    await hands.running("kept")
    assert hands.get(kinds.POD, "kept")["spec"]["nodeName"] == "node-2"
    assert hands.status("later").get("phase") == "Pending"
    cluster.kubelet.reconnect("node-1")
    await hands.running("later")
    assert all(c["status"] != "Unknown" for c in hands.get(kinds.NODE, "node-1")["status"]["conditions"])
    assert {later["metadata"]["uid"], kept["metadata"]["uid"]} <= set(cluster.kubelet.workers)


async def test_a_pod_on_a_lost_node_is_ready_again_when_it_is_back(hands, cluster):
    hands.pod("p", ["sleep", "3600"], nodeName="node-1")
    await hands.running("p")
    cluster.kubelet.cut_off("node-1")
    assert not hands.ready("p")
    cluster.kubelet.reconnect("node-1")
    await hands.until(lambda: hands.ready("p"))
    assert hands.status("p")["containerStatuses"][0]["restartCount"] == 0


async def test_a_runtime_that_refuses(hands, cluster):
    cluster.kubelet.trouble["node-1"].refusal = "failed to create containerd task: no space left on device"
    hands.pod("p", ["sleep", "3600"], nodeName="node-1")
    await hands.until(lambda: hands.state("p").get("waiting", {}).get("reason") == "CreateContainerError")
    assert "no space left on device" in hands.state("p")["waiting"]["message"]


async def test_the_clock_of_a_node_jumps(hands, cluster):
    hands.pod("p", ["sh", "-c", "echo before; sleep 3600"], nodeName="node-1")
    hands.pod("q", ["sleep", "3600"], nodeName="node-2")
    await hands.running("p")
    started = hands.state("p")["running"]["startedAt"]
    cluster.runtime.jump_clock("node-1", 3600)
    container = cluster.runtime.container(hands.get(kinds.POD, "p")["metadata"]["uid"], "main")
    container.write(cluster.runtime.now(), "stdout", b"after\n")
    before, after = container.log.lines
    assert 3599 < (after.at - before.at) / 1e9 < 3620
    assert hands.state("p")["running"]["startedAt"] == started
    await hands.running("q")
    seconds = [int(hands.run(name, "date", "+%s")[1]) for name in ("p", "q")]
    assert 3570 <= seconds[0] - seconds[1] <= 3601, "the second was asked a little later"


async def test_a_log_that_rotates_begins_anew(hands, cluster):
    cluster.runtime.host("node-1").log_limit = 500
    hands.pod("p", ["sh", "-c", "for i in $(seq 21); do echo line $i; done; sleep 3600"], nodeName="node-1")
    await hands.until(lambda: hands.log("p")[-1:] == ["line 21"], lambda: hands.log("p"))
    lines = hands.log("p")
    assert len(lines) < 20
    container = cluster.runtime.container(hands.get(kinds.POD, "p")["metadata"]["uid"], "main")
    assert container.log.dropped + len(lines) == 21


async def test_the_summary_of_a_node(hands, cluster):
    hands.pod("web", image="nginx", nodeName="node-1")
    await hands.running("web")
    found = measures.summary(cluster, hands.get(kinds.NODE, "node-1"))
    assert found["node"]["memory"]["availableBytes"] > 0
    pod = next(each for each in found["pods"] if each["podRef"]["name"] == "web")
    assert pod["containers"][0]["memory"]["workingSetBytes"] > 2_000_000


async def test_who_it_runs_as_and_what_it_may_write(hands):
    hands.pod(
        "p",
        ["sleep", "3600"],
        securityContext={"runAsUser": 1000, "readOnlyRootFilesystem": True},
        volumes=[{"name": "v", "emptyDir": {}}],
        volumeMounts=[{"name": "v", "mountPath": "/data"}],
    )
    await hands.running("p")
    assert hands.run("p", "id")[1] == "uid=1000 gid=0(root) groups=0(root)\n"
    code, _, err = hands.run("p", "sh", "-c", "echo x > /tmp/f")
    assert (code, err) == (1, "sh: can't create /tmp/f: Read-only file system\n")
    assert hands.run("p", "sh", "-c", "echo x > /data/f; cat /data/f")[1] == "x\n"


async def test_root_is_refused_where_it_may_not_run(hands):
    hands.pod("p", ["sleep", "3600"], securityContext={"runAsNonRoot": True})
    await hands.until(lambda: hands.state("p").get("waiting", {}).get("reason") == "CreateContainerConfigError")
    assert "container has runAsNonRoot and image will run as root" in hands.state("p")["waiting"]["message"]


async def test_volumes_follow_their_objects(hands, cluster):
    hands.create(kinds.CONFIG_MAP, {"metadata": {"name": "c"}, "data": {"key": "one"}})
    items = [
        {"path": "labels", "fieldRef": {"fieldPath": "metadata.labels"}},
        {"path": "cpu", "resourceFieldRef": {"containerName": "main", "resource": "limits.cpu"}},
    ]
    hands.pod(
        "p",
        ["sleep", "3600"],
        volumes=[{"name": "c", "configMap": {"name": "c"}}, {"name": "d", "downwardAPI": {"items": items}}],
        volumeMounts=[
            {"name": "c", "mountPath": "/c"},
            {"name": "c", "mountPath": "/fixed", "subPath": "key"},
            {"name": "d", "mountPath": "/d"},
        ],
    )
    await hands.running("p")
    assert hands.run("p", "cat", "/d/cpu")[1] == "16"
    cluster.store.change(kinds.CONFIG_MAP, "test", "c", lambda obj: obj.update(data={"key": "two"}))
    cluster.store.change(kinds.POD, "test", "p", lambda obj: obj["metadata"]["labels"].update(more="x"))
    await hands.until(lambda: 'more="x"' in hands.run("p", "cat", "/d/labels")[1])
    assert hands.run("p", "cat", "/c/key")[1] == "two"
    assert hands.run("p", "cat", "/fixed")[1] == "one"


async def test_readiness_waits_for_its_gates(hands, cluster):
    hands.pod("p", ["sleep", "3600"], readinessGates=[{"conditionType": "example.com/in"}])
    await hands.until(lambda: hands.status("p").get("phase") == "Running")
    assert not hands.ready("p")
    assert "ReadinessGatesNotReady" in str(hands.status("p")["conditions"])
    gate = {"type": "example.com/in", "status": "True"}
    cluster.store.change(kinds.POD, "test", "p", lambda obj: obj["status"]["conditions"].append(gate))
    await hands.until(lambda: hands.ready("p"), lambda: hands.status("p"))


async def test_host_names_and_their_files(hands):
    hands.pod(
        "p",
        ["sleep", "3600"],
        hostname="one",
        subdomain="pods",
        hostAliases=[{"ip": "10.1.2.3", "hostnames": ["alias", "other"]}],
    )
    await hands.running("p")
    assert hands.run("p", "hostname")[1] == "one\n"
    assert "\tone.pods.test.svc.cluster.local\tone\n" in hands.run("p", "cat", "/etc/hosts")[1]
    assert hands.run("p", "getent", "hosts", "alias")[1].split() == ["10.1.2.3", "alias"]
    assert "search test.svc.cluster.local" in hands.run("p", "cat", "/etc/resolv.conf")[1]


@pytest.mark.parametrize(("script", "code"), [("trap 'echo bye; exit 3' TERM; sleep 3600", 3), ("sleep 3600", 137)])
async def test_a_trap_decides_how_it_ends(hands, cluster, script, code):
    pod = hands.pod("p", ["sh", "-c", script], restartPolicy="Never")
    await hands.running("p")
    ended = cluster.runtime.stop(pod["metadata"]["uid"], "main", None)
    assert ended.exit_code == code
    assert [line.text for line in ended.log.lines] == ([b"bye"] if code == 3 else [])


async def test_a_restore_needs_the_mounts_of_its_source(hands, cluster):
    volume = {"volumes": [{"name": "v", "emptyDir": {}}], "volumeMounts": [{"name": "v", "mountPath": "/v"}]}
    source = hands.pod("p", ["sleep", "3600"], **volume)
    await hands.running("p")
    snapshot = cluster.runtime.snapshot(source["metadata"]["uid"], source)
    without = hands.pod("without", ["sleep", "3600"], restartPolicy="Never")
    cluster.runtime.stage(without["metadata"]["uid"], snapshot)
    await hands.until(lambda: hands.status("without").get("phase") == "Failed")
    ended = hands.state("without")["terminated"]
    assert ended["reason"] == "StartError"
    assert "OCI runtime restore failed: criu failed: type RESTORE errno 0" in ended["message"]
