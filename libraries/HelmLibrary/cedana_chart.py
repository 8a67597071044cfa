"""How releases of the Cedana chart name their values: known by the chart's own values file, never guessed by a version.

Names by release as the chart's history has them: `cedanaConfig.*` until July 2025, then `config.*` with `clusterName`,
since the middle of August 2025 with `clusterId`; some were renamed or dropped since.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from harness.failures import BadInput

Tree = dict[str, Any]

URL = ("config.url", "cedanaConfig.cedanaUrl")
TOKEN = ("config.authToken", "cedanaConfig.cedanaAuthToken")
CLUSTER_ID = ("config.clusterId",)
CLUSTER_NAME = ("config.clusterName", "cedanaConfig.cedanaClusterName")
MANAGER, HELPER = "controllerManager.manager", "daemonHelper"

OPTIONS: dict[str, tuple[str, ...]] = {
    "CONTROLLER_REPO": (f"{MANAGER}.image.repository",),
    "CONTROLLER_TAG": (f"{MANAGER}.image.tag",),
    "CONTROLLER_DIGEST": (f"{MANAGER}.image.digest",),
    "HELPER_REPO": (f"{HELPER}.image.repository",),
    "HELPER_TAG": (f"{HELPER}.image.tag",),
    "HELPER_DIGEST": (f"{HELPER}.image.digest",),
    "CEDANA_CHECKPOINT_DIR": ("config.checkpointDir",),
    "CEDANA_CHECKPOINT_COMPRESSION": ("config.checkpointCompression",),
    "CEDANA_CHECKPOINT_STREAMS": ("config.checkpointStreams",),
    "CEDANA_LOG_LEVEL": ("config.logLevel",),
    "CEDANA_PROFILING_ENABLED": ("config.profiling", "config.profilingEnabled"),
    "CEDANA_METRICS_ENABLED": ("config.metrics", "config.metricsOtel"),
    "CEDANA_PLUGINS_BUILDS": ("config.pluginsBuilds",),
    "CEDANA_PLUGINS_NATIVE_VERSION": ("config.pluginsNativeVersion",),
    "CEDANA_PLUGINS_CRIU_VERSION": ("config.pluginsCriuVersion",),
    "CEDANA_PLUGINS_CONTAINERD_RUNTIME_VERSION": (
        "config.pluginsContainerdRuntimeVersion",
        "config.pluginsRuntimeShimVersion",
    ),
    "CEDANA_PLUGINS_GPU_VERSION": ("config.pluginsGpuVersion",),
    "CEDANA_PLUGINS_STREAMER_VERSION": ("config.pluginsStreamerVersion",),
    "CEDANA_GPU_SHM_SIZE": ("config.gpuShmSize",),
    "CONTAINERD_ADDRESS": ("hostConfig.containerdAddress", "config.containerdAddress"),
    "AWS_ACCESS_KEY_ID": ("config.awsAccessKeyId",),
    "AWS_SECRET_ACCESS_KEY": ("config.awsSecretAccessKey",),
    "AWS_REGION": ("config.awsRegion",),
}
"""The options, by the names of the settings that give them, and the values that they are in one chart or another."""


def cedana_values(
    known: Mapping[str, Any],
    *,
    url: str,
    token: Any,
    cluster_id: str,
    cluster_name: str = "",
    options: Mapping[str, Any],
    resources: Mapping[str, Any] | None = None,
) -> Tree:
    """Values for the chart whose own values are `known`, by the names that it knows.

    Args:
        known: the chart's values file.
        url: of the propagator.
        token: for it.
        cluster_id: the cluster's, for charts that want it.
        cluster_name: its name, for charts that know clusters by name.
        options: some of `OPTIONS` by name; those that are None are left to the chart.
        resources: for the components that have such a value in this chart.

    Raises:
        BadInput: the chart knows none of the names of an option, or is not Cedana's; says all that it does not know.
    """
    cluster = (CLUSTER_ID, cluster_id) if _known(known, CLUSTER_ID) else (CLUSTER_NAME, cluster_name)
    given = [("the propagator's URL", URL, url), ("the token", TOKEN, token), ("the cluster", *cluster)]
    given += [(name, _names_of(name), value) for name, value in options.items() if value is not None]
    unknown = [f"{what} ({' or '.join(names)})" for what, names, _ in given if not _known(known, names)]
    if unknown:
        places = ", ".join(sorted(_sections(known))) or "no values"
        raise BadInput(
            "settings for the chart",
            ", ".join(unknown),
            f"only what the chart knows; it has {places}",
            cause="bad-chart",
        )
    values: Tree = {}
    for _, names, value in given:
        _put(values, _known(known, names), value)
    for component in (MANAGER, HELPER):
        if resources and _is_known(known, f"{component}.resources"):
            _put(values, f"{component}.resources", dict(resources))
    return values


def _names_of(option: str) -> tuple[str, ...]:
    if option not in OPTIONS:
        raise BadInput("option of the Cedana chart", option, f"one of {', '.join(OPTIONS)}", cause="harness-error")
    return OPTIONS[option]


def _known(known: Mapping[str, Any], names: Sequence[str]) -> str:
    return next((name for name in names if _is_known(known, name)), "")


def _is_known(known: Mapping[str, Any], name: str) -> bool:
    parent, _, last = name.rpartition(".")
    place = _find(known, parent)
    return isinstance(place, Mapping) and last in place


def _find(tree: Any, name: str) -> Any:
    for part in name.split("."):
        tree = tree.get(part) if isinstance(tree, Mapping) else None
    return tree


def _put(tree: Tree, name: str, value: Any) -> None:
    *parents, last = name.split(".")
    for part in parents:
        tree = tree.setdefault(part, {})
    tree[last] = value


def _sections(known: Mapping[str, Any]) -> list[str]:
    return [str(name) for name, value in known.items() if isinstance(value, Mapping)]
