"""Deployments, ReplicaSets, StatefulSets, DaemonSets, ReplicationControllers and ControllerRevisions.

Source: Kubernetes pkg/apis/apps/v1 (defaults.go), pkg/apis/apps/validation, pkg/registry/apps/*/strategy.go,
pkg/printers/internalversion.
"""
# ruff: noqa: ARG002 - a strategy need not look at all that it is given

from __future__ import annotations

from typing import Any

from . import (
    CONTROLLER_REVISION,
    DAEMON_SET,
    DEPLOYMENT,
    REPLICA_SET,
    REPLICATION_CONTROLLER,
    STATEFUL_SET,
    fields,
    podspec,
)
from .fields import FieldError
from .strategy import AGE, NAME, Column, Object, Strategy, age, default, dig, register, selector_text, selects

CONTAINERS = Column("Containers", "Names of each container in the template.", priority=1)
IMAGES = Column("Images", "Images referenced by each container in the template.", priority=1)
_TEMPLATE_GENERATION = "deprecated.daemonset.template.generation"


def names_and_images(spec: Object) -> list[str]:
    """The cells of the wide columns."""
    containers = spec.get("containers") or []
    return [",".join(c.get("name", "") for c in containers), ",".join(c.get("image", "") for c in containers)]


class WorkloadStrategy(Strategy):
    """What the kinds with a selector and a pod template have in common."""

    has_status = True
    selector_is_fixed = True
    checks_pods = True
    selector_first = False
    restart_policies: tuple[str, ...] = ("Always",)
    named = "deployment"

    def default(self, obj: Object) -> None:
        spec = obj["spec"]
        template = spec.setdefault("template", {})
        podspec.apply_defaults(template.setdefault("spec", {}))

    def prepare_create(self, obj: Object) -> None:
        obj["status"] = {}

    def prepare_update(self, obj: Object, old: Object) -> None:
        obj["status"] = old.get("status", {})

    def prepare_status(self, obj: Object, old: Object) -> None:
        obj["spec"] = old["spec"]

    def validate(self, obj: Object) -> list[FieldError]:
        spec = obj["spec"]
        errors = fields.at_least("spec.replicas", spec.get("replicas"), 0)
        errors += fields.at_least("spec.minReadySeconds", spec.get("minReadySeconds"), 0)
        errors += fields.at_least("spec.revisionHistoryLimit", spec.get("revisionHistoryLimit"), 0)
        return errors + self._selection(spec) + self._template(spec)

    def _selection(self, spec: Object) -> list[FieldError]:
        selector = spec.get("selector")
        errors: list[FieldError] = []
        if selector is None:
            errors.append(fields.required("spec.selector"))
        elif not selector.get("matchLabels") and not selector.get("matchExpressions"):
            shown = selector_literal(selector)
            errors.append(fields.go_invalid("spec.selector", shown, f"empty selector is invalid for {self.named}"))
        labels = dig(spec, "template.metadata.labels")
        if selector is None or not selects(selector, labels):
            message = "`selector` does not match template `labels`"
            shown = fields.string_map(labels)
            errors.append(fields.go_invalid("spec.template.metadata.labels", shown, message))
        return errors

    def _template(self, spec: Object) -> list[FieldError]:
        template = spec.get("template") or {}
        errors = fields.labels("spec.template.labels", dig(template, "metadata.labels"))
        pod = template.get("spec") or {}
        errors += podspec.validate(pod, "spec.template.spec") if self.checks_pods else []
        policy = pod.get("restartPolicy")
        if policy not in self.restart_policies and policy in ("Always", "OnFailure", "Never"):
            errors.append(fields.unsupported("spec.template.spec.restartPolicy", policy, self.restart_policies))
        return errors

    def validate_update(self, obj: Object, old: Object) -> list[FieldError]:
        new, before = obj["spec"].get("selector"), old["spec"].get("selector")
        if not self.selector_is_fixed or new == before:
            return []
        return [fields.go_invalid("spec.selector", selector_literal(new or {}), fields.IMMUTABLE)]


def selector_literal(selector: Object) -> str:
    """A LabelSelector as Go's %#v prints it."""
    expressions = [
        f"v1.LabelSelectorRequirement{{Key:{fields.shown(item['key'])}, Operator:{fields.shown(item['operator'])}, "
        f"Values:{_strings_literal(item.get('values'))}}}"
        for item in selector.get("matchExpressions") or []
    ]
    inner = "{" + ", ".join(expressions) + "}" if expressions else "(nil)"
    labels = fields.string_map(selector.get("matchLabels"))
    return f"v1.LabelSelector{{MatchLabels:{labels}, MatchExpressions:[]v1.LabelSelectorRequirement{inner}}}"


def _strings_literal(values: list[str] | None) -> str:
    return "[]string(nil)" if values is None else "[]string{" + ", ".join(map(fields.shown, values)) + "}"


@register(DEPLOYMENT)
class DeploymentStrategy(WorkloadStrategy):
    """Deployments."""

    columns = (
        NAME,
        Column("Ready", "Number of the pod with ready state"),
        Column("Up-to-date", "@io.k8s.api.apps.v1.DeploymentStatus.updatedReplicas"),
        Column("Available", "@io.k8s.api.apps.v1.DeploymentStatus.availableReplicas"),
        AGE,
        CONTAINERS,
        IMAGES,
        Column(
            "Selector",
            "Label selector for pods. Existing ReplicaSets whose pods are selected by this will be the ones affected "
            "by this deployment.",
            priority=1,
        ),
    )

    def default(self, obj: Object) -> None:
        super().default(obj)
        spec = obj["spec"]
        default(spec, replicas=1, revisionHistoryLimit=10, progressDeadlineSeconds=600)
        strategy = spec.get("strategy") or {}
        spec["strategy"] = strategy
        default(strategy, type="RollingUpdate")
        if strategy["type"] == "RollingUpdate":
            rolling = strategy.get("rollingUpdate") or {}
            strategy["rollingUpdate"] = rolling
            default(rolling, maxUnavailable="25%", maxSurge="25%")

    def validate(self, obj: Object) -> list[FieldError]:
        errors = super().validate(obj)
        strategy = obj["spec"].get("strategy") or {}
        if strategy.get("type") not in ("Recreate", "RollingUpdate"):
            errors.append(fields.unsupported("spec.strategy.type", strategy.get("type"), ("Recreate", "RollingUpdate")))
        elif strategy["type"] == "Recreate" and strategy.get("rollingUpdate") is not None:
            message = "may not be specified when strategy `type` is 'Recreate'"
            errors.append(fields.forbidden("spec.strategy.rollingUpdate", message))
        return errors

    def row(self, obj: Object) -> list[Any]:
        spec, status = obj["spec"], obj.get("status") or {}
        return [
            obj["metadata"]["name"],
            f"{status.get('readyReplicas', 0)}/{spec.get('replicas', 0)}",
            status.get("updatedReplicas", 0),
            status.get("availableReplicas", 0),
            age(obj),
            *names_and_images(spec["template"]["spec"]),
            selector_text(spec.get("selector")),
        ]


@register(REPLICA_SET)
class ReplicaSetStrategy(WorkloadStrategy):
    """ReplicaSets."""

    selectable = ("metadata.name", "metadata.namespace", "status.replicas")
    columns = (
        NAME,
        Column("Desired", "@io.k8s.api.apps.v1.ReplicaSetSpec.replicas", "integer"),
        Column("Current", "@io.k8s.api.apps.v1.ReplicaSetStatus.replicas", "integer"),
        Column("Ready", "@io.k8s.api.apps.v1.ReplicaSetStatus.readyReplicas", "integer"),
        AGE,
        CONTAINERS,
        IMAGES,
        Column("Selector", "@io.k8s.api.apps.v1.ReplicaSetSpec.selector", priority=1),
    )

    def default(self, obj: Object) -> None:
        super().default(obj)
        default(obj["spec"], replicas=1)

    def prepare_create(self, obj: Object) -> None:
        obj["status"] = {"replicas": 0}

    def row(self, obj: Object) -> list[Any]:
        spec, status = obj["spec"], obj.get("status") or {}
        numbers = [spec.get("replicas", 0), status.get("replicas", 0), status.get("readyReplicas", 0)]
        wide = [*names_and_images(spec["template"]["spec"]), selector_text(spec.get("selector"))]
        return [obj["metadata"]["name"], *numbers, age(obj), *wide]


@register(REPLICATION_CONTROLLER)
class ReplicationControllerStrategy(ReplicaSetStrategy):
    """ReplicationControllers: a plain map selects."""

    def default(self, obj: Object) -> None:
        super().default(obj)
        if not obj["spec"].get("selector"):
            obj["spec"]["selector"] = dict(dig(obj, "spec.template.metadata.labels") or {})

    def _selection(self, spec: Object) -> list[FieldError]:
        return [] if spec.get("selector") else [fields.required("spec.selector")]

    def validate_update(self, obj: Object, old: Object) -> list[FieldError]:
        return []

    def row(self, obj: Object) -> list[Any]:
        wrapped = {**obj, "spec": {**obj["spec"], "selector": {"matchLabels": obj["spec"].get("selector")}}}
        return super().row(wrapped)


@register(STATEFUL_SET)
class StatefulSetStrategy(WorkloadStrategy):
    """StatefulSets."""

    selector_is_fixed = False
    checks_pods = False  # the API server leaves that to the pods: their volumes are those of the claims too
    named = "statefulset"
    columns = (NAME, Column("Ready", "Number of the pod with ready state"), AGE, CONTAINERS, IMAGES)

    def default(self, obj: Object) -> None:
        super().default(obj)
        spec = obj["spec"]
        default(spec, replicas=1, revisionHistoryLimit=10, podManagementPolicy="OrderedReady")
        retention = spec.get("persistentVolumeClaimRetentionPolicy") or {}
        spec["persistentVolumeClaimRetentionPolicy"] = retention
        default(retention, whenDeleted="Retain", whenScaled="Retain")
        strategy = spec.get("updateStrategy") or {}
        spec["updateStrategy"] = strategy
        default(strategy, type="RollingUpdate")
        if strategy["type"] == "RollingUpdate":
            rolling = strategy.get("rollingUpdate") or {}
            strategy["rollingUpdate"] = rolling
            default(rolling, partition=0)
        for claim in spec.get("volumeClaimTemplates") or []:
            claim.update(apiVersion="v1", kind="PersistentVolumeClaim")
            default(claim["spec"], volumeMode="Filesystem")
            claim["status"] = {"phase": "Pending"}

    def prepare_create(self, obj: Object) -> None:
        obj["status"] = {"replicas": 0, "availableReplicas": 0}

    def validate_update(self, obj: Object, old: Object) -> list[FieldError]:
        changeable = (
            "replicas", "ordinals", "template", "updateStrategy", "revisionHistoryLimit",
            "persistentVolumeClaimRetentionPolicy", "minReadySeconds",
        )  # fmt: skip
        fixed = [{k: v for k, v in spec.items() if k not in changeable} for spec in (obj["spec"], old["spec"])]
        if fixed[0] == fixed[1]:
            return []
        words = ", ".join(f"'{word}'" for word in changeable[:-1])
        message = f"updates to statefulset spec for fields other than {words} and '{changeable[-1]}' are forbidden"
        return [fields.forbidden("spec", message)]

    def row(self, obj: Object) -> list[Any]:
        spec, status = obj["spec"], obj.get("status") or {}
        ready = f"{status.get('readyReplicas', 0)}/{spec.get('replicas', 0)}"
        return [obj["metadata"]["name"], ready, age(obj), *names_and_images(spec["template"]["spec"])]


@register(DAEMON_SET)
class DaemonSetStrategy(WorkloadStrategy):
    """DaemonSets."""

    named = "daemonset"
    columns = (
        NAME,
        Column("Desired", "@io.k8s.api.apps.v1.DaemonSetStatus.desiredNumberScheduled", "integer"),
        Column("Current", "@io.k8s.api.apps.v1.DaemonSetStatus.currentNumberScheduled", "integer"),
        Column("Ready", "@io.k8s.api.apps.v1.DaemonSetStatus.numberReady", "integer"),
        Column("Up-to-date", "@io.k8s.api.apps.v1.DaemonSetStatus.updatedNumberScheduled", "integer"),
        Column("Available", "@io.k8s.api.apps.v1.DaemonSetStatus.numberAvailable", "integer"),
        Column("Node Selector", "@io.k8s.api.core.v1.PodSpec.nodeSelector"),
        AGE,
        CONTAINERS,
        IMAGES,
        Column("Selector", "@io.k8s.api.apps.v1.DaemonSetSpec.selector", priority=1),
    )

    def default(self, obj: Object) -> None:
        super().default(obj)
        spec = obj["spec"]
        default(spec, revisionHistoryLimit=10)
        strategy = spec.get("updateStrategy") or {}
        spec["updateStrategy"] = strategy
        default(strategy, type="RollingUpdate")
        if strategy["type"] == "RollingUpdate":
            rolling = strategy.get("rollingUpdate") or {}
            strategy["rollingUpdate"] = rolling
            default(rolling, maxUnavailable=1, maxSurge=0)

    def prepare_create(self, obj: Object) -> None:
        obj["metadata"].setdefault("annotations", {})[_TEMPLATE_GENERATION] = "1"
        counters = ("currentNumberScheduled", "numberMisscheduled", "desiredNumberScheduled", "numberReady")
        obj["status"] = dict.fromkeys(counters, 0)

    def prepare_update(self, obj: Object, old: Object) -> None:
        super().prepare_update(obj, old)
        before = int((old["metadata"].get("annotations") or {}).get(_TEMPLATE_GENERATION, "1"))
        bump = obj["spec"]["template"] != old["spec"]["template"]
        obj["metadata"].setdefault("annotations", {})[_TEMPLATE_GENERATION] = str(before + bump)

    def row(self, obj: Object) -> list[Any]:
        spec, status = obj["spec"], obj.get("status") or {}
        keys = (
            "desiredNumberScheduled", "currentNumberScheduled", "numberReady", "updatedNumberScheduled",
            "numberAvailable",
        )  # fmt: skip
        pod = spec["template"]["spec"]
        chosen = selector_text({"matchLabels": pod.get("nodeSelector") or {}})
        wide = [*names_and_images(pod), selector_text(spec.get("selector"))]
        return [obj["metadata"]["name"], *(status.get(key, 0) for key in keys), chosen, age(obj), *wide]


@register(CONTROLLER_REVISION)
class ControllerRevisionStrategy(Strategy):
    """ControllerRevisions."""

    columns = (
        NAME,
        Column("Controller", "Controller of the object"),
        Column("Revision", "@io.k8s.api.apps.v1.ControllerRevision.revision"),
        AGE,
    )

    def row(self, obj: Object) -> list[Any]:
        owners = [o for o in obj["metadata"].get("ownerReferences") or [] if o.get("controller")]
        kinds = [f"{o['kind'].lower()}.{o['apiVersion'].partition('/')[0]}/{o['name']}" for o in owners]
        return [obj["metadata"]["name"], kinds[0] if kinds else "<none>", obj.get("revision", 0), age(obj)]
