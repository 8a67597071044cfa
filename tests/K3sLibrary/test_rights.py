"""The rights that a run needs, asked of a cluster by a user who has them, and who lacks each in turn."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from kubernetes import client
from tests.users import ServiceAccount

from harness.failures import NotAsExpected
from harness.kube import CLUSTERS, Cluster
from K3sLibrary import K3sLibrary
from K3sLibrary.preflight.rights import RIGHTS, Right, Role, read_roles, rights_findings

RUN, INSTALL = "cedana-e2e-run", "cedana-e2e-install"


@pytest.fixture(scope="module")
def account(sandbox: dict[str, Any], tmp_path_factory: pytest.TempPathFactory) -> Iterator[ServiceAccount]:
    """A user who has no rights yet."""
    admin = Cluster("admin", Path(sandbox["kubeconfig"]))
    with ServiceAccount.made(admin, "least-rights", tmp_path_factory.mktemp("user")) as made:
        yield made


def roles(*names: str) -> list[dict[str, Any]]:
    """The ClusterRoles of the manifest that is for users to apply."""
    return [one for one in yaml.safe_load_all(RIGHTS.read_text()) if one["metadata"]["name"] in names]


def test_a_user_with_exactly_these_rights_has_what_is_needed(account: ServiceAccount) -> None:
    with account.having(roles(RUN, INSTALL)):
        found = rights_findings(account.cluster, read_roles(), needed=[RUN, INSTALL])
    assert {one.what: one.good for one in found if one.mark == "MISSING"} == {}


def test_an_administrator_is_asked_once(sandbox: dict[str, Any]) -> None:
    found = rights_findings(Cluster("admin", Path(sandbox["kubeconfig"])), read_roles(), needed=[])
    assert all(one.good for one in found)


@pytest.mark.parametrize("role", read_roles(), ids=lambda role: role.name)
def test_each_right_is_missed_by_name(role: Role, account: ServiceAccount) -> None:
    for right in role.rights:
        with account.having([without(right, roles(role.name)[0])]):
            (found,) = rights_findings(account.cluster, [Role(role.name, "tests", (right,))], needed=[role.name])
        assert (found.mark, found.seen) == ("MISSING", f"the user may not {right}")


def without(right: Right, role: dict[str, Any]) -> dict[str, Any]:
    """The role with each of its rights but that one."""
    others = next(found.rights for found in read_roles() if found.name == role["metadata"]["name"])
    rules = [
        {"apiGroups": [one.group], "resources": [one.resource], "verbs": [one.verb]} for one in others if one != right
    ]
    return role | {"rules": rules}


def test_rights_in_one_namespace_are_enough_where_all_work_is_done_there(account: ServiceAccount) -> None:
    role = Role(RUN, "tests", (Right("create", "", "pods"),))
    with account.having_in("default", [{"apiGroups": [""], "resources": ["pods"], "verbs": ["create"]}]):
        (there,) = rights_findings(account.cluster, [role], needed=[RUN], namespace="default")
        (anywhere,) = rights_findings(account.cluster, [role], needed=[RUN])
    assert (there.good, anywhere.good) == (True, False)


def test_the_keyword_names_all_that_is_missing(account: ServiceAccount) -> None:
    CLUSTERS.add(account.cluster)
    role = roles(RUN)[0]
    role["rules"] = [rule for rule in role["rules"] if rule["resources"] != ["leases"]]
    try:
        with account.having([role]), pytest.raises(NotAsExpected) as problem:
            K3sLibrary().cluster_should_be_fit(cluster=account.cluster.alias)
    finally:
        CLUSTERS.discard(account.cluster.alias)
    assert problem.value.cause.name == "cluster-unfit"
    assert "create leases.coordination.k8s.io" in problem.value.seen
    assert "create secrets" in problem.value.seen


def test_the_manifest_can_be_applied(sandbox: dict[str, Any]) -> None:
    api = client.RbacAuthorizationV1Api(Cluster("admin", Path(sandbox["kubeconfig"])).api_client)
    for role in roles(RUN, INSTALL):
        api.create_cluster_role(role, dry_run="All")
