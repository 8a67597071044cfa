"""Faults of what leads to a pod that was restored: Services, names, readiness gates, connections."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from .. import kinds
from ..cedana.interfering import RestorePlan
from .activation import Activation
from .declaration import OBJECTS, STATE, Declarations, Group
from .scene import Scene, in_each_cluster
from .working import planning, working
from .works import Work

FAULTS = Declarations(Group.KUBERNETES, STATE)
fails = FAULTS.fails
Object = dict[str, Any]


@fails(
    "stale-endpoints",
    "endpoints-keep-old-address",
    "The EndpointSlices of a Service keep the address of a pod that is gone.",
    suite="network",
    test="A Service Follows The Restored Pod",
)
@in_each_cluster
async def _old_endpoints(scene: Scene, active: Activation) -> None:
    known: dict[str, dict[str, Object]] = {}

    def keep(service: Object, endpoints: list[Object]) -> list[Object]:
        held = known.setdefault(service["metadata"]["uid"], {})
        gone = [one for uid, one in held.items() if uid not in {each["targetRef"]["uid"] for each in endpoints}]
        held |= {each["targetRef"]["uid"]: each for each in endpoints if each["conditions"]["ready"]}
        keeps = bool(gone) and active.takes(
            service["metadata"]["namespace"], kind=f"Service {service['metadata']['name']}"
        )
        return [*endpoints, *gone] if keeps else endpoints

    active.on_list(scene.cluster.points.endpoints, keep)


@fails(
    "stale-dns",
    "dns-keeps-old-address",
    "The cluster's DNS keeps answering with the address of a pod that is gone.",
    suite="network",
    test="A Name Follows The Restored Pod",
)
@in_each_cluster
async def _old_names(scene: Scene, active: Activation) -> None:
    network = scene.cluster.network

    def begin() -> Callable[[], None]:
        network.dns_keeps = {}
        return end

    def end() -> None:
        network.dns_keeps = None

    active.whenever_due(begin)


def _without_gates(planned: RestorePlan, _: Activation) -> None:
    planned.pod["spec"].pop("readinessGates", None)


fails(
    "pod-changed",
    "restore-loses-readiness-gates",
    "The restored pod has lost its readiness gates, so that it is Ready too early.",
    suite="network",
    test="A Restored Pod Waits At Its Readiness Gate",
    limits=OBJECTS,
)(planning(_without_gates, lambda planned: bool(planned.pod["spec"].get("readinessGates"))))


async def _cut(work: Work, _: Activation, scene: Scene) -> Any:
    done = await work.go()
    pod = scene.cluster.store.get(kinds.POD, work.namespace, work.pod)
    if pod:
        scene.cluster.runtime.cut_connections(pod["metadata"]["uid"])
    return done


fails(
    "source-harmed",
    "checkpoint-cuts-connections",
    "A checkpoint ends the connections that its pod's clients hold open.",
    suite="network",
    test="An Open Connection Outlives The Checkpoint Of Its Server",
    limits=OBJECTS,
)(working("checkpoint", _cut))
