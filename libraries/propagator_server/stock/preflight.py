"""What each node of a cluster can do, before anything is created in it: `python -m propagator_server --preflight`."""

from __future__ import annotations

import json
import re
from dataclasses import asdict, dataclass
from typing import Any

from ..rows import is_ready
from .cluster import StockCluster
from .kube import KubeError
from .runtimes import Ability, of_node

Object = dict[str, Any]
ENFORCED = "pod-security.kubernetes.io/enforce"
GATE = "ContainerCheckpoint"
_RIGHTS = (
    ("get", "", "nodes", ""), ("get", "", "pods", ""), ("create", "", "pods", ""), ("delete", "", "pods", ""),
    ("get", "", "secrets", ""), ("get", "", "configmaps", ""),
    *((verb, "", "pods", "proxy") for verb in ("get", "create", "update", "delete")),
)  # fmt: skip
"""What the server asks of the API server: pods and nodes, the agents' Secret, and the agents through the proxy."""


@dataclass(frozen=True)
class Finding:
    """One thing that was looked at. `good` None: it cannot be known beforehand. `needed`: nothing works without it."""

    what: str
    good: bool | None
    seen: str
    needed: bool = True

    @property
    def mark(self) -> str:
        """For the table."""
        return "unknown" if self.good is None else "ok" if self.good else "MISSING" if self.needed else "none"


async def findings(cluster: StockCluster, namespace: str) -> list[Finding]:
    """All of it. Raises BackendError where the cluster does not answer, or hides its nodes."""
    nodes = await cluster.nodes()
    found = [one for node in nodes for one in await _of_node(cluster, node)]
    restoring = [each["metadata"]["name"] for each in nodes if _may_restore(each)]
    found.append(
        Finding("a Ready node whose runtime restores", bool(restoring), ", ".join(restoring) or "there is none")
    )
    architectures = sorted({str(_info(node).get("architecture")) for node in nodes})
    found.append(Finding("one architecture on all nodes", len(architectures) == 1, ", ".join(architectures), False))
    found.append(await _rights(cluster, namespace))
    found.append(await _pod_security(cluster, namespace))
    return found


def as_table(found: list[Finding]) -> str:
    """For people."""
    rows = [(one.mark, one.what, one.seen) for one in found]
    widths = [max(len(row[column]) for row in rows) for column in range(2)]
    return "\n".join("  ".join([row[0].ljust(widths[0]), row[1].ljust(widths[1]), row[2]]).rstrip() for row in rows)


def as_json(found: list[Finding]) -> str:
    """For programs."""
    return json.dumps([asdict(one) for one in found])


async def _of_node(cluster: StockCluster, node: Object) -> list[Finding]:
    name, info, runtime = node["metadata"]["name"], _info(node), of_node(node)
    version = str(info.get("kubeletVersion", ""))
    match = re.match(r"v(\d+)\.(\d+)", version)
    modern = bool(match and (int(match[1]), int(match[2])) >= (1, 30))
    words = f"{runtime.version}: {runtime.restores}; {runtime.why}"
    return [
        Finding(f"{name}: Kubernetes 1.30 or later", modern, version, False),
        Finding(f"{name}: feature gate {GATE}", *await _gate(cluster, name, modern), needed=False),
        Finding(f"{name}: a runtime that restores", _known(runtime.restores), words, False),
        Finding(f"{name}: CRIU 3.16 or later", None, "no API of Kubernetes tells; the first checkpoint does", False),
    ]


async def _gate(cluster: StockCluster, node: str, modern: bool) -> tuple[bool | None, str]:
    """The kubelet's own configuration, where it may be read."""
    try:
        answer = await cluster.kube.get(f"/api/v1/nodes/{node}/proxy/configz")
    except KubeError:
        return (True if modern else None), "on by default since 1.30; the kubelet's configuration may not be read"
    gates = (answer.get("kubeletconfig") or {}).get("featureGates") or {}
    on = bool(gates.get(GATE, modern))
    return on, f"{'on' if on else 'off'} {'as configured' if GATE in gates else 'by default'}"


async def _rights(cluster: StockCluster, namespace: str) -> Finding:
    missing = [f"{verb} {_named(resource, sub)}" for verb, group, resource, sub in _RIGHTS
               if not await _may(cluster, namespace, (verb, group, resource, sub))]  # fmt: skip
    seen = f"the user may not {', '.join(missing)}" if missing else "the user has them"
    return Finding("the rights of the propagator server", not missing, seen)


async def _may(cluster: StockCluster, namespace: str, right: tuple[str, str, str, str]) -> bool:
    verb, group, resource, subresource = right
    # Pods are the workloads', wherever they are; the rest is of the agents' namespace.
    own = subresource or resource in ("secrets", "configmaps")
    attributes = {"verb": verb, "group": group, "resource": resource, "subresource": subresource}
    body = {"spec": {"resourceAttributes": attributes | ({"namespace": namespace} if own else {})}}
    review = await cluster.kube.request("POST", "/apis/authorization.k8s.io/v1/selfsubjectaccessreviews", body)
    return bool((review.get("status") or {}).get("allowed"))


async def _pod_security(cluster: StockCluster, namespace: str) -> Finding:
    what = f"namespace {namespace}: Pod Security level privileged, for hostNetwork and hostPath"
    try:
        found = await cluster.kube.find(f"/api/v1/namespaces/{namespace}")
    except KubeError as hidden:
        return Finding(what, None, str(hidden), False)
    if not found:
        return Finding(
            what,
            None,
            f"there is no such namespace yet; it needs the label {ENFORCED}=privileged where the cluster enforces less",
            False,
        )
    level = (found["metadata"].get("labels") or {}).get(ENFORCED)
    if level is None:
        return Finding(what, True, f"the namespace has no label {ENFORCED}")
    return Finding(what, level == "privileged", f"{ENFORCED}={level}")


def _named(resource: str, subresource: str) -> str:
    return f"{resource}/{subresource}" if subresource else resource


def _known(ability: Ability) -> bool | None:
    return {Ability.YES: True, Ability.UNTRIED: None}.get(ability, False)


def _may_restore(node: Object) -> bool:
    return is_ready(node) and of_node(node).restores is not Ability.NO


def _info(node: Object) -> Object:
    return dict(node.get("status", {}).get("nodeInfo") or {})


async def told(cluster: StockCluster, namespace: str, form: str) -> str:
    """The findings as a `table` or as `json`. Raises BackendError."""
    try:
        found = await findings(cluster, namespace)
    finally:
        await cluster.close()
    return as_json(found) if form == "json" else f"{cluster.kube.server}\n{as_table(found)}"
