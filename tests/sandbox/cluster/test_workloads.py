"""Deployments, DaemonSets, StatefulSets and Jobs, and what is collected with their owners."""

from __future__ import annotations

import pytest

from sandbox import kinds
from sandbox.api import objects


def _template(labels, command=("sleep", "3600"), **spec):
    container = {"name": "main", "image": "busybox:1", "command": list(command)}
    return {"metadata": {"labels": labels}, "spec": {"containers": [container], **spec}}


def _workload(name, **spec):
    labels = {"app": name}
    return {
        "metadata": {"name": name},
        "spec": {"selector": {"matchLabels": labels}, "template": _template(labels), **spec},
    }


def _renew(workload):
    workload["spec"]["template"]["spec"]["containers"][0]["image"] = "busybox:2"


def _pods(hands, app):
    pods = hands.cluster.store.list(kinds.POD, "test")
    return [p for p in pods if p["metadata"]["labels"].get("app") == app and not p["metadata"].get("deletionTimestamp")]


def _progress(hands, name):
    conditions = hands.get(kinds.DEPLOYMENT, name).get("status", {}).get("conditions") or []
    return next((c["reason"] for c in conditions if c["type"] == "Progressing"), "")


async def _rolled_out(hands, name, generation):
    def done():
        status = hands.get(kinds.DEPLOYMENT, name).get("status", {})
        replicas = hands.get(kinds.DEPLOYMENT, name)["spec"]["replicas"]
        counts = [status.get(key) for key in ("replicas", "updatedReplicas", "availableReplicas")]
        return status.get("observedGeneration") == generation and counts == [replicas] * 3

    await hands.until(done, lambda: hands.get(kinds.DEPLOYMENT, name).get("status"))


async def test_a_deployment_rolls_out_and_rolls_over(hands, cluster):
    hands.create(kinds.DEPLOYMENT, _workload("d", replicas=3))
    await _rolled_out(hands, "d", 1)
    assert _progress(hands, "d") == "NewReplicaSetAvailable"
    lowest = []
    cluster.follow(kinds.DEPLOYMENT, lambda c: lowest.append(c.object["status"].get("availableReplicas", 0)))
    env = [{"name": "A", "value": "1"}]
    cluster.store.change(
        kinds.DEPLOYMENT, "test", "d", lambda obj: obj["spec"]["template"]["spec"]["containers"][0].update(env=env)
    )
    await _rolled_out(hands, "d", 2)
    assert min(lowest) == 3
    sets = cluster.store.list(kinds.REPLICA_SET, "test")
    revisions = {s["metadata"]["annotations"]["deployment.kubernetes.io/revision"]: s["spec"]["replicas"] for s in sets}
    assert revisions == {"1": 0, "2": 3}
    assert {p["spec"]["containers"][0]["env"][0]["name"] for p in _pods(hands, "d")} == {"A"}


async def test_going_back_reuses_the_old_replica_set(hands, cluster):
    hands.create(kinds.DEPLOYMENT, _workload("d", replicas=1))
    await _rolled_out(hands, "d", 1)
    for generation, image in ((2, "busybox:2"), (3, "busybox:1")):
        cluster.store.change(
            kinds.DEPLOYMENT,
            "test",
            "d",
            lambda obj, image=image: obj["spec"]["template"]["spec"]["containers"][0].update(image=image),
        )
        await _rolled_out(hands, "d", generation)
    assert len(cluster.store.list(kinds.REPLICA_SET, "test")) == 2
    assert hands.get(kinds.DEPLOYMENT, "d")["metadata"]["annotations"]["deployment.kubernetes.io/revision"] == "3"


async def test_a_rollout_that_cannot_succeed_keeps_the_old_pods_and_times_out(hands, cluster):
    hands.create(kinds.DEPLOYMENT, _workload("d", replicas=2, progressDeadlineSeconds=1))
    await _rolled_out(hands, "d", 1)
    cluster.store.change(
        kinds.DEPLOYMENT,
        "test",
        "d",
        lambda obj: obj["spec"]["template"]["spec"]["containers"][0].update(image="nope:1"),
    )
    await hands.until(lambda: _progress(hands, "d") == "ProgressDeadlineExceeded", lambda: _progress(hands, "d"))
    assert hands.get(kinds.DEPLOYMENT, "d")["status"]["availableReplicas"] == 2


async def test_recreate_ends_the_old_pods_first(hands, cluster):
    hands.create(kinds.DEPLOYMENT, _workload("d", replicas=2, strategy={"type": "Recreate"}))
    await _rolled_out(hands, "d", 1)
    most = []
    cluster.follow(kinds.POD, lambda _c: most.append(len(cluster.store.list(kinds.POD, "test"))))
    cluster.store.change(kinds.DEPLOYMENT, "test", "d", _renew)
    await _rolled_out(hands, "d", 2)
    assert max(most) == 2


async def test_recreate_does_not_count_an_old_pod_that_a_finalizer_holds(hands, cluster):
    hands.create(kinds.DEPLOYMENT, _workload("d", replicas=1, strategy={"type": "Recreate"}))
    await _rolled_out(hands, "d", 1)
    name = _pods(hands, "d")[0]["metadata"]["name"]
    cluster.store.change(kinds.POD, "test", name, lambda each: each["metadata"].update(finalizers=["x.test/hold"]))
    cluster.store.change(kinds.DEPLOYMENT, "test", "d", _renew)
    await hands.until(lambda: hands.status(name)["phase"] == "Failed", lambda: hands.status(name))
    # Only a pod that is gone wakes the controller; one that has ended does not.
    cluster.store.change(kinds.DEPLOYMENT, "test", "d", lambda each: each["metadata"].update(annotations={"a": "b"}))
    await _rolled_out(hands, "d", 2)


async def test_a_deleted_pod_is_replaced(hands, cluster):
    hands.create(kinds.DEPLOYMENT, _workload("d", replicas=1))
    await _rolled_out(hands, "d", 1)
    first = _pods(hands, "d")[0]["metadata"]["name"]
    objects.delete(cluster, kinds.POD, "test", first)
    await hands.until(
        lambda: [p for p in _pods(hands, "d") if p["metadata"]["name"] != first and hands.ready(p["metadata"]["name"])]
    )


@pytest.mark.parametrize("propagation", ["Background", "Foreground"])
async def test_dependents_go_with_their_owner(hands, cluster, propagation):
    hands.create(kinds.DEPLOYMENT, _workload("d", replicas=2))
    await _rolled_out(hands, "d", 1)
    objects.delete(cluster, kinds.DEPLOYMENT, "test", "d", propagation=propagation)
    if propagation == "Foreground":
        assert hands.get(kinds.DEPLOYMENT, "d")["metadata"]["finalizers"] == ["foregroundDeletion"]
    await hands.until(lambda: not cluster.store.list(kinds.POD, "test"))
    await hands.until(
        lambda: not cluster.store.list(kinds.REPLICA_SET, "test") and not hands.get(kinds.DEPLOYMENT, "d")
    )


async def test_orphans_stay(hands, cluster):
    hands.create(kinds.DEPLOYMENT, _workload("d", replicas=1))
    await _rolled_out(hands, "d", 1)
    objects.delete(cluster, kinds.DEPLOYMENT, "test", "d", propagation="Orphan")
    await hands.until(lambda: not hands.get(kinds.DEPLOYMENT, "d"))
    left = cluster.store.list(kinds.REPLICA_SET, "test")
    assert len(left) == 1
    assert "ownerReferences" not in left[0]["metadata"]
    assert len(_pods(hands, "d")) == 1


async def test_a_replica_set_adopts_pods_that_fit(hands, cluster):
    pod = hands.pod("stray", ["sleep", "3600"], labels={"app": "r"})
    hands.create(kinds.REPLICA_SET, _workload("r", replicas=1))
    await hands.until(lambda: hands.get(kinds.REPLICA_SET, "r").get("status", {}).get("readyReplicas") == 1)
    pods = _pods(hands, "r")
    assert [p["metadata"]["uid"] for p in pods] == [pod["metadata"]["uid"]]
    assert pods[0]["metadata"]["ownerReferences"][0]["name"] == "r"


@pytest.mark.parametrize("kind", [kinds.REPLICA_SET, kinds.DAEMON_SET, kinds.JOB])
async def test_a_pod_that_is_new_to_a_selector_is_adopted_and_one_that_left_it_is_released(hands, cluster, kind):
    workload = _workload("w")
    if kind is kinds.JOB:
        workload["spec"] |= {"manualSelector": True}
        workload["spec"]["template"]["spec"]["restartPolicy"] = "Never"
    hands.create(kind, workload)
    await hands.until(lambda: [hands.ready(pod["metadata"]["name"]) for pod in _pods(hands, "w")].count(True))
    taken = _pods(hands, "w")[0]["metadata"]["name"]

    def owners(name: str) -> list[str]:
        return [owner["name"] for owner in hands.get(kinds.POD, name).get("metadata", {}).get("ownerReferences", [])]

    cluster.store.change(kinds.POD, "test", taken, lambda pod: pod["metadata"].update(labels={"app": "aside"}))
    await hands.until(lambda: not owners(taken), lambda: owners(taken))
    await hands.until(lambda: _pods(hands, "w"))
    hands.pod("stray", ["sleep", "3600"])
    cluster.store.change(kinds.POD, "test", "stray", lambda pod: pod["metadata"].update(labels={"app": "w"}))
    await hands.until(lambda: not hands.get(kinds.POD, "stray") or owners("stray") == ["w"], lambda: owners("stray"))


async def test_a_daemon_set_runs_on_each_node_that_fits(hands, cluster):
    hands.create(kinds.DAEMON_SET, _workload("ds"))
    await hands.until(lambda: hands.get(kinds.DAEMON_SET, "ds").get("status", {}).get("numberReady") == 2)
    assert {p["spec"]["nodeName"] for p in _pods(hands, "ds")} == {"node-1", "node-2"}
    affinity = _pods(hands, "ds")[0]["spec"]["affinity"]["nodeAffinity"]
    term = affinity["requiredDuringSchedulingIgnoredDuringExecution"]["nodeSelectorTerms"][0]
    assert term["matchFields"][0]["key"] == "metadata.name"
    taint = {"key": "x", "value": "", "effect": "NoExecute"}
    cluster.store.change(kinds.NODE, None, "node-2", lambda node: node["spec"].update(taints=[taint]))
    await hands.until(lambda: [p["spec"]["nodeName"] for p in _pods(hands, "ds")] == ["node-1"])
    await hands.until(lambda: hands.get(kinds.DAEMON_SET, "ds")["status"]["desiredNumberScheduled"] == 1)


async def test_a_daemon_set_rolls_over(hands, cluster):
    hands.create(kinds.DAEMON_SET, _workload("ds"))
    await hands.until(lambda: hands.get(kinds.DAEMON_SET, "ds").get("status", {}).get("numberReady") == 2)
    cluster.store.change(kinds.DAEMON_SET, "test", "ds", _renew)

    def done():
        status = hands.get(kinds.DAEMON_SET, "ds")["status"]
        return status["observedGeneration"] == 2 and status.get("updatedNumberScheduled") == status["numberReady"] == 2

    await hands.until(done, lambda: hands.get(kinds.DAEMON_SET, "ds")["status"])
    assert {p["spec"]["containers"][0]["image"] for p in _pods(hands, "ds")} == {"busybox:2"}
    assert len(cluster.store.list(kinds.CONTROLLER_REVISION, "test")) == 2


ROOM = {"resources": {"requests": {"storage": "1Gi"}}}
STORAGE = {"accessModes": ["ReadWriteOnce"], "storageClassName": "local-path", **ROOM}
CLAIM = {"metadata": {"name": "data"}, "spec": STORAGE}


async def test_a_stateful_set_is_ordered_and_keeps_its_claims(hands, cluster):
    order = []
    cluster.follow(
        kinds.POD, lambda c: c.type == "ADDED" and order.append((c.object["metadata"]["name"], hands.ready("st-0")))
    )
    hands.create(kinds.STATEFUL_SET, _workload("st", replicas=2, serviceName="st", volumeClaimTemplates=[CLAIM]))
    await hands.until(lambda: hands.get(kinds.STATEFUL_SET, "st").get("status", {}).get("readyReplicas") == 2)
    assert order == [("st-0", False), ("st-1", True)]
    objects.delete(cluster, kinds.STATEFUL_SET, "test", "st")
    await hands.until(lambda: not cluster.store.list(kinds.POD, "test"))
    claims = cluster.store.list(kinds.PVC, "test")
    assert [c["metadata"]["name"] for c in claims] == ["data-st-0", "data-st-1"]
    assert {c["status"]["phase"] for c in claims} == {"Bound"}


async def test_claims_go_with_what_they_are_for_where_the_policy_says_so(hands, cluster):
    policy = {"whenScaled": "Delete", "whenDeleted": "Delete"}
    body = _workload("st", replicas=2, serviceName="st", volumeClaimTemplates=[CLAIM])
    body["spec"]["template"]["spec"]["containers"][0]["volumeMounts"] = [{"name": "data", "mountPath": "/data"}]
    body["spec"]["persistentVolumeClaimRetentionPolicy"] = policy
    hands.create(kinds.STATEFUL_SET, body)
    await hands.until(lambda: hands.get(kinds.STATEFUL_SET, "st").get("status", {}).get("readyReplicas") == 2)
    cluster.store.change(kinds.STATEFUL_SET, "test", "st", lambda each: each["spec"].update(replicas=1))
    await hands.until(lambda: not hands.get(kinds.PVC, "data-st-1"))
    assert hands.get(kinds.PVC, "data-st-0")
    objects.delete(cluster, kinds.STATEFUL_SET, "test", "st")
    await hands.until(lambda: not cluster.store.list(kinds.PVC, "test"))


async def test_a_job_counts_to_its_completions(hands, cluster):
    template = _template({}, ["sh", "-c", "echo done"], restartPolicy="Never")
    hands.create(
        kinds.JOB, {"metadata": {"name": "j"}, "spec": {"completions": 3, "parallelism": 2, "template": template}}
    )
    await hands.until(lambda: hands.get(kinds.JOB, "j").get("status", {}).get("succeeded") == 3)
    await hands.until(lambda: hands.get(kinds.JOB, "j")["status"].get("conditions"))
    assert [c["type"] for c in hands.get(kinds.JOB, "j")["status"]["conditions"]] == ["SuccessCriteriaMet", "Complete"]


async def test_a_job_gives_up_at_its_limit(hands, cluster):
    template = _template({}, ["false"], restartPolicy="Never")
    hands.create(kinds.JOB, {"metadata": {"name": "j"}, "spec": {"backoffLimit": 1, "template": template}})
    await hands.until(lambda: hands.get(kinds.JOB, "j").get("status", {}).get("conditions"))
    status = hands.get(kinds.JOB, "j")["status"]
    assert status["conditions"][-1]["reason"] == "BackoffLimitExceeded"
    assert status["failed"] == 2


@pytest.mark.parametrize(
    ("kind", "spec", "replaced"),
    [
        (kinds.REPLICA_SET, {}, True),
        (kinds.DEPLOYMENT, {"strategy": {"type": "Recreate"}}, True),
        (kinds.STATEFUL_SET, {"serviceName": "w"}, False),
        (kinds.DAEMON_SET, {}, False),
    ],
)
async def test_what_follows_a_pod_that_a_finalizer_holds(hands, cluster, kind, spec, replaced):
    hands.create(
        kinds.SERVICE, {"metadata": {"name": "s"}, "spec": {"selector": {"app": "w"}, "ports": [{"port": 80}]}}
    )
    hands.create(kind, _workload("w", **spec))

    def names():
        return {pod["metadata"]["name"] for pod in _pods(hands, "w")}

    def addressed():
        slices = cluster.store.list(kinds.ENDPOINT_SLICE, "test")
        return {one["targetRef"]["name"] for each in slices for one in each.get("endpoints") or []}

    await hands.until(lambda: names() and addressed() == names(), addressed)
    before, name = names(), min(names())
    cluster.store.change(kinds.POD, "test", name, lambda each: each["metadata"].update(finalizers=["x.test/hold"]))
    objects.delete(cluster, kinds.POD, "test", name)
    await hands.until(lambda: hands.status(name)["phase"] == "Failed" and name not in addressed(), addressed)
    assert replaced or names() == before - {name}
    await hands.until(lambda: names() - before or not replaced, names)
    assert "SuccessfulDelete" not in dict(hands.events("w"))
    cluster.store.change(kinds.POD, "test", name, lambda each: each["metadata"].pop("finalizers"))
    await hands.until(lambda: len(names()) == len(before) and addressed() == names(), addressed)


async def test_a_job_counts_a_pod_that_was_deleted_as_failed_once_it_has_ended(hands, cluster):
    template = _template({"app": "j"}, restartPolicy="Never")
    template["metadata"]["finalizers"] = ["x.test/hold"]
    hands.create(kinds.JOB, {"metadata": {"name": "j"}, "spec": {"template": template}})
    first = await hands.until(lambda: next((p for p in _pods(hands, "j") if hands.ready(p["metadata"]["name"])), None))
    objects.delete(cluster, kinds.POD, "test", first["metadata"]["name"])

    def counts():
        return [hands.get(kinds.JOB, "j").get("status", {}).get(name) for name in ("failed", "active", "terminating")]

    await hands.until(lambda: counts() == [1, 1, 0], counts)


async def test_a_namespace_takes_everything_along(hands, cluster):
    hands.create(kinds.DEPLOYMENT, _workload("d", replicas=2))
    await _rolled_out(hands, "d", 1)
    held = hands.create(kinds.CONFIG_MAP, {"metadata": {"name": "f", "finalizers": ["example.test/hold"]}})
    objects.delete(cluster, kinds.NAMESPACE, None, "test")

    def remaining():
        conditions = hands.get(kinds.NAMESPACE, "test").get("status", {}).get("conditions") or []
        return {c["type"]: c["status"] for c in conditions}.get("NamespaceFinalizersRemaining")

    await hands.until(lambda: remaining() == "True" and not cluster.store.list(kinds.POD, "test"))
    assert held["metadata"]["uid"] == hands.get(kinds.CONFIG_MAP, "f")["metadata"]["uid"]
    cluster.store.change(kinds.CONFIG_MAP, "test", "f", lambda obj: obj["metadata"].pop("finalizers"))
    await hands.until(lambda: not hands.get(kinds.NAMESPACE, "test"))
    assert not cluster.runtime.pods


async def test_a_namespace_begins_with_an_account_and_a_certificate(hands, cluster):
    assert hands.get(kinds.SERVICE_ACCOUNT, "default")
    assert "BEGIN CERTIFICATE" in hands.get(kinds.CONFIG_MAP, "kube-root-ca.crt")["data"]["ca.crt"]
    objects.delete(cluster, kinds.CONFIG_MAP, "test", "kube-root-ca.crt")
    await hands.until(lambda: hands.get(kinds.CONFIG_MAP, "kube-root-ca.crt"))


async def test_endpoints_follow_readiness(hands, cluster):
    port = {"port": 8080, "targetPort": "http"}
    hands.create(kinds.SERVICE, {"metadata": {"name": "s"}, "spec": {"selector": {"app": "web"}, "ports": [port]}})
    probe = {"exec": {"command": ["cat", "/run/ready"]}, "periodSeconds": 1, "failureThreshold": 1}
    hands.pod("web", image="nginx", ports=[{"name": "http", "containerPort": 80}], readinessProbe=probe)

    def subsets():
        return (hands.get(kinds.ENDPOINTS, "s").get("subsets") or [{}])[0]

    await hands.until(lambda: subsets().get("notReadyAddresses"))
    container = cluster.runtime.container(hands.get(kinds.POD, "web")["metadata"]["uid"], "main")
    container.files.write("/run/ready", b"")
    await hands.until(lambda: subsets().get("addresses"), subsets)
    assert subsets()["ports"] == [{"port": 80, "protocol": "TCP"}]
    slices = cluster.store.list(kinds.ENDPOINT_SLICE, "test")
    assert slices[0]["endpoints"][0]["conditions"] == {"ready": True, "serving": True, "terminating": False}
    objects.delete(cluster, kinds.SERVICE, "test", "s")
    await hands.until(
        lambda: not cluster.store.list(kinds.ENDPOINT_SLICE, "test") and not hands.get(kinds.ENDPOINTS, "s")
    )


async def test_a_volume_outlives_its_pod_and_goes_with_its_claim(hands, cluster):
    claim = {
        "accessModes": ["ReadWriteOnce"],
        "storageClassName": "local-path",
        "resources": {"requests": {"storage": "1Gi"}},
    }
    hands.create(kinds.PVC, {"metadata": {"name": "c"}, "spec": claim})
    assert hands.get(kinds.PVC, "c")["status"]["phase"] == "Pending"
    mount = {
        "volumes": [{"name": "v", "persistentVolumeClaim": {"claimName": "c"}}],
        "volumeMounts": [{"name": "v", "mountPath": "/v"}],
    }
    hands.pod("writer", ["sh", "-c", "echo kept > /v/f; sleep 60"], **mount)
    await hands.running("writer")
    assert hands.get(kinds.PVC, "c")["status"]["phase"] == "Bound"
    objects.delete(cluster, kinds.PVC, "test", "c")
    assert hands.get(kinds.PVC, "c")["metadata"]["finalizers"] == ["kubernetes.io/pvc-protection"]
    objects.delete(cluster, kinds.POD, "test", "writer", grace=0)
    await hands.until(lambda: not hands.get(kinds.PVC, "c"))
    await hands.until(lambda: not cluster.store.list(kinds.PV))


async def test_an_ephemeral_volume_goes_with_its_pod(hands, cluster):
    spec = {
        "accessModes": ["ReadWriteOnce"],
        "storageClassName": "local-path",
        "resources": {"requests": {"storage": "1Gi"}},
    }
    volume = {"name": "scratch", "ephemeral": {"volumeClaimTemplate": {"spec": spec}}}
    mount = {"name": "scratch", "mountPath": "/scratch"}
    hands.pod("p", ["sh", "-c", "echo x > /scratch/f; sleep 60"], volumes=[volume], volumeMounts=[mount])
    await hands.running("p")
    assert hands.get(kinds.PVC, "p-scratch")["status"]["phase"] == "Bound"
    objects.delete(cluster, kinds.POD, "test", "p")
    await hands.until(lambda: not hands.get(kinds.PVC, "p-scratch"))


async def test_a_set_adopts_no_pod_of_another_name(hands):
    template = {"metadata": {"labels": {"app": "n"}}, "spec": {"containers": [{"name": "main", "image": "pause"}]}}
    spec = {"serviceName": "n", "replicas": 1, "selector": {"matchLabels": {"app": "n"}}, "template": template}
    hands.create(kinds.STATEFUL_SET, {"metadata": {"name": "n"}, "spec": spec})
    await hands.running("n-0")
    for name in ("n-0-restored", "n-1"):
        hands.create(kinds.POD, {"metadata": {"name": name, "labels": {"app": "n"}}, "spec": template["spec"]})
    await hands.until(
        lambda: "deletionTimestamp" in (hands.get(kinds.POD, "n-1") or {"metadata": ["deletionTimestamp"]})["metadata"]
    )
    assert "ownerReferences" not in hands.get(kinds.POD, "n-0-restored")["metadata"]
