"""Helm's own files in the run's directory: nothing is written under the user's home."""

from __future__ import annotations

from harness.processes import clean_environment
from harness.rundir import private_directory


def helm_environment(**extra: str) -> dict[str, str]:
    """The environment of an engine's process: ours without credentials, with Helm's and the client's caches moved.

    The kubeconfig is always given explicitly, so the variables that would redirect Helm are taken out.
    """
    home = private_directory() / "helm"
    environment = clean_environment(
        HELM_CACHE_HOME=str(home / "cache"),
        HELM_CONFIG_HOME=str(home / "config"),
        HELM_DATA_HOME=str(home / "data"),
        KUBECACHEDIR=str(home / "kube"),
        **extra,
    )
    for name in ("HELM_NAMESPACE", "HELM_DRIVER", "HELM_DEBUG", "HELM_KUBECONTEXT", "HELM_KUBETOKEN", "KUBECONFIG"):
        environment.pop(name, None)
    for name in [name for name in environment if name.startswith("HELM_KUBE")]:
        del environment[name]
    return environment
