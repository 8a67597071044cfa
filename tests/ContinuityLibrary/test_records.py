"""What the keywords remember for the whole run."""

from __future__ import annotations

import pytest
from tests.ContinuityLibrary.make import Story

from ContinuityLibrary.observation import Workload
from ContinuityLibrary.records import Records
from ContinuityLibrary.sampled_keywords import way_to
from ContinuityLibrary.sampling import SampledObservation
from ContinuityLibrary.verdict import judge
from harness.failures import BadInput

WORKLOAD, RESTORED = Workload("main", "ns", "web"), Workload("main", "ns", "web-restored", "app")


@pytest.mark.parametrize("control", [True, False])
def test_a_verdict_is_kept_with_whose_it_is(control: bool) -> None:
    records, verdict = Records(), judge(Story().evidence)
    records._record(verdict, WORKLOAD, RESTORED, **({"control_arm": True} if control else {}))
    assert records._verdicts == [
        {"workload": "ns/web", "restored": "ns/web-restored (app)", "control_arm": control} | verdict.to_dict()
    ]


def test_samples_are_no_steps_that_were_printed() -> None:
    sampled = SampledObservation(WORKLOAD, way_to("redis"), "uid")
    with pytest.raises(BadInput, match=r"^observation is .*; it must be one of `Observe Workload`") as problem:
        Records()._printed(sampled)
    assert problem.value.cause.name == "harness-error"


def test_without_an_observation_it_is_said_what_is_missing() -> None:
    with pytest.raises(BadInput, match=r"observation is empty; it must be given, or made before by `Observe Workload`"):
        Records()._observation(None)
