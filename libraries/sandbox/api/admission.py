"""Admission: the API server's plugins, in its order, and what follows a write.

Order and words: Kubernetes pkg/kubeapiserver/options (plugins.go) and plugin/pkg/admission/*.
"""

from __future__ import annotations

import secrets
from typing import Any

from ..kinds import (
    CRD,
    NAMESPACE,
    NODE,
    PERSISTENT_PRIORITIES,
    POD,
    PRIORITY_CLASS,
    PV,
    PVC,
    RUNTIME_CLASS,
    SERVICE,
    SERVICE_ACCOUNT,
    STORAGE_CLASS,
)
from ..kinds.strategy import dig
from . import customs, limits, services
from .context import Call
from .status import forbidden, not_found

Object = dict[str, Any]
_PROTECTED = ("default", "kube-public", "kube-system")
_TOKEN_PATH = "/var/run/secrets/kubernetes.io/serviceaccount"  # noqa: S105 - a path in containers
_ALPHABET = "bcdfghjklmnpqrstvwxz2456789"
_PULL_SECRETS = "imagePullSecrets"


def lifecycle(call: Call, operation: str) -> None:
    """NamespaceLifecycle: nothing new in a namespace that is not there or that goes; some cannot go."""
    if operation == "delete":
        if call.kind is NAMESPACE and call.name in _PROTECTED:
            raise forbidden(NAMESPACE, call.name, "this namespace may not be deleted")
        return
    if not call.kind.namespaced:
        return
    namespace = call.cluster.store.get(NAMESPACE, None, call.namespace)
    if namespace is None:
        raise not_found(NAMESPACE, call.namespace)


def _terminating(call: Call, obj: Object) -> None:
    if not call.kind.namespaced:
        return
    namespace = call.cluster.store.get(NAMESPACE, None, call.namespace)
    if namespace is not None and namespace["metadata"].get("deletionTimestamp"):
        cause = {
            "reason": "NamespaceTerminating",
            "message": f"namespace {call.namespace} is being terminated",
            "field": "metadata.namespace",
        }
        why = f"unable to create new content in namespace {call.namespace} because it is being terminated"
        raise forbidden(call.kind, obj["metadata"].get("name") or "", why, [cause])


def mutate_create(call: Call, obj: Object) -> None:
    """The mutating plugins for a new object."""
    _terminating(call, obj)
    if call.kind is POD:
        limits.apply_defaults(call, obj)
        _service_account(call, obj)
        _priority(call, obj)
        _tolerations(obj)
        _runtime_class(call, obj)
    elif call.kind is PVC:
        _protect(obj, "kubernetes.io/pvc-protection")
        _storage_class(call, obj)
    elif call.kind is PV:
        _protect(obj, "kubernetes.io/pv-protection")
    elif call.kind is SERVICE:
        services.allocate(call, obj, None)
    elif call.kind is NODE and not call.internal:
        _new_node(obj)


def mutate_update(call: Call, obj: Object, old: Object) -> None:
    """The mutating plugins for a changed object."""
    if call.kind is SERVICE:
        services.allocate(call, obj, old)


def validate_create(call: Call, obj: Object) -> None:
    """The validating plugins for a new object: limits, then quota."""
    if call.kind in (POD, PVC):
        limits.check(call, obj)
    limits.charge(call, obj)


def validate_update(call: Call, obj: Object, old: Object) -> None:
    """The validating plugins for a changed object."""
    if call.kind is PVC and obj["spec"] != old["spec"]:
        limits.check(call, obj)


def created(call: Call, obj: Object) -> None:
    """What follows the creation in the server itself."""
    if call.kind is CRD:
        customs.serve(call.cluster.store, obj)


def updated(call: Call, obj: Object) -> None:
    """What follows an update in the server itself."""
    if call.kind is CRD:
        customs.serve(call.cluster.store, obj)


def _protect(obj: Object, finalizer: str) -> None:
    finalizers = obj["metadata"].setdefault("finalizers", [])
    if finalizer not in finalizers:
        finalizers.append(finalizer)


def _storage_class(call: Call, obj: Object) -> None:
    if obj["spec"].get("storageClassName") is not None:
        return
    marked = [
        item
        for item in call.cluster.store.list(STORAGE_CLASS)
        if (item["metadata"].get("annotations") or {}).get("storageclass.kubernetes.io/is-default-class") == "true"
    ]
    if marked:
        newest = max(marked, key=lambda item: item["metadata"]["creationTimestamp"])
        obj["spec"]["storageClassName"] = newest["metadata"]["name"]


def _new_node(obj: Object) -> None:
    taints = obj.setdefault("spec", {}).setdefault("taints", [])
    if not any(taint.get("key") == "node.kubernetes.io/not-ready" for taint in taints):
        taints.append({"key": "node.kubernetes.io/not-ready", "effect": "NoSchedule"})


def _service_account(call: Call, obj: Object) -> None:
    spec, name = obj["spec"], obj["metadata"].get("name") or ""
    if "kubernetes.io/config.mirror" in (obj["metadata"].get("annotations") or {}):
        return
    account_name = spec.get("serviceAccountName") or "default"
    spec["serviceAccountName"] = spec["serviceAccount"] = account_name
    account = call.cluster.store.get(SERVICE_ACCOUNT, call.namespace, account_name)
    if account is None:
        why = (
            f"error looking up service account {call.namespace}/{account_name}: "
            f'serviceaccount "{account_name}" not found'
        )
        raise forbidden(POD, name, why)
    mounts = spec.get("automountServiceAccountToken")
    if mounts is None:
        mounts = account.get("automountServiceAccountToken", True)
    if mounts:
        _mount_token(spec)
    if not spec.get(_PULL_SECRETS) and account.get(_PULL_SECRETS):
        spec[_PULL_SECRETS] = [dict(item) for item in account[_PULL_SECRETS]]


def _mount_token(spec: Object) -> None:
    volumes = spec.get("volumes") or []
    found = next((v["name"] for v in volumes if str(v.get("name", "")).startswith("kube-api-access-")), None)
    volume = found or "kube-api-access-" + "".join(secrets.choice(_ALPHABET) for _ in range(5))
    needed = False
    for container in [*(spec.get("initContainers") or []), *(spec.get("containers") or [])]:
        mounts = container.get("volumeMounts") or []
        if any(mount.get("mountPath") == _TOKEN_PATH for mount in mounts):
            continue
        container["volumeMounts"] = [*mounts, {"name": volume, "readOnly": True, "mountPath": _TOKEN_PATH}]
        needed = True
    if needed and not found:
        spec["volumes"] = [*volumes, {"name": volume, "projected": _token_sources()}]


def _token_sources() -> Object:
    namespace = {"path": "namespace", "fieldRef": {"apiVersion": "v1", "fieldPath": "metadata.namespace"}}
    certificate = {"name": "kube-root-ca.crt", "items": [{"key": "ca.crt", "path": "ca.crt"}]}
    return {
        "sources": [
            {"serviceAccountToken": {"expirationSeconds": 3607, "path": "token"}},
            {"configMap": certificate},
            {"downwardAPI": {"items": [namespace]}},
        ],
        "defaultMode": 420,
    }


def _priority(call: Call, obj: Object) -> None:
    spec, name = obj["spec"], obj["metadata"].get("name") or ""
    store = call.cluster.store
    wanted = spec.get("priorityClassName") or ""
    priority, policy = 0, "PreemptLowerPriority"
    if not wanted:
        marked = [item for item in store.list(PRIORITY_CLASS) if item.get("globalDefault")]
        if marked:
            lowest = min(marked, key=lambda item: int(item["value"]))
            wanted = spec["priorityClassName"] = lowest["metadata"]["name"]
    if wanted:
        found = store.get(PRIORITY_CLASS, None, wanted)
        if found is None and wanted not in PERSISTENT_PRIORITIES:
            raise forbidden(POD, name, f"no PriorityClass with name {wanted} was found")
        priority = int(found["value"]) if found else PERSISTENT_PRIORITIES[wanted]
        policy = (found or {}).get("preemptionPolicy") or policy
    if spec.get("priority") not in (None, priority):
        why = (
            f"the integer value of priority ({spec['priority']}) must not be provided in pod spec; priority admission "
            f"controller computed {priority} from the given PriorityClass name"
        )
        raise forbidden(POD, name, why)
    spec["priority"] = priority
    spec.setdefault("preemptionPolicy", policy)


def _tolerations(obj: Object) -> None:
    tolerations = list(obj["spec"].get("tolerations") or [])
    for key in ("node.kubernetes.io/not-ready", "node.kubernetes.io/unreachable"):
        if not any(_tolerates(item, key) for item in tolerations):
            tolerations.append({"key": key, "operator": "Exists", "effect": "NoExecute", "tolerationSeconds": 300})
    obj["spec"]["tolerations"] = tolerations


def _tolerates(toleration: Object, key: str) -> bool:
    return toleration.get("key", "") in (key, "") and toleration.get("effect", "") in ("NoExecute", "")


def _runtime_class(call: Call, obj: Object) -> None:
    spec, name = obj["spec"], obj["metadata"].get("name") or ""
    wanted = spec.get("runtimeClassName")
    if not wanted:
        return
    found = call.cluster.store.get(RUNTIME_CLASS, None, wanted)
    if found is None:
        raise forbidden(POD, name, f'pod rejected: RuntimeClass "{wanted}" not found')
    overhead = dig(found, "overhead.podFixed")
    if overhead:
        spec["overhead"] = dict(overhead)
    scheduling = found.get("scheduling") or {}
    selector = {**(spec.get("nodeSelector") or {}), **(scheduling.get("nodeSelector") or {})}
    if any((spec.get("nodeSelector") or {}).get(k, v) != v for k, v in (scheduling.get("nodeSelector") or {}).items()):
        raise forbidden(POD, name, "conflict: runtimeClass.scheduling.nodeSelector and pod.spec.nodeSelector disagree")
    if selector:
        spec["nodeSelector"] = selector
    extra = [item for item in scheduling.get("tolerations") or [] if item not in (spec.get("tolerations") or [])]
    if extra:
        spec["tolerations"] = [*(spec.get("tolerations") or []), *extra]
