"""A cluster that is there already: nothing is started, nothing is stopped."""

from __future__ import annotations

from pathlib import Path

from harness.failures import BadInput

from .base import Started

DEFAULT_KUBECONFIG = Path("~/.kube/config")


class ExistingProvider:
    """Uses the cluster of a kubeconfig."""

    def start(self, *, kubeconfig: Path | None, context: str | None, timeout: float, keep: bool) -> Started:  # noqa: ARG002
        """Checks that the kubeconfig is there; whether the cluster answers is seen when its nodes are awaited."""
        path = (kubeconfig or DEFAULT_KUBECONFIG).expanduser()
        files = [Path(part) for part in str(path).split(":")]
        if not any(file.is_file() for file in files):
            raise BadInput("kubeconfig", path, "the path of a kubeconfig")
        return Started(path, context)

    def stop(self, timeout: float) -> None:
        """Leaves the cluster alone."""

    def traces(self) -> list[str]:
        """None: nothing was made on this host."""
        return []
