"""Runs of users who have the least rights that the project says are needed, and of users who have less."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
import yaml
from tests.users import ServiceAccount

from harness.kube import Cluster
from K3sLibrary.preflight.rights import RIGHTS

from . import shared_cedana
from .cluster_state import difference, standing
from .runner import QUICK, Folders, run
from .sandboxes import settings_of, started


@contextmanager
def user_of(sandbox: dict[str, Any], folder: Path, *names: str) -> Iterator[dict[str, str]]:
    """The settings of runs of a user with these ClusterRoles of the project's manifest."""
    roles = [one for one in yaml.safe_load_all(RIGHTS.read_text()) if one["metadata"]["name"] in names]
    admin = Cluster("admin", Path(sandbox["kubeconfig"]))
    with ServiceAccount.made(admin, "tester", folder) as account, account.having(roles):
        yield settings_of(sandbox) | {"KUBECONFIG": str(account.cluster.kubeconfig)}


def test_the_rights_in_the_manifest_are_enough(folders: Folders, sandbox: dict[str, Any], tmp_path: Path) -> None:
    with user_of(sandbox, tmp_path, "cedana-e2e-run", "cedana-e2e-install") as settings:
        before = standing(sandbox)
        ended = run(folders, *QUICK, **settings)
        assert ended.status == 0, ended.console
        assert difference(before, standing(sandbox)) == []


def test_fewer_are_enough_where_cedana_is_installed(folders: Folders, tmp_path: Path) -> None:
    with (
        started() as sandbox,
        shared_cedana.installed(sandbox) as shared,
        user_of(sandbox, tmp_path, "cedana-e2e-run") as settings,
    ):
        ended = run(folders, *QUICK, SKIP_HELM="1", **settings | shared)
    assert ended.status == 0, ended.console


@pytest.mark.parametrize("roles", [(), ("cedana-e2e-run",)], ids=["none", "only those of a run"])
def test_whoever_has_less_is_told_before_anything_is_created(
    roles: tuple[str, ...], folders: Folders, sandbox: dict[str, Any], tmp_path: Path
) -> None:
    with user_of(sandbox, tmp_path, *roles) as settings:
        before = standing(sandbox)
        ended = run(folders, *QUICK, **settings)
        assert ended.status != 0
        assert "Cause: cluster-" in ended.console
        assert difference(before, standing(sandbox)) == []
    assert folders.left() == []


def test_the_rights_for_the_stock_propagator_are_enough(
    folders: Folders, sandbox: dict[str, Any], tmp_path: Path
) -> None:
    with user_of(sandbox, tmp_path, "cedana-e2e-run", "cedana-e2e-install", "cedana-e2e-stock") as settings:
        kept = {name: value for name, value in settings.items() if name in ("PROVIDER", "KUBECONFIG")}
        ended = run(folders, *QUICK, PROPAGATOR="stock", **kept)
        assert ended.status == 0, ended.console
