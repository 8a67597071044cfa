"""What holds of every verdict on a sampled witness, whatever the samples."""

from __future__ import annotations

from dataclasses import replace

from hypothesis import given, settings
from hypothesis import strategies as st
from tests.ContinuityLibrary.make import ANOTHER, NONCE, THIRD, at

from ContinuityLibrary.sampled import (
    HTTP,
    NATURES,
    REDIS,
    STUB_STATUS,
    Nature,
    PodState,
    Reading,
    Sample,
    SampledEvidence,
    judge_samples,
)
from ContinuityLibrary.verdict import Kind

natures = st.sampled_from(list(NATURES.values()))
pods = st.sampled_from([PodState(), PodState(ready=False), PodState(running=False, ready=False, over=True)])


@st.composite
def samples(draw: st.DrawFn, begin: int, most: int = 5) -> tuple[Sample, ...]:
    """Any answers."""
    readings = st.builds(Reading, st.integers(1, 3000), st.sampled_from(["", NONCE, ANOTHER, THIRD]), st.booleans())
    found = draw(st.lists(readings, max_size=most))
    return tuple(Sample(at(begin + n), one, n + 1, draw(st.integers(0, 1))) for n, one in enumerate(found))


@st.composite
def evidences(draw: st.DrawFn) -> SampledEvidence:
    """Anything that can be seen."""
    return SampledEvidence(
        draw(natures),
        "uid-source",
        draw(samples(0)),
        draw(st.sampled_from(["", "uid-source", "uid-restored"])),
        draw(samples(20)),
        draw(pods),
        draw(st.sampled_from(["", "connection refused"])),
        draw(st.booleans()),
        draw(st.floats(0, 10)),
        draw(st.sampled_from([None, at(7)])),
        draw(st.sampled_from([None, at(8)])),
        draw(st.sampled_from([{}, {ANOTHER: "ns/other"}])),
    )


@settings(max_examples=300, deadline=None)
@given(evidences())
def test_only_what_holds_in_all_respects_has_continued(evidence: SampledEvidence) -> None:
    verdict = judge_samples(evidence)
    assert str(verdict).startswith(f"{verdict.kind}: ")
    if verdict.kind is not Kind.CONTINUED:
        return
    before, after = evidence.before, evidence.after
    everything = (*before, *after)
    counts = [one.count for one in everything]
    assert all(one.reading.follows for one in everything)
    assert len({one.reading.nonce for one in everything}) == 1
    assert max(one.count for one in before) < min(one.count for one in after)
    assert [one.count for one in after] == sorted(one.count for one in after)
    assert len(set(counts)) >= 3
    assert evidence.restored_uid != evidence.source_uid
    assert evidence.pod.running
    assert not after[-1].restarts
    if evidence.nature is STUB_STATUS:
        assert verdict.b and verdict.b > evidence.fresh_limit(after[0])


@settings(max_examples=100, deadline=None)
@given(natures, st.integers(1000, 2000), st.integers(1, 4), st.integers(1, 30), st.lists(st.integers(1, 5), max_size=6))
def test_a_process_that_goes_on_is_never_accused(
    nature: Nature, b: int, first: int, seconds: int, steps: list[int]
) -> None:
    nonce = "" if nature is STUB_STATUS else NONCE
    count, after = b, []
    for n, step in enumerate([first, *steps]):
        count += 1 if nature is REDIS else step
        after.append(Sample(at(seconds + n), Reading(count, nonce), n + 1))
    before = (Sample(at(0), Reading(b, nonce)),)
    for seen in range(len(after) + 1):
        evidence = SampledEvidence(nature, "uid-source", before, "uid-restored", tuple(after[:seen]))
        verdict = judge_samples(evidence)
        assert verdict.kind is (Kind.CONTINUED if seen >= 3 else Kind.INCONCLUSIVE)
        assert verdict.settled == (seen >= 3)


@settings(max_examples=100, deadline=None)
@given(natures, st.integers(1, 30), st.lists(st.integers(1, 3), min_size=1, max_size=5))
def test_a_fresh_start_is_never_taken_for_anything_else(nature: Nature, seconds: int, steps: list[int]) -> None:
    mine, theirs = ("", "") if nature is STUB_STATUS else (NONCE, ANOTHER)
    before = (Sample(at(0), Reading(1000, mine)),)
    count, after = 0, []
    for n, step in enumerate(steps):
        count += 1 if nature is REDIS else min(step, 1 + seconds)
        after.append(Sample(at(seconds + n), Reading(count, theirs), n + 1))
    verdict = judge_samples(SampledEvidence(nature, "uid-source", before, "uid-restored", tuple(after)))
    assert verdict.kind is Kind.RESTARTED
    assert verdict.settled


@settings(max_examples=200, deadline=None)
@given(evidences(), samples(40, most=2))
def test_a_settled_failure_stays_one_when_more_is_seen(evidence: SampledEvidence, more: tuple[Sample, ...]) -> None:
    verdict = judge_samples(evidence)
    if verdict.kind is Kind.CONTINUED or not verdict.settled:
        return
    later = judge_samples(replace(evidence, after=(*evidence.after, *more)))
    assert later.kind is not Kind.CONTINUED or evidence.pod.over


def test_http_is_the_only_one_whose_chain_is_checked() -> None:
    sample = Sample(at(0), Reading(5, NONCE))
    checked = {n.name: judge_samples(SampledEvidence(n, "uid", (sample,))).checked for n in NATURES.values()}
    assert checked == {HTTP.name: 1, STUB_STATUS.name: 0, REDIS.name: 0}
