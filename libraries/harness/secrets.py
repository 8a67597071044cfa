"""The last line of defence for secrets: every known secret value, and its usual encodings, masked in a text.

The first line is that a secret never gets near a log: Robot's `Secret` type in the keywords, a transport adapter for
the Authorization header, files with mode 0600 for child processes.
"""

from __future__ import annotations

import base64
import html
import json
import re
import threading
import urllib.parse

MASK = "<secret>"
SHORTEST = 4
"""A shorter value is not masked: it would turn every text into masks and protect nothing."""
SHORTEST_ENCODED = 8
"""The same for its encodings, which fall apart into pieces that ordinary text may hold by chance, and for the first
characters of a value that was cut off."""
PACKED = re.compile(r"(?:H4sI|SDRzS)[A-Za-z0-9+/_-]{40,}={0,2}")
"""Base64 of gzip, once or twice, as Helm keeps releases with all their values in Secrets: never shown, as what is in it
cannot be told from a piece of it."""
BREAK = re.compile(r"(?:\s|\\[rnt])+")
"""What may break a base64 text into lines, as it stands or as JSON and Python write it."""
CUT = "..."
"""What Robot Framework puts where it cuts a long value."""


class Secrets:
    """Known secret values. Thread-safe."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._values: set[str] = set()
        self._forms: tuple[str, ...] = ()
        self._broken: tuple[tuple[str, re.Pattern[str]], ...] = ()

    @property
    def count(self) -> int:
        """How many values are known: what was masked before the last one came may hold it."""
        return len(self._values)

    def add(self, value: str) -> None:
        """Masks `value` and its usual encodings from now on."""
        if len(value) < SHORTEST:
            return
        with self._lock:
            self._values.add(value)
            forms = {form for known in self._values for form in _forms(known)}
            self._forms = tuple(sorted(forms, key=len, reverse=True))
            encoded = {form for known in self._values for form in _base64_forms(known)}
            self._broken = tuple((form, _with_breaks(form)) for form in sorted(encoded, key=len, reverse=True))

    def redact(self, text: str) -> str:
        """`text` with every known secret masked, one that was cut off before its end among them."""
        cut = CUT in text
        for form in self._forms:
            if form in text:
                text = text.replace(form, MASK)
            if cut and form[:SHORTEST_ENCODED] in text:
                text = _mask_cut(text, form)
        if "H4sI" in text or "SDRzS" in text:
            text = PACKED.sub(MASK, text)
        return self._mask_broken(text)

    def _mask_broken(self, text: str) -> str:
        """`text` with base64 masked that goes on in the next line."""
        if "\n" not in text and "\\n" not in text:
            return text
        whole = "".join(text.replace("\\n", "\n").replace("\\r", "\n").replace("\\t", "\n").split())
        for form, pattern in self._broken:
            if form in whole:
                text = pattern.sub(MASK, text)
        return text

    def found_in(self, data: bytes) -> bool:
        """Whether a known secret or an encoding of it stands in `data`."""
        return any(form.encode() in data for form in self._forms)


def _forms(value: str) -> set[str]:
    forms = {urllib.parse.quote(value, safe=""), urllib.parse.quote_plus(value)}
    forms |= {json.dumps(value)[1:-1], html.escape(value)}
    return {value} | {form for form in forms if len(form) >= SHORTEST_ENCODED} | _base64_forms(value)


def _base64_forms(value: str) -> set[str]:
    raw, forms = value.encode(), set()
    for encode in (base64.b64encode, base64.urlsafe_b64encode):
        # A secret inside a longer base64 text stands at one of three alignments; the outer characters mix with the
        # neighbours and are cut off.
        for shift in range(3):
            encoded = encode(b"\0" * shift + raw).decode().rstrip("=")
            head = (shift * 8 + 5) // 6
            tail = (len(raw) + shift) * 8 // 6
            forms.add(encoded[head:tail])
    return {form for form in forms if len(form) >= SHORTEST_ENCODED}


def _with_breaks(form: str) -> re.Pattern[str]:
    """Matches the form in one piece or broken anywhere."""
    return re.compile(f"(?:{BREAK.pattern})?".join(map(re.escape, form)))


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
