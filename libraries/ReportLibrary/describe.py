"""What Kubernetes says of pods, events and nodes, as text for people. Environment values never get into it."""

from __future__ import annotations

import platform
from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC, datetime
from importlib import metadata
from typing import Any

Obj = dict[str, Any]
HIDDEN = "<hidden>"
PACKAGES = ("robotframework", "robotframework-requests", "kubernetes", "requests", "urllib3", "helm-python-sdk")


def pods(items: Sequence[Obj]) -> str:
    """A table of pods, then each in detail."""
    if not items:
        return "There are no pods.\n"
    rows: list[tuple[object, ...]] = [("POD", "PHASE", "READY", "RESTARTS", "NODE"), *map(_pod_row, items)]
    return "\n".join([*table(rows), *(line for pod in items for line in ["", *_pod(pod)])]) + "\n"


def places(items: Sequence[Obj]) -> str:
    """A table of pods with the namespaces that they are in."""
    rows: list[tuple[object, ...]] = [("NAMESPACE", "POD", "CREATED")]
    rows += [tuple(item["metadata"].get(key) for key in ("namespace", "name", "creationTimestamp")) for item in items]
    return "\n".join(table(rows)) + "\n"


def events(items: Sequence[Obj]) -> str:
    """Events in the order of their (last) happening."""
    if not items:
        return "There are no events.\n"
    head: tuple[object, ...] = ("LAST SEEN", "TIMES", "TYPE", "REASON", "OBJECT", "MESSAGE")
    rows = [head, *map(_event_row, sorted(items, key=event_time))]
    return "\n".join(table(rows)) + "\n"


def nodes(items: Sequence[Obj]) -> str:
    """Each node with its versions, taints and conditions."""
    lines = [line for node in items for line in [*_node(node), ""]]
    return "\n".join(lines or ["There are no nodes.", ""])


def config_maps(items: Sequence[Obj]) -> str:
    """ConfigMaps by name with the keys that they have; no value, for it may be a credential."""
    rows: list[tuple[object, ...]] = [("CONFIGMAP", "KEYS")]
    for item in items:
        keys = sorted([*(item.get("data") or {}), *(item.get("binaryData") or {})])
        rows.append((item["metadata"]["name"], ", ".join(keys) or "none"))
    return "\n".join(table(rows)) + "\n"


def namespace(item: Obj) -> str:
    """A namespace with its labels and, where it is being deleted, what holds it."""
    meta, status = item["metadata"], item.get("status", {})
    lines = [f"Namespace {meta['name']}", f"  phase: {status.get('phase')}, created {meta.get('creationTimestamp')}"]
    if "deletionTimestamp" in meta:
        held = [*(item.get("spec", {}).get("finalizers") or []), *(meta.get("finalizers") or [])]
        lines.append(f"  being deleted since {meta['deletionTimestamp']}, finalizers: {', '.join(held) or 'none'}")
    lines += [f"  label: {key}={value}" for key, value in sorted((meta.get("labels") or {}).items())]
    return "\n".join([*lines, *_conditions(status)]) + "\n"


def quotas(items: Sequence[Obj]) -> str:
    """ResourceQuotas: of each thing how much is used and how much is allowed."""
    if not items:
        return "There are no ResourceQuotas.\n"
    rows: list[tuple[object, ...]] = [("RESOURCEQUOTA", "OF", "USED", "ALLOWED")]
    for item in items:
        used = item.get("status", {}).get("used") or {}
        hard = _pairs(item.get("status", {}).get("hard") or item.get("spec", {}).get("hard"))
        rows += [(item["metadata"]["name"], name, used.get(name, "not known"), most) for name, most in hard]
    return "\n".join(table(rows)) + "\n"


def limit_ranges(items: Sequence[Obj]) -> str:
    """LimitRanges: what containers, pods and claims must ask for, and what they get when they do not."""
    if not items:
        return "There are no LimitRanges.\n"
    rows: list[tuple[object, ...]] = [("LIMITRANGE", "FOR", "RULE", "VALUES")]
    for item in items:
        for limit in item.get("spec", {}).get("limits") or []:
            for rule, values in sorted(limit.items()):
                shown = ", ".join(f"{name} {value}" for name, value in _pairs(values))
                rows += [(item["metadata"]["name"], limit.get("type"), rule, shown)] if shown else []
    return "\n".join(table(rows)) + "\n"


def versions(kubernetes: str) -> str:
    """What ran: the API server, and of ours Python and the packages that a run stands on."""
    rows: list[tuple[object, ...]] = [("Kubernetes", kubernetes), ("Python", platform.python_version())]
    rows += [(name, _version(name)) for name in PACKAGES]
    return "\n".join(table(rows)) + "\n"


def _version(package: str) -> str:
    try:
        return metadata.version(package)
    except metadata.PackageNotFoundError:
        return "not installed"


def event_time(event: Obj) -> datetime:
    """When an event happened last."""
    last = (event.get("series") or {}).get("lastObservedTime")
    text = last or event.get("lastTimestamp") or event.get("eventTime") or event["metadata"].get("creationTimestamp")
    return datetime.fromisoformat(text) if text else datetime.min.replace(tzinfo=UTC)


def table(rows: Iterable[Sequence[object]]) -> list[str]:
    """Rows as lines with aligned columns; the last column is as long as it likes."""
    texts = [[" ".join(str(cell).split()) for cell in row] for row in rows]
    widths = [max(len(row[column]) for row in texts) for column in range(len(texts[0]))]
    lines = ["  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)) for row in texts]
    return [line.rstrip() for line in lines]


def _pod_row(pod: Obj) -> tuple[object, ...]:
    status = pod.get("status", {})
    containers = status.get("containerStatuses") or []
    ready = f"{sum(bool(one.get('ready')) for one in containers)}/{len(pod['spec'].get('containers', []))}"
    phase = status.get("phase", "unknown") + (", being deleted" if "deletionTimestamp" in pod["metadata"] else "")
    restarts = sum(one.get("restartCount", 0) for one in containers)
    return pod["metadata"]["name"], phase, ready, restarts, pod["spec"].get("nodeName", "none")


def _pod(pod: Obj) -> Iterator[str]:
    meta, spec, status = pod["metadata"], pod["spec"], pod.get("status", {})
    yield f"Pod {meta['name']}"
    yield f"  phase: {status.get('phase')}{_why(status)}"
    yield f"  uid: {meta.get('uid')}, created {meta.get('creationTimestamp')}, node: {spec.get('nodeName', 'none')}"
    if "deletionTimestamp" in meta:
        yield f"  being deleted since {meta['deletionTimestamp']}, finalizers: {meta.get('finalizers') or 'none'}"
    if spec.get("runtimeClassName"):
        yield f"  runtime class: {spec['runtimeClassName']}"
    yield from _conditions(status)
    said = {one["name"]: one for one in _statuses(status)}
    for container in [*(spec.get("initContainers") or []), *spec.get("containers", [])]:
        yield from _container(container, said.get(container["name"], {}))


def _statuses(status: Obj) -> list[Obj]:
    return [*(status.get("initContainerStatuses") or []), *(status.get("containerStatuses") or [])]


def _container(container: Obj, status: Obj) -> Iterator[str]:
    yield f"  container {container['name']}: {container.get('image')}"
    yield f"    state: {_state(status.get('state'))}, ready: {status.get('ready', False)}"
    yield f"    restarts: {status.get('restartCount', 0)}, before: {_state(status.get('lastState'))}"
    if resources := container.get("resources"):
        parts = [f"{kind} {name} {value}" for kind, given in sorted(resources.items()) for name, value in _pairs(given)]
        yield f"    resources: {', '.join(parts)}"
    if names := [_variable(one) for one in container.get("env") or []]:
        yield f"    environment: {', '.join(names)}"


def _pairs(given: object) -> list[tuple[str, object]]:
    return sorted(given.items()) if isinstance(given, dict) else []


def _variable(variable: Obj) -> str:
    for kind, source in (variable.get("valueFrom") or {}).items():
        return f"{variable['name']} from {kind.removesuffix('Ref')} {source.get('name') or source.get('fieldPath')}"
    return f"{variable['name']}={HIDDEN}"


def _state(state: Obj | None) -> str:
    for name, facts in (state or {}).items():
        known = {key: facts[key] for key in ("exitCode", "signal", "startedAt", "finishedAt") if key in facts}
        shown = ", ".join(f"{key} {value}" for key, value in known.items())
        return name + (f" ({shown})" if shown else "") + _why(facts)
    return "none"


def _why(facts: Obj) -> str:
    words = ": ".join(" ".join(str(facts[key]).split()) for key in ("reason", "message") if facts.get(key))
    return f" - {words}" if words else ""


def _conditions(status: Obj) -> Iterator[str]:
    for one in status.get("conditions") or []:
        since = f" since {one['lastTransitionTime']}" if one.get("lastTransitionTime") else ""
        yield f"  {one['type']}: {one['status']}{since}{_why(one)}"


def _event_row(event: Obj) -> tuple[object, ...]:
    about = event.get("involvedObject", {})
    times = (event.get("series") or {}).get("count") or event.get("count") or 1
    when = event_time(event).strftime("%H:%M:%S")
    thing = f"{about.get('kind')}/{about.get('name')}"
    return when, times, event.get("type"), event.get("reason"), thing, event.get("message", "")


def _node(node: Obj) -> Iterator[str]:
    meta, status = node["metadata"], node.get("status", {})
    info = status.get("nodeInfo", {})
    yield f"Node {meta['name']}"
    yield f"  kubelet {info.get('kubeletVersion')}, {info.get('containerRuntimeVersion')}"
    yield f"  kernel {info.get('kernelVersion')}, {info.get('osImage')}, {info.get('architecture')}"
    yield f"  allocatable: {', '.join(f'{name} {value}' for name, value in _pairs(status.get('allocatable')))}"
    if ours := [f"{key}={value}" for key, value in sorted(meta.get("labels", {}).items()) if "cedana" in key]:
        yield f"  labels: {', '.join(ours)}"
    for taint in node.get("spec", {}).get("taints") or []:
        yield f"  taint: {taint['key']}={taint.get('value', '')}:{taint['effect']}"
    yield from _conditions(status)
