"""What the keywords remember for the whole run."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

from robot.api import logger

from harness.failures import BadInput
from harness.kube import CLUSTERS, Cluster
from harness.side_by_side import each

from . import several
from .any_witness import AnyObservation
from .observation import Observation, Workload
from .verdict import Verdict

T = TypeVar("T")
Given = AnyObservation | list[AnyObservation] | None


class Records:
    """The newest observation, the nonces of the run's workloads, by which a foreign process is known, and the verdicts
    so far."""

    def __init__(self) -> None:
        self._newest: AnyObservation | None = None
        self._nonces: dict[str, str] = {}
        self._verdicts: list[dict[str, Any]] = []
        self._told = 0

    def _record(self, verdict: Verdict, workload: Workload, restored: Workload, *, control_arm: bool = False) -> None:
        facts = {"workload": str(workload), "restored": str(restored), "control_arm": control_arm}
        self._verdicts.append(facts | verdict.to_dict())

    def _observation(self, given: AnyObservation | None) -> AnyObservation:
        observation = given or self._newest
        if observation is None:
            raise BadInput("observation", None, "given, or made before by `Observe Workload`", cause="harness-error")
        return observation

    def _printed(self, given: Observation | None) -> Observation:
        """An observation of a witness whose steps are printed."""
        observation = self._observation(given)
        if not isinstance(observation, Observation):
            raise BadInput("observation", observation, "one of `Observe Workload`", cause="harness-error")
        return observation

    def _cluster(self, alias: str | None) -> Cluster:
        return CLUSTERS.get(alias)

    def _each(self, given: Given, work: Callable[[AnyObservation], T], expected: str) -> T | list[T]:
        """What `work` gives for the one that is given, or a list of what it gives for each."""
        if not isinstance(given, list):
            noted = self._observation(given)
            made = work(noted)
            logger.info(str(noted))
            return made
        return several.values(each(work, given, several.AT_ONCE), expected)
