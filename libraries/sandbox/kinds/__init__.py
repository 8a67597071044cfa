"""The served kinds: their names for discovery. Defaults, validation and columns stand in one module a family.

Names, short names, categories and subresources are those of `kubectl api-resources` on Kubernetes 1.33.
"""

from __future__ import annotations

from typing import Any

from .kind import Kind, Registry

__all__ = ["BUILTIN", "Kind", "Registry", "by_kind", "by_resource"]

BUILTIN = Registry()


def _core(kind: str, plural: str, short: str = "", **more: Any) -> Kind:
    return _kind("", "v1", kind, plural, short, **more)


def _kind(group: str, version: str, kind: str, plural: str, short: str = "", **more: Any) -> Kind:
    shorts = tuple(short.split())
    return BUILTIN.add(Kind(group, version, kind, plural, kind.lower(), short_names=shorts, **more))


_GENERATED: dict[str, Any] = {"counts_generations": True}
_STATUS: dict[str, Any] = {"subresources": ("status",)}
_SCALED: dict[str, Any] = {"subresources": ("scale", "status"), "categories": ("all",), **_GENERATED}
_CLUSTER: dict[str, Any] = {"namespaced": False}
_REVIEW: dict[str, Any] = {"verbs": ("create",)}
_MEASURED: dict[str, Any] = {"verbs": ("get", "list")}

BINDING = _core("Binding", "bindings", **_REVIEW)
CONFIG_MAP = _core("ConfigMap", "configmaps", "cm")
ENDPOINTS = _core("Endpoints", "endpoints", "ep")
EVENT = _core("Event", "events", "ev")
LIMIT_RANGE = _core("LimitRange", "limitranges", "limits")
NAMESPACE = _core(
    "Namespace",
    "namespaces",
    "ns",
    subresources=("finalize", "status"),
    verbs=("create", "delete", "get", "list", "patch", "update", "watch"),
    **_CLUSTER,
)
NODE = _core("Node", "nodes", "no", subresources=("proxy", "status"), **_CLUSTER)
PVC = _core("PersistentVolumeClaim", "persistentvolumeclaims", "pvc", **_STATUS)
PV = _core("PersistentVolume", "persistentvolumes", "pv", **_STATUS, **_CLUSTER)
POD = _core(
    "Pod",
    "pods",
    "po",
    categories=("all",),
    subresources=(
        "attach",
        "binding",
        "ephemeralcontainers",
        "eviction",
        "exec",
        "log",
        "portforward",
        "proxy",
        "resize",
        "status",
    ),
    **_GENERATED,
)
POD_TEMPLATE = _core("PodTemplate", "podtemplates", **_GENERATED)
REPLICATION_CONTROLLER = _core("ReplicationController", "replicationcontrollers", "rc", **_SCALED)
RESOURCE_QUOTA = _core("ResourceQuota", "resourcequotas", "quota", **_STATUS)
SECRET = _core("Secret", "secrets")
SERVICE = _core("Service", "services", "svc", categories=("all",), subresources=("proxy", "status"))
SERVICE_ACCOUNT = _core("ServiceAccount", "serviceaccounts", "sa", subresources=("token",))

DEPLOYMENT = _kind("apps", "v1", "Deployment", "deployments", "deploy", **_SCALED)
REPLICA_SET = _kind("apps", "v1", "ReplicaSet", "replicasets", "rs", **_SCALED)
STATEFUL_SET = _kind("apps", "v1", "StatefulSet", "statefulsets", "sts", **_SCALED)
DAEMON_SET = _kind(
    "apps", "v1", "DaemonSet", "daemonsets", "ds", categories=("all",), subresources=("status",), **_GENERATED
)
CONTROLLER_REVISION = _kind("apps", "v1", "ControllerRevision", "controllerrevisions")

JOB = _kind("batch", "v1", "Job", "jobs", categories=("all",), subresources=("status",), **_GENERATED)
CRON_JOB = _kind(
    "batch", "v1", "CronJob", "cronjobs", "cj", categories=("all",), subresources=("status",), **_GENERATED
)

HPA = _kind(
    "autoscaling",
    "v2",
    "HorizontalPodAutoscaler",
    "horizontalpodautoscalers",
    "hpa",
    categories=("all",),
    subresources=("status",),
)

NODE_METRICS = _kind("metrics.k8s.io", "v1beta1", "NodeMetrics", "nodes", **_MEASURED, **_CLUSTER)
POD_METRICS = _kind("metrics.k8s.io", "v1beta1", "PodMetrics", "pods", **_MEASURED)

LEASE = _kind("coordination.k8s.io", "v1", "Lease", "leases")
ENDPOINT_SLICE = _kind("discovery.k8s.io", "v1", "EndpointSlice", "endpointslices", **_GENERATED)
EVENTS_EVENT = _kind("events.k8s.io", "v1", "Event", "events", "ev", stored_as=EVENT)
RUNTIME_CLASS = _kind("node.k8s.io", "v1", "RuntimeClass", "runtimeclasses", **_CLUSTER)
PDB = _kind(
    "policy", "v1", "PodDisruptionBudget", "poddisruptionbudgets", "pdb", subresources=("status",), **_GENERATED
)
PRIORITY_CLASS = _kind("scheduling.k8s.io", "v1", "PriorityClass", "priorityclasses", "pc", **_CLUSTER, **_GENERATED)

ROLE = _kind("rbac.authorization.k8s.io", "v1", "Role", "roles")
ROLE_BINDING = _kind("rbac.authorization.k8s.io", "v1", "RoleBinding", "rolebindings")
CLUSTER_ROLE = _kind("rbac.authorization.k8s.io", "v1", "ClusterRole", "clusterroles", **_CLUSTER)
CLUSTER_ROLE_BINDING = _kind("rbac.authorization.k8s.io", "v1", "ClusterRoleBinding", "clusterrolebindings", **_CLUSTER)

STORAGE_CLASS = _kind("storage.k8s.io", "v1", "StorageClass", "storageclasses", "sc", **_CLUSTER)
CSI_NODE = _kind("storage.k8s.io", "v1", "CSINode", "csinodes", **_CLUSTER)
CSI_DRIVER = _kind("storage.k8s.io", "v1", "CSIDriver", "csidrivers", **_CLUSTER)
VOLUME_ATTACHMENT = _kind("storage.k8s.io", "v1", "VolumeAttachment", "volumeattachments", **_STATUS, **_CLUSTER)

INGRESS = _kind("networking.k8s.io", "v1", "Ingress", "ingresses", "ing", **_STATUS, **_GENERATED)
INGRESS_CLASS = _kind("networking.k8s.io", "v1", "IngressClass", "ingressclasses", **_CLUSTER, **_GENERATED)
NETWORK_POLICY = _kind("networking.k8s.io", "v1", "NetworkPolicy", "networkpolicies", "netpol", **_GENERATED)

CRD = _kind(
    "apiextensions.k8s.io",
    "v1",
    "CustomResourceDefinition",
    "customresourcedefinitions",
    "crd crds",
    categories=("api-extensions",),
    subresources=("status",),
    **_CLUSTER,
    **_GENERATED,
)
API_SERVICE = _kind(
    "apiregistration.k8s.io",
    "v1",
    "APIService",
    "apiservices",
    categories=("api-extensions",),
    subresources=("status",),
    **_CLUSTER,
)
MUTATING_WEBHOOK = _kind(
    "admissionregistration.k8s.io",
    "v1",
    "MutatingWebhookConfiguration",
    "mutatingwebhookconfigurations",
    categories=("api-extensions",),
    **_CLUSTER,
    **_GENERATED,
)
VALIDATING_WEBHOOK = _kind(
    "admissionregistration.k8s.io",
    "v1",
    "ValidatingWebhookConfiguration",
    "validatingwebhookconfigurations",
    categories=("api-extensions",),
    **_CLUSTER,
    **_GENERATED,
)

SELF_SUBJECT_ACCESS_REVIEW = _kind(
    "authorization.k8s.io", "v1", "SelfSubjectAccessReview", "selfsubjectaccessreviews", **_REVIEW, **_CLUSTER
)
SELF_SUBJECT_RULES_REVIEW = _kind(
    "authorization.k8s.io", "v1", "SelfSubjectRulesReview", "selfsubjectrulesreviews", **_REVIEW, **_CLUSTER
)
SUBJECT_ACCESS_REVIEW = _kind(
    "authorization.k8s.io", "v1", "SubjectAccessReview", "subjectaccessreviews", **_REVIEW, **_CLUSTER
)
LOCAL_SUBJECT_ACCESS_REVIEW = _kind(
    "authorization.k8s.io", "v1", "LocalSubjectAccessReview", "localsubjectaccessreviews", **_REVIEW
)
TOKEN_REVIEW = _kind("authentication.k8s.io", "v1", "TokenReview", "tokenreviews", **_REVIEW, **_CLUSTER)
SELF_SUBJECT_REVIEW = _kind(
    "authentication.k8s.io", "v1", "SelfSubjectReview", "selfsubjectreviews", **_REVIEW, **_CLUSTER
)


def by_resource(group: str, version: str, plural: str) -> Kind | None:
    """The built-in kind served at this path, or None. Custom kinds are in the registry of a cluster's store."""
    return BUILTIN.by_resource(group, version, plural)


def by_kind(api_version: str, kind: str) -> Kind | None:
    """The built-in kind of objects with this apiVersion and kind, or None."""
    return BUILTIN.by_kind(api_version, kind)


PERSISTENT_PRIORITIES = {"system-cluster-critical": 2_000_000_000, "system-node-critical": 2_000_001_000}
