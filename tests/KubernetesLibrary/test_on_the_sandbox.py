"""The keywords on a cluster that serves: a pod's life, and what is refused."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest
from kubernetes import client

from harness.failures import NotAsExpected, OperationFailed, WaitTimedOut
from harness.kube import Cluster
from harness.kube.objects import RUN_LABEL
from harness.ledger import LEDGER
from KubernetesLibrary import KubernetesLibrary

NGINX = str(Path(__file__).parents[2] / "resources" / "workloads" / "nginx.yaml")
WITNESS = str(Path(__file__).parents[2] / "resources" / "workloads" / "witness.yaml")
CONFIG = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: settings}\ndata: {a: b}\n"
AT_ONCE = timedelta(seconds=0.5)


def test_the_life_of_a_pod(kube: KubernetesLibrary, namespace: str) -> None:
    applied = kube.apply_manifest(NGINX, namespace)
    assert applied.metadata.labels[RUN_LABEL] == LEDGER.run_id
    pod = kube.wait_until_pod_is_ready("test-nginx", namespace)
    assert (pod.metadata.uid, pod.status.phase) == (applied.metadata.uid, "Running")
    assert kube.get_pod("test-nginx", namespace).metadata.uid == pod.metadata.uid
    assert kube.pod_should_stay_ready("test-nginx", namespace, duration=AT_ONCE).metadata.uid == pod.metadata.uid
    assert "nginx" in kube.request_through_service("test-nginx", namespace).body
    assert kube.wait_until_service_answers("test-nginx", namespace, path="/none", status=404).status == 404
    assert "witness/1 nonce=" in kube.get_pod_logs("test-nginx", namespace)
    assert kube.get_pod_logs("test-nginx", namespace, timestamps=True).startswith("20")
    reasons = [event.reason for event in kube.get_pod_events("test-nginx", namespace)]
    assert {"Scheduled", "Pulled", "Created", "Started"} <= set(reasons)
    assert [one.metadata.name for one in kube.list_pods(namespace, selector="app=test-nginx")] == ["test-nginx"]
    kube.delete_pod("test-nginx", namespace)
    kube.pod_should_not_exist("test-nginx", namespace)
    assert not [entry for entry in LEDGER.owed() if entry.find.get("uid") == pod.metadata.uid]


def test_a_namespace_says_what_its_pods_may(kube: KubernetesLibrary, main: Cluster) -> None:
    name = kube.create_namespace("may-do-anything", pod_security="privileged")
    assert main.core.read_namespace(name).metadata.labels["pod-security.kubernetes.io/enforce"] == "privileged"
    kube.delete_namespace(name)


def test_pods_are_renamed_and_relabelled(kube: KubernetesLibrary, namespace: str) -> None:
    pod = kube.apply_manifest(WITNESS, namespace, pod_name="other", labels={"team": "blue"})
    ready = kube.wait_until_pod_is_ready("other", namespace)
    assert ready.metadata.uid == pod.metadata.uid
    assert (ready.metadata.labels.app, ready.metadata.labels.team) == ("other", "blue")
    assert ready.spec.containers[0].name == "other"


def test_a_manifest_is_deleted_as_far_as_it_is_this_runs(
    kube: KubernetesLibrary, main: Cluster, namespace: str
) -> None:
    kube.apply_manifest(NGINX, namespace)
    main.core.delete_namespaced_service("test-nginx", namespace)
    theirs = main.core.create_namespaced_service(
        namespace, {"metadata": {"name": "test-nginx"}, "spec": {"ports": [{"port": 80}]}}
    )
    kube.delete_manifest(NGINX, namespace)
    kube.pod_should_not_exist("test-nginx", namespace)
    assert main.core.read_namespaced_service("test-nginx", namespace).metadata.uid == theirs.metadata.uid
    assert not [entry for entry in LEDGER.owed() if "test-nginx" in entry.name]


def test_objects_of_the_whole_cluster_are_deleted_with_their_manifest(
    kube: KubernetesLibrary, main: Cluster, namespace: str
) -> None:
    text = f"apiVersion: node.k8s.io/v1\nkind: RuntimeClass\nmetadata: {{name: {namespace}}}\nhandler: runc\n"
    kube.apply_manifest(text, namespace)
    classes = client.NodeV1Api(main.api_client)
    assert classes.read_runtime_class(namespace).handler == "runc"
    kube.delete_manifest(text, namespace)
    with pytest.raises(client.ApiException, match="404"):
        classes.read_runtime_class(namespace)


def test_a_drawn_name_is_known_before_the_object_is_there(kube: KubernetesLibrary, namespace: str) -> None:
    text = CONFIG.replace("name: settings", "generateName: settings-")
    [first], [second] = kube.apply_manifest(text, namespace), kube.apply_manifest(text, namespace)
    assert first.metadata.name.startswith("settings-")
    assert first.metadata.name != second.metadata.name
    assert {first.metadata.name, second.metadata.name} <= {entry.find.get("name") for entry in LEDGER.owed()}


def test_all_pods_with_a_label(kube: KubernetesLibrary, namespace: str) -> None:
    for name in ("one", "two"):
        kube.apply_manifest(WITNESS, namespace, pod_name=name, labels={"group": "g"})
    ready = kube.wait_until_pods_are_ready("group=g", namespace, at_least=2)
    assert [pod.metadata.name for pod in ready] == ["one", "two"]
    with pytest.raises(WaitTimedOut, match=f"2 pods with group=g in namespace {namespace}, all Ready"):
        kube.wait_until_pods_are_ready("group=g", namespace, at_least=3, timeout=AT_ONCE)


def test_a_pod_stays_ready_since_it_was_seen_so(kube: KubernetesLibrary, namespace: str) -> None:
    kube.apply_manifest(WITNESS, namespace)
    pod = kube.wait_until_pod_is_ready("test-witness", namespace)
    now = timedelta(0)
    assert (
        kube.pod_should_stay_ready("test-witness", namespace, duration=now, since=pod).metadata.uid == pod.metadata.uid
    )
    ready = next(one for one in pod.status.conditions if one.type == "Ready")
    ready.lastTransitionTime = "2026-01-01T00:00:00Z"
    with pytest.raises(NotAsExpected, match="it was not Ready for a while") as failure:
        kube.pod_should_stay_ready("test-witness", namespace, duration=now, since=pod)
    assert failure.value.cause.name == "not-ready"


def test_a_pod_that_is_not_there(kube: KubernetesLibrary, namespace: str) -> None:
    with pytest.raises(NotAsExpected, match="there is none; there is no pod"):
        kube.get_pod("web", namespace)
    with pytest.raises(NotAsExpected, match="there is none"):
        kube.pod_should_stay_ready("web", namespace)
    with pytest.raises(WaitTimedOut, match=f"there is no pod web in namespace {namespace}"):
        kube.wait_until_pod_is_ready("web", namespace, timeout=AT_ONCE)
    with pytest.raises(OperationFailed, match='404: pods "web" not found'):
        kube.get_pod_logs("web", namespace)
    kube.delete_pod("web", namespace)
    kube.pod_should_not_exist("web", namespace)


def test_a_pod_that_is_there_although_it_should_not(kube: KubernetesLibrary, namespace: str) -> None:
    kube.apply_manifest(WITNESS, namespace)
    with pytest.raises(NotAsExpected, match="pod test-witness is "):
        kube.pod_should_not_exist("test-witness", namespace)


def test_only_the_pod_of_that_uid_is_deleted(kube: KubernetesLibrary, namespace: str) -> None:
    first = kube.apply_manifest(WITNESS, namespace)
    kube.delete_pod("test-witness", namespace, uid=first.metadata.uid)
    second = kube.apply_manifest(WITNESS, namespace)
    kube.delete_pod("test-witness", namespace, uid=first.metadata.uid)
    assert kube.get_pod("test-witness", namespace).metadata.uid == second.metadata.uid
    assert "deletionTimestamp" not in kube.get_pod("test-witness", namespace).metadata


def test_what_is_there_already_is_refused_and_not_owed(kube: KubernetesLibrary, main: Cluster, namespace: str) -> None:
    body = {"metadata": {"name": "settings"}, "data": {"theirs": "yes"}}
    main.core.create_namespaced_config_map(namespace, body)
    with pytest.raises(OperationFailed, match='409: configmaps "settings" already exists'):
        kube.apply_manifest(CONFIG, namespace)
    assert "settings" not in {entry.find.get("name") for entry in LEDGER.owed()}


def test_a_kind_that_the_cluster_does_not_serve(kube: KubernetesLibrary, namespace: str) -> None:
    text = "apiVersion: example.org/v1\nkind: Gadget\nmetadata: {name: x}\n"
    with pytest.raises(NotAsExpected, match=r"the cluster to serve Gadget of example\.org/v1") as failure:
        kube.apply_manifest(text, namespace)
    assert failure.value.cause.name == "bad-manifest"


def test_a_service_without_a_pod_and_one_that_is_not_there(kube: KubernetesLibrary, namespace: str) -> None:
    kube.apply_manifest(NGINX, namespace)
    kube.delete_pod("test-nginx", namespace)
    with pytest.raises(WaitTimedOut, match="no endpoints available"):
        kube.request_through_service("test-nginx", namespace, timeout=AT_ONCE)
    with pytest.raises(OperationFailed, match='404: services "none" not found'):
        kube.request_through_service("none", namespace)


def test_commands_tell_stdout_stderr_and_exit_code_apart(kube: KubernetesLibrary, namespace: str) -> None:
    kube.apply_manifest(WITNESS, namespace)
    kube.wait_until_pod_is_ready("test-witness", namespace)
    result = kube.execute_in_pod("test-witness", namespace, "sh", "-c", "echo out; echo err >&2")
    assert (result.exit_code, result.stdout, result.stderr) == (0, "out\n", "err\n")
    failed = kube.execute_in_pod("test-witness", namespace, "sh", "-c", "echo bad >&2; exit 3", exit_code=None)
    assert (failed.exit_code, failed.stderr) == (3, "bad\n")
    with pytest.raises(NotAsExpected, match="to end with exit code 0\nSeen: exit code 3, it said 'bad'"):
        kube.execute_in_pod("test-witness", namespace, "sh", "-c", "echo bad >&2; exit 3")
    with pytest.raises(OperationFailed, match=r"400: .*container no-such is not valid"):
        kube.execute_in_pod("test-witness", namespace, "true", container="no-such")


def test_commands_in_a_pod_that_is_not_there(kube: KubernetesLibrary, namespace: str) -> None:
    with pytest.raises(OperationFailed, match='404: pods "web" not found'):
        kube.execute_in_pod("web", namespace, "true")


def test_the_facts_of_nodes(kube: KubernetesLibrary) -> None:
    nodes = kube.get_node_facts()
    assert len(nodes) == 2
    assert all(node.ready and node.emulated and node.nodeInfo.kubeletVersion for node in nodes)
    assert nodes[0].conditions.Ready == "True"


def test_an_existing_namespace_is_used_and_not_deleted(kube: KubernetesLibrary, main: Cluster) -> None:
    name = "somebody-elses"
    main.core.create_namespace({"metadata": {"name": name}})
    try:
        assert kube.create_namespace(name) == name
        kube.delete_namespace(name)
        assert main.core.read_namespace(name).status.phase == "Active"
    finally:
        main.core.delete_namespace(name)


def test_a_namespace_goes_with_everything_in_it(kube: KubernetesLibrary, main: Cluster, namespace: str) -> None:
    kube.apply_manifest(NGINX, namespace)
    kube.delete_namespace(namespace)
    with pytest.raises(client.ApiException, match="404"):
        main.core.read_namespace(namespace)
    assert not [entry for entry in LEDGER.owed() if namespace in str(entry)]
    assert kube.create_namespace(namespace) == namespace


def test_what_keeps_a_namespace_is_told(kube: KubernetesLibrary, main: Cluster, namespace: str) -> None:
    kube.apply_manifest(CONFIG.replace("name: settings", "name: settings, finalizers: [example.org/keep]"), namespace)
    try:
        with pytest.raises(WaitTimedOut, match=r"example\.org/keep") as failure:
            kube.delete_namespace(namespace, timeout=AT_ONCE)
        assert failure.value.cause.name == "stuck-terminating"
    finally:
        main.core.patch_namespaced_config_map("settings", namespace, {"metadata": {"finalizers": None}})


def test_a_pod_that_a_finalizer_holds_is_told_so_and_not_taken_for_one_that_failed(
    kube: KubernetesLibrary, main: Cluster, namespace: str
) -> None:
    kube.apply_manifest(WITNESS, namespace)
    kube.wait_until_pod_is_ready("test-witness", namespace)
    main.core.patch_namespaced_pod("test-witness", namespace, {"metadata": {"finalizers": ["example.org/keep"]}})
    held = r"pod test-witness is Failed, being deleted \(finalizers: example\.org/keep\)"
    try:
        with pytest.raises(WaitTimedOut, match=held) as failure:
            kube.delete_pod("test-witness", namespace, timeout=timedelta(seconds=3))
        assert failure.value.cause.name == "stuck-terminating"
        with pytest.raises(WaitTimedOut, match=held) as failure:
            kube.wait_until_pod_is_ready("test-witness", namespace, timeout=AT_ONCE)
    finally:
        main.core.patch_namespaced_pod("test-witness", namespace, {"metadata": {"finalizers": None}})
    kube.wait_until_pod_is_gone("test-witness", namespace)


def test_the_restored_pod_is_found_and_owed(kube: KubernetesLibrary, namespace: str) -> None:
    kube.apply_manifest(WITNESS, namespace)
    original = kube.wait_until_pod_is_ready("test-witness", namespace)
    known = kube.list_pods(namespace)
    with pytest.raises(NotAsExpected, match="it is the original itself") as failure:
        kube.find_restored_pod(original, known=known)
    assert failure.value.cause.name == "restored-pod-missing"
    with pytest.raises(WaitTimedOut, match="it is the original itself"):
        kube.wait_until_restored_pod_is_ready(original, known=known, timeout=AT_ONCE)
    made = kube.apply_manifest(WITNESS, namespace, pod_name="test-witness-restored")
    restored = kube.wait_until_restored_pod_is_ready(original, known=known)
    assert restored.metadata.uid == made.metadata.uid
    assert kube.find_restored_pod(original).metadata.uid == made.metadata.uid
    owed = [entry for entry in LEDGER.owed() if entry.find.get("uid") == made.metadata.uid]
    assert any(entry.find.get("restored") for entry in owed)


def test_a_restored_pod_that_does_not_stay_is_the_products_fault(kube: KubernetesLibrary, namespace: str) -> None:
    kube.apply_manifest(WITNESS, namespace)
    original = kube.wait_until_pod_is_ready("test-witness", namespace)
    kube.apply_manifest(WITNESS, namespace, pod_name="test-witness-restored")
    restored = kube.find_restored_pod(original)
    with pytest.raises(NotAsExpected, match="pod test-witness-restored is Pending") as failure:
        kube.pod_should_stay_ready(restored.metadata.name, namespace)
    assert failure.value.cause.name == "restored-pod-unstable"
