"""What a container has printed: waiting for a line."""

from __future__ import annotations

import re

from harness.failures import BadInput
from harness.kube import Cluster, api_errors, pods
from harness.kube.errors import patiently
from harness.kube.pods import LOOK_AT_EVENTS
from harness.waiting import REMOTE, Done, Look, Pending, wait_until

from .execution import Place


def wait_until_matches(cluster: Cluster, place: Place, pattern: str, timeout: float) -> list[str]:
    """Waits until a line of a container's log matches; the last one that does: the match, and each of its groups.

    Args:
        timeout: seconds.

    Raises:
        WaitTimedOut: no line does; cause `evidence-missing`.
        BadInput: `pattern` is no regular expression.
        OperationFailed: the API refuses.
    """
    try:
        wanted = re.compile(pattern)
    except re.error as problem:
        raise BadInput("pattern", pattern, f"a regular expression ({problem})", cause="suite-error") from None

    def look() -> Look[list[str]]:
        with api_errors(f"read the log of {place}"):
            lines = pods.read_log(cluster, place.namespace, place.pod, place.container, timestamps=False)
        found = next((match for line in reversed(lines) if (match := wanted.search(line))), None)
        if found:
            return Done([found[0], *(group or "" for group in found.groups())])
        return Pending(f"{len(lines)} lines, none of which does; the last one is {lines[-1] if lines else 'missing'!r}")

    return wait_until(
        lambda: patiently(look),
        timeout=timeout,
        expected=f"a line in the log of {place} that matches {pattern!r}",
        look_next=f"that log, and {LOOK_AT_EVENTS}",
        cause="evidence-missing",
        pace=REMOTE,
    )
