"""The difference of two pod specs as github.com/google/go-cmp prints it into a refused pod update.

Emulated for what such updates mostly change: plain fields of the spec and of its containers. Source: go-cmp
report_compare.go (two fields of context around a change,
"... // N identical fields" for the rest) and the field order of
core.PodSpec.
"""

from __future__ import annotations

import json
from typing import Any

Object = dict[str, Any]
_SPACE = "\u00a0"
_CONTEXT = 2

# Fields of the internal types in order, with the word that Go has for "not set".
_CONTAINER = (
    ("Name", "name", '""'), ("Image", "image", '""'), ("Command", "command", "nil"), ("Args", "args", "nil"),
    ("WorkingDir", "workingDir", '""'), ("Ports", "ports", "nil"), ("EnvFrom", "envFrom", "nil"), ("Env", "env", "nil"),
    ("Resources", "resources", "{}"), ("ResizePolicy", "resizePolicy", "nil"),
    ("RestartPolicy", "restartPolicy", "nil"),
    ("VolumeMounts", "volumeMounts", "nil"), ("VolumeDevices", "volumeDevices", "nil"),
    ("LivenessProbe", "livenessProbe", "nil"), ("ReadinessProbe", "readinessProbe", "nil"),
    ("StartupProbe", "startupProbe", "nil"), ("Lifecycle", "lifecycle", "nil"),
    ("TerminationMessagePath", "terminationMessagePath", '""'),
    ("TerminationMessagePolicy", "terminationMessagePolicy", '""'), ("ImagePullPolicy", "imagePullPolicy", '""'),
    ("SecurityContext", "securityContext", "nil"), ("Stdin", "stdin", "false"), ("StdinOnce", "stdinOnce", "false"),
    ("TTY", "tty", "false"),
)  # fmt: skip
_SPEC = (
    ("Volumes", "volumes", "nil"), ("InitContainers", "initContainers", "nil"), ("Containers", "containers", "nil"),
    ("EphemeralContainers", "ephemeralContainers", "nil"), ("RestartPolicy", "restartPolicy", '""'),
    ("TerminationGracePeriodSeconds", "terminationGracePeriodSeconds", "nil"),
    ("ActiveDeadlineSeconds", "activeDeadlineSeconds", "nil"), ("DNSPolicy", "dnsPolicy", '""'),
    ("NodeSelector", "nodeSelector", "nil"), ("ServiceAccountName", "serviceAccountName", '""'),
    ("AutomountServiceAccountToken", "automountServiceAccountToken", "nil"), ("NodeName", "nodeName", '""'),
    ("SecurityContext", "securityContext", "nil"), ("ImagePullSecrets", "imagePullSecrets", "nil"),
    ("Hostname", "hostname", '""'), ("Subdomain", "subdomain", '""'), ("SetHostnameAsFQDN", "setHostnameAsFQDN", "nil"),
    ("Affinity", "affinity", "nil"), ("SchedulerName", "schedulerName", '""'), ("Tolerations", "tolerations", "nil"),
    ("HostAliases", "hostAliases", "nil"), ("PriorityClassName", "priorityClassName", '""'),
    ("Priority", "priority", "nil"), ("PreemptionPolicy", "preemptionPolicy", "nil"), ("DNSConfig", "dnsConfig", "nil"),
    ("ReadinessGates", "readinessGates", "nil"), ("RuntimeClassName", "runtimeClassName", "nil"),
    ("Overhead", "overhead", "nil"), ("EnableServiceLinks", "enableServiceLinks", "nil"),
    ("TopologySpreadConstraints", "topologySpreadConstraints", "nil"), ("OS", "os", "nil"),
    ("SchedulingGates", "schedulingGates", "nil"), ("ResourceClaims", "resourceClaims", "nil"),
    ("Resources", "resources", "nil"),
)  # fmt: skip
_POINTERS = ("terminationGracePeriodSeconds", "activeDeadlineSeconds", "automountServiceAccountToken", "priority")


def pod_spec_difference(old: Object, new: Object) -> str:
    """The difference, each line with its mark and a no-break space before it."""
    lines = ["  core.PodSpec{", *_struct(old, new, _SPEC, 1), "  }"]
    return "".join(line[:2].replace(" ", _SPACE) + line[2:] + "\n" for line in lines)


def _struct(old: Object, new: Object, table: tuple[tuple[str, str, str], ...], depth: int) -> list[str]:
    changed = [index for index, (_, key, _) in enumerate(table) if old.get(key) != new.get(key)]
    shown = {i for c in changed for i in range(c - _CONTEXT, c + _CONTEXT + 1) if 0 <= i < len(table)}
    lines: list[str] = []
    same: list[tuple[str, str]] = []
    skipped = 0
    for index, (label, key, zero) in enumerate(table):
        if index not in shown:
            lines += _aligned(same, depth)
            same, skipped = [], skipped + 1
            continue
        lines += _skip(skipped, depth)
        skipped = 0
        if index in changed:
            lines += _aligned(same, depth)
            same = []
            lines += _change(table[index], old.get(key), new.get(key), depth)
        else:
            same.append((label, _literal(key, old.get(key), zero)))
    return lines + _aligned(same, depth) + _skip(skipped, depth)


def _skip(count: int, depth: int) -> list[str]:
    return [f"  {_tabs(depth)}... // {count} identical fields"] if count else []


def _aligned(pairs: list[tuple[str, str]], depth: int) -> list[str]:
    width = max((len(label) for label, _ in pairs), default=0) + 1
    return [f"  {_tabs(depth)}{(label + ':').ljust(width)} {text}," for label, text in pairs]


def _change(entry: tuple[str, str, str], old: Any, new: Any, depth: int) -> list[str]:
    label, key, zero = entry
    if key in ("containers", "initContainers") and isinstance(old, list) and isinstance(new, list):
        return _containers(label, old, new, depth)
    if _is_strings(old) and _is_strings(new):
        return [f"  {_tabs(depth)}{label}: []string{{", *_strings(old, new, depth + 1), f"  {_tabs(depth)}}},"]
    return [
        f"- {_tabs(depth)}{label}: {_literal(key, old, zero)},",
        f"+ {_tabs(depth)}{label}: {_literal(key, new, zero)},",
    ]


def _containers(label: str, old: list[Object], new: list[Object], depth: int) -> list[str]:
    lines = [f"  {_tabs(depth)}{label}: []core.Container{{"]
    for before, after in zip(old, new, strict=True):
        inner = _struct(before, after, _CONTAINER, depth + 2)
        if before == after:
            lines.append(f"  {_tabs(depth + 1)}{{Name: {json.dumps(before.get('name'))}, ...}},")
        else:
            lines += [f"  {_tabs(depth + 1)}{{", *inner, f"  {_tabs(depth + 1)}}},"]
    return [*lines, f"  {_tabs(depth)}}},"]


def _strings(old: list[str], new: list[str], depth: int) -> list[str]:
    lines = []
    for index in range(max(len(old), len(new))):
        before = old[index] if index < len(old) else None
        after = new[index] if index < len(new) else None
        if before == after:
            lines.append(f"  {_tabs(depth)}{json.dumps(before)},")
            continue
        lines += [f"- {_tabs(depth)}{json.dumps(before)},"] if before is not None else []
        lines += [f"+ {_tabs(depth)}{json.dumps(after)},"] if after is not None else []
    return lines


def _is_strings(value: Any) -> bool:
    return isinstance(value, list) and bool(value) and all(isinstance(item, str) for item in value)


def _literal(key: str, value: Any, zero: str) -> str:
    if value in (None, [], {}, ""):
        return zero
    if key in _POINTERS:
        return f"&{json.dumps(value)}"
    if key == "securityContext":
        return "&core.PodSecurityContext{...}" if value else zero
    if isinstance(value, str):
        return json.dumps(value)
    return json.dumps(value) if isinstance(value, bool | int) else "{...}"


def _tabs(depth: int) -> str:
    return "\t" * depth
