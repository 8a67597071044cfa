"""What became of a request whose answer was lost: the server is asked before anything is sent again."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass

from harness.waiting import Pace

from .answers import Answer
from .errors import AnswerLost, NotUnderstood, PropagatorError, ServiceFailed, Unreachable

PACE = Pace(least=0.2, share=0.3, most=1.0)


@dataclass(frozen=True)
class Caution:
    """How lost answers are dealt with.

    Attributes:
        settle: seconds for which the server is asked, because work may show a little later than the answer was lost.
        sends: how often the request is sent at most.
        longest_pause: seconds that the service may ask to be left alone; more than that ends the attempts.
    """

    settle: float = 5.0
    sends: int = 3
    longest_pause: float = 30.0


CAUTIOUS = Caution()


def send_carefully(
    send: Callable[[], Answer], find: Callable[[], str | None], caution: Caution, *, repeatable: bool = False
) -> str:
    """Sends a request that changes something, and gives the id of what it made.

    When its answer is lost (the connection broke, a gateway gave up, the body holds no id), `find` is asked what became
    of it. It is sent again only if nothing did and nothing can still come: after a read timeout or a 504 the first
    request may yet be under way.

    Args:
        send: sends it once.
        find: the id of what the request has made, or None.
        caution: for how long to ask, and how often to send.
        repeatable: whether doing the work twice is as good as once.

    Raises:
        AnswerLost: it cannot be known whether the work was done.
        PropagatorError: it was refused.
    """
    for attempt in range(1, caution.sends + 1):
        try:
            return send().id()
        except PropagatorError as failed:
            if not _lost(failed):
                raise
            if not _untouched(failed) and (found := _ask(failed, find, caution.settle)):
                return found
            if attempt == caution.sends or failed.retry_after > caution.longest_pause:
                raise
            if _may_still_come(failed) and not repeatable:
                raise _unknown(failed, "no trace of it was found, but it may still be under way") from None
            time.sleep(max(failed.retry_after, PACE.least * attempt))
    raise ValueError(f"sends must be at least 1, not {caution.sends}")


def _lost(failed: PropagatorError) -> bool:
    """Whether the work may have been done, or a repetition may help: anything that is not a plain refusal."""
    if isinstance(failed, NotUnderstood):
        return failed.status is None
    return failed.transient and isinstance(failed, Unreachable | ServiceFailed)


def _untouched(failed: PropagatorError) -> bool:
    """Whether the server certainly did nothing: it was not reached, or it said that it would not."""
    return failed.status == 429 or (isinstance(failed, Unreachable) and not failed.sent)


def _may_still_come(failed: PropagatorError) -> bool:
    timed_out = isinstance(failed, Unreachable) and not failed.in_time
    return timed_out or failed.status == 504 or isinstance(failed, NotUnderstood)


def _ask(failed: PropagatorError, find: Callable[[], str | None], settle: float) -> str | None:
    start = time.monotonic()
    while True:
        try:
            if found := find():
                return found
        except PropagatorError as blind:
            raise _unknown(failed, f"asking what became of it failed: {blind.seen}") from None
        waited = time.monotonic() - start
        if waited >= settle:
            return None
        time.sleep(min(PACE.pause(waited), settle - waited))


def _unknown(failed: PropagatorError, why: str) -> AnswerLost:
    where = "the pod's actions at the propagator" if "/pod" in failed.operation else "what the propagator lists of it"
    return AnswerLost(
        failed.operation,
        f"the answer was lost ({failed.seen}); {why}",
        expected=f"{failed.operation} to be answered",
        look=f"{where}, before it is asked for again",
        status=failed.status,
    )
