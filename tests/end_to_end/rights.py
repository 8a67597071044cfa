"""Users with the rights that the project says are needed, or with fewer."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import yaml
from tests.users import ServiceAccount

from harness.kube import Cluster
from K3sLibrary.preflight.rights import RIGHTS

from .sandboxes import settings_of


@contextmanager
def user_of(sandbox: dict[str, Any], folder: Path, *names: str) -> Iterator[dict[str, str]]:
    """The settings of runs of a user with these ClusterRoles of the project's manifest."""
    roles = [one for one in yaml.safe_load_all(RIGHTS.read_text()) if one["metadata"]["name"] in names]
    admin = Cluster("admin", Path(sandbox["kubeconfig"]))
    with ServiceAccount.made(admin, "tester", folder) as account, account.having(roles):
        yield settings_of(sandbox) | {"KUBECONFIG": str(account.cluster.kubeconfig)}
