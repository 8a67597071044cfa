"""The cut of a pod's containers: what a correct judge says of every way in which messages can be lost or too early."""

from __future__ import annotations

import contextlib
import os
import re
import signal
import subprocess
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.ContinuityLibrary import recordings
from tests.ContinuityLibrary.exchanges import NAMES, NONCES, Memory, Restored, World, without
from tests.ContinuityLibrary.make import at

from ContinuityLibrary import messages
from ContinuityLibrary.cut import CutKind, CutVerdict, Side, judge_cut, side
from ContinuityLibrary.evidence import ContainerLog, Evidence, Look, Source
from ContinuityLibrary.logs import LogLine
from ContinuityLibrary.messages import SCRIPT, Exchange, Message, Told
from ContinuityLibrary.several import demand_consistent
from ContinuityLibrary.verdict import Kind, judge
from harness.failures import NotAsExpected

MANIFEST = Path(__file__).parents[2] / "resources" / "workloads" / "two_containers.yaml"
ORDER = NAMES * 10


def judged(story: Restored) -> CutKind:
    return judge_cut(story.sides()[0]).kind


def expected(memories: dict[str, Memory]) -> CutKind:
    """By what each process remembers at its cut: what it got, and what it knows to have arrived."""
    left, right = memories["left"], memories["right"]
    if left.got.number > right.sent.number or right.got.number > left.sent.number:
        return CutKind.FUTURE
    if _known_to_arrive(left) > right.got.number or _known_to_arrive(right) > left.got.number:
        return CutKind.LOST
    return CutKind.CONSISTENT


def _known_to_arrive(memory: Memory) -> int:
    return max(0, memory.sent.number - 1)


def test_one_moment_is_consistent() -> None:
    for moment in range(4, len(ORDER)):
        assert judged(Restored(ORDER, dict.fromkeys(NAMES, moment))) is CutKind.CONSISTENT


def test_a_container_that_was_cut_later_remembers_the_future() -> None:
    story = Restored(ORDER, {"left": 8, "right": 16})
    verdict = judge_cut(story.sides()[0])
    assert verdict.kind is CutKind.FUTURE
    assert verdict.settled
    assert re.search(
        r"right had got message \d+ \(\w{8}\) from left to right, and left had sent \d of them", str(verdict)
    )


def one_way(sent: int, got: list[int], cut: int) -> list[Side]:
    """Left sends so many messages, one a step, and right gets those of `got`; the cut is after step `cut` of both."""
    message = [Message(number, f"{number:08x}") for number in range(sent + 1)]
    left = [Told(step, Exchange(step, NONCES["left"], message[step], "-", None)) for step in range(1, sent + 1)]
    right = [
        Told(step, Exchange(step, NONCES["right"], None, NONCES["left"], message[number]))
        for step, number in enumerate(got, 1)
    ]
    return [
        Side(name, NONCES[name], cut + 1, tuple(lines[:cut]), tuple(lines[cut:]))
        for name, lines in (("left", left), ("right", right))
    ]


def test_a_message_that_arrived_before_and_is_not_there_any_more_is_lost() -> None:
    """Right was set back to when it had got two messages; left knows that five arrived, and goes on with the sixth."""
    verdict = judge_cut(one_way(8, [1, 2, 2, 2, 2, 6, 7, 8], 5))
    assert str(verdict) == "lost: messages 3 to 5 were sent from left to right and never got"
    assert verdict.settled
    assert judge_cut(one_way(8, [1, 2, 3, 4, 5, 6, 7, 8], 5)).kind is CutKind.CONSISTENT


def test_what_one_side_lost_is_told_beside_what_the_other_has_of_the_future() -> None:
    verdict = judge_cut(Restored(ORDER, {"left": 16, "right": 8}).sides()[0])
    assert verdict.kind is CutKind.FUTURE
    assert "; lost: message" in verdict.detail


def test_what_was_sent_with_the_first_step_of_the_restored_process_may_be_of_before_but_no_more() -> None:
    left, right = one_way(8, [1, 2, 3, 4, 6, 6, 7, 8], 5)
    assert left.last_before == 6
    assert judge_cut([left, right]).kind is CutKind.LOST
    left, right = one_way(8, [1, 2, 3, 4, 7, 7, 7, 8], 5)
    assert judge_cut([left, right]).kind is CutKind.FUTURE
    assert replace(left, before=(), own=()).last_before == 0


def test_what_is_got_of_one_sender_is_told_apart_from_what_is_got_of_another() -> None:
    one, other, first, second = NONCES["left"], "c" * 16, Message(1, "a" * 8), Message(2, "b" * 8)
    seen = [(one, first), (one, first), (other, None), (other, second), (one, second)]
    lines = tuple(Told(at, Exchange(at, NONCES["right"], None, *got)) for at, got in enumerate(seen, 1))
    receiver = Side("right", NONCES["right"], 4, lines[:3], lines[3:])
    assert (receiver.got_of(one), receiver.got_of(other)) == ([first, second], [second])
    assert receiver.got_of(one, lines[:1]) == [first]
    assert (receiver.forgets(one), receiver.forgets(other)) == (False, False)


def test_files_of_another_moment_make_messages_come_twice() -> None:
    early = World()
    early.run(ORDER[:8])
    story = Restored(ORDER, dict.fromkeys(NAMES, 16), dict(early.files))
    assert judged(story) is CutKind.DOUBLED


def test_a_file_from_before_the_first_message_begins_them_anew() -> None:
    sides = one_way(8, [1, 2, 3, 4, 5, 6, 7, 8], 5)
    lines = list(sides[1].own)
    lines[0] = replace(lines[0], exchange=replace(lines[0].exchange, got=None))
    verdict = judge_cut([sides[0], replace(sides[1], own=tuple(lines))])
    assert str(verdict) == "doubled: the messages from left to right were begun anew"


@settings(max_examples=150)
@given(
    order=st.lists(st.sampled_from(NAMES), min_size=8, max_size=40),
    cuts=st.tuples(st.integers(0, 40), st.integers(0, 40)),
)
def test_the_judge_says_what_the_memories_tell(order: list[str], cuts: tuple[int, int]) -> None:
    story = Restored(order, {name: min(cut, len(order)) for name, cut in zip(NAMES, cuts, strict=True)})
    sides, memories = story.sides()
    verdict = judge_cut(sides)
    assert verdict.kind is expected(memories), verdict


@settings(max_examples=80)
@given(
    order=st.lists(st.sampled_from(NAMES), min_size=8, max_size=40), moment=st.integers(0, 40), seen=st.integers(0, 12)
)
def test_no_early_look_calls_one_moment_inconsistent(order: list[str], moment: int, seen: int) -> None:
    sides, _ = Restored(order, dict.fromkeys(NAMES, min(moment, len(order)))).sides()
    early = [replace(one, own=one.own[:seen]) for one in sides]
    verdict = judge_cut(early)
    assert verdict.kind in (CutKind.CONSISTENT, CutKind.INCONCLUSIVE)
    assert verdict.settled == (verdict.kind is CutKind.CONSISTENT)


def test_what_is_missing_in_a_log_makes_it_inconclusive() -> None:
    sides, _ = Restored(ORDER, dict.fromkeys(NAMES, 16)).sides()
    verdict = judge_cut([without(sides[0], 4), sides[1]])
    assert str(verdict) == "inconclusive: what left told between its steps 3 and 5 is missing"
    assert verdict.pending


def test_containers_that_exchange_nothing_are_inconclusive() -> None:
    sides, _ = Restored((), dict.fromkeys(NAMES, 0), after=1).sides()
    verdict = judge_cut(sides)
    assert (verdict.kind, verdict.pending) == (CutKind.INCONCLUSIVE, "a message")


def test_a_third_container_that_took_no_part_is_named() -> None:
    sides, _ = Restored(ORDER, dict.fromkeys(NAMES, 16)).sides()
    quiet = tuple(replace(one, exchange=replace(one.exchange, sent=None, got=None)) for one in sides[0].own)
    alone = Side("third", "c" * 16, 1, (), quiet)
    assert "container third has exchanged no message" in str(judge_cut([*sides, alone]))


def test_the_distance_of_the_cuts_is_bounded_by_the_sources_steps() -> None:
    sides, _ = Restored(ORDER, dict.fromkeys(NAMES, 16)).sides()
    second = 10**9
    apart = [replace(sides[0], cut=(1 * second, 2 * second)), replace(sides[1], cut=(5 * second, 7 * second))]
    verdict = judge_cut(apart)
    assert (verdict.apart_at_least, verdict.apart_at_most) == (3.0, 6.0)
    overlapping = [replace(sides[0], cut=(1 * second, 2 * second)), replace(sides[1], cut=(1 * second, 4 * second))]
    assert judge_cut(overlapping).apart_at_least == 0.0
    assert judge_cut([apart[0], sides[1]]).apart_at_least is None


@pytest.mark.parametrize(
    ("kind", "cause"), [(CutKind.LOST, "inconsistent-cut"), (CutKind.INCONCLUSIVE, "evidence-missing")]
)
def test_a_failure_has_its_cause_and_the_distance(kind: CutKind, cause: str) -> None:
    sides, _ = Restored(ORDER, dict.fromkeys(NAMES, 16)).sides()
    verdict = replace(judge_cut(sides), kind=kind, apart_at_least=0.61, apart_at_most=0.9, pending="more")
    with pytest.raises(NotAsExpected) as raised:
        demand_consistent(verdict)
    assert raised.value.cause.name == cause
    assert "still waited for: more" in raised.value.seen
    assert "at least 0.61 s apart" in raised.value.seen


def test_a_line_is_read_as_it_is_printed() -> None:
    text = f"messages/1 nonce={NONCES['left']} step=7 sent=3/0a1b2c3d got={NONCES['right']}/2/deadbeef"
    sent, got = Message(3, "0a1b2c3d"), Message(2, "deadbeef")
    assert messages.parse(text) == Exchange(7, NONCES["left"], sent, NONCES["right"], got)
    assert messages.parse(text.replace("=3/0a1b2c3d", "=0/-")) == Exchange(
        7, NONCES["left"], None, NONCES["right"], got
    )
    for wrong in (text[:-1], f"x{text}", text.replace("step=7", "step=0"), text.replace("sent=3/", "sent=/")):
        assert messages.parse(wrong) is None


def test_the_manifest_has_the_script_word_for_word() -> None:
    pod = yaml.safe_load(MANIFEST.read_text())
    containers = {one["name"]: one for one in pod["spec"]["containers"]}
    assert [(one["name"], one["command"]) for one in containers.values()] == [
        (key, ["sh", "-c", SCRIPT]) for key in NAMES
    ]
    names = {name: {each["name"]: each["value"] for each in one["env"]} for name, one in containers.items()}
    assert names == {"left": {"ME": "left", "PEER": "right"}, "right": {"ME": "right", "PEER": "left"}}


@pytest.fixture(scope="module")
def real(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, list[LogLine]]]:
    """What the real script printed under the machine's `sh`: two processes and a folder between them."""
    box = tmp_path_factory.mktemp("box")
    script = SCRIPT.replace("/box/", f"{box}/")
    lines: dict[str, list[LogLine]] = {name: [] for name in NAMES}
    with contextlib.ExitStack() as stack:
        running = {name: stack.enter_context(_shell(script, name)) for name in NAMES}
        while len(lines["left"]) < 24 or any(_got(told) < 6 for told in lines.values()):
            for name, process in running.items():
                assert process.stdout is not None
                lines[name].append(LogLine(time.time_ns(), process.stdout.readline().removesuffix("\n")))
        yield lines


def _got(lines: list[LogLine]) -> int:
    """The number of the last message that came."""
    got = (one.exchange.got.number for one in messages.told(lines) if one.exchange.got)
    return max(got, default=0)


@contextlib.contextmanager
def _shell(script: str, name: str) -> Iterator[subprocess.Popen[str]]:
    names = {"ME": name, "PEER": NAMES[1 - NAMES.index(name)]}
    process = subprocess.Popen(
        ["sh", "-c", script], stdout=subprocess.PIPE, text=True, start_new_session=True, env=os.environ | names
    )
    try:
        yield process
    finally:
        os.killpg(process.pid, signal.SIGKILL)
        process.communicate()


def real_side(name: str, lines: list[LogLine], cut: int) -> Side:
    """The real lines as those of a source that was cut after so many lines, whose copy printed the rest."""
    source = Source("one", Look(at(0), ContainerLog(tuple(lines[:cut]))), ())
    copy = tuple(replace(one, stamp=one.stamp + 5 * 10**9) for one in lines[cut:])
    looks = (Look(at(8), ContainerLog(copy[:-2])), Look(at(9), ContainerLog(copy)))
    evidence = Evidence(source, "two", looks)
    found = side(name, evidence, judge(evidence))
    assert found is not None
    return found


def test_the_real_script_is_accepted(real: dict[str, list[LogLine]]) -> None:
    verdict = judge_cut([real_side(name, lines, 12) for name, lines in real.items()])
    assert verdict.kind is CutKind.CONSISTENT
    assert verdict.messages >= 4


def test_the_real_script_set_back_is_from_the_future(real: dict[str, list[LogLine]]) -> None:
    """As if right's process had been dumped six steps after left's: it holds what left, as it was, never sent."""
    left = real_side("left", real["left"], 6)
    right = real_side("right", real["right"], 18)
    later = {one.exchange.sent for one in left.own if one.exchange.sent}
    drawn_anew = {message: Message(message.number, "f" * 8) for message in later if message.number > left.last_before}
    own = tuple(
        replace(
            one,
            exchange=replace(one.exchange, sent=drawn_anew.get(sent, sent) if (sent := one.exchange.sent) else None),
        )
        for one in left.own
    )
    assert judge_cut([replace(left, own=own), right]).kind is CutKind.FUTURE


@pytest.mark.skipif(not recordings.cases(), reason="the recordings are not there")
def test_cuts_of_stock_runtimes_are_apart() -> None:
    """Recorded on a real cluster: one container was checkpointed after the other; both continued all the same."""
    cases = [case for case in recordings.cases() if case.name.startswith("two-containers")]
    sides = []
    for case in cases:
        verdict = judge(case.evidence)
        assert verdict.kind is Kind.CONTINUED
        found = side(case.name, case.evidence, verdict)
        assert found is not None
        sides.append(found)
    cut = judge_cut(sides)
    assert cut.apart_at_least is not None
    assert 0.0 < cut.apart_at_least < cut.apart_at_most < 2.0
    assert cut.kind is CutKind.INCONCLUSIVE, "those containers exchanged no messages"


def test_a_verdict_as_the_evidence_has_it() -> None:
    assert CutVerdict(CutKind.CONSISTENT, "all there", 3, 0.5, 0.75).to_dict() == {
        "verdict": "consistent",
        "sentence": "consistent: all there",
        "messages": 3,
        "cuts_apart_at_least_seconds": 0.5,
        "cuts_apart_at_most_seconds": 0.75,
        "pending": None,
    }
    found = CutVerdict(CutKind.INCONCLUSIVE, "nothing yet", pending="a step").to_dict()
    assert (found["messages"], found["pending"]) == (0, "a step")


def test_the_only_lost_message_is_named_alone() -> None:
    verdict = judge_cut(one_way(8, [1, 2, 3, 4, 4, 6, 7, 8], 4))
    assert str(verdict) == "lost: message 5 was sent from left to right and never got"


def test_what_was_sent_is_not_what_was_got() -> None:
    """The sender went on from before the message: it has since sent another one of the same number."""
    sides = one_way(8, [1, 2, 3, 4, 5, 6, 7, 8], 5)
    told = list(sides[1].own)
    other = Message(7, "f" * 8)
    told[1] = replace(told[1], exchange=replace(told[1].exchange, got=other))
    verdict = judge_cut([sides[0], replace(sides[1], own=tuple(told))])
    assert str(verdict) == f"from the future: right has got message {other}, and left has sent {Message(7, '00000007')}"
    assert verdict.settled


def test_nothing_told_since_the_restore_is_waited_for() -> None:
    sides = one_way(8, [1, 2, 3, 4, 5, 6, 7, 8], 5)
    for quiet in (0, 1):
        story = [replace(one, own=() if at == quiet else one.own) for at, one in enumerate(sides)]
        verdict = judge_cut(story)
        assert str(verdict) == f"inconclusive: {NAMES[quiet]} has told nothing since the restore"
        assert verdict.pending == "a step"


def test_a_message_after_the_restore_is_waited_for() -> None:
    """What left told first since the restore may have been sent before it."""
    verdict = judge_cut(one_way(6, [1, 2, 3, 4, 5, 6], 5))
    assert str(verdict) == "inconclusive: no message from left to right was sent and got after the restore yet"
    assert verdict.pending == "messages after the restore"
    assert judge_cut(one_way(7, [1, 2, 3, 4, 5, 6, 7], 5)).kind is CutKind.CONSISTENT


def test_who_has_sent_nothing_before_has_sent_nothing_of_the_future() -> None:
    """Right had got the first message, and left, as it was restored, had sent none."""
    sides = one_way(8, [1, 1, 2, 3, 4, 5, 6, 7], 1)
    silent = tuple(replace(one, exchange=replace(one.exchange, sent=None)) for one in (*sides[0].before,))
    first = replace(sides[0].own[0], exchange=replace(sides[0].own[0].exchange, sent=None))
    verdict = judge_cut([replace(sides[0], before=silent, own=(first, *sides[0].own[1:])), sides[1]])
    assert verdict.kind is CutKind.FUTURE
    assert "left had sent 0 of them" in str(verdict)


def test_only_that_senders_messages_can_be_begun_anew() -> None:
    """A third container's messages, that begin late, are no sign that left's were forgotten."""
    sides = one_way(8, [1, 2, 3, 4, 5, 6, 7, 8], 5)
    assert not sides[1].forgets("c" * 16)
    first = replace(sides[1].before[0], exchange=replace(sides[1].before[0].exchange, sender="c" * 16))
    other = replace(sides[1].own[2], exchange=replace(sides[1].own[2].exchange, sender="c" * 16, got=None))
    mixed = replace(sides[1], before=(first, *sides[1].before[1:]), own=(*sides[1].own[:2], other))
    assert not mixed.forgets(NONCES["left"])
    assert mixed.forgets("c" * 16)


def test_cuts_are_apart_only_where_two_are_known() -> None:
    sides, _ = Restored(ORDER, dict.fromkeys(NAMES, 16)).sides()
    known = replace(sides[0], cut=(1, 2))
    assert judge_cut([known]).apart_at_least is None
    assert judge_cut([known, replace(sides[1], cut=None)]).apart_at_most is None
    third = Side("third", "c" * 16, 1, (), (), cut=(3, 4))
    assert judge_cut([known, sides[1], third]).apart_at_most is None, "two of three say nothing of the third"
