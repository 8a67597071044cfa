"""What a suite relies on that names no more than it must: the arguments that a keyword has when nothing is said."""

from __future__ import annotations

import inspect
from datetime import timedelta
from pathlib import Path
from typing import Any, get_args

import pytest
from tests.ContinuityLibrary.make import Story

from ContinuityLibrary import ContinuityLibrary, collect
from ContinuityLibrary.observation import Observation, Workload
from ContinuityLibrary.sampled_keywords import Route, Witness, way_to
from ContinuityLibrary.sampling import SampledObservation
from ContinuityLibrary.verdict import Kind, Verdict, judge
from harness.kube import Cluster

PLACE = {"namespace": "default", "timeout": 30.0}
JUDGED = {"timeout": 30.0}
DEFAULTS: dict[str, dict[str, Any]] = {
    "connection_should_go_on": JUDGED,
    "containers_should_have_continued": JUDGED,
    "control_arm_should_have_restarted": {"pod": "", "timeout": 120.0},
    "cut_should_be_consistent": JUDGED,
    "get_fate_of_connection": {"timeout": 10.0},
    "get_verdict": JUDGED,
    "get_verdicts": {"new": False},
    "hold_connection": {"namespace": "default", "port": 6379, "say": "PING\r\n", "every": 0.1},
    "note_checkpoint_done": {"timeout": 5.0},
    "observe_containers": PLACE | {"steps": 5},
    "observe_sampled_workload": PLACE
    | {"witness": "http", "route": "port-forward", "service": "", "url": "", "samples": 3},
    "observe_workload": PLACE | {"container": "", "steps": 5},
    "observe_workloads": PLACE | {"container": "", "steps": 5, "at_once": 10},
    "source_and_copy_should_go_their_own_ways": JUDGED | {"pod": "", "steps": 3},
    "source_should_have_gone_on": JUDGED,
    "start_control_arm": {
        "namespace": "default",
        "container": "",
        "witness": "log",
        "ready_timeout": 60.0,
        "witness_timeout": 30.0,
        "delete_timeout": 60.0,
    },
    "stop_control_arm": {"timeout": 60.0},
    "workload_should_have_continued": JUDGED,
    "workload_should_have_restarted": JUDGED,
    "workloads_should_have_continued": JUDGED | {"at_once": 10},
}
"""By keyword; None, which stands for what was observed or is in use, is left out. Times are in seconds."""


def _default(value: Any) -> Any:
    return value.total_seconds() if isinstance(value, timedelta) else value


@pytest.mark.parametrize("name", sorted(name for name in dir(ContinuityLibrary) if name in DEFAULTS))
def test_what_a_keyword_takes_when_nothing_is_said(name: str) -> None:
    parameters = inspect.signature(getattr(ContinuityLibrary, name)).parameters.values()
    given = [one for one in parameters if one.default not in (one.empty, None)]
    assert {one.name: _default(one.default) for one in given} == DEFAULTS[name]


def test_what_robot_takes_for_a_witness_and_a_route() -> None:
    assert get_args(Witness) == ("http", "stub_status", "redis")
    assert get_args(Route) == ("port-forward", "service", "url")


def test_a_process_that_is_observed_is_known_to_all_others(monkeypatch: pytest.MonkeyPatch) -> None:
    library, web = ContinuityLibrary(), Workload("main", "ns", "web")
    source = Observation(web, "uid", Story().source.before)
    monkeypatch.setattr(library, "_cluster", lambda _: Cluster("main", Path("/no/kubeconfig")))
    monkeypatch.setattr(collect, "observe", lambda *_, **__: source)
    assert library.observe_workload("web", "ns") is source
    assert source.others == {source.nonce: "ns/web"}
    assert source.others is library._nonces


def test_verdicts_are_given_all_or_only_once() -> None:
    library, verdict = ContinuityLibrary(), judge(Story().evidence)
    assert library.get_verdicts(new=True) == []
    for number in (1, 2):
        library._record(verdict, Workload("main", "ns", "web"), Workload("main", "ns", f"web-{number}"))
        assert [one["restored"] for one in library.get_verdicts(new=True)] == [f"ns/web-{number}"]
    assert len(library.get_verdicts()) == 2
    assert library.get_verdicts(new=True) == []


@pytest.mark.parametrize(
    ("given", "judged"),
    [
        ({}, Workload("main", "ns", "web", "app")),
        ({"pod": "web-2", "cluster": "there"}, Workload("there", "ns", "web-2", "app")),
        ({"namespace": "other", "container": ""}, Workload("main", "other", "web", "")),
    ],
)
def test_what_is_judged_is_what_was_observed_but_for_what_is_given(
    given: dict[str, str], judged: Workload, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[Workload] = []

    def judge(_self: ContinuityLibrary, _before: object, restored: Workload, *_: object) -> Verdict:
        asked.append(restored)
        return Verdict(Kind.CONTINUED, "")

    monkeypatch.setattr(ContinuityLibrary, "_judge", judge)
    observed = SampledObservation(Workload("main", "ns", "web", "app"), way_to("http"), "uid")
    ContinuityLibrary().workload_should_have_continued(observed, **given)
    assert asked == [judged]
