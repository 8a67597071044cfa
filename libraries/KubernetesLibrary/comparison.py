"""The pod as it was against the pod as it is, field by field; what may differ after a restore is said in `MAY_DIFFER`.

Both are objects as the API has them. Every field of the spec is compared, known here or not, and of metadata and status
what the pod's author or its image decides. Lists with names in them are compared by name, not by place.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from kubernetes.utils.quantity import parse_quantity

from harness.failures import BadInput
from harness.images import repository

Obj = Mapping[str, Any]
PRODUCT_RUNTIME_CLASS = "cedana"
OWN_PREFIX = "e2e.cedana.ai/"
"""Of this project's labels and annotations, which are a workload's and no business of the product's."""

_ROOTS = ("metadata", "spec", "status")
_TOKEN_VOLUME = re.compile(r"kube-api-access-[a-z0-9]{5}")
_NAMED_BY: Mapping[str, tuple[str, ...]] = {
    "containers": ("name",),
    "initContainers": ("name",),
    "ephemeralContainers": ("name",),
    "containerStatuses": ("name",),
    "env": ("name",),
    "ports": ("containerPort", "protocol"),
    "volumeMounts": ("mountPath",),
    "volumeDevices": ("devicePath",),
    "volumes": ("name",),
    "imagePullSecrets": ("name",),
    "hostAliases": ("ip",),
    "topologySpreadConstraints": ("topologyKey", "whenUnsatisfiable"),
    "readinessGates": ("conditionType",),
    "ownerReferences": ("kind", "name"),
    "tolerations": ("key", "operator", "value", "effect"),
}
"""What tells the items of a list apart, by the list's field."""
_UNORDERED = frozenset({"add", "drop", "supplementalGroups"})
_SAME_AS_ABSENT = frozenset(
    {"affinity", "annotations", "labels", "limits", "nodeSelector", "requests", "resources", "securityContext"}
)
"""Fields that say nothing when they are empty; others, such as `emptyDir`, do."""
_KEYED_BY_TEXT = frozenset({"annotations", "labels", "limits", "matchLabels", "nodeSelector", "overhead", "requests"})


@dataclass(frozen=True)
class Difference:
    """A field with the value that it had and the one that it has; None where it is not there."""

    field: str
    was: str | None
    now: str | None


@dataclass(frozen=True)
class Allowance:
    """A field that may differ, why, and when; `*` in `field` stands for anything."""

    field: str
    why: str
    holds: Callable[[Difference, Obj, Obj], bool] = lambda _difference, _before, _now: True


def differences(before: Obj, now: Obj, may_differ: Iterable[str] = ()) -> list[Difference]:
    """What differs and must not, in the order of the fields.

    Args:
        before: the pod that was checkpointed.
        now: the restored one.
        may_differ: fields that may differ beside those of `MAY_DIFFER`, with all that is below them: a path such as
            `metadata.ownerReferences` or `spec.containers[*].image`, where `*` stands for anything.

    Raises:
        BadInput: a path in `may_differ` does not begin with metadata, spec or status.
    """
    named = naming(may_differ)
    return [
        one
        for one in _all_differences(fields(before), fields(now))
        if not named(one.field)
        and not any(pattern.fullmatch(one.field) and rule.holds(one, before, now) for pattern, rule in _RULES)
    ]


def naming(may_differ: Iterable[str]) -> Callable[[str], bool]:
    """Whether a field is one of these, or below one; the paths and the error are those of `differences`."""
    patterns = [_pattern(_checked(path)) for path in may_differ]
    return lambda field: any(pattern.fullmatch(field) for pattern in patterns)


def fields(pod: Obj) -> dict[str, str]:
    """The fields of a pod that are compared, by their path: `spec.containers[web].image`."""
    metadata, status = pod["metadata"], pod.get("status") or {}
    kept = {key: metadata.get(key) for key in ("namespace", "labels", "annotations", "ownerReferences")}
    statuses = [
        {"name": one["name"], "imageID": one.get("imageID"), "restartCount": one.get("restartCount", 0)}
        for one in status.get("containerStatuses") or []
    ]
    compared = {
        "metadata": kept,
        "spec": _with_plain_token_volume(pod["spec"]),
        "status": {"qosClass": status.get("qosClass"), "containerStatuses": statuses},
    }
    found: dict[str, str] = {}
    for path, value in _leaves("", "", compared):
        found[_unused(path, found)] = value
    return found


def _all_differences(before: Mapping[str, str], now: Mapping[str, str]) -> Iterator[Difference]:
    for path in sorted({*before, *now}):
        one = Difference(path, before.get(path), now.get(path))
        if one.was != one.now and not _same_quantity(one):
            yield one


def _leaves(path: str, name: str, value: Any) -> Iterator[tuple[str, str]]:
    if value is None or (not value and name in _SAME_AS_ABSENT and isinstance(value, (Mapping, list))):
        return
    if isinstance(value, Mapping) and value:
        for key, inner in value.items():
            step = f"[{key}]" if name in _KEYED_BY_TEXT else f".{key}" if path else key
            yield from _leaves(path + step, key, inner)
    elif isinstance(value, list) and value and all(isinstance(one, Mapping) for one in value):
        for number, one in enumerate(value):
            yield from _leaves_of_item(path, name, one, number)
    else:
        yield path, _text(sorted(value, key=str) if name in _UNORDERED and isinstance(value, list) else value)


def _leaves_of_item(path: str, field: str, item: Obj, number: int) -> Iterator[tuple[str, str]]:
    """What tells the item apart is its name in the path; an item that is nothing else is a leaf by itself."""
    naming = {key: item[key] for key in _NAMED_BY.get(field, ()) if item.get(key) not in (None, "")}
    rest = {key: value for key, value in item.items() if key not in naming}
    inner = f"{path}[{'/'.join(map(str, naming.values())) or number}]"
    leaves = [*_leaves(inner, "", rest)] if rest else []
    yield from leaves or [(inner, _text(naming))]


def _unused(path: str, found: Mapping[str, str]) -> str:
    """Kubernetes lets some lists have a name twice; the second one must not hide the first."""
    number, free = 2, path
    while free in found:
        free, number = f"{path}#{number}", number + 1
    return free


def _text(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value, sort_keys=True)


def _with_plain_token_volume(spec: Obj) -> dict[str, Any]:
    """The name that the API server draws for the volume with the service account's token says nothing."""
    named = [volume["name"] for volume in spec.get("volumes") or [] if _TOKEN_VOLUME.fullmatch(volume["name"])]
    plain = dict.fromkeys(named, "kube-api-access")
    renamed = {key: _renamed(value, plain) for key, value in spec.items() if key == "volumes"}
    for key in ("containers", "initContainers"):
        if spec.get(key):
            renamed[key] = [{**one, "volumeMounts": _renamed(one.get("volumeMounts"), plain)} for one in spec[key]]
    return {**spec, **renamed}


def _renamed(named: Sequence[Obj] | None, names: Mapping[str, str]) -> list[Obj] | None:
    return named and [{**one, "name": names.get(one["name"], one["name"])} for one in named]  # type: ignore[return-value]


def _same_quantity(one: Difference) -> bool:
    """Whether two amounts are the same, `0.5` and `500m` for one."""
    if one.was is None or one.now is None or not re.search(r"\.(limits|requests|overhead)\[", one.field):
        return False
    try:
        was, now = parse_quantity(one.was), parse_quantity(one.now)
    except ValueError:
        return False
    return Decimal(was) == Decimal(now)


def _checked(path: str) -> str:
    if not re.match(rf"({'|'.join(_ROOTS)})(\W|$)", path):
        allowed = "a field's path that begins with metadata, spec or status, such as spec.containers[*].image"
        raise BadInput("may_differ", path, allowed, cause="suite-error")
    return path


def _pattern(path: str) -> re.Pattern[str]:
    return re.compile(".*".join(re.escape(part) for part in path.split("*")) + r"([.\[#].*)?", re.DOTALL)


def _is_of_product(one: Difference, _before: Obj, _now: Obj) -> bool:
    prefix = one.field.partition("[")[2].rpartition("/")[0]
    own = f"{prefix}/" == OWN_PREFIX
    return not own and (prefix == "cedana.ai" or prefix.endswith(".cedana.ai"))


def _is_added(one: Difference, _before: Obj, _now: Obj) -> bool:
    return one.was is None


def _is_set_by_product(_difference: Difference, _before: Obj, now: Obj) -> bool:
    return bool(now["spec"].get("runtimeClassName") == PRODUCT_RUNTIME_CLASS)


def _is_added_with_runtime_class(one: Difference, before: Obj, now: Obj) -> bool:
    return _is_added(one, before, now) and _is_set_by_product(one, before, now)


def _is_name_of_original(one: Difference, before: Obj, _now: Obj) -> bool:
    return one.was is None and one.now == before["metadata"]["name"]


def _is_none(one: Difference, _before: Obj, _now: Obj) -> bool:
    return one.now == "0"


def _is_same_digest(one: Difference, _before: Obj, _now: Obj) -> bool:
    return bool(one.was and one.now) and _digest(one.was or "") == _digest(one.now or "")


def _is_checkpoint_image(one: Difference, before: Obj, now: Obj) -> bool:
    """Another repository's image, under which the node shows the very image of before (stock runtimes do so)."""
    name = one.field[len("spec.containers[") :].partition("]")[0]
    was, is_now = (_container(pod["spec"].get("containers"), name).get("image", "") for pod in (before, now))
    ids = [
        _digest(_container((pod.get("status") or {}).get("containerStatuses"), name).get("imageID") or "")
        for pod in (before, now)
    ]
    return bool(ids[0]) and ids[0] == ids[1] and repository(was) != repository(is_now)


def _container(containers: Iterable[Obj] | None, name: str) -> Obj:
    return next((one for one in containers or [] if one["name"] == name), {})


def _digest(image_id: str) -> str:
    return image_id.rpartition("@")[2]


MAY_DIFFER = (
    Allowance("metadata.labels[*", "labels of the product's own, cedana.ai/...", _is_of_product),
    Allowance("metadata.annotations[*", "annotations of the product's own, cedana.ai/...", _is_of_product),
    Allowance("metadata.annotations[*", "annotations that the pod did not have; its own must be there", _is_added),
    Allowance("metadata.annotations[kubectl.kubernetes.io/last-applied-configuration]", "kubectl's book-keeping"),
    Allowance("metadata.annotations[cni.projectcalico.org/*", "the node's network"),
    Allowance("metadata.annotations[k8s.v1.cni.cncf.io/network-status*", "the node's network"),
    Allowance("metadata.annotations[k8s.v1.cni.cncf.io/networks-status]", "the node's network"),
    Allowance("metadata.annotations[k8s.ovn.org/*", "the node's network"),
    Allowance("metadata.annotations[ovn.kubernetes.io/*", "the node's network"),
    Allowance("spec.nodeName", "the scheduler chooses; the constraints must hold where it is"),
    Allowance("spec.runtimeClassName", "set to `cedana`, whose shim restores", _is_set_by_product),
    Allowance("spec.overhead", "added with that RuntimeClass", _is_added_with_runtime_class),
    Allowance("spec.nodeSelector[cedana.ai/*", "added with that RuntimeClass", _is_added_with_runtime_class),
    Allowance("spec.tolerations[cedana.ai/*", "added with that RuntimeClass", _is_added_with_runtime_class),
    Allowance("spec.hostname", "set to the original's name, which its process knows", _is_name_of_original),
    Allowance("spec.ephemeralContainers", "containers to debug with are not restored"),
    Allowance("spec.containers[*].image", "a checkpoint image of the same image ID", _is_checkpoint_image),
    Allowance("spec.containers[*].imagePullPolicy", "goes with a checkpoint image", _is_checkpoint_image),
    Allowance("status.containerStatuses[*].imageID", "another repository's name for that digest", _is_same_digest),
    Allowance("status.containerStatuses[*].restartCount", "none any more", _is_none),
)
"""What may differ between a pod and the one restored from it. Names, UIDs, times, versions, addresses and conditions
are not compared at all, and the generated name of the token's volume is left out."""

_RULES = [(_pattern(rule.field), rule) for rule in MAY_DIFFER]
