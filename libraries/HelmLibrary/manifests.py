"""What a release's manifest says about its objects, read from the YAML stream that Helm stored."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from harness.documents import load_all

KEEP = "helm.sh/resource-policy"
HOOK = "helm.sh/hook"
WORKLOADS = ("Deployment", "StatefulSet", "DaemonSet")


@dataclass(frozen=True)
class Thing:
    """An object by its name. `namespace` counts only for kinds that live in one, which the cluster knows."""

    api_version: str
    kind: str
    namespace: str
    name: str

    def __str__(self) -> str:
        return f"{self.kind} {self.name}"


def workloads(stream: str, namespace: str) -> list[Thing]:
    """The Deployments, StatefulSets and DaemonSets of a release, hooks left out."""
    return [
        _thing(found, namespace)
        for found in _objects(stream)
        if found["kind"] in WORKLOADS and HOOK not in _notes(found)
    ]


def kept(stream: str, namespace: str) -> list[Thing]:
    """What stays after an uninstall because the chart says so, hooks included; workloads first, so that what they use
    is there while they end."""
    found = [_thing(one, namespace) for one in _objects(stream) if _notes(one).get(KEEP) == "keep"]
    return sorted(found, key=lambda one: one.kind not in (*WORKLOADS, "Job"))


def deletes_namespaces(stream: str) -> bool:
    """Whether a kept hook gives itself the right to delete namespaces.

    Such a chart's uninstaller takes the install namespace along, some time after the uninstall has returned, as the
    published Cedana chart's does; who removes the uninstaller earlier stops it in the midst of its work.
    """
    roles = [one for one in _objects(stream) if one["kind"] == "ClusterRole" and {KEEP, HOOK} <= set(_notes(one))]
    rules = [rule for role in roles for rule in role.get("rules") or []]
    return any("namespaces" in rule.get("resources", ()) and "delete" in rule.get("verbs", ()) for rule in rules)


def _objects(stream: str) -> Iterator[dict[str, Any]]:
    for found in load_all(stream):
        if isinstance(found, dict) and found.get("kind"):
            yield found


def _notes(found: dict[str, Any]) -> dict[str, str]:
    return found["metadata"].get("annotations") or {}


def _thing(found: dict[str, Any], namespace: str) -> Thing:
    own = found["metadata"].get("namespace") or namespace
    return Thing(found["apiVersion"], found["kind"], own, found["metadata"]["name"])
