"""Every setting of a run: command line (`-v NAME:value`) over environment over default.

`get_variables` gives one `${SETTINGS}` object. Robot Framework goes on after a variable file that raises, so nothing is
raised here: what is wrong is kept in `${SETTINGS.errors}`, and the first thing that a run does is to look at it.
"""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from robot.api.types import Secret
from robot.libraries.BuiltIn import BuiltIn, RobotNotRunningError

from parsers import (
    CLUSTER_NAME,
    DIGEST,
    DIGIT,
    DNS_NAME,
    K3S_RELEASE,
    NUMBER,
    PUBLISHED_CHART,
    UUID,
    WORD,
    Parser,
    WrongSettingError,
    absolute_path,
    address_of,
    chart,
    count,
    duration,
    executable,
    file_with_text,
    kubeconfig,
    one_of,
    output_file,
    pushgateway,
    some_file,
    switch,
    token_file,
    url,
    without_password,
)

PUSHGATEWAY = "PUSHGATEWAY_URL"


@dataclass(frozen=True)
class Setting:
    """One setting. `empty_is_wrong`: set to nothing is an error; elsewhere it means not set."""

    name: str
    default: str | None
    parse: Parser
    meaning: str
    empty_is_wrong: bool = False


IMAGES = ("nginx", "alpine", "busybox", "redis", "python", "cuda")
CHART_OPTIONS: tuple[tuple[str, Parser, str], ...] = (
    ("CONTROLLER_REPO", WORD, "Repository of the controller's image"),
    ("CONTROLLER_TAG", WORD, "Its tag"),
    ("CONTROLLER_DIGEST", DIGEST, "Its digest, which wins over the tag"),
    ("HELPER_REPO", WORD, "Repository of the helper's image"),
    ("HELPER_TAG", WORD, "Its tag"),
    ("HELPER_DIGEST", DIGEST, "Its digest, which wins over the tag"),
    ("CEDANA_CHECKPOINT_DIR", WORD, "Where checkpoints are stored: a path, `cedana://...` or `s3://...`"),
    ("CEDANA_CHECKPOINT_COMPRESSION", WORD, "How they are compressed, such as `lz4` or `none`"),
    ("CEDANA_CHECKPOINT_STREAMS", NUMBER, "How many streams write one; 0 for none"),
    ("CEDANA_LOG_LEVEL", WORD, "Log level of Cedana, such as `debug`"),
    ("CEDANA_PROFILING_ENABLED", switch, "1: Cedana profiles what it does"),
    ("CEDANA_METRICS_ENABLED", switch, "1: Cedana sends metrics"),
    ("CEDANA_PLUGINS_BUILDS", WORD, "Which builds of plugins: `release`, `alpha`, or `local` for those that are there"),
    *(
        (f"CEDANA_PLUGINS_{name}_VERSION", WORD, f"Version of the plugin {name.lower().replace('_', '-')}, or `none`")
        for name in ("NATIVE", "CRIU", "CONTAINERD_RUNTIME", "GPU", "STREAMER")
    ),
    ("CEDANA_GPU_SHM_SIZE", NUMBER, "Shared memory for GPU checkpoints, in bytes"),
    ("CONTAINERD_ADDRESS", WORD, "Path of containerd's socket on the nodes"),
)
"""What the Cedana chart can be told besides; the chart's own values hold where they are not set."""
S3_OPTIONS = ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_REGION")
"""Go to the chart only with a checkpoint directory in S3: elsewhere they are for other tools."""
OWN_CONTAINERD = {"+k3s": "/var/lib/rancher/k3s/agent/containerd", "+rke2": "/var/lib/rancher/rke2/agent/containerd"}
"""Root directories of containerd that come with Kubernetes, by what its version has in it."""
STOCK_DIFFERS = ("spec.restartPolicy", "spec.containers[*].image", "spec.containers[*].imagePullPolicy")
"""A pod that the stock propagator restores has checkpoints for images, and is never restarted: that would rewind it."""
TABLE = (
    Setting(
        "PROVIDER",
        "sandbox",
        one_of("sandbox", "k3s", "docker", "existing", generic="existing"),
        "Where the cluster comes from: `sandbox` (embedded, emulated), `k3s` (native on this host: Linux, root), "
        "`docker` (in containers of a Docker daemon) or "
        "`existing` (alias `generic`: KUBECONFIG)",
        empty_is_wrong=True,
    ),
    Setting(
        "CLUSTER",
        None,
        WORD,
        "Id of a run that has kept its environment (KEEP), to use that instead of making another",
    ),
    Setting(
        "KUBECONFIG",
        "~/.kube/config",
        kubeconfig,
        "Kubeconfig of the cluster, used with PROVIDER=existing only",
        empty_is_wrong=True,
    ),
    Setting("KUBE_CONTEXT", None, str, "Context in that kubeconfig; its current one by default"),
    Setting("SECOND_KUBECONFIG", None, kubeconfig, "Kubeconfig of a second cluster, used with PROVIDER=existing only"),
    Setting("SECOND_KUBE_CONTEXT", None, str, "Context there; names a second cluster of KUBECONFIG when used alone"),
    Setting(
        "SECOND_CLUSTER_ID",
        None,
        UUID,
        "Id of the second cluster, where it is registered already",
    ),
    Setting("K3S_VERSION", "v1.34.2+k3s1", K3S_RELEASE, "Release for PROVIDER=k3s, fetched once and kept, and docker"),
    Setting("K3S_BINARY", None, executable, "A k3s that is on this host, instead of a release"),
    Setting(
        "K3S_IMAGES", None, some_file, "Tarball of images that it imports at its start, for a host without a registry"
    ),
    Setting("K3S_DIR", "/var/lib/cedana-e2e", absolute_path, "Where its files lie; 4 GiB are needed there"),
    Setting(
        "PROPAGATOR",
        "cedana",
        one_of("cedana", "stock"),
        "Who checkpoints and restores: `cedana` (the service at CEDANA_URL, or the sandbox's own) or `stock` (a server "
        "that the run starts itself, and node agents in the cluster)",
        empty_is_wrong=True,
    ),
    Setting("AGENT_IMAGE", "docker.io/library/python:3.13-alpine", WORD, "Image with Python for the node agents"),
    Setting(
        "AGENT_CONSISTENT",
        "0",
        switch,
        "1: the node agents are privileged and cut the containers of a pod at one moment",
    ),
    Setting("KUBELET_ROOT", "/var/lib/kubelet", absolute_path, "The kubelets' root directory, for the node agents"),
    Setting(
        "CONTAINERD_ROOT",
        None,
        absolute_path,
        "containerd's root directory, for them; that of k3s or RKE2 in their clusters",
    ),
    Setting("K3S_DOCKER_IMAGE", None, WORD, "Image for PROVIDER=docker, instead of rancher/k3s of K3S_VERSION"),
    Setting("K3S_NODES", "1", DIGIT, "Nodes of PROVIDER=docker, each a container"),
    Setting("K3S_REGISTRIES", None, file_with_text, "A registries.yaml of k3s with mirrors, for PROVIDER=docker"),
    Setting(
        "K3S_CGROUPNS", None, one_of("private", "host"), "Cgroup namespace of its containers; the daemon's default"
    ),
    Setting("CEDANA_URL", None, url, "The propagator; by default the sandbox's own"),
    Setting("CEDANA_CA_BUNDLE", None, file_with_text, "File with certificate authorities to trust there"),
    Setting("CLUSTER_ID", None, UUID, "Id of a cluster that is registered already"),
    Setting("CLUSTER_NAME", None, CLUSTER_NAME, "Name to register"),
    Setting("NAMESPACE", None, DNS_NAME, "Namespace of the workloads; one of the run's own"),
    Setting("CEDANA_NAMESPACE", "cedana-system", DNS_NAME, "Namespace of the Cedana release"),
    Setting(
        "HELM_CHART",
        None,
        chart,
        "Chart: a path, an archive, an `oci://` reference (`:version` behind it or the newest), a version of the "
        f"published chart, or a name in HELM_REPO; else the sandbox's own, or the newest of {PUBLISHED_CHART}",
    ),
    Setting(
        "HELM_REPO", None, address_of("a chart repository"), "URL of a chart repository that HELM_CHART is a name in"
    ),
    Setting("HELM_VALUES", None, file_with_text, "A values file for the chart; what the run sets itself wins over it"),
    Setting("SKIP_HELM", "0", switch, "1: install nothing, use the Cedana that is there"),
    Setting("RUNC_ROOT", "/run/containerd/runc/k8s.io", str, "Root of runc's state on the nodes"),
    *(Setting(name, None, parse, meaning) for name, parse, meaning in CHART_OPTIONS),
    Setting("WORKLOAD_IMAGE", None, str, "Another name for `NGINX_IMAGE`, which wins over it"),
    *(
        Setting(f"{name.upper()}_IMAGE", None, str, f"Image for the workloads' containers that have one of `{name}`")
        for name in IMAGES
    ),
    Setting(
        "KEEP",
        "never",
        one_of("never", "on-failure", "always"),
        "When to leave the environment up: `never`, `on-failure`, `always`",
        empty_is_wrong=True,
    ),
    Setting("HISTORY_FILE", None, output_file, "A file that gets a line for each run, for trends and flake rates"),
    Setting("METRICS_FILE", None, output_file, "A file for metrics of the run, in OpenMetrics format"),
    Setting(
        PUSHGATEWAY,
        None,
        pushgateway,
        "A Prometheus Pushgateway for the same metrics; with `user:password@` by the environment only",
    ),
    Setting("SEVERAL_PODS", "20", count(500), "How many pods the suite for several pods checkpoints and restores"),
    Setting("AT_ONCE", "10", count(100), "How many of them are under way at the same time"),
    Setting("CLUSTER_TIMEOUT", "300 s", duration, "Until the nodes are Ready"),
    Setting("TURN_TIMEOUT", "30 min", duration, "Until another run that has installed Cedana in the cluster has ended"),
    Setting("INSTALL_TIMEOUT", "420 s", duration, "Until the Cedana release is deployed and its pods are Ready"),
    Setting("POD_TIMEOUT", "60 s", duration, "Until a workload's pod is Ready"),
    Setting("GPU_POD_TIMEOUT", "900 s", duration, "Until the pod with a GPU is Ready, whose image is large"),
    Setting("CHECKPOINT_TIMEOUT", "300 s", duration, "Until a checkpoint is done"),
    Setting("RESTORE_TIMEOUT", "300 s", duration, "Until a restore is done, and until the restored pod is Ready"),
    Setting("WITNESS_TIMEOUT", "30 s", duration, "Until a witness prints what is waited for"),
    Setting("DELETE_TIMEOUT", "120 s", duration, "Until a deleted object is gone"),
    Setting("SERVICE_TIMEOUT", "30 s", duration, "Until a Service answers"),
    Setting("CLEANUP_TIMEOUT", "300 s", duration, "For removing everything at the end"),
    Setting(
        "STABLE_TIME",
        "5 s",
        duration,
        "How long a restored pod must stay Ready; suites about something else watch it until its process has gone on",
    ),
)
TOKEN = "CEDANA_AUTH_TOKEN"  # noqa: S105 - the name of the setting
TOKEN_MEANING = "The propagator's token, by the environment only"  # noqa: S105
TOKEN_FILE = Setting("CEDANA_AUTH_TOKEN_FILE", None, token_file, "A file with the token, mode 0600")


@dataclass
class Settings:
    """The settings that hold for this run; what is wrong with them, a sentence each, is in `errors`."""

    values: dict[str, Any] = field(default_factory=dict)
    errors: list[str] = field(default_factory=list)
    PUBLISHED_CHART = PUBLISHED_CHART

    def __getattr__(self, name: str) -> Any:
        try:
            return self.__dict__["values"][name]
        except KeyError:
            raise AttributeError(f"there is no setting {name}") from None

    @property
    def images(self) -> dict[str, str]:
        """The images that are set, by the repository that they stand for."""
        chosen = {name: self.values[f"{name.upper()}_IMAGE"] for name in IMAGES}
        chosen["nginx"] = chosen["nginx"] or self.values["WORKLOAD_IMAGE"]
        return {name: image for name, image in chosen.items() if image}

    @property
    def chart_options(self) -> dict[str, Any]:
        """What the Cedana chart is told besides, by the settings' names."""
        chosen = {name: self.values[name] for name, _, _ in CHART_OPTIONS}
        if str(chosen["CEDANA_CHECKPOINT_DIR"]).startswith("s3://"):
            chosen |= {name: self.values[name] for name in S3_OPTIONS}
        for component in ("CONTROLLER", "HELPER"):
            if chosen[f"{component}_DIGEST"]:
                chosen[f"{component}_TAG"] = None
        return {name: value for name, value in chosen.items() if value is not None}

    @property
    def restored_may_differ(self) -> list[str]:
        """The fields in which a restored pod differs by the nature of the propagator."""
        return list(STOCK_DIFFERS) if self.PROPAGATOR == "stock" else []

    def agent_values(self, version: str) -> dict[str, Any]:
        """The values of the node agents' chart for a cluster of that version."""
        own = next((place for mark, place in OWN_CONTAINERD.items() if mark in version), "/var/lib/containerd")
        content = f"{self.CONTAINERD_ROOT or own}/io.containerd.content.v1.content"
        return {
            "image": {"reference": self.AGENT_IMAGE},
            "checkpointDir": f"{self.KUBELET_ROOT}/checkpoints",
            "contentDir": content,
            "consistent": self.AGENT_CONSISTENT,
            "removeOnStop": True,
        }

    @property
    def provider_title(self) -> str:
        """The provider as reports name it."""
        if self.CLUSTER:
            return f"kept by run {self.CLUSTER}"
        return "sandbox, emulated" if self.PROVIDER == "sandbox" else str(self.PROVIDER)

    def __str__(self) -> str:
        return f"the settings of this run (provider {self.values.get('PROVIDER')})"


def read(command_line: Mapping[str, Any], environment: Mapping[str, str]) -> Settings:
    """The settings that these two sources give, everything wrong with them collected."""
    settings = Settings()
    for setting in (*TABLE, TOKEN_FILE):
        given = command_line.get(setting.name, environment.get(setting.name))
        text = setting.default if given is None or (given == "" and not setting.empty_is_wrong) else str(given)
        if setting.name in ("KUBECONFIG", "SECOND_KUBECONFIG") and settings.values.get("PROVIDER") != "existing":
            text = None
        settings.values[setting.name] = _parsed(setting, text, settings.errors)
        if setting.name == PUSHGATEWAY and PUSHGATEWAY in command_line:
            _refuse_secret(settings)
    settings.values[TOKEN] = _token(command_line, environment, settings)
    _read_s3(environment, settings)
    if settings.values["PROPAGATOR"] == "stock":
        _check_stock(settings)
    elif settings.values["PROVIDER"] in ("existing", "k3s", "docker") and not settings.values["CLUSTER"]:
        _check_service(settings)
    if settings.values["HELM_REPO"] and not settings.values["HELM_CHART"]:
        settings.errors.append("HELM_REPO is set, but HELM_CHART does not name a chart in it.")
    return settings


def _parsed(setting: Setting, text: str | None, errors: list[str]) -> Any:
    if text is None:
        return None
    try:
        return setting.parse(text)
    except WrongSettingError as problem:
        shown = "empty" if text == "" else repr(without_password(text))
        errors.append(f"{setting.name} is {shown}; it must be {problem}.")
        return None


def _token(command_line: Mapping[str, Any], environment: Mapping[str, str], settings: Settings) -> Secret | None:
    if command_line.get(TOKEN) is not None:
        settings.errors.append(
            f"{TOKEN} was given on the command line, where everybody on this machine can read it; "
            f"it must come from the environment, or from a 0600 file named by {TOKEN_FILE.name}."
        )
        return None
    text = environment.get(TOKEN, "").strip()
    from_file: Secret | None = settings.values[TOKEN_FILE.name]
    if not text:
        return from_file
    if re.search(r"[^\x21-\x7e]", text):
        settings.errors.append(f"{TOKEN} has a blank or a character that cannot stand in an HTTP header.")
    return Secret(text)


def _refuse_secret(settings: Settings) -> None:
    if isinstance(settings.values[PUSHGATEWAY], Secret):
        settings.errors.append(
            f"{PUSHGATEWAY} was given with a password on the command line, where everybody on this machine can read "
            "it; it must come from the environment."
        )


def _read_s3(environment: Mapping[str, str], settings: Settings) -> None:
    """Of the environment alone, as every tool for S3 has them."""
    for name in S3_OPTIONS:
        text = environment.get(name) or None
        settings.values[name] = Secret(text) if text and name == "AWS_SECRET_ACCESS_KEY" else text


def _check_service(settings: Settings) -> None:
    missing = [name for name in ("CEDANA_URL", TOKEN) if settings.values[name] is None]
    for name in missing:
        if not any(error.startswith((f"{name} ", f"{name}_FILE ")) for error in settings.errors):
            settings.errors.append(f"{name} is not set; PROVIDER={settings.values['PROVIDER']} needs it.")


def _check_stock(settings: Settings) -> None:
    for name in ("CEDANA_URL", "CLUSTER_ID"):
        if settings.values[name]:
            settings.errors.append(f"{name} is set, but with PROPAGATOR=stock the run starts a propagator of its own.")


def get_variables() -> dict[str, Settings]:
    """Robot Framework's entry point: `${SETTINGS}`."""
    return {"SETTINGS": read(_command_line(), os.environ)}


def _command_line() -> dict[str, Any]:
    names = [setting.name for setting in (*TABLE, TOKEN_FILE)] + [TOKEN]
    try:
        there = BuiltIn().get_variables(no_decoration=True)  # for each that is not, Robot would look for similar names
        given = {name: BuiltIn().get_variable_value(f"${{{name}}}") for name in names if name in there}
    except RobotNotRunningError:
        return {}
    return {name: value for name, value in given.items() if value is not None}
