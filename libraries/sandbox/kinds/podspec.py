"""Pod specs, in pods and in templates: defaults and validation.

Source: Kubernetes pkg/apis/core/v1 (defaults.go) and pkg/apis/core/validation (validation.go).
"""

from __future__ import annotations

from typing import Any

from ..schemas import quantity
from . import fields
from .fields import FieldError
from .strategy import Object, default

PROBES = ("livenessProbe", "readinessProbe", "startupProbe")
CONTAINER_LISTS = ("containers", "initContainers", "ephemeralContainers")
HANDLERS = ("exec", "httpGet", "tcpSocket", "grpc")
MODE_SOURCES = ("secret", "configMap", "projected", "downwardAPI")
PULL_POLICIES = ("Always", "IfNotPresent", "Never")
PROTOCOLS = ("SCTP", "TCP", "UDP")
_ENV_NAME = "a valid environment variable name must consist only of printable ASCII characters other than '='"


def apply_defaults(spec: Object) -> None:
    """What SetDefaults_PodSpec and its kin set, in templates too."""
    default(
        spec,
        restartPolicy="Always",
        dnsPolicy="ClusterFirst",
        schedulerName="default-scheduler",
        terminationGracePeriodSeconds=30,
    )
    if spec.get("securityContext") is None:
        spec["securityContext"] = {}
    if spec.get("serviceAccountName"):
        spec["serviceAccount"] = spec["serviceAccountName"]
    elif spec.get("serviceAccount"):
        spec["serviceAccountName"] = spec["serviceAccount"]
    for volume in spec.get("volumes") or []:
        _default_volume(volume)
    for name in CONTAINER_LISTS:
        for container in spec.get(name) or []:
            _default_container(container, spec)


def apply_pod_defaults(spec: Object) -> None:
    """What only pods get: requests from limits, service links."""
    default(spec, enableServiceLinks=True)
    for name in ("containers", "initContainers"):
        for container in spec.get(name) or []:
            limits = (container.get("resources") or {}).get("limits")
            if limits:
                requests = container["resources"].get("requests") or {}
                container["resources"]["requests"] = {
                    **{k: v for k, v in limits.items() if k not in requests},
                    **requests,
                }


def _default_container(container: Object, spec: Object) -> None:
    default(
        container,
        terminationMessagePath="/dev/termination-log",
        terminationMessagePolicy="File",
        imagePullPolicy=_pull_policy(container.get("image") or ""),
    )
    container.setdefault("resources", {})
    for port in container.get("ports") or []:
        default(port, protocol="TCP")
        if spec.get("hostNetwork") and not port.get("hostPort"):
            port["hostPort"] = port.get("containerPort", 0)
    for env in container.get("env") or []:
        reference = (env.get("valueFrom") or {}).get("fieldRef")
        if reference:
            default(reference, apiVersion="v1")
    for name in PROBES:
        probe = container.get(name)
        if probe:
            default(probe, timeoutSeconds=1, periodSeconds=10, successThreshold=1, failureThreshold=3)
            for key in ("timeoutSeconds", "periodSeconds", "successThreshold", "failureThreshold"):
                probe[key] = probe[key] or {"periodSeconds": 10, "failureThreshold": 3}.get(key, 1)
            _default_handler(probe)
    for hook in (container.get("lifecycle") or {}).values():
        if isinstance(hook, dict):
            _default_handler(hook)


def _default_handler(handler: Object) -> None:
    if handler.get("httpGet") is not None:
        default(handler["httpGet"], path="/", scheme="HTTP")
    if handler.get("grpc") is not None:
        handler["grpc"].setdefault("service", "")


def _pull_policy(image: str) -> str:
    name = image.rpartition("/")[2]
    if "@" in name:
        return "IfNotPresent"
    tag = name.partition(":")[2] or "latest"
    return "Always" if tag == "latest" else "IfNotPresent"


def _default_volume(volume: Object) -> None:
    sources = [key for key in volume if key != "name"]
    if not sources:
        volume["emptyDir"] = {}
    for name in MODE_SOURCES:
        if volume.get(name) is not None:
            volume[name].setdefault("defaultMode", 420)
    if volume.get("hostPath") is not None:
        volume["hostPath"].setdefault("type", "")
    items = list((volume.get("downwardAPI") or {}).get("items") or [])
    for source in (volume.get("projected") or {}).get("sources") or []:
        if source.get("serviceAccountToken") is not None:
            source["serviceAccountToken"].setdefault("expirationSeconds", 3600)
        items += (source.get("downwardAPI") or {}).get("items") or []
    for item in items:
        if item.get("fieldRef"):
            default(item["fieldRef"], apiVersion="v1")
    claim = (volume.get("ephemeral") or {}).get("volumeClaimTemplate")
    if claim:
        claim["spec"].setdefault("volumeMode", "Filesystem")


def validate(spec: Object, path: str = "spec") -> list[FieldError]:
    """What is wrong with a pod spec."""
    errors = _volumes(spec.get("volumes") or [], f"{path}.volumes")
    volumes = {volume.get("name") for volume in spec.get("volumes") or []}
    containers = spec.get("containers") or []
    if not containers:
        errors.append(fields.required(f"{path}.containers"))
    seen: set[str] = set()
    for name in ("containers", "initContainers"):
        for index, container in enumerate(spec.get(name) or []):
            errors += _container(container, f"{path}.{name}[{index}]", volumes, seen)
    errors += _choice(spec, "restartPolicy", ("Always", "OnFailure", "Never"), path)
    errors += _choice(spec, "dnsPolicy", ("ClusterFirstWithHostNet", "ClusterFirst", "Default", "None"), path)
    errors += fields.labels(f"{path}.nodeSelector", spec.get("nodeSelector"))
    errors += _scalars(spec, path)
    errors += _tolerations(spec.get("tolerations") or [], f"{path}.tolerations")
    return errors


def _scalars(spec: Object, path: str) -> list[FieldError]:
    errors = fields.at_least(f"{path}.terminationGracePeriodSeconds", spec.get("terminationGracePeriodSeconds"), 0)
    deadline = spec.get("activeDeadlineSeconds")
    if deadline is not None and not 1 <= deadline < 2**31:
        errors.append(
            fields.invalid(f"{path}.activeDeadlineSeconds", deadline, "must be between 1 and 2147483647, inclusive")
        )
    for key, check in (
        ("serviceAccountName", fields.subdomain_problems),
        ("nodeName", fields.subdomain_problems),
        ("hostname", fields.label_problems),
        ("subdomain", fields.label_problems),
        ("priorityClassName", fields.subdomain_problems),
        ("runtimeClassName", fields.subdomain_problems),
    ):
        if spec.get(key):
            errors += [fields.invalid(f"{path}.{key}", spec[key], problem) for problem in check(spec[key])]
    return errors


def _choice(obj: Object, key: str, allowed: tuple[str, ...], path: str) -> list[FieldError]:
    value = obj.get(key)
    if not value:
        return [fields.required(f"{path}.{key}")]
    return [] if value in allowed else [fields.unsupported(f"{path}.{key}", value, allowed)]


def _name(name: str | None, path: str, seen: set[str]) -> list[FieldError]:
    if not name:
        return [fields.required(path)]
    errors = [fields.invalid(path, name, problem) for problem in fields.label_problems(name)]
    if not errors and name in seen:
        errors.append(fields.duplicate(path, name))
    seen.add(name)
    return errors


def _volumes(volumes: list[Object], path: str) -> list[FieldError]:
    errors: list[FieldError] = []
    seen: set[str] = set()
    for index, volume in enumerate(volumes):
        here = f"{path}[{index}]"
        errors += _name(volume.get("name"), f"{here}.name", seen)
        sources = [key for key in volume if key != "name"]
        errors += [
            fields.forbidden(f"{here}.{key}", "may not specify more than 1 volume type") for key in sorted(sources)[1:]
        ]
        for source, key in (
            ("configMap", "name"),
            ("secret", "secretName"),
            ("persistentVolumeClaim", "claimName"),
            ("hostPath", "path"),
        ):
            if volume.get(source) is not None and not volume[source].get(key):
                errors.append(fields.required(f"{here}.{source}.{key}"))
    return errors


def _container(container: Object, path: str, volumes: set[Any], seen: set[str]) -> list[FieldError]:
    errors = _name(container.get("name"), f"{path}.name", seen)
    image = container.get("image") or ""
    if not image:
        errors.append(fields.required(f"{path}.image"))
    elif image != image.strip():
        errors.append(fields.invalid(f"{path}.image", image, "must not have leading or trailing whitespace"))
    errors += _ports(container.get("ports") or [], f"{path}.ports")
    errors += _env(container.get("env") or [], f"{path}.env")
    errors += _mounts(container.get("volumeMounts") or [], f"{path}.volumeMounts", volumes)
    for name in PROBES:
        errors += _probe(container.get(name), f"{path}.{name}")
    if container.get("imagePullPolicy") and container["imagePullPolicy"] not in PULL_POLICIES:
        errors.append(fields.unsupported(f"{path}.imagePullPolicy", container["imagePullPolicy"], PULL_POLICIES))
    return errors + resources(container.get("resources") or {}, f"{path}.resources")


def _ports(ports: list[Object], path: str) -> list[FieldError]:
    errors: list[FieldError] = []
    names: set[str] = set()
    for index, port in enumerate(ports):
        here = f"{path}[{index}]"
        name = port.get("name")
        if name and name in names:
            errors.append(fields.duplicate(f"{here}.name", name))
        names.add(name or "")
        number = port.get("containerPort") or 0
        if not number:
            errors.append(fields.required(f"{here}.containerPort"))
        elif not 0 < number < 65536:
            errors.append(fields.invalid(f"{here}.containerPort", number, "must be between 1 and 65535, inclusive"))
        errors += _choice(port, "protocol", PROTOCOLS, here)
    return errors


def _env(env: list[Object], path: str) -> list[FieldError]:
    errors: list[FieldError] = []
    for index, item in enumerate(env):
        name = item.get("name") or ""
        if not name:
            errors.append(fields.required(f"{path}[{index}].name"))
        elif "=" in name or not (name.isascii() and name.isprintable()):
            errors.append(fields.invalid(f"{path}[{index}].name", name, _ENV_NAME))
        if item.get("valueFrom") is not None and item.get("value"):
            message = "may not be specified when `value` is not empty"
            errors.append(fields.invalid(f"{path}[{index}].valueFrom", "", message))
    return errors


def _mounts(mounts: list[Object], path: str, volumes: set[Any]) -> list[FieldError]:
    errors: list[FieldError] = []
    paths: set[str] = set()
    for index, mount in enumerate(mounts):
        here = f"{path}[{index}]"
        if not mount.get("name"):
            errors.append(fields.required(f"{here}.name"))
        elif mount["name"] not in volumes:
            errors.append(fields.not_found(f"{here}.name", mount["name"]))
        target = mount.get("mountPath")
        if not target:
            errors.append(fields.required(f"{here}.mountPath"))
        elif target in paths:
            errors.append(fields.invalid(f"{here}.mountPath", target, "must be unique"))
        paths.add(target or "")
    return errors


def _probe(probe: Object | None, path: str) -> list[FieldError]:
    if probe is None:
        return []
    errors: list[FieldError] = []
    handlers = [name for name in HANDLERS if probe.get(name) is not None]
    if not handlers:
        errors.append(fields.required(path, "must specify a handler type"))
    errors += [fields.forbidden(f"{path}.{name}", "may not specify more than 1 handler type") for name in handlers[1:]]
    for name in ("initialDelaySeconds", "timeoutSeconds", "periodSeconds", "successThreshold", "failureThreshold"):
        errors += fields.at_least(f"{path}.{name}", probe.get(name), 0)
    if path.endswith(("livenessProbe", "startupProbe")) and probe.get("successThreshold", 1) != 1:
        errors.append(fields.invalid(f"{path}.successThreshold", probe["successThreshold"], "must be 1"))
    return errors


def resources(value: Object, path: str) -> list[FieldError]:
    """What is wrong with requests and limits."""
    errors: list[FieldError] = []
    limits, requests = value.get("limits") or {}, value.get("requests") or {}
    for kind, amounts in (("limits", limits), ("requests", requests)):
        for name, amount in sorted(amounts.items()):
            if quantity.parse(amount) < 0:
                errors.append(fields.invalid(f"{path}.{kind}[{name}]", amount, "must be greater than or equal to 0"))
    for name, amount in sorted(requests.items()):
        limit = limits.get(name)
        if limit is not None and quantity.parse(amount) > quantity.parse(limit):
            message = f"must be less than or equal to {name} limit of {limit}"
            errors.append(fields.invalid(f"{path}.requests", amount, message))
    return errors


def _tolerations(tolerations: list[Object], path: str) -> list[FieldError]:
    errors: list[FieldError] = []
    for index, item in enumerate(tolerations):
        here = f"{path}[{index}]"
        operator = item.get("operator") or "Equal"
        if operator not in ("Equal", "Exists"):
            errors.append(fields.unsupported(f"{here}.operator", operator, ("Equal", "Exists")))
        if operator == "Exists" and item.get("value"):
            errors.append(
                fields.invalid(f"{here}.operator", item["value"], "value must be empty when `operator` is 'Exists'")
            )
        effect = item.get("effect")
        if effect and effect not in ("NoSchedule", "PreferNoSchedule", "NoExecute"):
            errors.append(fields.unsupported(f"{here}.effect", effect, ("NoExecute", "NoSchedule", "PreferNoSchedule")))
    return errors


def quality_of_service(spec: Object) -> str:
    """The QoS class: Guaranteed, Burstable or BestEffort."""
    requested, limited, guaranteed = False, False, True
    for name in ("containers", "initContainers"):
        for container in spec.get(name) or []:
            value = container.get("resources") or {}
            limits, requests = _compute(value.get("limits")), _compute(value.get("requests"))
            requested, limited = requested or bool(requests), limited or bool(limits)
            guaranteed = (
                guaranteed
                and set(limits) == {"cpu", "memory"}
                and all(requests.get(key, limit) == limit for key, limit in limits.items())
            )
    if not requested and not limited:
        return "BestEffort"
    return "Guaranteed" if guaranteed else "Burstable"


def _compute(amounts: dict[str, str] | None) -> dict[str, Any]:
    values = {key: quantity.parse(value) for key, value in (amounts or {}).items() if key in ("cpu", "memory")}
    return {key: value for key, value in values.items() if value}
