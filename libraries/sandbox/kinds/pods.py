"""Pods: what may be set and changed, and what `kubectl get pods` shows.

Source: Kubernetes pkg/registry/core/pod (strategy.go), pkg/apis/core/validation (ValidatePodUpdate),
pkg/printers/internalversion (printPod).
"""

from __future__ import annotations

import copy
from typing import Any

from . import POD, POD_TEMPLATE, fields, podspec
from .difference import pod_spec_difference
from .fields import FieldError
from .strategy import AGE, NAME, Column, Object, Strategy, age, dig, register, since

_CHANGEABLE = (
    "pod updates may not change fields other than `spec.containers[*].image`,`spec.initContainers[*].image`,"
    "`spec.activeDeadlineSeconds`,`spec.tolerations` (only additions to existing tolerations),"
    "`spec.terminationGracePeriodSeconds` (allow it to be set to 1 if it was previously negative)"
)


@register(POD)
class PodStrategy(Strategy):
    """Pods."""

    has_status = True
    selectable = (
        "metadata.name",
        "metadata.namespace",
        "spec.nodeName",
        "spec.restartPolicy",
        "spec.schedulerName",
        "spec.serviceAccountName",
        "spec.hostNetwork",
        "status.phase",
        "status.podIP",
        "status.podIPs",
        "status.nominatedNodeName",
    )
    columns = (
        NAME,
        Column("Ready", "The aggregate readiness state of this pod for accepting traffic."),
        Column("Status", "The aggregate status of the containers in this pod."),
        Column(
            "Restarts",
            "The number of times the containers in this pod have been restarted and when the last container in this "
            "pod has restarted.",
        ),
        AGE,
        Column("IP", "podIP address allocated to the pod. Routable at least within the cluster. Empty if not yet "
               "allocated.", priority=1),
        Column("Node", "@io.k8s.api.core.v1.PodSpec.nodeName", priority=1),
        Column("Nominated Node", "@io.k8s.api.core.v1.PodStatus.nominatedNodeName", priority=1),
        Column("Readiness Gates", "@io.k8s.api.core.v1.PodSpec.readinessGates", priority=1),
    )  # fmt: skip

    def default(self, obj: Object) -> None:
        podspec.apply_defaults(obj["spec"])
        podspec.apply_pod_defaults(obj["spec"])

    def prepare_create(self, obj: Object) -> None:
        obj["spec"].pop("ephemeralContainers", None)
        obj["status"] = {"phase": "Pending", "qosClass": podspec.quality_of_service(obj["spec"])}

    def prepare_update(self, obj: Object, old: Object) -> None:
        obj["status"] = old["status"]

    def prepare_status(self, obj: Object, old: Object) -> None:
        obj["spec"] = old["spec"]

    def validate(self, obj: Object) -> list[FieldError]:
        return podspec.validate(obj["spec"])

    def validate_update(self, obj: Object, old: Object) -> list[FieldError]:
        if obj["spec"] == old["spec"]:
            return []
        if len(obj["spec"].get("containers") or []) != len(old["spec"].get("containers") or []):
            return [fields.forbidden("spec.containers", "pod updates may not add or remove containers")]
        munged = _with_changeable(obj["spec"], old["spec"])
        if munged == old["spec"]:
            return _added_only(obj["spec"], old["spec"])
        return [fields.forbidden("spec", _CHANGEABLE + "\n" + pod_spec_difference(old["spec"], munged))]

    def field(self, obj: Object, selector: str) -> str:
        if selector == "spec.hostNetwork":
            return "true" if obj["spec"].get("hostNetwork") else "false"
        return super().field(obj, selector)

    def row(self, obj: Object) -> list[Any]:
        ready, reason, restarts = _state(obj)
        spec, status = obj["spec"], obj.get("status") or {}
        gates = spec.get("readinessGates") or []
        conditions = {c["type"]: c["status"] for c in status.get("conditions") or []}
        open_gates = sum(conditions.get(gate["conditionType"]) == "True" for gate in gates)
        return [
            obj["metadata"]["name"],
            f"{ready}/{_countable(spec)}",
            reason,
            restarts,
            age(obj),
            status.get("podIP") or "<none>",
            spec.get("nodeName") or "<none>",
            status.get("nominatedNodeName") or "<none>",
            f"{open_gates}/{len(gates)}" if gates else "<none>",
        ]

    def row_conditions(self, obj: Object) -> list[dict[str, str]]:
        phase = dig(obj, "status.phase")
        messages = {"Succeeded": "The pod has completed successfully.", "Failed": "The pod failed."}
        if phase not in messages:
            return []
        return [{"type": "Completed", "status": "True", "reason": phase, "message": messages[phase]}]


@register(POD_TEMPLATE)
class PodTemplateStrategy(Strategy):
    """Pod templates."""

    def default(self, obj: Object) -> None:
        podspec.apply_defaults(obj["template"].setdefault("spec", {}))


def _with_changeable(new: Object, old: Object) -> Object:
    """The new spec with the old values wherever a change is allowed."""
    munged = copy.deepcopy(new)
    for name in ("containers", "initContainers"):
        before = old.get(name) or []
        for index, container in enumerate(munged.get(name) or []):
            if index < len(before):
                container["image"] = before[index].get("image")
    for key in ("activeDeadlineSeconds", "tolerations"):
        munged.pop(key, None)
        if key in old:
            munged[key] = old[key]
    if old.get("terminationGracePeriodSeconds", 0) < 0 and munged.get("terminationGracePeriodSeconds") == 1:
        munged["terminationGracePeriodSeconds"] = old["terminationGracePeriodSeconds"]
    return munged


def _added_only(new: Object, old: Object) -> list[FieldError]:
    kept = new.get("tolerations") or []
    if all(item in kept for item in old.get("tolerations") or []):
        return []
    message = "existing toleration can not be modified except its tolerationSeconds"
    return [fields.forbidden("spec.tolerations", message)]


def _is_sidecar(container: Object) -> bool:
    return container.get("restartPolicy") == "Always"


def _countable(spec: Object) -> int:
    sidecars = sum(map(_is_sidecar, spec.get("initContainers") or []))
    return len(spec.get("containers") or []) + sidecars


def _state(obj: Object) -> tuple[int, str, str]:
    """Ready containers, status and restarts, as `kubectl get` shows them."""
    status = obj.get("status") or {}
    reason = status.get("reason") or status.get("phase") or ""
    if any(
        c["type"] == "PodScheduled" and c.get("reason") == "SchedulingGated" for c in status.get("conditions") or []
    ):
        reason = "SchedulingGated"
    initializing, ready, restarts = _init_state(obj)
    if initializing:
        reason = initializing
    if not initializing or _initialized(status):
        ready, reason, restarts = _main_state(status, reason, ready, restarts)
    if obj["metadata"].get("deletionTimestamp"):
        reason = "Unknown" if status.get("reason") == "NodeLost" else "Terminating"
    return ready, reason, _restart_text(restarts)


def _restart_text(restarts: list[Object]) -> str:
    count = sum(int(item.get("restartCount") or 0) for item in restarts)
    ends = [dig(item, "lastState.terminated.finishedAt") for item in restarts]
    last = max((end for end in ends if end), default=None)
    return f"{count} ({since(last)} ago)" if count and last else str(count)


def _initialized(status: Object) -> bool:
    return any(c["type"] == "Initialized" and c["status"] == "True" for c in status.get("conditions") or [])


def _init_state(obj: Object) -> tuple[str, int, list[Object]]:
    spec, status = obj["spec"], obj.get("status") or {}
    containers = {c["name"]: c for c in spec.get("initContainers") or []}
    seen: list[Object] = []
    ready = 0
    for index, item in enumerate(status.get("initContainerStatuses") or []):
        seen.append(item)
        state = item.get("state") or {}
        ended, waiting = state.get("terminated"), state.get("waiting") or {}
        sidecar = _is_sidecar(containers.get(item["name"], {}))
        if (ended and ended.get("exitCode") == 0) or (sidecar and item.get("started")):
            ready += int(sidecar and bool(item.get("ready")))
            continue
        if ended:
            return "Init:" + _end_reason(ended), ready, seen
        if waiting.get("reason") not in (None, "", "PodInitializing"):
            return "Init:" + waiting["reason"], ready, seen
        return f"Init:{index}/{len(containers)}", ready, seen
    return "", ready, [item for item in seen if _is_sidecar(containers.get(item["name"], {}))]


def _end_reason(ended: Object) -> str:
    if ended.get("reason"):
        return str(ended["reason"])
    return f"Signal:{ended['signal']}" if ended.get("signal") else f"ExitCode:{ended.get('exitCode', 0)}"


def _main_state(status: Object, reason: str, ready: int, restarts: list[Object]) -> tuple[int, str, list[Object]]:
    running = False
    statuses = status.get("containerStatuses") or []
    for item in reversed(statuses):
        state = item.get("state") or {}
        waiting, ended = state.get("waiting") or {}, state.get("terminated")
        if waiting.get("reason"):
            reason = waiting["reason"]
        elif ended:
            reason = _end_reason(ended)
        elif item.get("ready") and state.get("running") is not None:
            running = True
            ready += 1
    if reason == "Completed" and running:
        is_ready = any(c["type"] == "Ready" and c["status"] == "True" for c in status.get("conditions") or [])
        reason = "Running" if is_ready else "NotReady"
    return ready, reason, restarts + statuses
