"""May this user do what a run does? The rights are those of a manifest of ClusterRoles; the API server is asked.

Source: SelfSubjectAccessReview of authorization.k8s.io/v1. Asking creates nothing, and every user may ask.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import yaml

from harness.kube import Cluster, api_errors
from harness.kube.plain import Plain
from harness.kube.pods import raw

from .findings import Finding, Importance

RIGHTS = Path(__file__).with_name("rights.yaml")
NEEDED_BY = "e2e.cedana.ai/needed-by"


@dataclass(frozen=True)
class Right:
    """A verb on a resource, `pods/log` with its subresource."""

    verb: str
    group: str
    resource: str

    def __str__(self) -> str:
        return f"{self.verb} {self.resource}{f'.{self.group}' if self.group else ''}"


@dataclass(frozen=True)
class Role:
    """The rights for one purpose."""

    name: str
    needed_by: str
    rights: tuple[Right, ...]


def read_roles(manifest: Path = RIGHTS) -> list[Role]:
    """The ClusterRoles of a manifest, each with its rights one by one."""
    documents = yaml.safe_load_all(manifest.read_text())
    return [
        Role(one["metadata"]["name"], one["metadata"]["annotations"][NEEDED_BY], tuple(_rights(one["rules"])))
        for one in documents
    ]


def rights_findings(
    cluster: Cluster, roles: Sequence[Role], *, needed: Sequence[str], namespace: str = ""
) -> list[Finding]:
    """A finding for each role: which of its rights the user does not have.

    Args:
        needed: names of the roles without which nothing works; tests that need one of the others may fail.
        namespace: where rights count if the user does not have them in all namespaces; empty for no such place.

    Raises:
        OperationFailed: the cluster does not answer.
    """
    with api_errors("tell what the user may do"):
        everything = _may(cluster, Right("*", "*", "*"), "")
        return [_finding(cluster, role, role.name in needed, namespace, everything=everything) for role in roles]


def _finding(cluster: Cluster, role: Role, is_needed: bool, namespace: str, *, everything: bool) -> Finding:
    missing = [] if everything else [right for right in role.rights if not _has(cluster, right, namespace)]
    seen = f"the user may not {', '.join(map(str, missing))}" if missing else "the user has them"
    importance = Importance.NEEDED if is_needed else Importance.WANTED
    return Finding(f"the rights of ClusterRole {role.name}", not missing, seen, role.needed_by, importance)


def _has(cluster: Cluster, right: Right, namespace: str) -> bool:
    return _may(cluster, right, "") or bool(namespace and _may(cluster, right, namespace))


def _may(cluster: Cluster, right: Right, namespace: str) -> bool:
    resource, _, subresource = right.resource.partition("/")
    asked = {"verb": right.verb, "group": right.group, "resource": resource, "subresource": subresource}
    review = {"spec": {"resourceAttributes": asked | {"namespace": namespace}}}
    answer = raw(Plain(cluster.api_client, "AuthorizationV1Api").create_self_subject_access_review, review)
    return bool((answer.get("status") or {}).get("allowed"))


def _rights(rules: Sequence[dict[str, list[str]]]) -> Iterator[Right]:
    for rule in rules:
        for group in rule["apiGroups"]:
            for resource in rule["resources"]:
                yield from (Right(verb, group, resource) for verb in rule["verbs"])
