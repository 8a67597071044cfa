"""Finds a secret in what a run leaves or shows, also where it is encoded, compressed, or both."""

from __future__ import annotations

import base64
import binascii
import gzip
import html
import json
import re
import urllib.parse
import zlib
from collections.abc import Iterator

BASE64 = re.compile(rb"[A-Za-z0-9+/_-]{16,}={0,2}")
DEEPEST = 4
"""How many encodings around one another are taken off; Helm's release in a Secret has three."""


def forms(secret: str) -> dict[str, bytes]:
    """The secret as it may stand in a text, by the name of its encoding."""
    found = {
        "itself": secret,
        "URL-encoded": urllib.parse.quote(secret, safe=""),
        "URL-encoded but for slashes": urllib.parse.quote(secret),
        "URL-encoded in a form": urllib.parse.quote_plus(secret),
        "in JSON": json.dumps(secret)[1:-1],
        "in HTML": html.escape(secret),
        "in hexadecimal": secret.encode().hex(),
    }
    for name, encode in (("base64", base64.b64encode), ("URL-safe base64", base64.urlsafe_b64encode)):
        for shift in range(3):
            found[f"{name}, aligned at {shift}"] = _inner(encode, secret.encode(), shift)
    return {name: form.encode() for name, form in found.items()}


def traces(data: bytes, secret: str) -> list[str]:
    """The encodings in which the secret stands in `data`; empty when it does not."""
    wanted = forms(secret)
    return sorted({name for layer in _layers(data, DEEPEST) for name, form in wanted.items() if form in layer})


def _inner(encode: object, raw: bytes, shift: int) -> str:
    """What stands in a base64 text whatever its neighbours are, `shift` bytes after a multiple of three."""
    assert callable(encode)
    encoded: str = encode(b"\0" * shift + raw).decode().rstrip("=")
    return encoded[(shift * 8 + 5) // 6 : (len(raw) + shift) * 8 // 6]


def _layers(data: bytes, depth: int) -> Iterator[bytes]:
    """`data`, and what is compressed or base64 in it, layer by layer."""
    yield data
    if not depth:
        return
    if unpacked := _unpacked(data):
        yield from _layers(unpacked, depth - 1)
    for text in set(BASE64.findall(data)):
        decoded = _decoded(text)
        # What is neither text nor compressed is no base64 but an ordinary word.
        if decoded and (_unpacked(decoded) or BASE64.fullmatch(decoded)):
            yield from _layers(decoded, depth - 1)


def _decoded(text: bytes) -> bytes:
    bare = text.rstrip(b"=").translate(bytes.maketrans(b"-_", b"+/"))
    try:
        return base64.b64decode(bare + b"=" * (-len(bare) % 4))
    except binascii.Error:
        return b""


def _unpacked(data: bytes) -> bytes:
    """The content of gzip or zlib data; empty when it is neither."""
    for magic, unpack in ((b"\x1f\x8b", gzip.decompress), (b"\x78", zlib.decompress)):
        if data.startswith(magic):
            try:
                return unpack(data)
            except (OSError, EOFError, zlib.error):
                return b""
    return b""
