"""Waiting for what a Service answers through the API server's proxy."""

from __future__ import annotations

import time
from collections.abc import Callable

from harness.failures import NotAsExpected
from harness.kube import Cluster, api_errors
from harness.kube.proxying import Answer, Target, get
from harness.waiting import Done, Look, Pending, wait_until

SHORTEST_WAIT = 1.0
"""Seconds that a request gets even when the time for all of them is up."""
LOOK = "the endpoints of the Service, and whether its pods are Ready and listen on its target port"


def request(cluster: Cluster, target: Target, status: int | None, timeout: float) -> Answer:
    """A GET; tried again while the Service has no endpoint that answers.

    Args:
        status: what the Service must answer; None: anything.
        timeout: seconds.

    Raises:
        NotAsExpected: another status.
        WaitTimedOut: no answer; says what was last seen; cause `service-unreachable`.
        OperationFailed: there is no such Service, or the API refuses.
    """
    answer = _ask(cluster, target, timeout, lambda _: True)
    if status is not None and answer.status != status:
        raise NotAsExpected(f"{target} to answer with status {status}", str(answer), LOOK, cause="service-unreachable")
    return answer


def wait_until_answers(cluster: Cluster, target: Target, status: int, timeout: float) -> Answer:
    """GETs until the Service answers with `status`.

    Raises:
        WaitTimedOut: it did not; says what was last seen; cause `service-unreachable`.
        OperationFailed: there is no such Service, or the API refuses.
    """
    return _ask(cluster, target, timeout, lambda answer: answer.status == status, f" with status {status}")


def _ask(cluster: Cluster, target: Target, timeout: float, good: Callable[[Answer], bool], how: str = "") -> Answer:
    deadline = time.monotonic() + timeout

    def look() -> Look[Answer]:
        answer = get(cluster, target, max(SHORTEST_WAIT, deadline - time.monotonic()))
        if isinstance(answer, Answer):
            return Done(answer) if good(answer) else Pending(str(answer))
        return answer

    with api_errors(f"proxy to {target}"):
        return wait_until(
            look, timeout=timeout, expected=f"{target} to answer{how}", look_next=LOOK, cause="service-unreachable"
        )
