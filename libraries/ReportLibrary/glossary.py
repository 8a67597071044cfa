"""What the words of reports mean that only those know who work on this: one line each, of those that a text has."""

from __future__ import annotations

import re

TERMS = {
    "witness": "what a test's process does to be recognised: it prints numbered lines that only it can continue.",
    "nonce": "a random number that a process draws when it starts and keeps in memory only, so that a new start shows.",
    "chain": "a hash over all steps of a process up to now; it fits only if none was lost or made up.",
    "step": "one numbered line of a witness.",
    "control arm": "the counter-check: a pod deleted and created again, not restored; it must be seen to start afresh.",
    "source": "the pod that was checkpointed.",
    "propagator": "the service that takes orders for checkpoints and restores over HTTP (the Cedana API).",
    "helper": "Cedana's pod on each node, which does the checkpoints and restores there.",
    "manager": "Cedana's pod in the cluster, which takes orders from the propagator.",
    "node agent": "the pod of this project's own propagator on each node.",
    "action": "one order to the propagator, a checkpoint or a restore, with an id of its own.",
    "CRIU": "the program that saves and restores the memory of processes.",
    "freeze gap": "how long a process stood still while it was checkpointed.",
    "downtime": "from the last step of the source to the first one of the restored process.",
    "ledger": "the file in which a run notes what it makes, so that it can be removed.",
    "emulated": "played by this project's own program: no real container runs.",
}
PLURALS = r"(s|'s)?"


def of(text: str) -> list[tuple[str, str]]:
    """The terms that the text has, with what they mean, in alphabetical order."""
    found = [
        (term, words)
        for term, words in TERMS.items()
        if re.search(rf"(?<![\w-]){re.escape(term)}{PLURALS}(?![\w-])", text, re.IGNORECASE)
    ]
    return sorted(found, key=lambda one: one[0].lower())
