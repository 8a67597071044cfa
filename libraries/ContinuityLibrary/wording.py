"""A verdict that was not wanted, as a failure in three parts, with the name of its cause."""

from __future__ import annotations

from dataclasses import dataclass

from .sampled import STUB_STATUS
from .verdict import Kind, Verdict
from .witness import short

_LOOK = {
    Kind.CONTINUED: "what was restored although nothing should have been",
    Kind.RESTARTED: "the restored pod's spec and events, and the log of Cedana's helper on its node: "
    "was the checkpoint restored, or its image started?",
    Kind.REWOUND: "the checkpoint's id in the restore request against the newest in the list of checkpoints, "
    "and the restored pod's restart count",
    Kind.AHEAD: "the checkpoint's id in the restore request, and whether a later checkpoint of the workload exists",
    Kind.FOREIGN: "the checkpoint's id in the restore request: whose checkpoint is it?",
    Kind.BROKEN_CHAIN: "the restored container's log around that step, beside the source's",
    Kind.SILENT: "the processes of the restored container and the log of Cedana's helper on its node: "
    "is it frozen, or is its output lost?",
    Kind.ORIGINAL: "the deletion of the source, and the name of the pod that the restore made",
    Kind.INCONCLUSIVE: "the logs of source and restored container, in this report, and the restored pod's events",
}

_CAUSES = {
    Kind.CONTINUED: "check-broken",
    Kind.RESTARTED: "process-restarted",
    Kind.REWOUND: "process-rewound",
    Kind.AHEAD: "process-ahead",
    Kind.FOREIGN: "process-foreign",
    Kind.BROKEN_CHAIN: "process-broken",
    Kind.SILENT: "process-silent",
    Kind.ORIGINAL: "not-restored",
    Kind.INCONCLUSIVE: "evidence-missing",
}


@dataclass(frozen=True)
class Wording:
    """The parts of a failure text: what was expected, what was seen, where to look next, and the cause's name."""

    expected: str
    seen: str
    look: str
    cause: str


def failure(verdict: Verdict, wanted: Kind) -> Wording | None:
    """What to say when `wanted` was asked for and this verdict came; None when it is the wanted one.

    The cause is that of the verdict; when a fresh start was wanted, anything else means that the check is broken.
    """
    if verdict.kind is wanted:
        return None
    cause = "check-broken" if wanted is Kind.RESTARTED else _CAUSES[verdict.kind]
    return Wording(expected(verdict, wanted), seen(verdict), _LOOK[verdict.kind], cause)


def expected(verdict: Verdict, wanted: Kind) -> str:
    """What should have been, with the figures that are known."""
    if verdict.witness == STUB_STATUS.name:
        fresh, same = "whose count begins anew", f"its count goes on above {verdict.b}"
    else:
        nonce = f"nonce {short(verdict.nonce)}" if verdict.nonce else "the source's nonce"
        fresh = f"with another nonce than {short(verdict.nonce)}"
        same = f"the process goes on with {nonce}"
    if wanted is Kind.RESTARTED:
        return f"verdict {wanted}: a fresh process {fresh}"
    window = ""
    if verdict.b is not None and verdict.r is not None:
        window = f", first a step after {verdict.b} and not after {verdict.r + 1}"
    return f"verdict {wanted}: {same}{window}, and its steps keep coming"


def seen(verdict: Verdict) -> str:
    """The verdict's sentence, with what was still waited for."""
    waited = f" (still waited for: {verdict.pending})" if verdict.pending else ""
    return f"{verdict}{waited}"
