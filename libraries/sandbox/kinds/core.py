"""Namespaces, ConfigMaps, Secrets, ServiceAccounts, Events, Leases, ResourceQuotas, LimitRanges.

Source: Kubernetes pkg/apis/core/v1 (defaults.go), pkg/apis/core/validation, pkg/printers/internalversion.
"""

from __future__ import annotations

import base64
import json
from typing import Any

from ..schemas import quantity
from . import (
    CONFIG_MAP,
    EVENT,
    EVENTS_EVENT,
    LEASE,
    LIMIT_RANGE,
    NAMESPACE,
    RESOURCE_QUOTA,
    SECRET,
    SERVICE_ACCOUNT,
    fields,
)
from .fields import FieldError
from .strategy import AGE, NAME, Column, Object, Strategy, age, default, dig, register, since

NAMESPACE_LABEL = "kubernetes.io/metadata.name"
_MAX_DATA = 1024 * 1024


@register(NAMESPACE)
class NamespaceStrategy(Strategy):
    """Namespaces."""

    has_status = True
    selectable = ("metadata.name", "status.phase")
    columns = (NAME, Column("Status", "The status of the namespace"), AGE)

    def name_problems(self, name: str) -> list[str]:
        return fields.label_problems(name)

    def default(self, obj: Object) -> None:
        labels = obj["metadata"].setdefault("labels", {})
        if obj["metadata"].get("name"):
            labels[NAMESPACE_LABEL] = obj["metadata"]["name"]
        if not labels:
            del obj["metadata"]["labels"]

    def warnings(self, obj: Object) -> list[str]:
        level = (obj["metadata"].get("labels") or {}).get("pod-security.kubernetes.io/enforce")
        if level not in ("baseline", "restricted"):
            return []
        return [f"the sandbox keeps the Pod Security level {level!r} but does not enforce it"]

    def prepare_create(self, obj: Object) -> None:
        finalizers = [f for f in dig(obj, "spec.finalizers") or [] if f != "kubernetes"]
        obj["spec"] = {"finalizers": [*finalizers, "kubernetes"]}
        obj["status"] = {"phase": "Active"}

    def prepare_update(self, obj: Object, old: Object) -> None:
        obj["spec"], obj["status"] = old.get("spec", {}), old.get("status", {})

    def prepare_status(self, obj: Object, old: Object) -> None:
        obj["spec"] = old.get("spec", {})

    def row(self, obj: Object) -> list[Any]:
        return [obj["metadata"]["name"], dig(obj, "status.phase") or "", age(obj)]


class DataStrategy(Strategy):
    """ConfigMaps and Secrets: keys, size, immutability."""

    others: tuple[str, ...] = ()

    def validate(self, obj: Object) -> list[FieldError]:
        errors: list[FieldError] = []
        size = 0
        for name in ("data", *self.others):
            for key, value in sorted((obj.get(name) or {}).items()):
                problems = fields.config_key_problems(key)
                errors += [fields.invalid(f"{name}[{key}]", key, problem) for problem in problems]
                size += len(value)
        if size > _MAX_DATA * (1 if self.others else 4 / 3):
            errors.append(FieldError("FieldValueTooLong", "data", "Too long: may not be more than 1048576 bytes"))
        return errors

    def validate_update(self, obj: Object, old: Object) -> list[FieldError]:
        if not old.get("immutable"):
            return []
        message = "field is immutable when `immutable` is set"
        names = [name for name in ("data", *self.others) if (obj.get(name) or {}) != (old.get(name) or {})]
        if not obj.get("immutable"):
            names.insert(0, "immutable")
        return [fields.forbidden(name, message) for name in names]


@register(CONFIG_MAP)
class ConfigMapStrategy(DataStrategy):
    """ConfigMaps."""

    others = ("binaryData",)
    columns = (NAME, Column("Data", "@io.k8s.api.core.v1.ConfigMap.data"), AGE)

    def row(self, obj: Object) -> list[Any]:
        return [obj["metadata"]["name"], len(obj.get("data") or {}) + len(obj.get("binaryData") or {}), age(obj)]


_ACCOUNT_TOKEN, _ACCOUNT_NAME = "kubernetes.io/service-account-token", "kubernetes.io/service-account.name"
_SECRET_KEYS = {
    "kubernetes.io/dockercfg": (".dockercfg",),
    "kubernetes.io/dockerconfigjson": (".dockerconfigjson",),
    "kubernetes.io/ssh-auth": ("ssh-privatekey",),
    "kubernetes.io/tls": ("tls.crt", "tls.key"),
}


@register(SECRET)
class SecretStrategy(DataStrategy):
    """Secrets."""

    selectable = ("metadata.name", "metadata.namespace", "type")
    columns = (
        NAME,
        Column("Type", "@io.k8s.api.core.v1.Secret.type"),
        Column("Data", "@io.k8s.api.core.v1.Secret.data"),
        AGE,
    )

    def default(self, obj: Object) -> None:
        texts = obj.pop("stringData", None)
        if texts:
            encoded = {key: base64.b64encode(value.encode()).decode() for key, value in texts.items()}
            obj["data"] = {**(obj.get("data") or {}), **encoded}
        default(obj, type="Opaque")

    def validate(self, obj: Object) -> list[FieldError]:
        errors = super().validate(obj)
        data = obj.get("data") or {}
        if obj["type"] == _ACCOUNT_TOKEN and not (obj["metadata"].get("annotations") or {}).get(_ACCOUNT_NAME):
            errors.append(fields.required(f"metadata.annotations[{_ACCOUNT_NAME}]"))
        for key in _SECRET_KEYS.get(obj["type"], ()):
            if key not in data:
                errors.append(fields.required(f"data[{key}]"))
            elif key.startswith(".docker") and not _is_json(data[key]):
                message = "<secret contents redacted>"
                errors.append(fields.invalid(f"data[{key}]", message, "invalid character in the JSON value"))
        return errors

    def warnings(self, obj: Object) -> list[str]:
        if obj["type"] != _ACCOUNT_TOKEN:
            return []
        return ["the sandbox fills no service account token secrets; ask serviceaccounts/token for a token"]

    def validate_update(self, obj: Object, old: Object) -> list[FieldError]:
        errors = []
        if obj["type"] != old["type"]:
            errors.append(fields.invalid("type", obj["type"], fields.IMMUTABLE))
        return errors + super().validate_update(obj, old)

    def row(self, obj: Object) -> list[Any]:
        return [obj["metadata"]["name"], obj.get("type", ""), len(obj.get("data") or {}), age(obj)]


def _is_json(encoded: str) -> bool:
    try:
        json.loads(base64.b64decode(encoded))
    except ValueError:
        return False
    return True


@register(SERVICE_ACCOUNT)
class ServiceAccountStrategy(Strategy):
    """ServiceAccounts."""

    columns = (NAME, Column("Secrets", "@io.k8s.api.core.v1.ServiceAccount.secrets"), AGE)

    def row(self, obj: Object) -> list[Any]:
        return [obj["metadata"]["name"], len(obj.get("secrets") or []), age(obj)]


@register(EVENT, EVENTS_EVENT)
class EventStrategy(Strategy):
    """Events, stored in their core/v1 shape."""

    creates_on_update = True
    selectable = (
        "involvedObject.kind", "involvedObject.namespace", "involvedObject.name", "involvedObject.uid",
        "involvedObject.apiVersion", "involvedObject.resourceVersion", "involvedObject.fieldPath", "reason",
        "reportingComponent", "source", "type", "metadata.name", "metadata.namespace",
    )  # fmt: skip
    columns = (
        Column("Last Seen", "@io.k8s.api.core.v1.Event.lastTimestamp"),
        Column("Type", "@io.k8s.api.core.v1.Event.type"),
        Column("Reason", "@io.k8s.api.core.v1.Event.reason"),
        Column("Object", "@io.k8s.api.core.v1.Event.involvedObject"),
        Column("Subobject", "@io.k8s.api.core.v1.ObjectReference.fieldPath", priority=1),
        Column("Source", "@io.k8s.api.core.v1.Event.source", priority=1),
        Column("Message", "@io.k8s.api.core.v1.Event.message"),
        Column("First Seen", "@io.k8s.api.core.v1.Event.firstTimestamp", priority=1),
        Column("Count", "@io.k8s.api.core.v1.Event.count", priority=1),
        Column("Name", "@io.k8s.apimachinery.pkg.apis.meta.v1.ObjectMeta.name", priority=1),
    )

    def name_problems(self, name: str) -> list[str]:
        return fields.path_segment_problems(name)

    def validate(self, obj: Object) -> list[FieldError]:
        wanted = obj["metadata"].get("namespace")
        named = dig(obj, "involvedObject.namespace") or ""
        if named != wanted and not (not named and wanted in ("default", "kube-system")):
            return [fields.invalid("involvedObject.namespace", named, "does not match event.namespace")]
        return []

    def field(self, obj: Object, selector: str) -> str:
        if selector == "source":
            return str(dig(obj, "source.component") or obj.get("reportingComponent") or "")
        return super().field(obj, selector)

    def row(self, obj: Object) -> list[Any]:
        first, last, count = obj.get("firstTimestamp"), obj.get("lastTimestamp"), obj.get("count") or 0
        series = obj.get("series") or {}
        first = first or obj.get("eventTime")
        last = series.get("lastObservedTime") or last or first
        count = series.get("count") or count or 1
        seen = f"{since(last)} (x{count} over {since(first)})" if count > 1 else since(last)
        involved, source = obj.get("involvedObject") or {}, obj.get("source") or {}
        component = source.get("component") or obj.get("reportingComponent") or ""
        host = source.get("host") or (obj.get("reportingInstance") if not source else "")
        return [
            seen, obj.get("type", ""), obj.get("reason", ""),
            f"{involved.get('kind', '').lower()}/{involved.get('name')}",
            involved.get("fieldPath", ""), f"{component}, {host}" if host else component,
            (obj.get("message") or "").strip(), since(first), count, obj["metadata"]["name"],
        ]  # fmt: skip


@register(LEASE)
class LeaseStrategy(Strategy):
    """Leases."""

    needs_version = True
    creates_on_update = True
    columns = (NAME, Column("Holder", "@io.k8s.api.coordination.v1.LeaseSpec.holderIdentity"), AGE)

    def validate(self, obj: Object) -> list[FieldError]:
        spec = obj.get("spec") or {}
        errors = []
        for key, least in (("leaseDurationSeconds", 1), ("leaseTransitions", 0)):
            value = spec.get(key)
            if value is not None and value < least:
                words = "must be greater than 0" if least else "must be greater than or equal to 0"
                errors.append(fields.invalid(f"spec.{key}", value, words))
        return errors

    def row(self, obj: Object) -> list[Any]:
        return [obj["metadata"]["name"], dig(obj, "spec.holderIdentity") or "", age(obj)]


@register(RESOURCE_QUOTA)
class ResourceQuotaStrategy(Strategy):
    """ResourceQuotas."""

    has_status = True
    columns = (
        NAME,
        Column("Request", "Request represents a minimum amount of cpu/memory that a container may consume."),
        Column("Limit", "Limits control the maximum amount of cpu/memory that a container may use independent of "
               "contention on the node."),
        AGE,
    )  # fmt: skip

    def prepare_create(self, obj: Object) -> None:
        obj["status"] = {}

    def prepare_update(self, obj: Object, old: Object) -> None:
        obj["status"] = old.get("status", {})

    def prepare_status(self, obj: Object, old: Object) -> None:
        obj["spec"] = old.get("spec", {})

    def row(self, obj: Object) -> list[Any]:
        hard, used = dig(obj, "status.hard") or {}, dig(obj, "status.used") or {}
        cells = {name: f"{name}: {used.get(name, '0')}/{limit}" for name, limit in sorted(hard.items())}
        limits = ", ".join(text for name, text in cells.items() if name.startswith("limits."))
        requests = ", ".join(text for name, text in cells.items() if not name.startswith("limits."))
        return [obj["metadata"]["name"], requests, limits, age(obj)]


@register(LIMIT_RANGE)
class LimitRangeStrategy(Strategy):
    """LimitRanges."""

    creates_on_update = True
    columns = (NAME, Column("Created At", "@io.k8s.apimachinery.pkg.apis.meta.v1.ObjectMeta.creationTimestamp"))

    def default(self, obj: Object) -> None:
        for item in dig(obj, "spec.limits") or []:
            if item.get("type") != "Container":
                continue
            item["default"] = {**(item.get("max") or {}), **(item.get("default") or {})}
            requests = {**(item.get("default") or {}), **(item.get("min") or {}), **(item.get("defaultRequest") or {})}
            item["defaultRequest"] = requests
            for key in ("default", "defaultRequest"):
                if not item[key]:
                    del item[key]

    def validate(self, obj: Object) -> list[FieldError]:
        errors: list[FieldError] = []
        for index, item in enumerate(dig(obj, "spec.limits") or []):
            for name, least in sorted((item.get("min") or {}).items()):
                most = (item.get("max") or {}).get(name)
                if most is not None and quantity.parse(least) > quantity.parse(most):
                    message = f"min value {least} is greater than max value {most}"
                    errors.append(fields.invalid(f"spec.limits[{index}].min[{name}]", least, message))
        return errors

    def row(self, obj: Object) -> list[Any]:
        return [obj["metadata"]["name"], obj["metadata"].get("creationTimestamp", "")]
