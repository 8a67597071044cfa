"""LimitRanger and ResourceQuota.

Source: Kubernetes plugin/pkg/admission/limitranger and k8s.io/apiserver pkg/admission/plugin/resourcequota; what
counts: pkg/quota/v1/evaluator/core. Quota scopes are not emulated: a quota that has them is refused by its strategy.
"""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from ..kinds import LIMIT_RANGE, POD, PVC, RESOURCE_QUOTA, SERVICE, Kind
from ..kinds.strategy import dig
from ..schemas import quantity
from .context import Call
from .status import forbidden

Object = dict[str, Any]
_COUNTED = (
    "pods",
    "services",
    "configmaps",
    "secrets",
    "persistentvolumeclaims",
    "replicationcontrollers",
    "resourcequotas",
)


def apply_defaults(call: Call, obj: Object) -> None:
    """Sets the requests and limits that a LimitRange has for containers without."""
    for item in _ranges(call, "Container"):
        for container in [*(obj["spec"].get("initContainers") or []), *(obj["spec"].get("containers") or [])]:
            resources = container.setdefault("resources", {})
            for key, source in (("limits", "default"), ("requests", "defaultRequest")):
                missing = {k: v for k, v in (item.get(source) or {}).items() if k not in (resources.get(key) or {})}
                if key == "requests":
                    given = resources.get("limits") or {}
                    missing = {k: v for k, v in missing.items() if k not in given or k in (item.get("default") or {})}
                if missing:
                    resources[key] = {**(resources.get(key) or {}), **missing}


def _ranges(call: Call, kind: str) -> list[Object]:
    found = call.cluster.store.list(LIMIT_RANGE, call.namespace) if call.namespace else []
    return [item for each in found for item in dig(each, "spec.limits") or [] if item.get("type") == kind]


def check(call: Call, obj: Object) -> None:
    """Refuses what is outside a LimitRange."""
    problems: list[str] = []
    if call.kind is PVC:
        for item in _ranges(call, "PersistentVolumeClaim"):
            problems += _outside(item, "PersistentVolumeClaim", dig(obj, "spec.resources.requests") or {}, {})
    else:
        for item in _ranges(call, "Container"):
            for container in obj["spec"].get("containers") or []:
                resources = container.get("resources") or {}
                problems += _outside(item, "Container", resources.get("requests") or {}, resources.get("limits") or {})
        for item in _ranges(call, "Pod"):
            requests, limits = (_total(obj, key) for key in ("requests", "limits"))
            problems += _outside(item, "Pod", requests, limits)
    if problems:
        text = problems[0] if len(problems) == 1 else "[" + ", ".join(problems) + "]"
        raise forbidden(call.kind, obj["metadata"].get("name") or "", text)


def _total(obj: Object, key: str) -> dict[str, str]:
    totals: dict[str, Decimal] = {}
    for container in obj["spec"].get("containers") or []:
        for name, amount in ((container.get("resources") or {}).get(key) or {}).items():
            totals[name] = totals.get(name, Decimal(0)) + quantity.parse(amount)
    return {name: quantity.canonical(f"{value:f}") for name, value in totals.items()}


def _outside(item: Object, kind: str, requests: dict[str, str], limits: dict[str, str]) -> list[str]:
    problems = []
    for name, least in sorted((item.get("min") or {}).items()):
        have = requests.get(name)
        if have is None:
            problems.append(f"minimum {name} usage per {kind} is {least}.  No request is specified")
        elif quantity.parse(have) < quantity.parse(least):
            problems.append(f"minimum {name} usage per {kind} is {least}, but request is {have}")
    for name, most in sorted((item.get("max") or {}).items()):
        have = limits.get(name) if kind != "PersistentVolumeClaim" else requests.get(name)
        word = "limit" if kind != "PersistentVolumeClaim" else "request"
        if have is None:
            problems.append(f"maximum {name} usage per {kind} is {most}.  No limit is specified")
        elif quantity.parse(have) > quantity.parse(most):
            problems.append(f"maximum {name} usage per {kind} is {most}, but {word} is {have}")
    return problems


def charge(call: Call, obj: Object) -> None:
    """Refuses what would exceed a quota of the namespace, else counts it as used."""
    if not call.namespace:
        return
    quotas = call.cluster.store.list(RESOURCE_QUOTA, call.namespace)
    if not quotas:
        return
    asked = usage(call.kind, obj)
    for quota in quotas:
        hard = dig(quota, "spec.hard") or {}
        limited = {name: value for name, value in asked.items() if name in hard}
        _must_specify(call, obj, quota, hard, asked)
        if not limited:
            continue
        used = used_in(call, hard)
        over = sorted(n for n, v in limited.items() if used[n] + v > quantity.parse(hard[n]))
        if over:
            raise forbidden(call.kind, obj["metadata"].get("name") or "", _exceeded(quota, over, limited, used, hard))


def _exceeded(
    quota: Object, over: list[str], asked: dict[str, Decimal], used: dict[str, Decimal], hard: dict[str, str]
) -> str:
    parts = [
        ",".join(f"{name}={values[name]}" for name in over)
        for values in (_written(asked), _written(used), {name: quantity.canonical(hard[name]) for name in over})
    ]
    name = quota["metadata"]["name"]
    return f"exceeded quota: {name}, requested: {parts[0]}, used: {parts[1]}, limited: {parts[2]}"


def _written(values: dict[str, Decimal]) -> dict[str, str]:
    return {name: spelled(name, value) for name, value in values.items()}


def spelled(name: str, value: Decimal) -> str:
    """An amount as a quota shows it."""
    if ("memory" in name or "storage" in name) and value == value.to_integral_value() and value % 1024 == 0:
        return quantity.canonical(f"{int(value) // 1024}Ki")
    return quantity.canonical(f"{value:f}")


def _must_specify(call: Call, obj: Object, quota: Object, hard: dict[str, str], asked: dict[str, Decimal]) -> None:
    if call.kind is not POD:
        return
    names = {"cpu", "memory", "requests.cpu", "requests.memory", "limits.cpu", "limits.memory"}
    missing = []
    for name in sorted(names & set(hard)):
        key = "limits" if name.startswith("limits.") else "requests"
        resource = name.rpartition(".")[2]
        without = [
            container["name"]
            for container in obj["spec"].get("containers") or []
            if resource not in ((container.get("resources") or {}).get(key) or {})
        ]
        if without:
            missing.append(f"{name} for: {','.join(without)}")
    if missing and asked:
        why = f"failed quota: {quota['metadata']['name']}: must specify {'; '.join(missing)}"
        raise forbidden(call.kind, obj["metadata"].get("name") or "", why)


def usage(kind: Kind, obj: Object) -> dict[str, Decimal]:
    """What an object counts for in a quota."""
    one = Decimal(1)
    found = {f"count/{kind.resource}": one}
    if kind.plural in _COUNTED and not kind.group:
        found[kind.plural] = one
    if kind is POD:
        found.update(_pod_usage(obj))
    elif kind is PVC:
        storage = dig(obj, "spec.resources.requests") or {}
        found["requests.storage"] = quantity.parse(storage.get("storage", "0"))
    elif kind is SERVICE:
        type_ = dig(obj, "spec.type")
        ports = Decimal(len(dig(obj, "spec.ports") or []))
        found["services.nodeports"] = ports if type_ in ("NodePort", "LoadBalancer") else Decimal(0)
        found["services.loadbalancers"] = one if type_ == "LoadBalancer" else Decimal(0)
    return found


def _pod_usage(obj: Object) -> dict[str, Decimal]:
    if dig(obj, "status.phase") in ("Succeeded", "Failed"):
        return {"pods": Decimal(0), "count/pods": Decimal(1)}
    found: dict[str, Decimal] = {}
    for key in ("requests", "limits"):
        for name, amount in _total(obj, key).items():
            found[f"{key}.{name}"] = quantity.parse(amount)
            if key == "requests":
                found[name] = quantity.parse(amount)
    return found


def used_in(call: Call, hard: dict[str, str]) -> dict[str, Decimal]:
    """What is used in the call's namespace of what a quota limits."""
    used = dict.fromkeys(hard, Decimal(0))
    store = call.cluster.store
    for kind in store.registry.all():
        if not kind.namespaced or kind.stored_as is not None or not _limited(kind, hard):
            continue
        for obj in store.list(kind, call.namespace):
            for name, value in usage(kind, obj).items():
                if name in used:
                    used[name] += value
    return used


def _limited(kind: Kind, hard: dict[str, str]) -> bool:
    names = {f"count/{kind.resource}", kind.plural}
    extra = {POD: ("cpu", "memory", "requests.", "limits.", "pods"), PVC: ("requests.storage",), SERVICE: ("services",)}
    return any(name in names or name.startswith(extra.get(kind, ("\0",))) for name in hard)
