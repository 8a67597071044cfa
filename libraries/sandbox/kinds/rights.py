"""RBAC objects.

Source: Kubernetes pkg/apis/rbac/v1 (defaults.go), pkg/apis/rbac/validation, pkg/printers/internalversion.
"""

from __future__ import annotations

from typing import Any

from . import CLUSTER_ROLE, CLUSTER_ROLE_BINDING, ROLE, ROLE_BINDING, fields
from .fields import FieldError
from .strategy import AGE, NAME, Column, Object, Strategy, age, default, register

RBAC = "rbac.authorization.k8s.io"
_CREATED = Column("Created At", "@io.k8s.apimachinery.pkg.apis.meta.v1.ObjectMeta.creationTimestamp")


class _RbacStrategy(Strategy):
    creates_on_update = True

    def name_problems(self, name: str) -> list[str]:
        return fields.path_segment_problems(name)


@register(ROLE, CLUSTER_ROLE)
class RoleStrategy(_RbacStrategy):
    """Roles and ClusterRoles."""

    columns = (NAME, _CREATED)

    def validate(self, obj: Object) -> list[FieldError]:
        errors: list[FieldError] = []
        for index, rule in enumerate(obj.get("rules") or []):
            here = f"rules[{index}]"
            if not rule.get("verbs"):
                errors.append(fields.required(f"{here}.verbs", "verbs must contain at least one value"))
            if rule.get("nonResourceURLs"):
                continue
            if not rule.get("apiGroups"):
                errors.append(fields.required(f"{here}.apiGroups", "resource rules must supply at least one api group"))
            if not rule.get("resources"):
                errors.append(fields.required(f"{here}.resources", "resource rules must supply at least one resource"))
        return errors

    def row(self, obj: Object) -> list[Any]:
        return [obj["metadata"]["name"], obj["metadata"].get("creationTimestamp", "")]


@register(ROLE_BINDING, CLUSTER_ROLE_BINDING)
class BindingStrategy(_RbacStrategy):
    """RoleBindings and ClusterRoleBindings."""

    columns = (
        NAME,
        Column("Role", "@io.k8s.api.rbac.v1.RoleBinding.roleRef"),
        AGE,
        Column("Users", "Users in the roleBinding", priority=1),
        Column("Groups", "Groups in the roleBinding", priority=1),
        Column("ServiceAccounts", "ServiceAccounts in the roleBinding", priority=1),
    )

    def default(self, obj: Object) -> None:
        default(obj.setdefault("roleRef", {}), apiGroup=RBAC)
        for subject in obj.get("subjects") or []:
            if subject.get("kind") in ("User", "Group"):
                default(subject, apiGroup=RBAC)

    def validate(self, obj: Object) -> list[FieldError]:
        reference = obj["roleRef"]
        errors: list[FieldError] = []
        if reference.get("apiGroup") != RBAC:
            errors.append(fields.unsupported("roleRef.apiGroup", reference.get("apiGroup"), (RBAC,)))
        allowed = ("ClusterRole",) if obj["kind"] == "ClusterRoleBinding" else ("Role", "ClusterRole")
        if reference.get("kind") not in allowed:
            errors.append(fields.unsupported("roleRef.kind", reference.get("kind"), allowed))
        if not reference.get("name"):
            errors.append(fields.required("roleRef.name"))
        for index, subject in enumerate(obj.get("subjects") or []):
            errors += _subject(subject, f"subjects[{index}]", cluster=obj["kind"] == "ClusterRoleBinding")
        return errors

    def validate_update(self, obj: Object, old: Object) -> list[FieldError]:
        if obj["roleRef"] == old["roleRef"]:
            return []
        return [fields.invalid("roleRef", obj["roleRef"], "cannot change roleRef")]

    def row(self, obj: Object) -> list[Any]:
        reference = obj["roleRef"]
        users: list[str] = []
        groups: list[str] = []
        accounts: list[str] = []
        for subject in obj.get("subjects") or []:
            if subject["kind"] == "ServiceAccount":
                accounts.append(f"{subject.get('namespace', '')}/{subject['name']}")
            else:
                (users if subject["kind"] == "User" else groups).append(subject["name"])
        wide = [", ".join(users), ", ".join(groups), ", ".join(accounts)]
        return [obj["metadata"]["name"], f"{reference['kind']}/{reference['name']}", age(obj), *wide]


def _subject(subject: Object, here: str, *, cluster: bool) -> list[FieldError]:
    if not subject.get("name"):
        return [fields.required(f"{here}.name")]
    kind = subject.get("kind")
    if kind not in ("ServiceAccount", "User", "Group"):
        return [fields.unsupported(f"{here}.kind", kind, ("ServiceAccount", "User", "Group"))]
    if kind == "ServiceAccount" and cluster and not subject.get("namespace"):
        return [fields.required(f"{here}.namespace")]
    return []
