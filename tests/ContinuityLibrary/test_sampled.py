"""Every verdict on a sampled witness, reached from made-up samples, and what each of them says."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from tests.ContinuityLibrary.make import ANOTHER, NONCE, THIRD, at

from ContinuityLibrary.sampled import (
    HTTP,
    NATURES,
    REDIS,
    STUB_STATUS,
    PodState,
    Reading,
    Sample,
    SampledEvidence,
    judge_samples,
)
from ContinuityLibrary.verdict import Kind
from ContinuityLibrary.wording import failure

HIGH = 1000
"""A count that no fresh start of these stories can show."""


def sample(count: int, seconds: float, nonce: str = NONCE, *, asks: int = 1, **more: Any) -> Sample:
    """An answer at that second."""
    follows = more.pop("follows", True)
    return Sample(at(seconds), Reading(count, nonce, follows), asks, **more)


def story(nature=HTTP, *counts: int, nonce: str = NONCE, begin: float = 20, **more: Any) -> SampledEvidence:
    """A source that was last sampled at second 2, with count 1002, and was deleted at second 7; then those counts."""
    mine = "" if nature is STUB_STATUS else NONCE
    theirs = "" if nature is STUB_STATUS else nonce
    before = tuple(sample(HIGH + n, n, mine) for n in range(3))
    after = tuple(sample(count, begin + n, theirs, asks=n + 1) for n, count in enumerate(counts))
    return SampledEvidence(
        nature, "uid-source", before, "uid-restored", after, deleted_at=at(7), restore_asked_at=at(8), **more
    )


GOES_ON = (HIGH + 3, HIGH + 4, HIGH + 5)


@pytest.mark.parametrize("nature", NATURES.values(), ids=NATURES)
def test_continued(nature) -> None:
    verdict = judge_samples(story(nature, *GOES_ON))
    assert verdict.kind is Kind.CONTINUED
    assert verdict.settled
    of = "(stub_status)" if nature is STUB_STATUS else "of nonce aaaa.."
    assert str(verdict) == f"continued: count 1002 -> 1003 {of}"
    assert (verdict.witness, verdict.b, verdict.r, verdict.a, verdict.last, verdict.steps) == (
        nature.name, 1002, None, 1003, 1005, 3,
    )  # fmt: skip
    assert verdict.nonce == verdict.own_nonce == ("" if nature is STUB_STATUS else NONCE)
    assert verdict.checked == (6 if nature is HTTP else 0)
    assert (verdict.downtime, verdict.restore_to_first_step) == (13, 12)
    assert failure(verdict, Kind.CONTINUED) is None


def test_restarted_by_another_nonce() -> None:
    verdict = judge_samples(story(HTTP, 3, nonce=ANOTHER))
    assert str(verdict) == "restarted: count 1002 of nonce aaaa.. was reached, then came count 3 of nonce bbbb.."
    assert verdict.settled, "one sample tells it"


def test_a_fresh_start_that_passed_the_count_is_told_by_its_nonce_all_the_same() -> None:
    evidence = story(REDIS, 4, nonce=ANOTHER)
    low = replace(evidence, before=(sample(1, 0), sample(2, 1), sample(3, 2)))
    more = replace(low, after=(sample(4, 20, ANOTHER, asks=4),))
    assert judge_samples(more).kind is Kind.RESTARTED


@pytest.mark.parametrize(("count", "kind"), [(1, "restarted"), (55, "restarted"), (56, "rewound"), (1002, "rewound")])
def test_without_a_nonce_a_low_count_tells_a_fresh_start(count: int, kind: str) -> None:
    """18 seconds after the source's last sample: 3 requests a second, and its own."""
    verdict = judge_samples(story(STUB_STATUS, count))
    assert verdict.kind == kind
    assert verdict.detail == f"count 1002 was reached already, then {count} came"
    assert verdict.settled


@pytest.mark.parametrize(("begin", "most"), [(2.05, 4), (3.0, 4), (3.05, 7)])
def test_a_second_that_has_begun_may_have_all_of_its_probes(begin: float, most: int) -> None:
    """A container that has just started is asked by its startup and its readiness probe at once."""
    assert judge_samples(story(STUB_STATUS, most, begin=begin)).kind is Kind.RESTARTED
    assert judge_samples(story(STUB_STATUS, most + 1, begin=begin)).kind is Kind.REWOUND


@pytest.mark.parametrize("nature", [HTTP, REDIS], ids=["http", "redis"])
@pytest.mark.parametrize("count", [1, 55, 1002])
def test_rewound(nature, count: int) -> None:
    verdict = judge_samples(story(nature, count))
    assert str(verdict) == f"rewound: count 1002 of nonce aaaa.. was reached already, then {count} came"
    assert verdict.settled


def test_going_back_is_rewound_though_it_is_above_the_bound() -> None:
    verdict = judge_samples(story(HTTP, HIGH + 5, HIGH + 4, HIGH + 6))
    assert str(verdict) == "rewound: count 1005 of nonce aaaa.. was reached, then 1004 came"


def test_the_same_count_once_more_is_no_way_back() -> None:
    assert judge_samples(story(HTTP, HIGH + 3, *GOES_ON)).kind is Kind.CONTINUED


def test_a_later_sample_below_the_bound_counts_too() -> None:
    assert judge_samples(story(HTTP, *GOES_ON, HIGH + 2)).kind is Kind.REWOUND


@pytest.mark.parametrize(("asks", "kind"), [(1, "ahead"), (3, "ahead"), (4, "continued")])
def test_ahead_where_nobody_else_makes_it_count(asks: int, kind: str) -> None:
    evidence = story(REDIS, HIGH + 6, HIGH + 7, HIGH + 8)
    later = tuple(replace(one, asks=asks + n) for n, one in enumerate(evidence.after))
    verdict = judge_samples(replace(evidence, after=later))
    assert verdict.kind == kind
    if kind == "ahead":
        ends = "the checkpoint ends with count 1002 of nonce aaaa.."
        assert verdict.detail == f"{ends}, and asked {asks} times it was at 1006"


@pytest.mark.parametrize(
    ("nature", "counts", "more", "kind"),
    [
        (REDIS, (HIGH + 3, HIGH + 500, HIGH + 501), {}, "ahead"),
        (REDIS, (HIGH + 3, HIGH + 3), {"stalled": 3.0}, "silent"),
        (HTTP, (HIGH + 3,), {"stalled": 3.0}, "silent"),
        (HTTP, (HIGH + 3, HIGH + 40, HIGH + 4), {}, "rewound"),
        (STUB_STATUS, (HIGH + 3, 4, HIGH + 4), {}, "restarted"),
    ],
    ids=[
        "a counter that is set higher between two questions",
        "redis answers out of a cache",
        "a page out of a cache",
        "the copy and its source answer in turn",
        "the restored server and a fresh one answer in turn",
    ],
)
def test_no_lie_is_believed(nature, counts: tuple[int, ...], more: dict[str, Any], kind: str) -> None:
    assert judge_samples(story(nature, *counts, **more)).kind == kind


def test_where_others_may_ask_no_upper_bound_is_known() -> None:
    for nature in (HTTP, STUB_STATUS):
        assert judge_samples(story(nature, 5000, 5001, 5002)).kind is Kind.CONTINUED


def test_foreign() -> None:
    others = {ANOTHER: "ns/other", THIRD: "ns/third"}
    verdict = judge_samples(story(HTTP, 3, nonce=ANOTHER, others=others))
    assert str(verdict) == "foreign: count 3 of nonce bbbb.., which is that of ns/other"


@pytest.mark.parametrize(("count", "kind"), [(181, "restarted"), (182, "foreign")])
def test_an_unknown_process_that_was_not_started_afresh_is_foreign(count: int, kind: str) -> None:
    """18 seconds after the source's last sample: 10 steps a second, and its own."""
    verdict = judge_samples(story(HTTP, count, nonce=ANOTHER))
    assert verdict.kind == kind
    if kind == "foreign":
        assert verdict.detail == "count 182 of nonce bbbb.., which no workload of this run has"


def test_a_clock_that_stands_makes_no_fresh_start_count_less_than_it_was_asked() -> None:
    assert judge_samples(story(HTTP, 1, nonce=ANOTHER, begin=1)).kind is Kind.RESTARTED
    assert judge_samples(story(HTTP, 2, nonce=ANOTHER, begin=1)).kind is Kind.FOREIGN


def test_what_is_not_said_of_the_evidence() -> None:
    evidence = SampledEvidence(HTTP, "uid-source", (Sample(at(0), Reading(5)),))
    assert (evidence.restored_uid, evidence.stalled, evidence.pod.state, evidence.before[0].asks) == (
        "",
        0,
        "running",
        1,
    )


def test_broken_chain() -> None:
    evidence = story(HTTP, *GOES_ON)
    wrong = sample(HIGH + 4, 21, follows=False)
    verdict = judge_samples(replace(evidence, after=(evidence.after[0], wrong)))
    assert str(verdict) == "broken chain: the hash of step 1004 of nonce aaaa.. does not follow"
    assert verdict.checked == 4


def test_a_forged_line_of_another_nonce_is_a_broken_chain() -> None:
    evidence = replace(story(HTTP), after=(sample(5, 20, ANOTHER, follows=False),))
    assert judge_samples(evidence).kind is Kind.BROKEN_CHAIN


def test_original() -> None:
    verdict = judge_samples(replace(story(HTTP, *GOES_ON), restored_uid="uid-source"))
    assert str(verdict) == "original: the pod with UID uid-source is the source itself"


# what is silent, and what cannot be told


@pytest.mark.parametrize(("stalled", "kind"), [(2.9, "inconclusive"), (3.0, "silent")])
def test_a_ready_pod_that_never_answers_is_silent(stalled: float, kind: str) -> None:
    verdict = judge_samples(story(HTTP, stalled=stalled, problem="connection refused"))
    assert verdict.kind == kind
    assert verdict.pending == "its first answer"
    if kind == "silent":
        assert verdict.detail == "no answer of its witness for 3.0 s, but connection refused"
    else:
        assert verdict.detail == "the restored process has not answered yet"


@pytest.mark.parametrize(("stalled", "kind"), [(2.9, "inconclusive"), (3.0, "silent")])
@pytest.mark.parametrize("nature", [HTTP, STUB_STATUS], ids=["http", "stub_status"])
def test_a_count_that_stands_is_silent(nature, stalled: float, kind: str) -> None:
    verdict = judge_samples(story(nature, HIGH + 3, HIGH + 4, stalled=stalled))
    assert verdict.kind == kind
    of = "" if nature is STUB_STATUS else " of nonce aaaa.."
    if kind == "silent":
        assert (verdict.detail, verdict.pending) == (f"no count after 1004{of} for 3.0 s", "a higher count")
    else:
        assert verdict.detail == "2 of 3 counts of its own were seen so far"
        assert verdict.pending == "further samples"


DOWN = PodState(running=False, ready=False, state="ImagePullBackOff")
ENDED = PodState(running=False, ready=False, over=True, state="Completed")
UNREADY = PodState(ready=False)


@pytest.mark.parametrize(
    ("more", "detail", "pending"),
    [
        ({"pod": ENDED}, "the restored container ended before it was sampled: Completed", ""),
        ({"pod": DOWN}, "the restored container does not run: ImagePullBackOff", "its start"),
        ({"pod": UNREADY}, "the restored pod is not Ready and was not sampled", "its first answer"),
        (
            {"unreached": True, "problem": "no endpoints"},
            "the restored pod was not reached: no endpoints",
            "its first answer",
        ),
    ],
    ids=["ended", "down", "not ready", "not reached"],
)
def test_without_a_sample(more: dict[str, Any], detail: str, pending: str) -> None:
    verdict = judge_samples(story(HTTP, stalled=10, **more))
    assert (verdict.kind, verdict.detail, verdict.pending) == (Kind.INCONCLUSIVE, detail, pending)
    assert (verdict.a, verdict.last, verdict.steps, verdict.own_nonce, verdict.downtime) == (None, None, 0, "", None)


@pytest.mark.parametrize(
    ("more", "detail", "pending"),
    [
        ({"pod": ENDED}, "the restored container ended after count 1005: Completed", ""),
        ({"pod": DOWN}, "the restored container does not run after count 1005: ImagePullBackOff", "its next start"),
        (
            {"unreached": True, "problem": "no endpoints"},
            "the restored pod was not reached any more after count 1005: no endpoints",
            "its next answer",
        ),
    ],
    ids=["ended", "down", "not reached"],
)
def test_what_comes_after_the_samples_counts(more: dict[str, Any], detail: str, pending: str) -> None:
    verdict = judge_samples(story(HTTP, *GOES_ON, stalled=10, **more))
    assert (verdict.kind, verdict.detail, verdict.pending) == (Kind.INCONCLUSIVE, detail, pending)


def test_a_container_that_was_restarted_proves_nothing() -> None:
    evidence = story(HTTP, *GOES_ON)
    again = replace(evidence.after[-1], restarts=2)
    verdict = judge_samples(replace(evidence, after=(*evidence.after[:-1], again)))
    words = "the restored pod's containers were restarted 2 times, and it was last seen at count 1005"
    assert (verdict.kind, verdict.detail, verdict.settled) == (Kind.INCONCLUSIVE, words, True)


@pytest.mark.parametrize(("b", "kind"), [(55, "inconclusive"), (56, "continued")])
def test_a_count_that_a_fresh_start_could_show_proves_nothing(b: int, kind: str) -> None:
    evidence = story(STUB_STATUS, b + 1, b + 2, b + 3)
    verdict = judge_samples(replace(evidence, before=(sample(b - 1, 1, ""), sample(b, 2, ""))))
    assert verdict.kind == kind
    if kind == "inconclusive":
        words = "count 55 came before, and a fresh start could have counted 55 by then"
        assert verdict.detail == f"{words}: drive the count up before the checkpoint"
        assert verdict.settled


def test_a_source_that_was_not_sampled() -> None:
    verdict = judge_samples(replace(story(HTTP, *GOES_ON), before=()))
    assert verdict.detail == "the source was not sampled before the checkpoint was asked for"
    assert (verdict.kind, verdict.b, verdict.nonce, verdict.settled) == (Kind.INCONCLUSIVE, None, "", True)


@pytest.mark.parametrize(
    ("second", "words"),
    [
        (sample(1, 1, ANOTHER), "count 1 of nonce bbbb.. came after count 1000 of nonce aaaa.."),
        (sample(1001, 1, ANOTHER), "count 1001 of nonce bbbb.. came after count 1000 of nonce aaaa.."),
        (sample(1000, 1), "count 1000 of nonce aaaa.. came after count 1000 of nonce aaaa.."),
    ],
)
def test_a_source_that_did_not_go_on_itself(second: Sample, words: str) -> None:
    verdict = judge_samples(replace(story(HTTP, *GOES_ON), before=(sample(HIGH, 0), second)))
    assert str(verdict) == f"inconclusive: the source itself did not go on: {words}"


def test_a_source_whose_chain_is_broken() -> None:
    broken = replace(story(HTTP, *GOES_ON), before=(sample(HIGH, 0, follows=False),))
    assert judge_samples(broken).detail == "the source's own witness is broken: its step 1000 does not follow"


def test_the_downtime_is_not_known_where_nothing_was_deleted_or_a_sample_came_before() -> None:
    evidence = story(HTTP, *GOES_ON)
    assert judge_samples(replace(evidence, deleted_at=None)).downtime is None
    assert judge_samples(replace(evidence, restore_asked_at=None)).restore_to_first_step is None
    assert judge_samples(replace(evidence, deleted_at=at(21))).downtime is None
    assert judge_samples(replace(evidence, deleted_at=at(20))).downtime == 0


@pytest.mark.parametrize(
    ("nature", "wanted", "words"),
    [
        (HTTP, Kind.CONTINUED, "the process goes on with nonce aaaa.., and its steps keep coming"),
        (STUB_STATUS, Kind.CONTINUED, "its count goes on above 1002, and its steps keep coming"),
        (HTTP, Kind.RESTARTED, "a fresh process with another nonce than aaaa.."),
        (STUB_STATUS, Kind.RESTARTED, "a fresh process whose count begins anew"),
    ],
)
def test_what_should_have_been(nature, wanted: Kind, words: str) -> None:
    wording = failure(judge_samples(story(nature, 500, 501)), wanted)
    assert wording
    assert wording.expected == f"verdict {wanted}: {words}"
    assert wording.look
    assert wording.cause == ("process-rewound" if wanted is Kind.CONTINUED else "check-broken")
