"""At a URL nobody tells who answers: while the source lives on, its answers could be taken for its copy's."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from tests.ContinuityLibrary.api import FakeApi, FakePod, serving
from tests.ContinuityLibrary.make import NONCE
from tests.ContinuityLibrary.servers import http

from ContinuityLibrary import any_witness, sampling, witness
from ContinuityLibrary.observation import Workload
from ContinuityLibrary.sampled_keywords import way_to
from ContinuityLibrary.sampling import SampledObservation
from ContinuityLibrary.verdict import Kind, Verdict
from harness.kube import Cluster
from harness.waiting import Pace

SOURCE, RESTORED = Workload("fake", "ns", "test"), Workload("fake", "ns", "again")


@pytest.fixture
def fake(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[tuple[FakeApi, Cluster]]:
    monkeypatch.setattr(sampling, "PACE", Pace(least=0.01, share=0.02, most=0.05))
    with serving(tmp_path) as (api, cluster):
        api.pods["test"], api.pods["again"] = FakePod("test"), FakePod("again")
        yield api, cluster


@pytest.fixture
def observed(fake: tuple[FakeApi, Cluster]) -> Iterator[SampledObservation]:
    """The source, asked at a URL where somebody goes on answering with its nonce and ever higher steps."""
    steps = iter(range(1, 10_000))

    def answer(_: str) -> tuple[int, str]:
        step = next(steps)
        return 200, f"witness/1 nonce={NONCE} step={step} chain={witness.chain(NONCE, step)}\n"

    with http(answer) as port:
        way = way_to("http", "url", url=f"http://127.0.0.1:{port}/")
        yield sampling.observe(fake[1], SOURCE, way, samples=3, least=0, timeout=60)


def judged(cluster: Cluster, observed: SampledObservation, source_cluster: Cluster, timeout: float) -> Verdict:
    return any_witness.await_verdict(cluster, observed, RESTORED, timeout=timeout, source_cluster=source_cluster)


def test_a_source_that_lives_on_could_answer_for_its_copy(
    fake: tuple[FakeApi, Cluster], observed: SampledObservation
) -> None:
    verdict = judged(fake[1], observed, fake[1], 0.3)
    assert str(verdict) == (
        "inconclusive: the restored pod was not reached: "
        "its source lives on, and at a URL nobody tells which of them answers"
    )
    assert verdict.pending


@pytest.mark.parametrize("another", [False, True])
def test_a_source_that_is_gone_answers_for_nobody(
    fake: tuple[FakeApi, Cluster], observed: SampledObservation, another: bool
) -> None:
    api, cluster = fake
    del api.pods["test"]
    if another:
        api.pods["test"] = FakePod("test")
    assert judged(cluster, observed, cluster, 60).kind is Kind.CONTINUED


def test_the_source_is_looked_for_in_its_own_cluster(
    fake: tuple[FakeApi, Cluster], observed: SampledObservation, tmp_path: Path
) -> None:
    api, cluster = fake
    source = api.pods.pop("test")
    (tmp_path / "other").mkdir()
    with serving(tmp_path / "other") as (other_api, other):
        other_api.pods["test"] = source
        assert judged(cluster, observed, replace(other, alias="other"), 0.3).kind is Kind.INCONCLUSIVE
    assert any_witness.await_verdict(cluster, observed, RESTORED, timeout=60).kind is Kind.CONTINUED


def test_a_pod_that_is_not_ready_any_more_owes_no_answer(
    fake: tuple[FakeApi, Cluster], observed: SampledObservation
) -> None:
    api, cluster = fake
    watcher = sampling.Watcher(cluster, observed, RESTORED, cluster)
    watcher.look()
    assert watcher.since is not None, "since then it could have answered"
    api.pods["again"].ready = False
    watcher.look()
    assert watcher.since is None
