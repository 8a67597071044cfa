"""The life of a pod: phases, conditions, restarts, images, probes, the end."""

from __future__ import annotations

import pytest

from sandbox import kinds
from sandbox.api import objects
from sandbox.api.status import ApiError


async def test_a_pod_runs_and_says_so(hands):
    hands.pod("p", ["sleep", "3600"])
    assert hands.status("p") == {"phase": "Pending", "qosClass": "BestEffort"}
    pod = await hands.running("p")
    assert pod["status"]["phase"] == "Running"
    assert pod["metadata"]["generation"] == 1
    assert [c["type"] for c in pod["status"]["conditions"]] == [
        "PodReadyToStartContainers",
        "Initialized",
        "Ready",
        "ContainersReady",
        "PodScheduled",
    ]
    container = pod["status"]["containerStatuses"][0]
    assert container["containerID"].startswith("containerd://")
    assert container["imageID"].startswith("docker.io/library/busybox@sha256:")
    assert [reason for reason, _ in hands.events("p")] == ["Scheduled", "Pulling", "Pulled", "Created", "Started"]


@pytest.mark.parametrize(
    ("policy", "code", "phase", "reason"),
    [
        ("Never", 0, "Succeeded", "Completed"),
        ("Never", 3, "Failed", "Error"),
        ("OnFailure", 0, "Succeeded", "Completed"),
    ],
)
async def test_a_command_that_ends(hands, policy, code, phase, reason):
    hands.pod("done", ["sh", "-c", f"echo out; exit {code}"], restartPolicy=policy)
    await hands.until(lambda: hands.status("done").get("phase") == phase, lambda: hands.status("done"))
    ended = hands.state("done")["terminated"]
    assert (ended["exitCode"], ended["reason"]) == (code, reason)
    assert hands.log("done") == ["out"]


async def test_a_crashing_container_backs_off(hands):
    seen = hands.statuses("crash")
    pod = hands.pod("crash", ["sh", "-c", "exit 1"])

    def waits():
        containers = [each["containerStatuses"][0] for each in seen if each.get("containerStatuses")]
        return [one for one in containers if one["state"].get("waiting", {}).get("reason") == "CrashLoopBackOff"]

    status = (await hands.until(waits, lambda: seen))[0]
    uid = pod["metadata"]["uid"]
    assert status["restartCount"] == 1
    assert status["state"]["waiting"]["message"] == (
        f"back-off 10s restarting failed container=main pod=crash_test({uid})"
    )
    assert status["lastState"]["terminated"]["exitCode"] == 1
    await hands.until(lambda: hands.status("crash")["containerStatuses"][0]["restartCount"] > 2)
    assert hands.status("crash")["phase"] == "Running"


async def test_init_containers_come_first_and_in_order(hands):
    inits = [
        {
            "name": "one",
            "image": "busybox:1",
            "command": ["sh", "-c", "echo one > /shared/log"],
            "volumeMounts": [{"name": "v", "mountPath": "/shared"}],
        },
        {
            "name": "two",
            "image": "busybox:1",
            "command": ["sh", "-c", "echo two >> /shared/log"],
            "volumeMounts": [{"name": "v", "mountPath": "/shared"}],
        },
    ]
    hands.pod(
        "inits",
        ["sh", "-c", "cat /shared/log; sleep 60"],
        initContainers=inits,
        volumes=[{"name": "v", "emptyDir": {}}],
        volumeMounts=[{"name": "v", "mountPath": "/shared"}],
    )
    pod = await hands.running("inits")
    await hands.until(lambda: hands.log("inits") == ["one", "two"], lambda: hands.log("inits"))
    assert [s["state"]["terminated"]["reason"] for s in pod["status"]["initContainerStatuses"]] == ["Completed"] * 2


async def test_a_failing_init_container_fails_a_pod_that_never_restarts(hands):
    init = {"name": "one", "image": "busybox:1", "command": ["false"]}
    hands.pod("inits", ["sleep", "60"], initContainers=[init], restartPolicy="Never")
    await hands.until(lambda: hands.status("inits").get("phase") == "Failed", lambda: hands.status("inits"))
    assert hands.state("inits") == {"waiting": {"reason": "PodInitializing"}}


async def test_a_sidecar_starts_before_the_containers_and_ends_after_them(hands):
    side = {"name": "side", "image": "busybox:1", "command": ["sleep", "3600"], "restartPolicy": "Always"}
    hands.pod("job", ["sh", "-c", "sleep 0.1"], initContainers=[side], restartPolicy="Never")
    await hands.until(lambda: hands.status("job").get("phase") == "Succeeded", lambda: hands.status("job"))
    assert "terminated" in hands.status("job")["initContainerStatuses"][0]["state"]


@pytest.mark.parametrize(
    ("image", "policy", "reason"),
    [
        ("localhost:5000/none:1", "IfNotPresent", "ErrImagePull"),
        ("registry.invalid/app:1", "IfNotPresent", "ErrImagePull"),
        ("example.test/none:1", "Never", "ErrImageNeverPull"),
        ("Upper/Case:1", "IfNotPresent", "InvalidImageName"),
    ],
)
async def test_an_image_that_cannot_be_had(hands, image, policy, reason):
    hands.pod("bad", ["sleep", "60"], image=image, imagePullPolicy=policy)
    await hands.until(lambda: hands.state("bad").get("waiting", {}).get("reason") == reason, lambda: hands.state("bad"))
    assert hands.status("bad")["phase"] == "Pending"


async def test_a_failed_pull_is_tried_again_with_back_off(hands):
    hands.pod("bad", ["sleep", "60"], image="does-not-exist")
    await hands.until(lambda: hands.state("bad").get("waiting", {}).get("reason") == "ImagePullBackOff")
    assert ("BackOff", 'Back-off pulling image "does-not-exist"') in hands.events("bad")


async def test_a_command_that_is_not_there_is_a_start_error(hands):
    hands.pod("nope", ["/nope"], restartPolicy="Never")
    await hands.until(lambda: hands.status("nope").get("phase") == "Failed")
    ended = hands.state("nope")["terminated"]
    assert (ended["exitCode"], ended["reason"], ended["startedAt"]) == (128, "StartError", "1970-01-01T00:00:00Z")
    assert 'exec: "/nope": stat /nope: no such file or directory' in ended["message"]


async def test_a_missing_runtime_class_is_refused(hands):
    with pytest.raises(ApiError, match='RuntimeClass "nope" not found'):
        hands.pod("rc", ["sleep", "60"], runtimeClassName="nope")


async def test_a_missing_config_map_keeps_the_pod_waiting_until_it_comes(hands):
    hands.pod(
        "waits",
        ["sh", "-c", "cat /c/key; echo; sleep 60"],
        volumes=[{"name": "c", "configMap": {"name": "later"}}],
        volumeMounts=[{"name": "c", "mountPath": "/c"}],
    )
    text = 'MountVolume.SetUp failed for volume "c" : configmap "later" not found'
    await hands.until(lambda: ("FailedMount", text) in hands.events("waits"), lambda: hands.events("waits"))
    hands.create(kinds.CONFIG_MAP, {"metadata": {"name": "later"}, "data": {"key": "value"}})
    await hands.running("waits")
    await hands.until(lambda: hands.log("waits") == ["value"], lambda: hands.log("waits"))


async def test_the_environment_comes_from_where_the_spec_says(hands):
    hands.create(kinds.SECRET, {"metadata": {"name": "s"}, "stringData": {"k": "hidden"}})
    env = [
        {"name": "A", "valueFrom": {"secretKeyRef": {"name": "s", "key": "k"}}},
        {"name": "POD", "valueFrom": {"fieldRef": {"fieldPath": "metadata.name"}}},
        {"name": "B", "value": "$(POD)-b"},
    ]
    hands.pod("env", ["sh", "-c", 'echo "$A $POD $B"; sleep 60'], env=env)
    await hands.running("env")
    await hands.until(lambda: hands.log("env") == ["hidden env env-b"], lambda: hands.log("env"))


async def test_readiness_follows_the_probe(hands):
    probe = {"exec": {"command": ["cat", "/run/ready"]}, "periodSeconds": 1, "failureThreshold": 1}
    pod = hands.pod("probed", ["sleep", "60"], readinessProbe=probe)
    await hands.until(lambda: any(reason == "Unhealthy" for reason, _ in hands.events("probed")))
    assert not hands.ready("probed")
    hands.cluster.runtime.container(pod["metadata"]["uid"], "main").files.write("/run/ready", b"")
    await hands.running("probed")


async def test_a_failing_liveness_probe_restarts_the_container(hands):
    probe = {"tcpSocket": {"port": 81}, "periodSeconds": 1, "failureThreshold": 1}
    hands.pod("dead", image="nginx", livenessProbe=probe)
    await hands.until(lambda: (hands.status("dead").get("containerStatuses") or [{}])[0].get("restartCount", 0) >= 1)
    assert ("Killing", "Container main failed liveness probe, will be restarted") in hands.events("dead")


async def test_the_end_is_graceful(hands, cluster):
    pod = hands.pod("p", ["sleep", "3600"])
    await hands.running("p")
    objects.delete(cluster, kinds.POD, "test", "p", grace=30)
    marked = hands.get(kinds.POD, "p")
    assert marked["metadata"]["deletionGracePeriodSeconds"] == 30
    await hands.until(lambda: not hands.get(kinds.POD, "p"))
    assert ("Killing", "Stopping container main") in hands.events("p")
    assert cluster.runtime.container(pod["metadata"]["uid"], "main") is None


UNKNOWN = ("ContainerStatusUnknown", 137)


@pytest.mark.parametrize(
    ("spec", "begun", "phase", "ended"),
    [
        ({"command": ["sleep", "60"]}, "running", "Failed", None),
        ({"image": "nginx"}, "running", "Succeeded", ("Completed", 0)),
        ({"command": ["sh", "-c", "exit 3"]}, "terminated", "Failed", ("Error", 3)),
        ({"command": ["true"], "restartPolicy": "Never"}, "terminated", "Succeeded", ("Completed", 0)),
        ({"image": "x:no-such-tag"}, "waiting", "Failed", UNKNOWN),
    ],
    ids=["killed", "ended well", "crashing", "done before", "never started"],
)
async def test_a_finalizer_keeps_an_ended_pod(hands, spec, begun, phase, ended):
    cluster, reason = hands.cluster, {"Failed": "PodFailed", "Succeeded": "PodCompleted"}[phase]
    pod = hands.pod("held", **spec)
    cluster.store.change(kinds.POD, "test", "held", lambda each: each["metadata"].update(finalizers=["x.test/hold"]))
    await hands.until(lambda: begun in hands.state("held"), lambda: hands.status("held"))
    objects.delete(cluster, kinds.POD, "test", "held")
    await hands.until(lambda: hands.status("held")["phase"] in ("Failed", "Succeeded"), lambda: hands.status("held"))
    held = hands.get(kinds.POD, "held")
    assert held["status"]["phase"] == phase
    assert held["metadata"]["uid"] == pod["metadata"]["uid"]
    assert held["metadata"]["deletionTimestamp"]
    conditions = {each["type"]: each for each in held["status"]["conditions"]}
    for kind in ("Ready", "ContainersReady"):
        assert (conditions[kind]["status"], conditions[kind]["reason"]) == ("False", reason)
    shown = hands.state("held")["terminated"]
    assert ended is None or (shown["reason"], shown["exitCode"]) == ended
    cluster.store.change(kinds.POD, "test", "held", lambda each: each["metadata"]["labels"].update(new="label"))
    cluster.kubelet.resume(held["spec"]["nodeName"])
    hands.pod("other", ["sleep", "60"], nodeName=held["spec"]["nodeName"])
    await hands.running("other")
    assert hands.get(kinds.POD, "held")["status"] == held["status"]
    cluster.store.change(kinds.POD, "test", "held", lambda each: each["metadata"].pop("finalizers"))
    await hands.until(lambda: not hands.get(kinds.POD, "held"))


async def test_a_pod_whose_init_container_is_not_done_fails_when_it_is_deleted(hands, cluster):
    inits = [{"name": name, "image": "busybox:1", "command": ["sleep", "60"]} for name in ("one", "two")]
    hands.pod("held", ["sleep", "60"], initContainers=inits)
    cluster.store.change(kinds.POD, "test", "held", lambda each: each["metadata"].update(finalizers=["x.test/hold"]))
    await hands.until(
        lambda: any("running" in one["state"] for one in hands.status("held").get("initContainerStatuses", ()))
    )
    objects.delete(cluster, kinds.POD, "test", "held")
    await hands.until(lambda: hands.status("held")["phase"] == "Failed", lambda: hands.status("held"))
    states = [next(iter(one["state"])) for one in hands.status("held")["initContainerStatuses"]]
    assert states == ["terminated", "waiting"]
    assert hands.state("held") == {"waiting": {"reason": "PodInitializing"}}


@pytest.mark.parametrize(("grace", "phases"), [(30, ["Running", "Failed", "Failed"]), (0, ["Running"])])
async def test_watchers_see_how_a_deleted_pod_ended(hands, cluster, grace, phases):
    hands.pod("p", ["sleep", "3600"])
    await hands.running("p")
    seen = []
    cluster.follow(kinds.POD, lambda change: seen.append((change.type, change.object["status"]["phase"])))
    objects.delete(cluster, kinds.POD, "test", "p", grace=grace)
    await hands.until(lambda: not hands.get(kinds.POD, "p"))
    assert [phase for _, phase in seen] == phases
    assert [kind for kind, _ in seen] == ["MODIFIED"] * (len(phases) - 1) + ["DELETED"]


async def test_a_changed_image_restarts_the_container_in_place(hands, cluster):
    pod = hands.pod("p", ["sleep", "3600"])
    before = (await hands.running("p"))["status"]
    cluster.store.change(kinds.POD, "test", "p", lambda obj: obj["spec"]["containers"][0].update(image="busybox:2"))
    await hands.until(lambda: hands.status("p")["containerStatuses"][0]["restartCount"] == 1 and hands.ready("p"))
    assert ("Killing", "Container main definition changed, will be restarted") in hands.events("p")
    assert hands.status("p")["podIP"] == before["podIP"]
    assert hands.get(kinds.POD, "p")["metadata"]["uid"] == pod["metadata"]["uid"]


async def test_an_active_deadline_fails_the_pod(hands):
    hands.pod("late", ["sleep", "3600"], activeDeadlineSeconds=1, restartPolicy="Never")
    await hands.until(lambda: hands.status("late").get("reason") == "DeadlineExceeded")
    assert hands.status("late")["phase"] == "Failed"


async def test_many_pods_run(hands, cluster):
    for number in range(300):
        hands.pod(f"p{number}", ["sleep", "3600"])
    await hands.until(lambda: all(hands.ready(f"p{n}") for n in range(300)))
    addresses = {hands.status(f"p{n}")["podIP"] for n in range(300)}
    assert len(addresses) == 300


async def test_a_container_leaves_a_message(hands):
    hands.pod("says", ["sh", "-c", "echo why > /dev/termination-log; exit 1"], restartPolicy="Never")
    await hands.until(lambda: hands.status("says").get("phase") == "Failed")
    assert hands.state("says")["terminated"]["message"] == "why\n"


async def test_hooks_run_in_the_container(hands):
    hook = {"postStart": {"exec": {"command": ["sh", "-c", "echo hooked > /srv/hook"]}}}
    container = {"name": "main", "image": "busybox:1", "command": ["sleep", "60"], "lifecycle": hook}
    pod = hands.create(kinds.POD, {"metadata": {"name": "hooked"}, "spec": {"containers": [container]}})
    await hands.running("hooked")
    assert hands.cluster.runtime.container(pod["metadata"]["uid"], "main").files.read("/srv/hook") == b"hooked\n"
