"""What pods and nodes take of processor and memory, as the cluster itself measures it.

From metrics.k8s.io where it is served (k8s.io/metrics pkg/apis/metrics/v1beta1: `timestamp` ends a `window` over which
the processor time is averaged; memory is the working set), else from the kubelets' summary through the API server
(k8s.io/kubelet pkg/apis/stats/v1alpha1). Nothing is asked of the workload. Real clusters measure each 10 to 15 s.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from typing import Any

from kubernetes.client.exceptions import ApiException
from kubernetes.utils.quantity import parse_quantity

from harness.kube import Cluster
from harness.kube.errors import json_of, server_words
from harness.kube.pods import at_path

GROUP, VERSION = "metrics.k8s.io", "v1beta1"
NODES_AT_MOST = 8
"""Kubelets that are asked for a summary each time; in larger clusters only that of the workload's node."""
_UNITS = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0}

Obj = dict[str, Any]


@dataclass(frozen=True)
class Subject:
    """Whose use it is: `workload` (a pod), `helper` (Cedana's pod on a node) or `node`."""

    role: str
    name: str
    node: str


@dataclass(frozen=True)
class Sample:
    """One measurement.

    Attributes:
        of: whose it is.
        at: when the cluster measured it, by its own clock.
        window: seconds up to then that the processor time is averaged over; 0 when that is not told.
        cores: of processors in use.
        memory: bytes in use (working set).
    """

    of: Subject
    at: datetime
    window: float
    cores: float
    memory: int


@dataclass(frozen=True)
class Wanted:
    """What is to be measured.

    Attributes:
        pod: the workload; empty where there is none.
        namespace: where it is.
        node: that it is on, or was.
        helper_namespace: where Cedana's helpers are.
        helper_selector: which pods there they are.
    """

    pod: str
    namespace: str
    node: str
    helper_namespace: str
    helper_selector: str


class NotServed(Exception):
    """The cluster does not measure, or does not tell."""


Read = Callable[[], list[Sample]]


def reader(cluster: Cluster, wanted: Wanted) -> tuple[str, Read]:
    """The way in which this cluster tells: its name, and a function that reads once.

    Raises:
        NotServed: there is none; says what each was answered.
        HTTPError: the API does not answer.
    """
    subjects = list(_subjects(cluster, wanted))
    refused = []
    for name, read in (("metrics.k8s.io", _read_metrics), ("kubelet summary", _read_summaries)):
        try:
            read(cluster, subjects)
        except ApiException as problem:
            refused.append(f"{name}: {problem.status} {server_words(problem)}")
        else:
            return name, partial(read, cluster, subjects)
    raise NotServed("; ".join(refused))


def _subjects(cluster: Cluster, wanted: Wanted) -> Iterator[tuple[Subject, str]]:
    """Whom to ask about, each with its namespace."""
    if wanted.pod:
        yield Subject("workload", wanted.pod, wanted.node), wanted.namespace
    found = cluster.core.list_namespaced_pod(
        wanted.helper_namespace, label_selector=wanted.helper_selector, _preload_content=False
    )
    helpers = {pod["spec"].get("nodeName", ""): pod["metadata"]["name"] for pod in json_of(found).get("items") or []}
    everywhere = len(helpers) <= NODES_AT_MOST
    for node in sorted({*helpers, wanted.node} if everywhere else {wanted.node}):
        if node in helpers:
            yield Subject("helper", helpers[node], node), wanted.helper_namespace
        if node:
            yield Subject("node", node, node), ""


def _read_metrics(cluster: Cluster, subjects: Iterable[tuple[Subject, str]]) -> list[Sample]:
    found = []
    for subject, namespace in subjects:
        place = f"namespaces/{namespace}/pods" if namespace else "nodes"
        try:
            body = at_path(cluster, f"/apis/{GROUP}/{VERSION}/{place}/{subject.name}")
        except ApiException as problem:
            if problem.status == 404 and namespace:
                continue  # not there any more, or not measured yet
            raise
        usages = [one["usage"] for one in body["containers"]] if namespace else [body["usage"]]
        cores = sum(float(parse_quantity(usage["cpu"])) for usage in usages)
        memory = sum(int(parse_quantity(usage["memory"])) for usage in usages)
        found.append(Sample(subject, _moment(body["timestamp"]), _seconds(body.get("window", "")), cores, memory))
    return found


def _read_summaries(cluster: Cluster, subjects: Iterable[tuple[Subject, str]]) -> list[Sample]:
    wanted = list(subjects)
    found = []
    for node in sorted({subject.node for subject, _ in wanted if subject.node}):
        answer = cluster.core.connect_get_node_proxy_with_path(node, "stats/summary", _preload_content=False)
        summary = json_of(answer)
        pods = {(one["podRef"]["namespace"], one["podRef"]["name"]): one for one in summary.get("pods") or []}
        for subject, namespace in wanted:
            stats = pods.get((namespace, subject.name)) if namespace else summary["node"]
            if subject.node == node and stats and (sample := _of_summary(subject, stats)):
                found.append(sample)
    return found


def _of_summary(subject: Subject, stats: Obj) -> Sample | None:
    cpu, memory = stats.get("cpu") or {}, stats.get("memory") or {}
    if "usageNanoCores" not in cpu or "workingSetBytes" not in memory:
        return None
    return Sample(subject, _moment(cpu["time"]), 0.0, cpu["usageNanoCores"] / 1e9, int(memory["workingSetBytes"]))


def _moment(text: str) -> datetime:
    return datetime.fromisoformat(text).astimezone(UTC)


def _seconds(duration: str) -> float:
    """A duration as Go writes it: `15.067s`, `1m0s`; 0 for what is none."""
    found = re.findall(r"([0-9.]+)(ms|h|m|s)", duration)
    return sum(float(number) * _UNITS[unit] for number, unit in found)
