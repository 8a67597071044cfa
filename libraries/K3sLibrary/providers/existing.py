"""A cluster that is there already: nothing is started, nothing is stopped."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import yaml

from harness.failures import BadInput
from harness.kube import kubeconfig as kubeconfigs
from harness.rundir import private_directory

from .base import Started

DEFAULT_KUBECONFIG = Path("~/.kube/config")


class ExistingProvider:
    """Uses the cluster of a kubeconfig."""

    def start(self, *, kubeconfig: Path | None, context: str | None, timeout: float, keep: bool) -> Started:  # noqa: ARG002
        """Checks that the kubeconfig is there; whether the cluster answers is seen when its nodes are awaited.

        The current context is taken down by its name: what a run owes must not move to another cluster with it.
        Several files become one in the run's directory, for Helm and the ledger need a path.
        """
        path = kubeconfig or DEFAULT_KUBECONFIG
        named = kubeconfigs.files(path)
        if not any(file.is_file() for file in named):
            raise BadInput("kubeconfig", path, "the path of a kubeconfig")
        try:
            content = kubeconfigs.merged(path)
        except (yaml.YAMLError, OSError, ValueError, AttributeError, TypeError):
            return Started(named[0] if len(named) == 1 else path, context)  # what is wrong is told when it is used
        held = context or content["current-context"] or None
        return Started(named[0] if len(named) == 1 else _written(content), held)

    def stop(self, timeout: float) -> None:
        """Leaves the cluster alone."""

    def traces(self) -> list[str]:
        """None: nothing was made on this host."""
        return []


def _written(content: dict[str, Any]) -> Path:
    folder = private_directory()
    number = len(list(folder.glob("kubeconfig-*")))
    file = folder / f"kubeconfig-{number}"
    handle = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(handle, "w") as out:
        yaml.safe_dump(content, out)
    return file
