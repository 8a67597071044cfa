"""The last line of defence for secrets: every known secret value, and its usual encodings, masked in a text.

The first line is that a secret never gets near a log: Robot's `Secret` type in the keywords, a transport adapter for
the Authorization header, files with mode 0600 for child processes.
"""

from __future__ import annotations

import base64
import html
import json
import threading
import urllib.parse

MASK = "<secret>"
SHORTEST = 4
"""A shorter value is not masked: it would turn every text into masks and protect nothing."""
SHORTEST_ENCODED = 8
"""The same for its encodings, which fall apart into pieces that ordinary text may hold by chance, and for the first
characters of a value that was cut off."""
CUT = "..."
"""What Robot Framework puts where it cuts a long value."""


class Secrets:
    """Known secret values. Thread-safe."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._values: set[str] = set()
        self._forms: tuple[str, ...] = ()

    def add(self, value: str) -> None:
        """Masks `value` and its usual encodings from now on."""
        if len(value) < SHORTEST:
            return
        with self._lock:
            self._values.add(value)
            forms = {form for known in self._values for form in _forms(known)}
            self._forms = tuple(sorted(forms, key=len, reverse=True))

    def redact(self, text: str) -> str:
        """`text` with every known secret masked, one that was cut off before its end among them."""
        cut = CUT in text
        for form in self._forms:
            if form in text:
                text = text.replace(form, MASK)
            if cut and form[:SHORTEST_ENCODED] in text:
                text = _mask_cut(text, form)
        return text

    def found_in(self, data: bytes) -> bool:
        """Whether a known secret or an encoding of it stands in `data`."""
        return any(form.encode() in data for form in self._forms)


def _forms(value: str) -> set[str]:
    raw = value.encode()
    forms = {urllib.parse.quote(value, safe=""), urllib.parse.quote_plus(value)}
    forms |= {json.dumps(value)[1:-1], html.escape(value)}
    for encode in (base64.b64encode, base64.urlsafe_b64encode):
        # A secret inside a longer base64 text stands at one of three alignments; the outer characters mix with the
        # neighbours and are cut off.
        for shift in range(3):
            encoded = encode(b"\0" * shift + raw).decode().rstrip("=")
            head = (shift * 8 + 5) // 6
            tail = (len(raw) + shift) * 8 // 6
            forms.add(encoded[head:tail])
    return {value} | {form for form in forms if len(form) >= SHORTEST_ENCODED}


def _mask_cut(text: str, form: str) -> str:
    """`text` with the beginnings of `form` masked that end in an ellipsis."""
    pieces, rest = [], 0
    at = text.find(form[:SHORTEST_ENCODED])
    while at >= 0:
        end = at + next((n for n, (a, b) in enumerate(zip(form, text[at:], strict=False)) if a != b), len(form))
        # The secret may go on with a full stop, as the ellipsis does.
        if any(text.startswith(CUT, end - dots) for dots in range(len(CUT))):
            pieces += [text[rest:at], MASK]
            rest = end
        at = text.find(form[:SHORTEST_ENCODED], end)
    return "".join(pieces) + text[rest:]


SECRETS = Secrets()
