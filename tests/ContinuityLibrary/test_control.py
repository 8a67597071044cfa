"""The control arm: every step of it, what it says when one fails, and that it can be stopped."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import nullcontext
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any, ClassVar

import pytest
from tests.ContinuityLibrary.api import FakeApi, FakePod, serving
from tests.ContinuityLibrary.make import Story

from ContinuityLibrary import collect, control
from ContinuityLibrary.control import ControlArm, Limits, control_pod
from ContinuityLibrary.control_keywords import ControlArmKeywords
from ContinuityLibrary.observation import Workload
from ContinuityLibrary.sampled_keywords import way_to
from ContinuityLibrary.samplers import Way
from ContinuityLibrary.sampling import SampledObservation
from ContinuityLibrary.verdict import Kind, Verdict, judge
from harness.failures import BadInput, NotAsExpected, OperationFailed, WaitTimedOut
from harness.kube import CLUSTERS, Cluster
from harness.waiting import Pace

NGINX = Path(__file__).parents[2] / "resources" / "workloads" / "nginx.yaml"
POD = {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "test-control"}, "spec": {}}
NONCES = ("a" * 16, "b" * 16)
LIMITS = Limits(ready=5, witness=5, deletion=5, verdict=5)


class Deeds:
    """What the arm does to the cluster, on the fake pods: each creation takes the next nonce."""

    def __init__(self, api: FakeApi) -> None:
        self.api, self.nonces, self.done = api, list(NONCES), list[str]()
        self.failing: dict[str, Exception] = {}
        self.hold = threading.Event()
        self.hold.set()

    def _do(self, deed: str) -> None:
        assert self.hold.wait(20)
        if deed in self.failing:
            raise self.failing[deed]
        self.done.append(deed)

    def create(self, cluster: Cluster, manifest: dict[str, Any], namespace: str) -> dict[str, Any]:
        assert (cluster.alias, namespace) == ("fake-control", "ns")
        self._do("create")
        pod = self.api.pods["test-control"] = FakePod(manifest["metadata"]["name"], nonce=self.nonces.pop(0))
        return pod.document()

    def wait_until_ready(self, *arguments: object) -> None:
        assert arguments[1:] == ("ns", "test-control", 5)
        self._do("ready")

    def delete(self, *arguments: object, uid: str, timeout: float) -> None:
        assert arguments[1:] == ("v1", "Pod", "ns", "test-control")
        assert timeout == 5
        assert uid == self.api.pods["test-control"].uid, "only the pod that it made"
        self._do("delete")
        del self.api.pods["test-control"]


@pytest.fixture
def arm_and_deeds(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[tuple[ControlArm, Deeds]]:
    with serving(tmp_path) as (api, cluster):
        deeds = Deeds(api)
        monkeypatch.setattr(collect, "PACE", Pace(least=0.02, share=0.02, most=0.1))
        monkeypatch.setattr(control.objects, "create", deeds.create)
        monkeypatch.setattr(control.objects, "delete", deeds.delete)
        monkeypatch.setattr(control.pods, "wait_until_ready", deeds.wait_until_ready)
        arm = ControlArm(cluster, "ns", POD, others={"c" * 16: "ns/real"}, limits=LIMITS)
        yield arm, deeds
        deeds.hold.set()
        assert arm.stop(20)


@pytest.fixture
def arm(arm_and_deeds: tuple[ControlArm, Deeds]) -> ControlArm:
    return arm_and_deeds[0]


@pytest.fixture
def deeds(arm_and_deeds: tuple[ControlArm, Deeds]) -> Deeds:
    return arm_and_deeds[1]


def test_it_comes_out_as_restarted(arm: ControlArm, deeds: Deeds) -> None:
    arm.start()
    verdict = arm.result(20)
    assert verdict.kind is Kind.RESTARTED
    assert (verdict.nonce, verdict.own_nonce) == NONCES
    assert deeds.done == ["create", "ready", "delete", "create", "ready", "delete"]
    assert arm.others == {
        "c" * 16: "ns/real",
        NONCES[0]: "ns/test-control (before)",
        NONCES[1]: "ns/test-control",
    }, "a workload that got the arm's memory would be told as foreign"


def test_what_it_deleted_is_owed_no_more(arm: ControlArm, deeds: Deeds, monkeypatch: pytest.MonkeyPatch) -> None:
    forgotten: list[str] = []
    monkeypatch.setattr(control.objects, "entry_of", lambda *_: f"entry of {_[-1]}")
    monkeypatch.setattr(control.LEDGER, "gone", forgotten.append)
    arm.start()
    arm.result(20)
    assert len(forgotten) == len(set(forgotten)) == 2


def test_a_witness_that_is_asked_is_observed_by_asking(
    arm: ControlArm, deeds: Deeds, monkeypatch: pytest.MonkeyPatch
) -> None:
    way = way_to("redis")
    asked: list[dict[str, Any]] = []

    def observe(_cluster: Cluster, workload: Workload, by: Way, **given: Any) -> SampledObservation:
        asked.append(given)
        return SampledObservation(workload, by, "uid")

    restarted = judge(Story().evidence)
    monkeypatch.setattr(control.sampling, "observe", observe)
    monkeypatch.setattr(control.sampling, "await_verdict", lambda *_, **__: replace(restarted, kind=Kind.RESTARTED))
    arm.way, arm.least = way, 7
    arm.start()
    assert arm.result(20).kind is Kind.RESTARTED
    assert asked == [{"samples": control.sampling.SAMPLES, "least": 7, "timeout": 5}]


@pytest.mark.parametrize(("again", "kind"), [(NONCES[0], "rewound"), ("c" * 16, "foreign")])
def test_anything_but_restarted_breaks_the_check(arm: ControlArm, deeds: Deeds, again: str, kind: str) -> None:
    deeds.nonces[1] = again
    arm.start()
    with pytest.raises(NotAsExpected, match=f"Seen: {kind}: ") as problem:
        arm.result(20)
    assert problem.value.cause.name == "check-broken"
    assert "to come out as restarted" in problem.value.expected


@pytest.mark.parametrize(
    ("deed", "step"),
    [("create", "create the pod"), ("ready", "wait until it is Ready"), ("delete", "delete the pod")],
)
def test_a_step_that_fails_is_named_with_its_cause(arm: ControlArm, deeds: Deeds, deed: str, step: str) -> None:
    deeds.failing[deed] = OperationFailed("a thing", "refused: quota is used up", "the quota", cause="quota")
    arm.start()
    with pytest.raises(NotAsExpected) as problem:
        arm.result(20)
    assert problem.value.seen == f"its step `{step}` failed: refused: quota is used up"
    assert (problem.value.look, problem.value.cause.name) == ("the quota", "quota")


def test_an_unexpected_error_is_the_harnesss_fault(arm: ControlArm, deeds: Deeds) -> None:
    deeds.failing["create"] = RuntimeError("oops")
    arm.start()
    with pytest.raises(NotAsExpected, match="RuntimeError: oops") as problem:
        arm.result(20)
    assert problem.value.cause.name == "harness-error"


def test_when_it_is_not_done_it_says_at_which_step_it_is(arm: ControlArm, deeds: Deeds) -> None:
    deeds.hold.clear()
    arm.start()
    with pytest.raises(WaitTimedOut, match="still at the step: create the pod"):
        arm.result(0.1)
    deeds.hold.set()
    assert arm.result(20).kind is Kind.RESTARTED, "it can be joined again"


def test_it_stops_after_the_step_that_it_is_at(arm: ControlArm, deeds: Deeds) -> None:
    deeds.hold.clear()
    arm.start()
    assert not arm.stop(0.1)
    deeds.hold.set()
    assert arm.stop(20)
    assert deeds.done == ["create"]
    with pytest.raises(NotAsExpected, match="told to stop before it could wait until it is Ready"):
        arm.result(1)


def test_it_has_a_connection_of_its_own(tmp_path: Path) -> None:
    cluster = Cluster("real", tmp_path / "kubeconfig", "context")
    arm = ControlArm(cluster, "ns", POD)
    assert (arm.cluster.alias, arm.workload.cluster) == ("real-control", "real")
    assert (arm.cluster.kubeconfig, arm.cluster.context) == (cluster.kubeconfig, cluster.context)
    assert arm.cluster._clients is not cluster._clients


def test_its_waits_last_as_long_as_the_keyword_says(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ControlArm, "start", lambda _: None)
    monkeypatch.setattr(CLUSTERS, "get", lambda _: Cluster("main", tmp_path / "kubeconfig"))
    keywords = ControlArmKeywords()
    timeouts = {"ready": timedelta(minutes=5), "witness": timedelta(seconds=50), "delete": timedelta(minutes=2)}
    keywords.start_control_arm(NGINX, **{f"{name}_timeout": value for name, value in timeouts.items()})
    assert keywords._arms["test-nginx"].limits == Limits(ready=300, witness=50, deletion=120, verdict=50)


def test_the_pod_of_the_manifest_under_another_name() -> None:
    pod = control_pod(NGINX)
    assert pod["metadata"] == {"name": "test-nginx-control", "labels": {"app": "test-nginx-control"}}, (
        "the Service of the manifest must not select it"
    )
    assert pod["spec"]["containers"][0]["name"] == "test-nginx"
    assert control_pod(NGINX, "other:1")["spec"]["containers"][0]["image"] == "other:1"


@pytest.mark.parametrize("text", ["", "a: [", "kind: Service\n", "- 1\n", None])
def test_a_manifest_without_a_pod_is_refused(text: str | None, tmp_path: Path) -> None:
    path = tmp_path / "m.yaml"
    if text is not None:
        path.write_text(text)
    with pytest.raises(BadInput) as problem:
        control_pod(path)
    assert problem.value.cause.name == "bad-manifest"
    assert str(path) in str(problem.value)


def test_what_it_waits_for_when_nothing_is_said(arm: ControlArm) -> None:
    assert Limits() == Limits(ready=60.0, witness=30.0, deletion=60.0, verdict=30.0, steps=5)
    assert (arm.step, arm._uid, arm.least) == ("begin", "", 0)
    assert arm._thread.daemon, "a run that ends waits for no arm"
    arm.start()


def test_the_source_is_read_to_its_end_before_it_is_deleted(
    arm: ControlArm, deeds: Deeds, monkeypatch: pytest.MonkeyPatch
) -> None:
    read_on = control.any_witness.read_on

    def read(cluster: Cluster, observation: Any) -> Any:
        deeds.done.append("read")
        return read_on(cluster, observation)

    monkeypatch.setattr(control.any_witness, "read_on", read)
    arm.start()
    arm.result(20)
    assert deeds.done[:4] == ["create", "ready", "read", "delete"]


def test_the_pod_is_made_where_the_arm_is_with_the_images_of_the_settings(tmp_path: Path) -> None:
    manifest = tmp_path / "pod.yaml"
    manifest.write_text(
        "{apiVersion: v1, kind: Pod, metadata: {name: one, namespace: elsewhere},"
        " spec: {containers: [{name: main, image: docker.io/library/nginx:1}]}}"
    )
    pod = control_pod(manifest, images={"nginx": "mirror/nginx:2"})
    assert "namespace" not in pod["metadata"]
    assert pod["spec"]["containers"][0]["image"] == "mirror/nginx:2"
    for missing in (tmp_path / "none.yaml", tmp_path / "empty.yaml"):
        (tmp_path / "empty.yaml").write_text("")
        with pytest.raises(BadInput, match=r"\bmanifest is "):
            control_pod(missing)


def test_a_failure_that_nobody_foresaw_has_no_advice(arm: ControlArm, deeds: Deeds) -> None:
    deeds.failing["create"] = RuntimeError("oops")
    arm.start()
    with pytest.raises(NotAsExpected) as problem:
        arm.result(20)
    assert problem.value.look == ""


class Arm:
    """In place of an arm: it notes with what it was made and how long it is waited for."""

    made: ClassVar[list[Arm]] = []
    ends = True
    failure: ClassVar[Exception | None] = None

    def __init__(self, _cluster: Any, _namespace: str, _pod: Any, **given: Any) -> None:
        self.given, self.waits, self.verdict = given, list[float](), judge(Story().evidence)
        self.workload, self.step, self.started = "ns/one", "delete the pod", False
        Arm.made.append(self)

    def start(self) -> None:
        self.started = True

    def result(self, timeout: float) -> Verdict:
        self.waits.append(timeout)
        if self.failure:
            raise self.failure
        return self.verdict

    def stop(self, timeout: float) -> bool:
        self.waits.append(timeout)
        return self.ends


@pytest.fixture
def keywords(monkeypatch: pytest.MonkeyPatch) -> ControlArmKeywords:
    monkeypatch.setattr(Arm, "made", [])
    monkeypatch.setattr(control, "ControlArm", Arm)
    monkeypatch.setattr(CLUSTERS, "get", lambda _: None)
    return ControlArmKeywords()


@pytest.mark.parametrize("ends", [True, False])
def test_the_keywords_wait_as_their_documentation_says(
    ends: bool, keywords: ControlArmKeywords, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Arm, "ends", ends)
    warned: list[str] = []
    monkeypatch.setattr("ContinuityLibrary.control_keywords.logger.warn", warned.append)
    with pytest.raises(BadInput, match="started before it is joined"):
        keywords.control_arm_should_have_restarted()
    keywords.start_control_arm(NGINX)
    (arm,) = Arm.made
    assert arm.started
    assert arm.given["limits"] == Limits(60.0, 30.0, 60.0, 30.0)
    assert (arm.given["least"], arm.given["way"]) == (0, None)
    with pytest.raises(BadInput, match="one of "):
        keywords.control_arm_should_have_restarted("another")
    assert keywords.control_arm_should_have_restarted() is arm.verdict
    keywords.start_control_arm(NGINX)
    keywords.stop_control_arm()
    assert [one.waits for one in Arm.made] == [[120.0], [60.0]]
    assert warned == ([] if ends else ["the control arm ns/one is still at the step: delete the pod"])


def test_of_several_arms_the_one_that_is_meant_must_be_named(keywords: ControlArmKeywords) -> None:
    redis = NGINX.with_name("redis.yaml")
    keywords.start_control_arm(NGINX)
    keywords.start_control_arm(redis)
    with pytest.raises(BadInput, match="joined or stopped before another one is started for this pod"):
        keywords.start_control_arm(NGINX)
    with pytest.raises(BadInput, match=r"control arm is empty; it must be one of test-nginx, "):
        keywords.control_arm_should_have_restarted()
    assert keywords.control_arm_should_have_restarted("test-nginx") is Arm.made[0].verdict


@pytest.mark.parametrize("failure", [None, NotAsExpected("restarted", "continued", cause="check-broken")])
def test_an_arms_verdict_is_recorded_as_that_of_an_arm_also_when_it_is_the_wrong_one(
    failure: Exception | None, keywords: ControlArmKeywords, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Arm, "failure", failure)
    keywords.start_control_arm(NGINX)
    with pytest.raises(NotAsExpected) if failure else nullcontext():
        keywords.control_arm_should_have_restarted()
    assert [(one["verdict"], one["control_arm"]) for one in keywords._verdicts] == [("continued", True)]
