"""The control arm: the same workload, deleted and created again without a restore. It must come out as restarted.

It runs beside the real thing, in a thread with a connection of its own.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from copy import deepcopy
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, TypeVar

import yaml

from harness.documents import load_all
from harness.durations import lasting
from harness.failures import BadInput, E2EFailure, NotAsExpected, WaitTimedOut
from harness.images import replace_images
from harness.kube import Cluster, objects, pods
from harness.ledger import LEDGER

from . import any_witness, collect, sampling
from .any_witness import AnyObservation
from .observation import Workload
from .samplers import Way
from .verdict import Kind, Verdict
from .wording import failure

T = TypeVar("T")

SUFFIX = "-control"
EXPECTED = "the control arm (deleted and created again, without a restore) to come out as restarted"


class Stopped(Exception):
    """The arm was told to stop."""


@dataclass(frozen=True)
class Limits:
    """Seconds for each wait of the arm, and how many steps its witness must have printed."""

    ready: float = 60.0
    witness: float = 30.0
    deletion: float = 60.0
    verdict: float = 30.0
    steps: int = 5


def control_pod(manifest: Path, image: str | None = None, images: Mapping[str, str] | None = None) -> dict[str, Any]:
    """The manifest's pod under a name of its own, with labels that no Service of the manifest selects.

    Raises:
        BadInput: no such file, no YAML, or no pod in it.
    """
    try:
        documents = load_all(manifest.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as problem:
        raise BadInput("manifest", manifest, f"a readable YAML file ({problem})", cause="bad-manifest") from None
    pod = next((one for one in documents if isinstance(one, dict) and one.get("kind") == "Pod"), None)
    if pod is None:
        raise BadInput("manifest", manifest, "a manifest with a Pod", cause="bad-manifest")
    pod = deepcopy(pod)
    name = f"{pod['metadata']['name']}{SUFFIX}"
    pod["metadata"].update(name=name, labels={"app": name})
    pod["metadata"].pop("namespace", None)
    replace_images(pod, images or {})
    if image:
        pod["spec"]["containers"][0]["image"] = image
    return pod


class ControlArm:
    """One control arm. `start` returns at once, `result` joins it.

    Args:
        cluster: where; the arm makes a connection of its own to it.
        namespace: that exists.
        pod: what to create.
        container: whose witness is read; may be empty where the pod has only one.
        others: the nonces of the run's workloads and their names; the arm's own is added.
        limits: seconds for its waits.
        way: how its witness is asked; None where it prints its steps.
        least: the count that a witness that is asked must have reached.
    """

    def __init__(
        self,
        cluster: Cluster,
        namespace: str,
        pod: Mapping[str, Any],
        *,
        container: str = "",
        others: dict[str, str] | None = None,
        limits: Limits | None = None,
        way: Way | None = None,
        least: int = 0,
    ) -> None:
        self.cluster = replace(cluster, alias=f"{cluster.alias}{SUFFIX}", _clients=threading.local())
        self.pod, self.others, self.limits = pod, {} if others is None else others, limits or Limits()
        self.way, self.least = way, least
        self.workload = Workload(cluster.alias, namespace, pod["metadata"]["name"], container)
        self.step = "begin"
        self.verdict: Verdict | None = None
        self.problem: Exception | None = None
        self._uid = ""
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name=f"control arm {self.workload}", daemon=True)

    def start(self) -> None:
        """Starts the arm."""
        self._thread.start()

    def stop(self, timeout: float) -> bool:
        """Tells it to stop after the step that it is at; whether it has ended within `timeout` seconds."""
        self._stop.set()
        self._thread.join(timeout)
        return not self._thread.is_alive()

    def result(self, timeout: float) -> Verdict:
        """Waits for its end and returns its verdict, which is `restarted`.

        Raises:
            WaitTimedOut: it has not ended in time; says at which step it is.
            NotAsExpected: it came out otherwise (cause `check-broken`), or a step failed (with that step's cause).
        """
        self._thread.join(timeout)
        if self._thread.is_alive():
            raise WaitTimedOut(
                f"{EXPECTED} within {lasting(timeout)}",
                f"it is still at the step: {self.step}",
                f"pod {self.workload.pod} and its events",
                cause="check-broken",
            )
        if self.problem is not None:
            raise self._failure(self.problem)
        assert self.verdict is not None
        if wording := failure(self.verdict, Kind.RESTARTED):
            raise NotAsExpected(EXPECTED, wording.seen, wording.look, cause=wording.cause)
        return self.verdict

    def _failure(self, problem: Exception) -> NotAsExpected:
        cause = problem.cause.name if isinstance(problem, E2EFailure) else "harness-error"
        words = problem.seen if isinstance(problem, E2EFailure) else f"{type(problem).__name__}: {problem}"
        look = problem.look if isinstance(problem, E2EFailure) else ""
        return NotAsExpected(EXPECTED, f"its step `{self.step}` failed: {words}", look, cause=cause)

    def _run(self) -> None:
        try:
            observation = self._first_life()
            self._second_life(observation)
        except Exception as problem:  # it is the joining thread that reports it
            self.problem = problem

    def _first_life(self) -> AnyObservation:
        self._do("create the pod", self._create)
        self._do("wait until it is Ready", self._wait_until_ready)
        observation = self._do("observe its witness", self._observe)
        if observation.nonce:
            self.others[observation.nonce] = f"{self.workload} (before)"
        self._do("read its log to the end", lambda: any_witness.read_on(self.cluster, observation))
        self._do("delete the pod", self._delete)
        return observation

    def _second_life(self, observation: AnyObservation) -> None:
        self._do("create the pod again", self._create)
        self._do("wait until it is Ready again", self._wait_until_ready)
        observation.others = self.others
        self.verdict = self._do(
            "judge its witness",
            lambda: any_witness.await_verdict(self.cluster, observation, self.workload, timeout=self.limits.verdict),
        )
        if self.verdict.own_nonce:
            self.others.setdefault(self.verdict.own_nonce, str(self.workload))
        self._do("delete the pod for good", self._delete)

    def _do(self, step: str, action: Callable[[], T]) -> T:
        if self._stop.is_set():
            raise Stopped(f"told to stop before it could {step}")
        self.step = step
        return action()

    def _create(self) -> None:
        made = objects.create(self.cluster, self.pod, self.workload.namespace)
        self._uid = made["metadata"]["uid"]

    def _wait_until_ready(self) -> None:
        pods.wait_until_ready(self.cluster, self.workload.namespace, self.workload.pod, self.limits.ready)

    def _observe(self) -> AnyObservation:
        limits = self.limits
        if self.way is None:
            return collect.observe(self.cluster, self.workload, steps=limits.steps, timeout=limits.witness)
        few = sampling.SAMPLES
        return sampling.observe(
            self.cluster, self.workload, self.way, samples=few, least=self.least, timeout=limits.witness
        )

    def _delete(self) -> None:
        place, name = self.workload.namespace, self.workload.pod
        objects.delete(self.cluster, "v1", "Pod", place, name, uid=self._uid, timeout=self.limits.deletion)
        if entry := objects.entry_of(self.cluster, "Pod", place, name, self._uid):
            LEDGER.gone(entry)
