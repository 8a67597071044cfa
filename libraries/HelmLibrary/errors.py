"""Helm's words as failures of ours, with a cause."""

from __future__ import annotations

import re

from harness.diagnosis import QUOTA_WORDS
from harness.failures import OperationFailed

from .releases import HelmError

LONGEST = 2000
"""Characters of Helm's text that a message keeps; its end says the most."""

_BY_CODE = {"chart": "bad-chart", "timeout": "install-timeout"}
_BY_WORDS = [
    (re.compile(pattern, re.IGNORECASE), cause)
    for pattern, cause in (
        (QUOTA_WORDS, "quota"),
        (r"admission webhook", "webhook-refused"),
        (r"because it is being terminated", "stuck-terminating"),
        (
            r"\S+ \"\S+\" is invalid: |"
            r"chart\.yaml file is missing|execution error at|parse error at|error calling include|"
            r"don't meet the specifications|unable to build kubernetes objects|error parsing|yaml parse error|"
            r"chart \S+ not found|no chart (version|name) found|failed to (download|fetch)|"
            r"not a valid chart repository|could not find protocol handler|failed to authorize|"
            r"failed to perform \"?(FetchReference|Fetch|Resolve)|incompatible with kubernetes",
            "bad-chart",
        ),
        (r"kubernetes cluster unreachable|connection refused|no such host|connection reset", "cluster-unreachable"),
        (r"forbidden|unauthorized|the server has asked for the client to provide credentials", "cluster-refused"),
        (r"deadline exceeded|timed out waiting|would exceed context deadline", "install-timeout"),
    )
]
_PASSING = re.compile(
    r"internal error occurred: (etcdserver|leader)|etcdserver: |server is currently unable to handle the request|"
    r"too many requests|unexpected EOF|connection reset by peer|client connection lost",
    re.IGNORECASE,
)
_LOOK = {
    "quota": "the quotas of the namespace",
    "webhook-refused": "the webhook that is named, and its policy",
    "stuck-terminating": "the finalizers of what is left in the namespace",
    "bad-chart": "the chart and the values that were given",
    "cluster-unreachable": "is the cluster up, and is its address in the kubeconfig right?",
    "cluster-refused": "the rights of the user in the kubeconfig",
    "install-timeout": "the pods of the release and their events",
}


def cause_of(problem: HelmError) -> str:
    """The cause that Helm's words tell; `helm-failed` when they tell none."""
    if problem.code in _BY_CODE:
        return _BY_CODE[problem.code]
    return next((cause for pattern, cause in _BY_WORDS if pattern.search(problem.words)), "helm-failed")


def may_pass(problem: HelmError) -> bool:
    """Whether Helm tells of an API server that failed by itself, and may well not do so a little later."""
    return _PASSING.search(problem.words) is not None


def failed(expected: str, problem: HelmError, *, seen: str = "", look: str = "", cause: str = "") -> OperationFailed:
    """The failure for what Helm said.

    Args:
        expected: what should have been.
        seen: what was found out besides; stands before Helm's words.
        look: what to look at next; a default for the cause when empty.
        cause: overrides the cause that the words tell.
    """
    cause = cause or cause_of(problem)
    words = problem.words.strip()
    if len(words) > LONGEST:
        words = f"... {words[-LONGEST:]}"
    said = f"Helm said: {words}"
    return OperationFailed(expected, f"{seen}; {said}" if seen else said, look or _LOOK.get(cause, ""), cause=cause)
