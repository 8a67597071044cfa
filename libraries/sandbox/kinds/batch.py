"""Jobs, CronJobs, PodDisruptionBudgets, HorizontalPodAutoscalers, webhook configurations.

Source: Kubernetes pkg/apis/batch/v1 (defaults.go), pkg/registry/batch/job (strategy.go), pkg/printers/internalversion.
"""
# ruff: noqa: ARG002 - a strategy need not look at all that it is given

from __future__ import annotations

from typing import Any

from . import CRON_JOB, HPA, JOB, MUTATING_WEBHOOK, PDB, VALIDATING_WEBHOOK, fields, podspec
from .fields import FieldError
from .strategy import (
    AGE,
    NAME,
    Column,
    Object,
    Strategy,
    age,
    default,
    dig,
    human,
    moment,
    register,
    selector_text,
    since,
)
from .workloads import CONTAINERS, IMAGES, names_and_images

_JOB_LABELS = ("batch.kubernetes.io/controller-uid", "batch.kubernetes.io/job-name", "controller-uid", "job-name")


@register(JOB)
class JobStrategy(Strategy):
    """Jobs."""

    has_status = True
    selectable = ("metadata.name", "metadata.namespace", "status.successful")
    columns = (
        NAME,
        Column("Status", "Status of the job."),
        Column("Completions", "@io.k8s.api.batch.v1.JobStatus.succeeded"),
        Column("Duration", "Time required to complete the job."),
        AGE,
        CONTAINERS,
        IMAGES,
        Column("Selector", "@io.k8s.api.batch.v1.JobSpec.selector", priority=1),
    )

    def default(self, obj: Object) -> None:
        spec = obj.setdefault("spec", {})
        podspec.apply_defaults(spec.setdefault("template", {}).setdefault("spec", {}))
        if (
            dig(spec, "template.spec.restartPolicy")
            and spec.get("completions") is None
            and spec.get("parallelism") is None
        ):
            spec["completions"] = spec["parallelism"] = 1
        default(
            spec, parallelism=1, backoffLimit=6, completionMode="NonIndexed", suspend=False, manualSelector=False,
            podReplacementPolicy="Failed" if spec.get("podFailurePolicy") else "TerminatingOrFailed",
        )  # fmt: skip
        labels = dig(spec, "template.metadata.labels")
        if labels and not obj["metadata"].get("labels"):
            obj["metadata"]["labels"] = {k: v for k, v in labels.items() if k not in _JOB_LABELS}

    def prepare_create(self, obj: Object) -> None:
        obj["status"] = {}
        spec = obj["spec"]
        if spec.get("manualSelector"):
            return
        metadata = obj["metadata"]
        values = (metadata["uid"], metadata.get("name", ""), metadata["uid"], metadata.get("name", ""))
        labels = dict(zip(_JOB_LABELS, values, strict=True))
        template = spec["template"].setdefault("metadata", {})
        template["labels"] = {**(template.get("labels") or {}), **labels}
        metadata["labels"] = {**(metadata.get("labels") or {}), **labels}
        spec["selector"] = {"matchLabels": {_JOB_LABELS[0]: metadata["uid"]}}

    def prepare_update(self, obj: Object, old: Object) -> None:
        obj["status"] = old.get("status", {})

    def prepare_status(self, obj: Object, old: Object) -> None:
        obj["spec"] = old["spec"]

    def validate(self, obj: Object) -> list[FieldError]:
        spec = obj["spec"]
        errors: list[FieldError] = []
        for key in ("parallelism", "completions", "backoffLimit", "activeDeadlineSeconds", "ttlSecondsAfterFinished"):
            errors += fields.at_least(f"spec.{key}", spec.get(key), 0)
        pod = spec["template"].get("spec") or {}
        errors += podspec.validate(pod, "spec.template.spec")
        policy = pod.get("restartPolicy")
        if policy == "Always":
            message = 'Required value: valid values: "OnFailure", "Never"'
            errors.append(FieldError("FieldValueRequired", "spec.template.spec.restartPolicy", message))
        return errors

    def validate_update(self, obj: Object, old: Object) -> list[FieldError]:
        errors = []
        for key in ("completions", "selector", "template", "completionMode"):
            new, before = obj["spec"].get(key), old["spec"].get(key)
            suspended = key == "template" and dig(old, "spec.suspend")
            if new != before and not suspended:
                errors.append(fields.go_invalid(f"spec.{key}", fields.shown(new), fields.IMMUTABLE))
        return errors

    def row(self, obj: Object) -> list[Any]:
        spec, status = obj["spec"], obj.get("status") or {}
        succeeded, completions = status.get("succeeded", 0), spec.get("completions")
        if completions is not None:
            done = f"{succeeded}/{completions}"
        else:
            parallel = spec.get("parallelism", 1)
            done = f"{succeeded}/1 of {parallel}" if parallel > 1 else f"{succeeded}/1"
        return [
            obj["metadata"]["name"], _job_state(obj), done, _job_duration(status), age(obj),
            *names_and_images(spec["template"]["spec"]), selector_text(spec.get("selector")),
        ]  # fmt: skip


def _job_state(obj: Object) -> str:
    true = {c["type"] for c in dig(obj, "status.conditions") or [] if c["status"] == "True"}
    for condition, word in (("Complete", "Complete"), ("Failed", "Failed")):
        if condition in true:
            return word
    if obj["metadata"].get("deletionTimestamp"):
        return "Terminating"
    for condition, word in (("Suspended", "Suspended"), ("FailureTarget", "FailureTarget"),
                            ("SuccessCriteriaMet", "SuccessCriteriaMet")):  # fmt: skip
        if condition in true:
            return word
    return "Running"


def _job_duration(status: Object) -> str:
    if not status.get("startTime"):
        return ""
    if not status.get("completionTime"):
        return since(status["startTime"])
    return human((moment(status["completionTime"]) - moment(status["startTime"])).total_seconds())


@register(CRON_JOB)
class CronJobStrategy(Strategy):
    """CronJobs: kept and shown; nothing runs them."""

    has_status = True
    columns = (
        NAME,
        Column("Schedule", "@io.k8s.api.batch.v1.CronJobSpec.schedule"),
        Column("Timezone", "@io.k8s.api.batch.v1.CronJobSpec.timeZone"),
        Column("Suspend", "@io.k8s.api.batch.v1.CronJobSpec.suspend", "boolean"),
        Column("Active", "@io.k8s.api.batch.v1.CronJobStatus.active", "integer"),
        Column("Last Schedule", "@io.k8s.api.batch.v1.CronJobStatus.lastScheduleTime"),
        AGE,
        CONTAINERS,
        IMAGES,
        Column("Selector", "@io.k8s.api.batch.v1.JobSpec.selector", priority=1),
    )

    def default(self, obj: Object) -> None:
        spec = obj.setdefault("spec", {})
        default(spec, concurrencyPolicy="Allow", suspend=False, successfulJobsHistoryLimit=3, failedJobsHistoryLimit=1)
        pod = dig(spec, "jobTemplate.spec.template.spec")
        if pod is not None:
            podspec.apply_defaults(pod)

    def prepare_create(self, obj: Object) -> None:
        obj["status"] = {}

    def prepare_update(self, obj: Object, old: Object) -> None:
        obj["status"] = old.get("status", {})

    def prepare_status(self, obj: Object, old: Object) -> None:
        obj["spec"] = old["spec"]

    def validate(self, obj: Object) -> list[FieldError]:
        return [] if obj["spec"].get("schedule") else [fields.required("spec.schedule")]

    def warnings(self, obj: Object) -> list[str]:
        return ["the sandbox keeps CronJobs but does not run them"]

    def row(self, obj: Object) -> list[Any]:
        spec, status = obj["spec"], obj.get("status") or {}
        last = since(status["lastScheduleTime"]) if status.get("lastScheduleTime") else "<none>"
        pod = dig(spec, "jobTemplate.spec.template.spec") or {}
        return [
            obj["metadata"]["name"], spec.get("schedule", ""), spec.get("timeZone") or "<none>",
            "True" if spec.get("suspend") else "False", len(status.get("active") or []), last, age(obj),
            *names_and_images(pod), selector_text(dig(spec, "jobTemplate.spec.selector")),
        ]  # fmt: skip


@register(PDB)
class BudgetStrategy(Strategy):
    """PodDisruptionBudgets."""

    has_status = True
    columns = (
        NAME,
        Column("Min Available", "The minimum number of pods that must be available."),
        Column("Max Unavailable", "The maximum number of pods that may be unavailable."),
        Column("Allowed Disruptions", "Calculated number of pods that may be disrupted at this time.", "integer"),
        AGE,
    )

    def prepare_create(self, obj: Object) -> None:
        counters = ("disruptionsAllowed", "currentHealthy", "desiredHealthy", "expectedPods")
        obj["status"] = dict.fromkeys(counters, 0)

    def prepare_update(self, obj: Object, old: Object) -> None:
        obj["status"] = old.get("status", {})

    def prepare_status(self, obj: Object, old: Object) -> None:
        obj["spec"] = old.get("spec", {})

    def validate(self, obj: Object) -> list[FieldError]:
        spec = obj.get("spec") or {}
        if spec.get("minAvailable") is None or spec.get("maxUnavailable") is None:
            return []
        message = "minAvailable and maxUnavailable cannot be both set"
        return [fields.go_invalid("spec", "policy.PodDisruptionBudgetSpec{...}", message)]

    def row(self, obj: Object) -> list[Any]:
        spec = obj.get("spec") or {}
        shown = [str(spec[key]) if spec.get(key) is not None else "N/A" for key in ("minAvailable", "maxUnavailable")]
        return [obj["metadata"]["name"], *shown, dig(obj, "status.disruptionsAllowed") or 0, age(obj)]


@register(HPA)
class AutoscalerStrategy(Strategy):
    """HorizontalPodAutoscalers: kept and shown; nothing scales by them."""

    has_status = True
    columns = (
        NAME,
        Column("Reference", "@io.k8s.api.autoscaling.v2.HorizontalPodAutoscalerSpec.scaleTargetRef"),
        Column("Targets", "@io.k8s.api.autoscaling.v2.HorizontalPodAutoscalerSpec.metrics"),
        Column("MinPods", "@io.k8s.api.autoscaling.v2.HorizontalPodAutoscalerSpec.minReplicas"),
        Column("MaxPods", "@io.k8s.api.autoscaling.v2.HorizontalPodAutoscalerSpec.maxReplicas"),
        Column("Replicas", "@io.k8s.api.autoscaling.v2.HorizontalPodAutoscalerStatus.currentReplicas"),
        AGE,
    )

    def default(self, obj: Object) -> None:
        spec = obj.setdefault("spec", {})
        default(spec, minReplicas=1)
        if not spec.get("metrics"):
            target = {"type": "Utilization", "averageUtilization": 80}
            spec["metrics"] = [{"type": "Resource", "resource": {"name": "cpu", "target": target}}]

    def warnings(self, obj: Object) -> list[str]:
        return ["the sandbox keeps HorizontalPodAutoscalers but does not scale by them"]

    def prepare_update(self, obj: Object, old: Object) -> None:
        obj["status"] = old.get("status", {})

    def prepare_status(self, obj: Object, old: Object) -> None:
        obj["spec"] = old["spec"]

    def row(self, obj: Object) -> list[Any]:
        spec = obj["spec"]
        target = spec.get("scaleTargetRef") or {}
        metrics = [_metric(metric) for metric in spec.get("metrics") or []]
        numbers = [str(spec.get("minReplicas", 1)), spec.get("maxReplicas", 0), dig(obj, "status.currentReplicas") or 0]
        reference = f"{target.get('kind')}/{target.get('name')}"
        return [obj["metadata"]["name"], reference, ", ".join(metrics) or "<none>", *numbers, age(obj)]


def _metric(metric: Object) -> str:
    resource = metric.get("resource") or {}
    share = dig(resource, "target.averageUtilization")
    return f"{resource.get('name') or metric.get('type')}: <unknown>/{f'{share}%' if share else '<auto>'}"


@register(MUTATING_WEBHOOK, VALIDATING_WEBHOOK)
class WebhookStrategy(Strategy):
    """Webhook configurations: kept and shown; they are not called."""

    columns = (
        NAME,
        Column("Webhooks", "Webhooks indicates the number of webhooks registered in this configuration"),
        AGE,
    )

    def default(self, obj: Object) -> None:
        for hook in obj.get("webhooks") or []:
            default(hook, failurePolicy="Fail", matchPolicy="Equivalent", timeoutSeconds=10)
            for key in ("namespaceSelector", "objectSelector"):
                hook.setdefault(key, {})
            if obj["kind"].startswith("Mutating"):
                default(hook, reinvocationPolicy="Never")
            service = dig(hook, "clientConfig.service")
            if service:
                default(service, port=443)
            for rule in hook.get("rules") or []:
                default(rule, scope="*")

    def warnings(self, obj: Object) -> list[str]:
        return ["the sandbox keeps webhook configurations but does not call webhooks"]

    def row(self, obj: Object) -> list[Any]:
        return [obj["metadata"]["name"], len(obj.get("webhooks") or []), age(obj)]
