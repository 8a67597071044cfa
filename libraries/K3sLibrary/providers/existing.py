"""A cluster that is there already: nothing is started, nothing is stopped."""

from __future__ import annotations

from pathlib import Path

from kubernetes import config

from harness.failures import BadInput

from .base import Started

DEFAULT_KUBECONFIG = Path("~/.kube/config")


class ExistingProvider:
    """Uses the cluster of a kubeconfig."""

    def start(self, *, kubeconfig: Path | None, context: str | None, timeout: float, keep: bool) -> Started:  # noqa: ARG002
        """Checks that the kubeconfig is there; whether the cluster answers is seen when its nodes are awaited.

        The current context is taken down by its name: what a run owes must not move to another cluster with it.
        """
        path = (kubeconfig or DEFAULT_KUBECONFIG).expanduser()
        files = [Path(part) for part in str(path).split(":")]
        if not any(file.is_file() for file in files):
            raise BadInput("kubeconfig", path, "the path of a kubeconfig")
        return Started(path, context or _current(path))

    def stop(self, timeout: float) -> None:
        """Leaves the cluster alone."""

    def traces(self) -> list[str]:
        """None: nothing was made on this host."""
        return []


def _current(path: Path) -> str | None:
    try:
        name: str = config.list_kube_config_contexts(str(path))[1]["name"]
    except Exception:  # what is wrong with the file is told when it is used
        return None
    return name
