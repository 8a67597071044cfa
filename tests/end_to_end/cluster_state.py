"""What stands in a cluster and at its propagator, so that before and after a run can be compared."""

from __future__ import annotations

import base64
import json
import ssl
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import yaml

Json = Any
Get = Callable[[str], Json]

FLEETING = ("events",)
"""What a cluster makes by itself as time goes on; the Leases of its own parts are such, too."""
DESCRIBED = ("nodes", "namespaces")
"""Kinds whose labels, annotations and taints a run could change."""


def standing(sandbox: dict[str, Any]) -> dict[str, list[str]]:
    """Every object of the cluster with its UID, and the clusters, checkpoints and policies at the propagator."""
    return dict(_objects(_cluster(Path(sandbox["kubeconfig"])))) | _rows(_propagator(sandbox))


def difference(before: dict[str, list[str]], after: dict[str, list[str]]) -> list[str]:
    """What came and what went, a line for each; empty when all is as it was."""
    lines = []
    for kind in sorted(before.keys() | after.keys()):
        old, new = set(before.get(kind, ())), set(after.get(kind, ()))
        lines += [f"left: {kind} {name}" for name in sorted(new - old)]
        lines += [f"lost: {kind} {name}" for name in sorted(old - new)]
    return lines


def _cluster(kubeconfig: Path) -> Get:
    read = yaml.safe_load(kubeconfig.read_text())
    cluster, user = read["clusters"][0]["cluster"], read["users"][0]["user"]
    authority = base64.b64decode(cluster["certificate-authority-data"]).decode()
    context = ssl.create_default_context(cadata=authority)
    return lambda path: _get(cluster["server"] + path, user["token"], context)


def _propagator(sandbox: dict[str, Any]) -> Get:
    return lambda path: _get(f"{sandbox['propagator_url']}/v2{path}", sandbox["token"])


def _get(url: str, token: str, context: ssl.SSLContext | None = None) -> Json:
    request = urllib.request.Request(url, headers={"Authorization": f"Bearer {token}"})
    with urllib.request.urlopen(request, timeout=10, context=context) as answer:
        return json.load(answer)


def _objects(get: Get) -> Iterator[tuple[str, list[str]]]:
    served = [group for group in get("/apis")["groups"] if group["name"] != "metrics.k8s.io"]  # measured, not made
    groups = [f"/apis/{group['preferredVersion']['groupVersion']}" for group in served]
    for prefix in ["/api/v1", *groups]:
        for resource in get(prefix)["resources"]:
            plural = resource["name"]
            if "list" not in resource["verbs"] or "/" in plural or plural in FLEETING:
                continue
            items = [one for one in get(f"{prefix}/{plural}").get("items") or [] if not _is_of_the_cluster(plural, one)]
            yield plural, sorted(_described(plural, item) for item in items)


def _is_of_the_cluster(plural: str, item: Json) -> bool:
    return plural == "leases" and str(item["metadata"]["namespace"]).startswith("kube-")


def _described(plural: str, item: Json) -> str:
    metadata = item["metadata"]
    words = [f"{metadata.get('namespace', '')}/{metadata['name']}", metadata.get("uid", "")]
    if plural in DESCRIBED:
        words += [
            str(metadata.get("labels")),
            str(metadata.get("annotations")),
            str(item.get("spec", {}).get("taints")),
        ]
    return " ".join(words)


def _rows(get: Get) -> dict[str, list[str]]:
    return {
        "registered clusters": sorted(row["name"] for row in get("/cluster") if row["status"] != "deleted"),
        "live checkpoints": sorted(row["id"] for row in get("/checkpoints") if row["status"] != "deprecated"),
        "heartbeat policies": sorted(row["id"] for row in get("/policy/list")),
    }
