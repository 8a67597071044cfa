"""Nodes, RuntimeClasses, PriorityClasses.

Source: Kubernetes pkg/registry/core/node (strategy.go), pkg/apis/node/validation, pkg/printers/internalversion.
"""

from __future__ import annotations

from typing import Any

from . import NODE, PRIORITY_CLASS, RUNTIME_CLASS, fields
from .fields import FieldError
from .strategy import AGE, NAME, Column, Object, Strategy, age, default, dig, register

_ROLE = "node-role.kubernetes.io/"
_INFO = "@io.k8s.api.core.v1.NodeSystemInfo."


@register(NODE)
class NodeStrategy(Strategy):
    """Nodes."""

    has_status = True
    selectable = ("metadata.name", "spec.unschedulable")
    columns = (
        NAME,
        Column("Status", "The status of the node"),
        Column("Roles", "The roles of the node"),
        AGE,
        Column("Version", _INFO + "kubeletVersion"),
        Column("Internal-IP", "@io.k8s.api.core.v1.NodeStatus.addresses", priority=1),
        Column("External-IP", "@io.k8s.api.core.v1.NodeStatus.addresses", priority=1),
        Column("OS-Image", _INFO + "osImage", priority=1),
        Column("Kernel-Version", _INFO + "kernelVersion", priority=1),
        Column("Container-Runtime", _INFO + "containerRuntimeVersion", priority=1),
    )

    def prepare_update(self, obj: Object, old: Object) -> None:
        obj["status"] = old.get("status", {})

    def prepare_status(self, obj: Object, old: Object) -> None:
        obj["spec"] = old.get("spec", {})

    def validate(self, obj: Object) -> list[FieldError]:
        errors: list[FieldError] = []
        seen: set[tuple[str, str]] = set()
        for index, taint in enumerate(dig(obj, "spec.taints") or []):
            here = f"metadata.taints[{index}]"
            errors += [fields.invalid(f"{here}.key", taint.get("key", ""), why) for why in
                       fields.qualified_problems(taint.get("key", ""))]  # fmt: skip
            effect = taint.get("effect")
            if effect not in ("NoSchedule", "PreferNoSchedule", "NoExecute"):
                errors.append(
                    fields.unsupported(f"{here}.effect", effect, ("NoSchedule", "PreferNoSchedule", "NoExecute"))
                )
            pair = (taint.get("key", ""), effect or "")
            if pair in seen:
                errors.append(fields.duplicate(here, {"key": pair[0], "effect": pair[1]}))
            seen.add(pair)
        return errors

    def field(self, obj: Object, selector: str) -> str:
        if selector == "spec.unschedulable":
            return "true" if dig(obj, "spec.unschedulable") else "false"
        return super().field(obj, selector)

    def row(self, obj: Object) -> list[Any]:
        labels = obj["metadata"].get("labels") or {}
        ready = next((c for c in dig(obj, "status.conditions") or [] if c["type"] == "Ready"), None)
        state = "Unknown" if ready is None else "Ready" if ready["status"] == "True" else "NotReady"
        if dig(obj, "spec.unschedulable"):
            state += ",SchedulingDisabled"
        roles = {key[len(_ROLE) :] for key in labels if key.startswith(_ROLE) and len(key) > len(_ROLE)}
        roles |= {labels["kubernetes.io/role"]} if labels.get("kubernetes.io/role") else set()
        info = dig(obj, "status.nodeInfo") or {}
        addresses = {item["type"]: item["address"] for item in dig(obj, "status.addresses") or []}
        return [
            obj["metadata"]["name"], state, ",".join(sorted(roles)) or "<none>", age(obj),
            info.get("kubeletVersion", ""),
            addresses.get("InternalIP", "<none>"), addresses.get("ExternalIP", "<none>"),
            info.get("osImage") or "<unknown>", info.get("kernelVersion") or "<unknown>",
            info.get("containerRuntimeVersion") or "<unknown>",
        ]  # fmt: skip


@register(RUNTIME_CLASS)
class RuntimeClassStrategy(Strategy):
    """RuntimeClasses."""

    columns = (NAME, Column("Handler", "@io.k8s.api.node.v1.RuntimeClass.handler"), AGE)

    def validate(self, obj: Object) -> list[FieldError]:
        handler = obj.get("handler") or ""
        if not handler:
            return [fields.required("handler")]
        return [fields.invalid("handler", handler, problem) for problem in fields.label_problems(handler)]

    def validate_update(self, obj: Object, old: Object) -> list[FieldError]:
        if obj.get("handler") == old.get("handler"):
            return []
        return [fields.invalid("handler", obj.get("handler"), fields.IMMUTABLE)]

    def row(self, obj: Object) -> list[Any]:
        return [obj["metadata"]["name"], obj.get("handler", ""), age(obj)]


@register(PRIORITY_CLASS)
class PriorityClassStrategy(Strategy):
    """PriorityClasses."""

    columns = (
        NAME,
        Column("Value", "@io.k8s.api.scheduling.v1.PriorityClass.value", "integer"),
        Column("Global-Default", "@io.k8s.api.scheduling.v1.PriorityClass.globalDefault", "boolean"),
        AGE,
        Column("PreemptionPolicy", "@io.k8s.api.scheduling.v1.PriorityClass.preemptionPolicy"),
    )

    def default(self, obj: Object) -> None:
        default(obj, preemptionPolicy="PreemptLowerPriority")

    def validate(self, obj: Object) -> list[FieldError]:
        name = obj["metadata"].get("name") or ""
        if name.startswith("system-") and name not in ("system-cluster-critical", "system-node-critical"):
            message = "priority class names with 'system-' prefix are reserved for system use only. error: "
            return [fields.forbidden("metadata.name", message + f"{name} is not a known system priority class")]
        if obj.get("value", 0) > 1_000_000_000 and not name.startswith("system-"):
            message = "maximum allowed value of a user defined priority is 1000000000"
            return [fields.forbidden("value", message)]
        return []

    def validate_update(self, obj: Object, old: Object) -> list[FieldError]:
        errors = []
        if obj.get("value") != old.get("value"):
            errors.append(fields.forbidden("value", "may not be changed in an update."))
        if obj.get("preemptionPolicy") != old.get("preemptionPolicy"):
            errors.append(fields.invalid("preemptionPolicy", obj.get("preemptionPolicy"), fields.IMMUTABLE))
        return errors

    def row(self, obj: Object) -> list[Any]:
        is_default = bool(obj.get("globalDefault"))
        return [obj["metadata"]["name"], obj.get("value", 0), is_default, age(obj), obj.get("preemptionPolicy", "")]
