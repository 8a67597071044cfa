"""One lifecycle by the plain Python of the keyword libraries: deployed, observed, checkpointed, restored, judged."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from ContinuityLibrary import collect
from ContinuityLibrary.observation import Observation, Workload
from ContinuityLibrary.verdict import Kind, Verdict
from harness.kube import Cluster, objects, pods
from KubernetesLibrary import lookup
from PropagatorLibrary.client import PropagatorClient
from PropagatorLibrary.references import PodRef

WITNESS = Path(__file__).parents[2] / "resources" / "workloads" / "witness.yaml"
NAMESPACE = "default"
WAIT = 20.0
"""Seconds for each wait; far more than any of them takes, stalled calls included."""
WAITS = 9
"""How many waits a lifecycle has."""


@dataclass
class Lifecycle:
    """One lifecycle, and what became of it.

    Attributes:
        restores: whether it restores; else it creates the pod again, which must come out as restarted.
    """

    number: int
    restores: bool
    step: str = "not begun"
    pod_uid: str = ""
    action_id: str = ""
    verdict: Verdict | None = None
    failure: Exception | None = None
    seconds: float = math.inf

    @property
    def name(self) -> str:
        """Of its pod, and by which its calls are known."""
        return f"chaos-{self.number}"

    @property
    def expected(self) -> Kind:
        """The only right verdict."""
        return Kind.CONTINUED if self.restores else Kind.RESTARTED

    def run(self, cluster: Cluster, propagator: PropagatorClient, cluster_id: str, ready: Callable[[], None]) -> None:
        """Goes through it; calls `ready` when the pod is.

        Raises:
            E2EFailure: a step failed.
        """
        source = self._deployed(cluster)
        ready()
        observation = self._observed(cluster)
        if self.restores:
            pod_name = self._restored(cluster, propagator, cluster_id, source, observation)
        else:
            pod_name = self._created_again(cluster, observation)
        self._at("judge")
        workload = Workload(cluster.alias, NAMESPACE, pod_name)
        self.verdict = collect.await_verdict(cluster, observation, workload, timeout=WAIT)
        if self.action_id:
            self._at("deprecate")
            action = propagator.find_action(self.action_id)
            for checkpoint_id in action.checkpoint_ids if action else ():
                propagator.deprecate_checkpoint(checkpoint_id)
        self._at("done")

    def _deployed(self, cluster: Cluster) -> dict[str, Any]:
        self._at("create the pod")
        manifest = yaml.safe_load(WITNESS.read_text())
        manifest["metadata"]["name"] = self.name
        self.pod_uid = objects.create(cluster, manifest, NAMESPACE)["metadata"]["uid"]
        self._at("wait until it is Ready")
        return pods.wait_until_ready(cluster, NAMESPACE, self.name, WAIT)

    def _observed(self, cluster: Cluster) -> Observation:
        self._at("observe")
        return collect.observe(cluster, Workload(cluster.alias, NAMESPACE, self.name), steps=3, timeout=WAIT)

    def _restored(
        self,
        cluster: Cluster,
        propagator: PropagatorClient,
        cluster_id: str,
        source: dict[str, Any],
        observation: Observation,
    ) -> str:
        self._at("checkpoint")
        pod = PodRef(uid=self.pod_uid)
        trace = propagator.note_checkpoints(pod)
        if look := collect.source_end(cluster, observation):
            observation.asked(look)
        self.action_id = propagator.checkpoint_pod(pod, reason="manual", trace=trace, known_within=5)
        self._at("wait for the checkpoint")
        propagator.wait_until_action_completes(self.action_id, "checkpoint", timeout=WAIT)
        collect.note_ready(cluster, observation, timeout=WAIT)
        self._at("delete the pod")
        known = lookup.expect(cluster, source, None)
        objects.delete(cluster, "v1", "Pod", NAMESPACE, self.name, uid=self.pod_uid, timeout=WAIT)
        self._at("restore")
        restore_id = propagator.restore_pod(self.action_id, cluster_id=cluster_id)
        self._at("wait for the restore")
        propagator.wait_until_action_completes(restore_id, "restore", timeout=WAIT)
        self._at("wait for the restored pod")
        wanted = lookup.sought(source, None, known, None)
        found = lookup.wait_until_ready(cluster, NAMESPACE, wanted, WAIT)
        return str(found["metadata"]["name"])

    def _created_again(self, cluster: Cluster, observation: Observation) -> str:
        self._at("delete the pod")
        if look := collect.source_end(cluster, observation):
            observation.add(look)
        objects.delete(cluster, "v1", "Pod", NAMESPACE, self.name, uid=self.pod_uid, timeout=WAIT)
        self._deployed(cluster)
        return self.name

    def _at(self, step: str) -> None:
        self.step = step
