"""The search for a secret finds it in every encoding, so that finding none means something."""

from __future__ import annotations

import base64
import gzip
import json
import zlib
from collections.abc import Callable

import pytest

from .secret_traces import forms, traces

SECRET = "aB3/+9zQ-tok_en.x~y=="

WRAPPINGS: dict[str, Callable[[bytes], bytes]] = {
    "nothing": lambda text: text,
    "JSON": lambda text: json.dumps({"a": text.decode()}).encode(),
    "base64": base64.b64encode,
    "base64 after one byte": lambda text: base64.b64encode(b"x" + text + b"yz"),
    "base64 after two bytes": lambda text: base64.urlsafe_b64encode(b"xy" + text + b"z"),
    "gzip": gzip.compress,
    "gzip in base64": lambda text: base64.b64encode(gzip.compress(text)),
    "a release in a Secret": lambda text: base64.b64encode(base64.b64encode(gzip.compress(b'{"x": "' + text))),
    "a text in log.html": lambda text: b'window.output["strings"].concat(["*' + base64.b64encode(zlib.compress(text)),
}


@pytest.mark.parametrize("form", forms(SECRET))
def test_it_is_found_in_every_form(form: str) -> None:
    assert form in traces(b"before " + forms(SECRET)[form] + b" after", SECRET)


@pytest.mark.parametrize("wrapping", WRAPPINGS)
def test_it_is_found_in_every_wrapping(wrapping: str) -> None:
    wrapped = WRAPPINGS[wrapping](b"before " + SECRET.encode() + b" after")
    assert traces(wrapped, SECRET) != []
    assert wrapping == "gzip" or traces(b"line one\n" + wrapped + b"\nline three", SECRET) != []


def test_nothing_is_found_where_it_is_not() -> None:
    noise = json.dumps({"token": "<secret>", "blob": base64.b64encode(gzip.compress(b"x" * 999)).decode()})
    assert traces(noise.encode() + base64.b64encode(bytes(range(256)) * 9), SECRET) == []
