"""The witness: a nonce in the memory of a process and a counter whose every step is chained by a hash.

One line a step: `witness/1 nonce=<16 hex> step=<n> chain=<16 hex>`, where `chain(n)` is the first 16 hex digits of
sha256 of `"<chain(n-1)> <nonce> <n>"` and `chain(0)` is sixteen zeros.
"""

from __future__ import annotations

import hashlib
import re
import sys
import threading
from dataclasses import dataclass, field
from functools import lru_cache

PERIOD = 0.1
"""Seconds that the script sleeps between two steps."""

SCRIPT = (
    r"k=$(od -An -N8 -tx1 /dev/urandom | tr -d ' \n'); n=0; c=0000000000000000" + "\n"
    r"""while :; do n=$((n+1)); c=$(printf '%s %s %s' "$c" "$k" "$n" | sha256sum | cut -c1-16); """
    f"""echo "witness/1 nonce=$k step=$n chain=$c"; sleep {PERIOD}; done\n"""
)
"""The witness for `sh` with coreutils or busybox; it never ends. Manifests hold it word for word."""

FARTHEST_STEP = 10_000_000
"""The largest step whose chain is checked (11 days of steps, some 8 s of hashing); a larger one does not follow."""

_ZEROS = "0" * 16
_LINE = re.compile(r"witness/1 nonce=([0-9a-f]{16}) step=([1-9][0-9]{0,11}) chain=([0-9a-f]{16})\r?")
_STRIDE = 8
_extending = threading.Lock()


@dataclass(frozen=True, order=True, slots=True)
class Step:
    """One step that a witness printed."""

    number: int
    nonce: str
    chain: str
    _right: bool | None = field(default=None, init=False, repr=False, compare=False)


def parse(text: str) -> Step | None:
    """The step that a line's text holds; None for any other text, a line that was cut off included."""
    found = _LINE.fullmatch(text)
    return Step(int(found[2]), sys.intern(found[1]), found[3]) if found else None


def follows(step: Step) -> bool:
    """Whether the step's hash is the one that its nonce and number must have. Computed once for each step."""
    if step._right is None:
        know(step, right=step.number <= FARTHEST_STEP and chain(step.nonce, step.number) == step.chain)
    return bool(step._right)


def know(step: Step, *, right: bool) -> None:
    """Lets `follows` answer so, where it was computed before."""
    object.__setattr__(step, "_right", right)


def written(step: Step) -> str:
    """The line of a step."""
    return f"witness/1 nonce={step.nonce} step={step.number} chain={step.chain}"


def chain(nonce: str, number: int) -> str:
    """The hash of step `number` of the witness with that nonce."""
    marks = _marks(nonce)
    with _extending:
        while len(marks) <= number // _STRIDE:
            begin = (len(marks) - 1) * _STRIDE
            marks.append(_walk(marks[-1], nonce, begin, begin + _STRIDE))
    begin = number // _STRIDE * _STRIDE
    return _walk(marks[number // _STRIDE], nonce, begin, number)


def short(nonce: str) -> str:
    """A nonce as sentences show it: `5f3a..`."""
    return f"{nonce[:4]}.."


def _walk(value: str, nonce: str, begin: int, end: int) -> str:
    for number in range(begin + 1, end + 1):
        value = hashlib.sha256(f"{value} {nonce} {number}".encode()).hexdigest()[:16]
    return value


@lru_cache(maxsize=64)
def _marks(nonce: str) -> list[str]:
    """The chain's values at each multiple of the stride, as far as they were needed: long histories stay cheap."""
    del nonce
    return [_ZEROS]
