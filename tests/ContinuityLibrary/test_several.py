"""Many containers at once: their verdicts stay apart, and what fails of them is named, with the right cause."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from types import SimpleNamespace
from typing import Any, ClassVar

import pytest
from tests.ContinuityLibrary.make import NONCE, Story, log, run

from ContinuityLibrary import ContinuityLibrary, several
from ContinuityLibrary.cut import CutKind, CutVerdict
from ContinuityLibrary.evidence import Look
from ContinuityLibrary.observation import Observation, Workload
from ContinuityLibrary.several import Judged
from ContinuityLibrary.verdict import Kind, Verdict, judge
from harness.failures import BadInput, NotAsExpected, OperationFailed, WaitTimedOut
from harness.side_by_side import Outcome
from harness.waiting import Done, Pace, Pending

CONTINUED = judge(Story().evidence)
LONG = timedelta(seconds=30)


def workload(name: str, container: str = "") -> Workload:
    return Workload("here", "ns", name, container)


def observation(name: str, container: str = "", nonce: str = NONCE) -> Observation:
    before = replace(Story().evidence.source.before, log=log(run(1, 5, 0.2, nonce)))
    return Observation(workload(name, container), f"uid-{name}", before)


def judged(name: str, kind: Kind | None = Kind.CONTINUED, failure: Exception | None = None) -> Judged:
    verdict = None if kind is None else replace(CONTINUED, kind=kind)
    return Judged(observation(name), workload(f"{name}-restored"), verdict, failure)


def refused() -> OperationFailed:
    return OperationFailed("read the log", "it is forbidden", "the rights", cause="cluster-refused")


def test_what_was_seen_of_each_comes_in_order(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[tuple[Any, ...]] = []

    def observe(cluster: Any, one: Workload, *, steps: int, timeout: float) -> Observation:
        asked.append((cluster, steps, timeout))
        return observation(one.pod)

    monkeypatch.setattr(several.collect, "observe", observe)
    found = several.observe("c", [workload("a"), workload("b")], steps=3, timeout=7, at_once=1)  # type: ignore[arg-type]
    assert [one.workload.pod for one in found] == ["a", "b"]
    assert asked == [("c", 3, 7)] * 2


def test_the_only_failure_is_told_as_it_is_and_several_are_named() -> None:
    failure = refused()
    with pytest.raises(OperationFailed) as alone:
        several.values([Outcome("a", failure=failure)], "all")
    assert alone.value is failure
    silent = WaitTimedOut("steps", "it is silent", "its log", cause="witness-missing")
    with pytest.raises(NotAsExpected) as both:
        several.values([Outcome("a", 1), Outcome("b", failure=silent), Outcome("c", failure=failure)], "all")
    assert (both.value.expected, both.value.cause.name, both.value.look) == ("all", "witness-missing", silent.look)
    assert both.value.seen == f"1 of 3; b: {silent.seen}; c: it is forbidden"
    assert several.values([Outcome("a", 1), Outcome("b", 2)], "all") == [1, 2]


def test_an_error_of_ours_is_not_dressed_up() -> None:
    with pytest.raises(ZeroDivisionError):
        several.values([Outcome("a", failure=ZeroDivisionError()), Outcome("b", failure=refused())], "all")


def test_a_verdict_or_the_failure_on_the_way_to_it(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[tuple[Any, ...]] = []

    def verdict(cluster: str, before: Observation, restored: Workload, **given: Any) -> Verdict:
        asked.append((cluster, restored.pod, given))
        if before.workload.pod == "b":
            raise refused()
        return CONTINUED

    monkeypatch.setattr(several.collect, "await_verdict", verdict)
    pairs = [(observation(name), replace(workload(f"{name}-2"), cluster="there")) for name in ("a", "b")]
    clusters: Callable[[str], Any] = "cluster {}".format
    first, second = several.judge_all(pairs, clusters, timeout=4, at_once=1)
    given = {"timeout": 4, "source_cluster": "cluster here"}
    assert asked == [("cluster there", "a-2", given), ("cluster there", "b-2", given)]
    assert (first.good, first.verdict, first.failure) == (True, CONTINUED, None)
    assert (second.good, second.verdict, second.cause) == (False, None, "cluster-refused")
    assert str(second) == "ns/b-2: no verdict: it is forbidden"
    assert str(first).startswith("ns/a-2: continued: ")


def test_causes_of_what_is_not_good() -> None:
    assert judged("a", Kind.RESTARTED).cause == "process-restarted"
    assert judged("a", None, ZeroDivisionError("by nothing")).cause == "harness-error"
    assert str(judged("a", None, ZeroDivisionError("by nothing"))) == "ns/a-restored: no verdict: by nothing"


def test_all_that_did_not_continue_are_named() -> None:
    several.demand_continued([judged("a"), judged("b")], one_pod=True)
    with pytest.raises(NotAsExpected) as raised:
        several.demand_continued(
            [judged("a"), judged("b", Kind.RESTARTED), judged("c", None, refused())], one_pod=False
        )
    assert raised.value.expected == "all 3 workloads to have continued"
    assert raised.value.seen.startswith("1 of 3 did; ns/b-restored: ")
    assert "; ns/c-restored: no verdict: it is forbidden" in raised.value.seen
    assert raised.value.cause.name == "process-restarted"


@pytest.mark.parametrize(
    ("kinds", "one_pod", "cause"),
    [
        ((Kind.CONTINUED, Kind.REWOUND), True, "inconsistent-cut"),
        ((Kind.CONTINUED, Kind.REWOUND), False, "process-rewound"),
        ((Kind.REWOUND, Kind.REWOUND), True, "process-rewound"),
        ((Kind.CONTINUED, Kind.AHEAD, Kind.REWOUND), True, "inconsistent-cut"),
        ((Kind.CONTINUED, Kind.REWOUND, Kind.RESTARTED), True, "process-rewound"),
        ((Kind.CONTINUED, Kind.RESTARTED), True, "process-restarted"),
    ],
)
def test_containers_of_one_pod_from_different_moments(kinds: tuple[Kind, ...], one_pod: bool, cause: str) -> None:
    with pytest.raises(NotAsExpected) as raised:
        several.demand_continued([judged(str(at), kind) for at, kind in enumerate(kinds)], one_pod=one_pod)
    assert raised.value.cause.name == cause
    what = "containers" if one_pod else "workloads"
    assert raised.value.expected == f"all {len(kinds)} {what} to have continued"


class Seen:
    """In place of the watcher of a container: it has a verdict from its second look on, if at all."""

    made: ClassVar[list[Seen]] = []
    ever = True

    def __init__(self, cluster: str, before: Observation, restored: Workload, source_cluster: str) -> None:
        self.given = (cluster, restored.container, source_cluster)
        self.observation, self.uid, self.looks = before, "uid", list[Look]()
        self.verdict: Verdict | None = None
        self.count = 0
        Seen.made.append(self)

    def look(self) -> None:
        """One more."""
        self.count += 1
        if self.count > 1 and self.ever:
            self.verdict = CONTINUED


@pytest.fixture
def watched(monkeypatch: pytest.MonkeyPatch) -> list[tuple[Observation, Workload]]:
    monkeypatch.setattr(Seen, "made", [])
    monkeypatch.setattr(several, "Watcher", Seen)
    monkeypatch.setattr(several, "side", lambda name, *_: SimpleNamespace(name=name))
    monkeypatch.setattr(several.collect, "PACE", Pace(least=0.001, share=0.0, most=0.001))
    return [(observation("p", one), replace(workload("p-2", one), cluster="there")) for one in ("left", "right")]


CLUSTERS = {"here": "cluster here", "there": "cluster there"}


def test_a_cut_is_judged_when_each_container_has_told_something(
    watched: list[tuple[Observation, Workload]], monkeypatch: pytest.MonkeyPatch
) -> None:
    answers = [CutVerdict(CutKind.INCONCLUSIVE, "yet", pending="more"), CutVerdict(CutKind.CONSISTENT, "all there", 3)]
    asked: list[list[str]] = []

    def cut(sides: list[Any]) -> CutVerdict:
        asked.append([one.name for one in sides])
        return answers.pop(0)

    monkeypatch.setattr(several, "judge_cut", cut)
    watcher = several.CutWatcher(watched, CLUSTERS)  # type: ignore[arg-type]
    assert [one.given for one in Seen.made] == [
        ("cluster there", "left", "cluster here"),
        ("cluster there", "right", "cluster here"),
    ]
    first = watcher.look()
    assert isinstance(first, Pending)
    assert "container left has printed no step of the source's process" in first.seen
    assert watcher.verdict is not None
    assert watcher.verdict.pending == "its first step"
    second = watcher.look()
    assert isinstance(second, Pending)
    assert second.seen == "inconclusive: yet"
    third = watcher.look()
    assert isinstance(third, Done)
    assert third.value.messages == 3
    assert asked == [["left", "right"]] * 2


def test_the_container_that_told_nothing_is_the_one_that_is_named(
    watched: list[tuple[Observation, Workload]],
) -> None:
    watcher = several.CutWatcher(watched, CLUSTERS)  # type: ignore[arg-type]
    Seen.made[1].ever = False
    watcher.look()
    seen = watcher.look()
    assert isinstance(seen, Pending)
    assert "container right has printed no step" in seen.seen


def test_a_cut_that_is_never_settled_is_told_as_it_is(watched: list[tuple[Observation, Workload]]) -> None:
    pairs = watched
    Seen.ever = False
    try:
        verdict = several.await_cut(pairs, CLUSTERS, timeout=0.05)  # type: ignore[arg-type]
    finally:
        Seen.ever = True
    assert (verdict.kind, verdict.pending) == (CutKind.INCONCLUSIVE, "its first step")
    with pytest.raises(NotAsExpected, match="still waited for: its first step") as raised:
        several.demand_consistent(verdict)
    assert raised.value.cause.name == "evidence-missing", "too little was seen to accuse anybody"


def test_a_cut_of_which_nothing_could_be_seen(
    watched: list[tuple[Observation, Workload]], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(several.CutWatcher, "look", lambda _: Pending("no answer"))
    with pytest.raises(OperationFailed) as raised:
        several.await_cut(watched, CLUSTERS, timeout=0.02)  # type: ignore[arg-type]
    assert raised.value.cause.name == "cluster-unreachable"


def test_a_settled_cut_is_given_at_once(
    watched: list[tuple[Observation, Workload]], monkeypatch: pytest.MonkeyPatch
) -> None:
    lost = CutVerdict(CutKind.LOST, "message 3 was sent and never got")
    monkeypatch.setattr(several, "judge_cut", lambda _: lost)
    rested: list[Observation] = []

    def rest(before: Observation) -> None:
        rested.append(before)

    monkeypatch.setattr(Observation, "rest", rest)
    assert several.await_cut(watched, CLUSTERS, timeout=20) == lost  # type: ignore[arg-type]
    assert rested == [before for before, _ in watched], "its logs are packed again"
    with pytest.raises(NotAsExpected) as raised:
        several.demand_consistent(lost)
    assert raised.value.seen == str(lost), "nothing is waited for and no distance is known"
    assert raised.value.cause.name == "inconsistent-cut"
    several.demand_consistent(CutVerdict(CutKind.CONSISTENT, "all there"))


@pytest.fixture
def library(monkeypatch: pytest.MonkeyPatch) -> ContinuityLibrary:
    made = ContinuityLibrary()
    monkeypatch.setattr(made, "_cluster", lambda alias: SimpleNamespace(alias=alias or "here"))
    return made


def test_what_is_observed_is_remembered_as_the_runs_own(
    library: ContinuityLibrary, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[tuple[list[Workload], dict[str, Any]]] = []

    def observe(place: Any, workloads: list[Workload], **given: Any) -> list[Observation]:
        asked.append((workloads, given))
        return [observation(one.pod, one.container, f"{at:016x}") for at, one in enumerate(workloads)]

    monkeypatch.setattr(several, "observe", observe)
    monkeypatch.setattr(several, "containers_of", lambda *_: ["left", "right"])
    both = library.observe_containers("pair", "ns", steps=4, timeout=timedelta(seconds=9))
    assert [str(one.workload) for one in both] == ["ns/pair (left)", "ns/pair (right)"]
    assert asked[0][1] == {"steps": 4, "timeout": 9.0, "at_once": several.AT_ONCE}
    assert both[0].others == {"0" * 16: "ns/pair (left)", f"{1:016x}": "ns/pair (right)"}
    pods = library.observe_workloads(["a", "b"], "ns", container="main", at_once=2)
    assert [str(one.workload) for one in pods] == ["ns/a (main)", "ns/b (main)"]
    assert asked[1][1] == {"steps": 5, "timeout": 30.0, "at_once": 2}
    assert asked[1][0][0].cluster == "here"
    with pytest.raises(BadInput, match=r"\bworkloads is empty; it must be one pod or more"):
        library.observe_workloads([], "ns")
    library.observe_containers("pair")
    library.observe_workloads(["a"])
    places = [(one.namespace, given["steps"], given["timeout"]) for workloads, given in asked[2:] for one in workloads]
    assert places == [("default", 5, 30.0)] * 3


def test_each_restored_container_is_held_against_its_own_observation(
    library: ContinuityLibrary, monkeypatch: pytest.MonkeyPatch
) -> None:
    found: list[Judged] = []
    asked: list[tuple[list[Workload], dict[str, Any]]] = []

    def judge_all(pairs: list[tuple[Observation, Workload]], _: Any, **given: Any) -> list[Judged]:
        asked.append(([restored for _, restored in pairs], given))
        found[:] = [Judged(*pair, CONTINUED) for pair in pairs]
        return found

    monkeypatch.setattr(several, "judge_all", judge_all)
    both = [observation("pair", "left"), observation("pair", "right")]
    assert library.containers_should_have_continued(both, "pair-2") == [CONTINUED, CONTINUED]
    assert asked[0][0] == [workload("pair-2", "left"), workload("pair-2", "right")]
    assert asked[0][1] == {"timeout": 30.0, "at_once": several.AT_ONCE}
    recorded = [(one["workload"], one["restored"], one["control_arm"]) for one in library._verdicts]
    assert recorded == [(f"ns/pair ({name})", f"ns/pair-2 ({name})", False) for name in ("left", "right")]
    library.workloads_should_have_continued(both, ["a", "b"], "elsewhere", cluster="there", at_once=3)
    assert asked[1][0] == [Workload("there", "elsewhere", "a", "left"), Workload("there", "elsewhere", "b", "right")]
    assert asked[1][1]["at_once"] == 3
    with pytest.raises(BadInput, match=r"\bpods is .*; it must be one for each of the 2 observations"):
        library.workloads_should_have_continued(both, ["a"])
    with pytest.raises(BadInput, match=r"\bbefore is empty; it must be one observation or more"):
        library.containers_should_have_continued([], "pair-2")


def test_one_that_did_not_continue_fails_the_keyword_and_is_recorded(
    library: ContinuityLibrary, monkeypatch: pytest.MonkeyPatch
) -> None:
    bad = replace(CONTINUED, kind=Kind.RESTARTED)

    def judge_all(pairs: list[tuple[Observation, Workload]], *_: Any, **__: Any) -> list[Judged]:
        return [Judged(*pairs[0], CONTINUED), Judged(*pairs[1], bad)]

    monkeypatch.setattr(several, "judge_all", judge_all)
    with pytest.raises(NotAsExpected, match="all 2 containers"):
        library.containers_should_have_continued([observation("p", "left"), observation("p", "right")], "p-2")
    with pytest.raises(NotAsExpected, match="all 2 workloads"):
        library.workloads_should_have_continued([observation("a"), observation("b")], ["a-2", "b-2"])
    assert [one["verdict"] for one in library._verdicts] == ["continued", "restarted"] * 2


def test_the_cut_is_recorded_whatever_it_is(library: ContinuityLibrary, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[tuple[Any, ...]] = []
    verdicts = [
        CutVerdict(CutKind.CONSISTENT, "3 messages", 3, 0.0, 0.2),
        CutVerdict(CutKind.INCONCLUSIVE, "nothing yet", pending="a step"),
    ]

    def await_cut(pairs: list[Any], clusters: dict[str, Any], *, timeout: float) -> CutVerdict:
        asked.append((sorted(clusters), [restored for _, restored in pairs], timeout))
        return verdicts[len(asked) - 1]

    monkeypatch.setattr(several, "await_cut", await_cut)
    both = [observation("pair", "left"), observation("pair", "right")]
    assert library.cut_should_be_consistent(both, "pair-2", cluster="there") is verdicts[0]
    restored = [Workload("there", "ns", "pair-2", name) for name in ("left", "right")]
    assert asked[0] == (["here", "there"], restored, 30.0)
    with pytest.raises(NotAsExpected, match="nothing yet"):
        library.cut_should_be_consistent(both, "pair-2", timeout=timedelta(seconds=3))
    assert asked[1][2] == 3.0
    assert library._verdicts == [
        {
            "workload": "ns/pair (left)",
            "restored": "ns/pair-2 (left)",
            "control_arm": False,
            "verdict": "consistent",
            "sentence": "consistent: 3 messages",
            "messages": 3,
            "cuts_apart_at_least_seconds": 0.0,
            "cuts_apart_at_most_seconds": 0.2,
            "pending": None,
        },
        {
            "workload": "ns/pair (left)",
            "restored": "ns/pair-2 (left)",
            "control_arm": False,
            "verdict": "inconclusive",
            "sentence": "inconclusive: nothing yet",
            "messages": 0,
            "cuts_apart_at_least_seconds": None,
            "cuts_apart_at_most_seconds": None,
            "pending": "a step",
        },
    ]
