"""The stand-in chart: every value name of the published chart works, and what it renders is valid Kubernetes."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import helm_python
import kubernetes_validate
import pytest
import yaml

CHART = Path(__file__).parents[3] / "libraries" / "sandbox" / "chart" / "cedana"
TOKEN = "token-of-the-test"
NEEDED = {"authToken": TOKEN, "url": "http://propagator/v1", "clusterId": "6f1c"}
Obj = dict[str, Any]


def render(values: Obj | None = None, *, release: str = "cedana", **config: Any) -> dict[tuple[str, str], Obj]:
    """What the chart renders with the needed values and these, by kind and name."""
    given = {**(values or {}), "config": {**NEEDED, **config}}
    with helm_python.Chart.load(str(CHART)) as chart:
        files = chart.render(given, name=release, namespace="cedana-system")
    texts = [text for name, text in files.items() if not name.endswith("NOTES.txt")]
    found = [one for text in texts for one in yaml.safe_load_all(text) if one]
    by_name = {(one["kind"], one["metadata"]["name"]): one for one in found}
    assert len(by_name) == len(found), "two objects have one name"
    return by_name


def pod_spec(objects: dict[tuple[str, str], Obj], kind: str, name: str) -> Obj:
    spec: Obj = objects[kind, name]["spec"]["template"]["spec"]
    return spec


PODS = [
    ("Deployment", "cedana-manager"),
    ("DaemonSet", "cedana-helper"),
    ("DaemonSet", "cedana-health-check"),
    ("DaemonSet", "cedana-uninstaller"),
]


def test_lint_finds_nothing_but_the_missing_icon() -> None:
    report = helm_python.lint(str(CHART), {"config": NEEDED}, strict=True)
    assert report["errors"] == []
    assert [one["error"] for one in report["messages"]] == ["icon is recommended"]


def test_it_says_that_it_is_emulated() -> None:
    with helm_python.Chart.load(str(CHART)) as chart:
        assert "Emulated stand-in" in chart.metadata["description"]
        assert "emulated" in chart.version
        notes = chart.render({"config": NEEDED})["cedana/templates/NOTES.txt"]
    assert "emulated stand-in" in notes
    assert TOKEN not in notes


def test_it_has_the_published_objects_whatever_the_release_is_called() -> None:
    names = {
        ("ConfigMap", "cedana-config"),
        ("Secret", "cedana-secrets"),
        ("RuntimeClass", "cedana"),
        ("ServiceAccount", "cedana-controller-manager"),
        ("ClusterRole", "cedana-manager-role"),
        ("ClusterRoleBinding", "cedana-manager-rolebinding"),
        ("Role", "cedana-leader-election-role"),
        ("RoleBinding", "cedana-leader-election-rolebinding"),
        ("ClusterRole", "cedana-metrics-reader"),
        ("Service", "cedana-manager-service"),
        ("Service", "cedana-helper-service"),
        ("Service", "cedana-controller-metrics"),
        ("ServiceAccount", "cedana-uninstaller-sa"),
        ("Role", "cedana-uninstaller-role"),
        ("RoleBinding", "cedana-uninstaller-rb"),
        ("ClusterRole", "cedana-uninstaller-clusterrole"),
        ("ClusterRoleBinding", "cedana-uninstaller-crb"),
        *PODS,
    }
    assert set(render()) == names
    assert set(render(release="another")) == names


@pytest.mark.parametrize("version", ["1.27", "1.33", "1.37"])
def test_everything_is_valid_for_kubernetes(version: str) -> None:
    for made in render({"daemonHelper": {"nodeSelector": {"a": "b"}}}).values():
        kubernetes_validate.validate(made, version, strict=True)


def test_objects_and_pods_carry_the_published_labels() -> None:
    objects = render(release="mine")
    for (kind, name), component in zip(PODS, ["manager", "helper", "health-check", "uninstaller"], strict=True):
        pods = {
            "app.kubernetes.io/name": "cedana",
            "app.kubernetes.io/instance": "mine",
            "app.kubernetes.io/component": component,
        }
        made = objects[kind, name]
        assert made["spec"]["template"]["metadata"]["labels"] == pods
        assert made["spec"]["selector"]["matchLabels"] == pods
        assert (
            made["metadata"]["labels"] | pods | {"app.kubernetes.io/managed-by": "Helm"} == made["metadata"]["labels"]
        )
    assert set(objects["ConfigMap", "cedana-config"]["metadata"]["labels"]) == {"app", "chart", "release", "heritage"}
    assert "labels" not in objects["RuntimeClass", "cedana"]["metadata"]
    assert objects["RuntimeClass", "cedana"]["handler"] == "cedana"


def test_required_values_that_are_missing_are_named_together() -> None:
    with helm_python.Chart.load(str(CHART)) as chart:
        with pytest.raises(helm_python.HelmRenderError) as problem:
            chart.render({})
        assert "required values are missing: config.authToken, config.url, config.clusterId" in str(problem.value)
        with pytest.raises(helm_python.HelmRenderError, match=r"missing: config\.address, config\.protocol"):
            chart.render({"config": {**NEEDED, "address": "", "protocol": ""}})


def test_a_cluster_that_registers_itself_needs_a_name_and_no_id() -> None:
    data = render(clusterId="", clusterName="e2e")["ConfigMap", "cedana-config"]["data"]
    assert (data["cluster-name"], data["cluster-id"]) == ("e2e", "")
    assert "cluster-name" not in render()["ConfigMap", "cedana-config"]["data"]


@pytest.mark.parametrize(
    ("name", "key"),
    [
        ("url", "url"),
        ("clusterId", "cluster-id"),
        ("address", "address"),
        ("protocol", "protocol"),
        ("sqsQueueUrl", "sqs-queue-url"),
        ("checkpointDir", "checkpoint-dir"),
        ("checkpointStreams", "checkpoint-streams"),
        ("checkpointStreamMemoryLimit", "checkpoint-stream-memory-limit"),
        ("checkpointCompression", "checkpoint-compression"),
        ("checkpointAsync", "checkpoint-async"),
        ("gpuPoolSize", "gpu-pool-size"),
        ("gpuShmSize", "gpu-shm-size"),
        ("pluginsBuilds", "plugins-builds"),
        ("pluginsCriuVersion", "plugins-criu-version"),
        ("pluginsContainerdRuntimeVersion", "plugins-containerd-runtime-version"),
        ("pluginsGpuVersion", "plugins-gpu-version"),
        ("pluginsStreamerVersion", "plugins-streamer-version"),
        ("metrics", "metrics"),
        ("profiling", "profiling"),
        ("logLevel", "log-level"),
        ("criuLogLevel", "criu-log-level"),
        ("awsAccessKeyId", "aws-access-key-id"),
        ("awsRegion", "aws-region"),
        ("awsEndpoint", "aws-endpoint"),
    ],
)
def test_config_reaches_the_configmap(name: str, key: str) -> None:
    assert render(**{name: "given"})["ConfigMap", "cedana-config"]["data"][key] == "given"


@pytest.mark.parametrize(
    ("given", "written"), [(8589934592, "8589934592"), (0, "0"), (True, "true"), (False, "false"), ("6.5Gi", "6.5Gi")]
)
def test_config_is_written_as_it_was_given(given: Any, written: str) -> None:
    data = render(gpuShmSize=given)["ConfigMap", "cedana-config"]["data"]
    assert data["gpu-shm-size"] == written


def test_host_settings_reach_the_configmap() -> None:
    shm = {"enabled": True, "size": "20G", "minSize": "15G"}
    host = {"containerdAddress": "/run/k3s/containerd.sock", "disableIoUring": False, "shmConfig": shm}
    data = render({"hostConfig": host})["ConfigMap", "cedana-config"]["data"]
    assert data["containerd-address"] == "/run/k3s/containerd.sock"
    assert data["disable-io-uring"] == "false"
    assert (data["shm-config-enabled"], data["shm-config-size"], data["shm-config-min-size"]) == ("true", "20G", "15G")


def test_an_unknown_config_value_goes_nowhere() -> None:
    data = render(containerdAddress="/old/place")["ConfigMap", "cedana-config"]["data"]
    assert data["containerd-address"] == "/run/containerd/containerd.sock"
    assert "/old/place" not in data.values()


def test_the_token_stands_in_the_secret_only() -> None:
    objects = render(awsSecretAccessKey="aws-secret")
    secret = objects.pop(("Secret", "cedana-secrets"))
    assert secret["data"] == {"auth-token": "dG9rZW4tb2YtdGhlLXRlc3Q=", "aws-secret-access-key": "YXdzLXNlY3JldA=="}
    assert TOKEN not in str(objects)
    assert "aws-secret'" not in str(objects)


def test_a_secret_that_is_there_already_is_used() -> None:
    objects = render(preExistingSecret="mine", authToken="")
    assert ("Secret", "cedana-secrets") not in objects
    for kind, name in PODS[:3]:
        env = {one["name"]: one for one in pod_spec(objects, kind, name)["containers"][0]["env"]}
        assert env["CEDANA_AUTH_TOKEN"]["valueFrom"]["secretKeyRef"] == {"name": "mine", "key": "auth-token"}
        assert env["CEDANA_URL"]["valueFrom"]["configMapKeyRef"] == {"name": "cedana-config", "key": "url"}


def test_images_are_taken_by_digest_or_tag() -> None:
    values = {
        "controllerManager": {"manager": {"image": {"repository": "my/controller", "tag": "v1"}}},
        "daemonHelper": {"image": {"repository": "my/helper", "tag": "v2", "digest": "sha256:" + "a" * 64}},
    }
    objects = render(values)
    images = {name: pod_spec(objects, kind, name)["containers"][0]["image"] for kind, name in PODS}
    helper = "my/helper@sha256:" + "a" * 64
    assert images == {
        "cedana-manager": "my/controller:v1",
        "cedana-helper": helper,
        "cedana-health-check": helper,
        "cedana-uninstaller": helper,
    }


def test_resources_of_manager_and_daemons() -> None:
    small = {"limits": {"cpu": "200m", "memory": "128Mi"}, "requests": {"cpu": "100m", "memory": "64Mi"}}
    objects = render({"controllerManager": {"manager": {"resources": small}}, "daemonHelper": {"resources": small}})
    for kind, name in PODS:
        assert pod_spec(objects, kind, name)["containers"][0]["resources"] == small


def test_every_pod_tolerates_the_taint_and_what_the_values_add() -> None:
    own = {"key": "cedana.ai/not-ready", "operator": "Exists", "effect": "NoSchedule"}
    more = {"key": "nvidia.com/gpu", "operator": "Exists"}
    objects = render({"daemonHelper": {"tolerations": [more], "nodeSelector": {"cedana.ai/enabled": "true"}}})
    assert pod_spec(objects, *PODS[0])["tolerations"] == [own]
    for pods in PODS[1:]:
        assert pod_spec(objects, *pods)["tolerations"] == [own, more]
        assert pod_spec(objects, *pods)["nodeSelector"] == {"cedana.ai/enabled": "true"}


def test_it_wants_no_rights_on_the_host() -> None:
    for kind, name in PODS:
        spec = pod_spec(render(), kind, name)
        assert not {"hostPID", "hostIPC", "hostNetwork", "volumes"} & set(spec)
        assert "privileged" not in str(spec)


def test_a_change_of_settings_replaces_the_pods() -> None:
    def checksums(**config: Any) -> set[str]:
        objects = render(**config)
        notes = [objects[pods]["spec"]["template"]["metadata"]["annotations"] for pods in PODS[:3]]
        return {one["checksum/config"] for one in notes}

    assert len(checksums()) == 1
    assert checksums(logLevel="debug") != checksums()
    assert checksums(authToken="another") != checksums()


def test_the_uninstaller_is_a_hook_that_stays() -> None:
    hooks = {"helm.sh/hook": "pre-delete", "helm.sh/resource-policy": "keep"}
    kept = {key[1] for key, made in render().items() if made["metadata"].get("annotations") == hooks}
    names = ("", "-sa", "-role", "-rb", "-clusterrole", "-crb")
    assert kept == {f"cedana-uninstaller{name}" for name in names}
    assert not [name for _, name in render({"uninstaller": {"enabled": False}}) if "uninstaller" in name]


@pytest.mark.parametrize(
    "values",
    [
        {"installKueue": True},
        {"dynamoWatcher": {"enabled": True}},
        {"controllerManager": {"autoscaling": {"enabled": True}}},
    ],
)
def test_what_is_not_emulated_is_refused(values: Obj) -> None:
    with pytest.raises(helm_python.HelmRenderError, match="is not emulated by this stand-in chart"):
        render(values)
