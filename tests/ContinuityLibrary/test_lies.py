"""Lies that a restore could tell, of which no catalogue knows, and honest processes that look odd beside them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.ContinuityLibrary.make import ANOTHER, NONCE, Story, at, line, log, run, seen

from ContinuityLibrary.evidence import Evidence, Look, Source
from ContinuityLibrary.logs import LogLine
from ContinuityLibrary.verdict import Kind, judge
from ContinuityLibrary.witness import chain

Lines = tuple[LogLine, ...]


def told(own: Lines, **changes: object) -> Evidence:
    """The usual story with these lines of the copy's own: a source with b = 10 and r = 14, a container from second 10
    on with the source's lines up to step 11 in front."""
    return replace(Story(own=own), **changes).evidence  # type: ignore[arg-type]


def moved(lines: Lines, change: Callable[[str], str]) -> Lines:
    """The lines with another text."""
    return tuple(LogLine(one.stamp, change(one.text)) for one in lines)


def bursts(first: int, each: int, count: int, begin: float, period: float = 1.0) -> Lines:
    """Steps of which so many are stamped at once, again and again."""
    return tuple(
        one
        for n in range(count)
        for one in run(first + n * each, first + n * each + each - 1, begin + n * period, period=0)
    )


def beside(*looks: Look, source: Lines = (), copied: int = 11) -> Evidence:
    """Looks at a copy whose source lives on and has printed these lines by now."""
    story = Story(copied=copied)
    late = Look(at(30), log(source, started=0))
    return replace(story.evidence, source=replace(story.source, after=(*story.source.after, late)), restored=looks)


def relayed() -> Evidence:
    """A program in the restored pod follows the source's log: what there is at once, then each line as it comes."""
    source = run(1, 90, 0.2)
    own = run(12, 51, 10.3, period=0.001) + run(52, 85, 10.5)
    looks = (Look(at(seconds), log(source[:11], own[:count], started=10)) for seconds, count in ((16, 60), (18, 74)))
    return beside(*looks, source=source)


def both_in_one_log() -> Evidence:
    """The copy's output and that of the living source come in the copy's log, each line stamped as it came."""
    source = run(1, 90, 0.2)
    mixed = run(12, 40, 10.3) + run(52, 80, 10.45)
    whole = log(source[:11], tuple(sorted(mixed)), started=10)
    earlier = replace(whole, lines=whole.lines[:-6])
    return beside(Look(at(17), earlier), Look(at(18), whole), source=source)


def replaced(first: Lines, then: Lines) -> Evidence:
    """The runtime made a second container, and the kubelet counts no restart."""
    head = Story().source_lines[:11]
    looks = (
        Look(at(13), log(head, first, started=10), container="containerd://1"),
        Look(at(18), log(head, then[:-3], started=14), container="containerd://2"),
        Look(at(19), log(head, then, started=14), container="containerd://2"),
    )
    return seen(Story().evidence, *looks)


def rotated(first: Lines, then: Lines) -> Evidence:
    """One look at the log, and one after it was emptied."""
    head = Story().source_lines[:11]
    return seen(Story().evidence, Look(at(13), log(head, first, started=10)), Look(at(20), log(then, started=10)))


def started_later() -> Evidence:
    """The container's `startedAt` is second 20, ten seconds after its first step."""
    looks = Story().evidence.restored
    return seen(Story().evidence, *(replace(one, log=replace(one.log, started_at=at(20))) for one in looks if one.log))


def swapped_hashes() -> Lines:
    own = list(run(12, 30, 10.3))
    own[5], own[6] = (line(n, 10.3 + (n - 12) * 0.2, chain=chain(NONCE, other)) for n, other in ((17, 18), (18, 17)))
    return tuple(own)


def abroad(own: Lines) -> Evidence:
    """A copy in another cluster, whose clock is an hour behind."""
    head = Story().source_lines[: int(own[0].text.split("step=")[1].split()[0]) - 1]
    looks = (Look(at(20 + n), log(head, own[: len(own) - 5 + 5 * n], started=-3600)) for n in (0, 1))
    return seen(Story().evidence, *looks)


LIES: dict[str, tuple[Callable[[], Evidence], Kind]] = {
    # quicker than a process is
    "a chain computed beforehand, printed at once": (lambda: told(run(12, 80, 10.3, period=0.0005)), Kind.INCONCLUSIVE),
    "so few steps at once that a node may just have been late": (
        lambda: told(bursts(12, 9, 2, 10.3, 0.4)),
        Kind.INCONCLUSIVE,
    ),
    "a counter that runs fast to catch up, and then keeps its pace": (
        lambda: told(run(12, 60, 10.3, period=0.01) + run(61, 90, 11.0)),
        Kind.INCONCLUSIVE,
    ),
    "a counter that runs fast after it has kept its pace": (
        lambda: told(run(12, 30, 10.3) + run(31, 60, 14.1, period=0.01) + run(61, 80, 14.6)),
        Kind.INCONCLUSIVE,
    ),
    "twenty steps a second, read once a second": (lambda: told(bursts(12, 20, 5, 10.3)), Kind.INCONCLUSIVE),
    "twice as fast as the script's sleep allows": (lambda: told(run(12, 70, 10.3, period=0.05)), Kind.INCONCLUSIVE),
    "the living source's log, followed by a program": (relayed, Kind.INCONCLUSIVE),
    # an older state, or one of later
    "an older state whose first three seconds were not logged": (
        lambda: told(run(12, 40, 13.0), copied=0),
        Kind.INCONCLUSIVE,
    ),
    "an older state that ran slower, and was not logged at first": (
        lambda: told(run(11, 30, 14.0, period=0.6), copied=0),
        Kind.INCONCLUSIVE,
    ),
    "the first checkpoint of a chain in place of the second": (
        lambda: told(run(20, 60, 10.3), b=40, r=44, copied=19),
        Kind.REWOUND,
    ),
    "the heartbeat before the last one, with the log of the last one": (
        lambda: told(run(8, 40, 10.3), copied=14),
        Kind.REWOUND,
    ),
    "an older state in a cluster whose clock is behind": (lambda: abroad(run(6, 40, -3599.0)), Kind.REWOUND),
    "completed was told before the dump was done": (
        lambda: told(run(15, 19, 6.4) + run(20, 40, 10.3), copied=14),
        Kind.AHEAD,
    ),
    "a checkpoint that was taken by itself a second later": (lambda: told(run(21, 50, 10.3), copied=14), Kind.AHEAD),
    "the log of a deleted source that writes on": (lambda: told(run(15, 80, 3.0), copied=14), Kind.AHEAD),
    # two processes
    "a deleted source that writes into the copy's log": (
        lambda: told(run(15, 60, 6.5) + run(12, 40, 10.3), copied=14),
        Kind.INCONCLUSIVE,
    ),
    "the copy and its living source in one log": (both_in_one_log, Kind.INCONCLUSIVE),
    "a fresh process and the restored one take turns": (
        lambda: told(run(12, 15, 10.3) + run(1, 4, 11.1, ANOTHER) + run(16, 30, 11.9)),
        Kind.RESTARTED,
    ),
    "two copies take turns": (lambda: told(run(12, 15, 10.3) + run(12, 19, 11.1) + run(16, 30, 12.7)), Kind.REWOUND),
    "each step taken twice": (lambda: told(tuple(sorted(run(12, 30, 10.3) + run(12, 30, 10.4)))), Kind.REWOUND),
    "another container's steps": (
        lambda: told(run(12, 30, 10.3, ANOTHER), others={ANOTHER: "ns/pair (other)"}),
        Kind.FOREIGN,
    ),
    # a restart that nobody counts
    "memory read back from a disk by a container that replaced the restored one": (
        lambda: replaced(run(12, 20, 10.3), run(21, 40, 14.3)),
        Kind.INCONCLUSIVE,
    ),
    "the restored container was replaced and restored once more": (
        lambda: replaced(run(12, 20, 10.3), run(12, 40, 14.3)),
        Kind.REWOUND,
    ),
    "the log was emptied and the state restored once more": (
        lambda: rotated(run(12, 20, 10.3), run(12, 40, 14.3)),
        Kind.REWOUND,
    ),
    # lines that are not what was printed
    "two hashes that changed places": (lambda: told(swapped_hashes()), Kind.BROKEN_CHAIN),
    "a chain that begins anew under steps that go on": (
        lambda: told(tuple(line(n, 10.3 + n * 0.2, chain=chain(NONCE, n - 11)) for n in range(12, 31))),
        Kind.BROKEN_CHAIN,
    ),
    "a step that nobody can have reached": (
        lambda: told((*run(12, 30, 10.3), line(31, 14.3, chain="0" * 16)), copied=11),
        Kind.BROKEN_CHAIN,
    ),
    "every second step": (
        lambda: told(tuple(one for n, one in enumerate(run(12, 60, 10.3)) if n % 2 == 0)),
        Kind.INCONCLUSIVE,
    ),
    "a part of the log that was rotated away unread": (
        lambda: rotated(run(12, 20, 10.3), run(25, 50, 12.9)),
        Kind.INCONCLUSIVE,
    ),
    "two lines that stand in one": (
        lambda: told(moved(run(12, 30, 10.3), lambda text: text if "step=20 " not in text else text * 2)),
        Kind.INCONCLUSIVE,
    ),
    "numbers with zeros in front": (
        lambda: told(moved(run(12, 30, 10.3), lambda text: text.replace("step=2", "step=02"))),
        Kind.INCONCLUSIVE,
    ),
    "bytes of rubbish before each line": (
        lambda: seen(
            Story().evidence,
            *(replace(look, read_at=at(20 + 4 * n), log=log(moved(run(12, 30, 10.3), "\0".__add__), started=10))
              for n, look in enumerate(Story().evidence.restored)),
        ),
        Kind.SILENT,
    ),
    # clocks
    "stamps that run backwards": (
        lambda: told(tuple(line(n, 20 - n * 0.2) for n in range(12, 31))),
        Kind.INCONCLUSIVE,
    ),
    "a container that is said to have started after its steps": (started_later, Kind.INCONCLUSIVE),
    # it does not go on
    "one step, and none more": (
        lambda: seen(Story().evidence, *(Story(copied=14, own=run(15, 15, 10.3)).look(s) for s in (12, 16))),
        Kind.SILENT,
    ),
}  # fmt: skip


@pytest.mark.parametrize("lie", LIES)
def test_no_lie_is_believed(lie: str) -> None:
    evidence, kind = LIES[lie]
    verdict = judge(evidence())
    assert verdict.kind is kind, str(verdict)


TOLD_LATER = (
    "a counter that runs fast after it has kept its pace",
    "a step that nobody can have reached",
    "two lines that stand in one",
    "numbers with zeros in front",
)
"""They begin with what is true."""


@pytest.mark.parametrize("lie", [lie for lie in LIES if lie not in TOLD_LATER])
def test_no_lie_is_believed_at_any_moment(lie: str) -> None:
    """Of each look only the first lines are there yet."""
    evidence = LIES[lie][0]()
    for keep in range(max(len(look.log.lines) for look in evidence.restored if look.log)):
        looks = (
            replace(look, log=replace(look.log, lines=look.log.lines[: keep + n]))
            for n, look in enumerate(evidence.restored)
            if look.log
        )
        verdict = judge(replace(evidence, restored=tuple(looks)))
        assert verdict.kind is not Kind.CONTINUED, f"{keep} lines: {verdict}"


def late(lines: Lines, until: float) -> Lines:
    """The lines as a node stamps them that gets round to reading them at that second only."""
    return tuple(replace(one, stamp=max(one.stamp, run(1, 1, until)[0].stamp)) for one in lines)


def read_every(second: float, lines: Lines) -> Lines:
    """The lines as a node stamps them that reads them so often only."""
    tick = int(second * 1e9)
    return tuple(LogLine(-(-one.stamp // tick) * tick, one.text) for one in lines)


def from_source(source: Lines, own: Lines, *, copied: int = 11, started: float = 10) -> Evidence:
    """A source with these lines, the first 10 of which were there before the checkpoint was asked for."""
    looks = (Look(at(90 + n), log(source[:copied], own[: len(own) - 3 + 3 * n], started=started)) for n in (0, 1))
    ends = Source("uid-source", Look(at(5), log(source[:10], started=0)), (Look(at(70), log(source, started=0)),))
    return replace(Story().evidence, source=ends, restored=tuple(looks), ready_at=at(60), deleted_at=None)


THROTTLED = run(1, 14, 1.2, period=1.2)
HONEST: dict[str, Callable[[], Evidence]] = {
    "throttled": lambda: from_source(THROTTLED, run(12, 30, 11.2, period=1.5)),
    "throttled, and no log was copied": lambda: from_source(THROTTLED, run(12, 30, 13.2, period=1.5), copied=0),
    "its node was busy, and the copy's is idle": lambda: from_source(
        run(1, 14, 0.5, period=0.48), run(12, 40, 10.3, period=0.1)
    ),
    "its node was late with the first lines": lambda: told(late(run(12, 60, 10.3, period=0.103), 12.0)),
    "its node was late, and no log was copied": lambda: told(late(run(12, 60, 10.9, period=0.103), 12.8), copied=0),
    "its node reads once a second": lambda: told(read_every(1, run(12, 60, 10.3, period=0.103))),
    "its node was late in the middle": lambda: told(
        run(12, 30, 10.3, period=0.103) + late(run(31, 80, 12.3, period=0.103), 14.2)
    ),
    "its node stood still for five seconds": lambda: told(run(12, 30, 10.3) + run(31, 60, 19.1)),
    "a sleep that ended early when it was restored": lambda: told(run(12, 12, 10.3) + run(13, 40, 10.301)),
    "a witness that is quicker": lambda: from_source(
        run(1, 40, 0.02, period=0.02), run(12, 90, 10.3, period=0.019), copied=11
    ),
    "slow to begin without a copied log, and far ahead": lambda: told(
        run(45, 80, 13.0), r=44, copied=0, b=10
    ),
    "the clock of its node is an hour behind": lambda: abroad(run(12, 40, -3599.0)),
    "its clock was set back an hour between two steps": lambda: told(run(12, 20, 10.3) + run(21, 40, -3589.0)),
    "rubbish and a line of a megabyte beside its own": lambda: told(
        (*run(12, 30, 10.3), LogLine(line(20, 11.95).stamp, "x" * 2**20), LogLine(line(20, 11.96).stamp, "\0\ufffd"))
    ),
}  # fmt: skip


@pytest.mark.parametrize("who", HONEST)
def test_no_honest_process_is_accused(who: str) -> None:
    verdict = judge(HONEST[who]())
    assert verdict.kind is Kind.CONTINUED, str(verdict)


@settings(max_examples=60, deadline=None)
@given(st.lists(st.tuples(st.floats(0.01, 3), st.floats(0, 1.9)), max_size=4), st.floats(0.1, 0.3), st.integers(1, 130))
def test_a_node_that_is_late_now_and_then_accuses_nobody(
    delays: list[tuple[float, float]], period: float, keep: int
) -> None:
    """Whatever is seen, it is never called anything but continued or not yet told; in the end it continued."""
    own, begin = run(12, 141, 10.3, period=period), 10.3
    for pause, lasts in delays:
        begin, end = begin + pause, begin + pause + lasts
        first, last = run(1, 1, begin)[0].stamp, run(1, 1, end)[0].stamp
        own = tuple(replace(one, stamp=last) if first <= one.stamp < last else one for one in own)
        begin = end
    head = Story().source_lines[:11]
    looks = (Look(at(40 + n), log(head, own[: keep + 8 * n], started=10)) for n in (0, 1))
    verdict = judge(seen(Story().evidence, *looks))
    assert verdict.kind is Kind.CONTINUED or verdict.pending, str(verdict)
    assert judge(told(own)).kind is Kind.CONTINUED
