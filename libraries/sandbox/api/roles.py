"""The roles that every cluster has from the start.

Source: Kubernetes plugin/pkg/auth/authorizer/rbac/bootstrappolicy (policy.go): the user-facing roles, with the rules
for what is served here.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ..kinds import CLUSTER_ROLE, CLUSTER_ROLE_BINDING, Kind
from .context import MASTERS

if TYPE_CHECKING:
    from ..store import Store

Object = dict[str, Any]
_GROUP = "rbac.authorization.k8s.io"
_LABELS = {"kubernetes.io/bootstrapping": "rbac-defaults"}
_READ = ["get", "list", "watch"]
_WRITE = ["create", "delete", "deletecollection", "patch", "update"]
_RESOURCES: tuple[tuple[str, tuple[str, ...]], ...] = (
    (
        "",
        (
            "configmaps", "endpoints", "persistentvolumeclaims", "pods", "replicationcontrollers",
            "replicationcontrollers/scale", "serviceaccounts", "services",
        ),
    ),
    (
        "apps",
        (
            "daemonsets", "deployments", "deployments/scale", "replicasets", "replicasets/scale", "statefulsets",
            "statefulsets/scale",
        ),
    ),
    ("autoscaling", ("horizontalpodautoscalers",)),
    ("batch", ("cronjobs", "jobs")),
    ("networking.k8s.io", ("ingresses", "networkpolicies")),
    ("policy", ("poddisruptionbudgets",)),
)  # fmt: skip
_SEEN_ONLY = ("bindings", "events", "limitranges", "namespaces/status", "pods/log", "pods/status", "resourcequotas")
_EDIT_ALSO = (
    "pods/attach",
    "pods/eviction",
    "pods/exec",
    "pods/portforward",
    "pods/proxy",
    "secrets",
    "services/proxy",
)
_DISCOVERY = (
    "/api",
    "/api/*",
    "/apis",
    "/apis/*",
    "/healthz",
    "/livez",
    "/openapi",
    "/openapi/*",
    "/readyz",
    "/version",
)


def seed(store: Store) -> None:
    """Creates the roles and their bindings, unless they are there."""
    everything = [_rule(["*"], ["*"], ["*"]), {"nonResourceURLs": ["*"], "verbs": ["*"]}]
    view = [_rule([group], list(names), _READ) for group, names in _RESOURCES]
    view.append(_rule([""], [*_SEEN_ONLY, "namespaces"], _READ))
    edit = [*view, *(_rule([group], list(names), _WRITE) for group, names in _RESOURCES)]
    edit += [
        _rule([""], list(_EDIT_ALSO), [*_READ, *_WRITE]),
        _rule(["coordination.k8s.io"], ["leases"], [*_READ, *_WRITE]),
    ]
    admin = [*edit, _rule([_GROUP], ["rolebindings", "roles"], [*_READ, *_WRITE])]
    discovery = [{"nonResourceURLs": list(_DISCOVERY), "verbs": ["get"]}]
    for name, rules in (("cluster-admin", everything), ("admin", admin), ("edit", edit), ("view", view),
                        ("system:discovery", discovery)):  # fmt: skip
        _create(store, CLUSTER_ROLE, {"metadata": {"name": name, "labels": dict(_LABELS)}, "rules": rules})
    for name, group in (("cluster-admin", MASTERS), ("system:discovery", "system:authenticated")):
        body = {
            "metadata": {"name": name, "labels": dict(_LABELS)},
            "roleRef": {"apiGroup": _GROUP, "kind": "ClusterRole", "name": name},
            "subjects": [{"apiGroup": _GROUP, "kind": "Group", "name": group}],
        }
        _create(store, CLUSTER_ROLE_BINDING, body)


def _rule(groups: list[str], resources: list[str], verbs: list[str]) -> Object:
    return {"apiGroups": groups, "resources": resources, "verbs": verbs}


def _create(store: Store, kind: Kind, body: Object) -> None:
    if store.get(kind, None, body["metadata"]["name"]) is None:
        store.create(kind, {"apiVersion": kind.api_version, "kind": kind.kind, **body})
